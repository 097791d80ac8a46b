//! What is kept of a canister's past: who created it, changed its code or its controllers, or
//! loaded a snapshot onto it. Data only.

use crate::wire::value::Hash;
use candid::Principal;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Changes that are always kept (interface specification); older ones are only counted.
const KEPT: usize = 20;

/// Who made a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Author {
    /// An agent.
    User(Principal),
    /// A canister, and its version when it says so.
    Canister(Principal, Option<u64>),
}

/// How code came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Deployment {
    /// Onto an empty canister.
    Install,
    /// In place of code and state.
    Reinstall,
    /// In place of code.
    Upgrade,
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Event {
    /// It was created, with these controllers and, when any were named, environment variables of
    /// this hash.
    Created(Vec<Principal>, Option<Hash>),
    /// Its code was removed.
    Uninstalled,
    /// It got the code of this hash.
    Deployed(Deployment, Hash),
    /// A snapshot was loaded.
    Loaded {
        /// Whose, when another canister's.
        from: Option<Principal>,
        /// Which.
        #[serde(with = "serde_bytes")]
        snapshot: Vec<u8>,
        /// The version of its canister when it was made.
        version: u64,
        /// When it was made, ns.
        taken_at: u64,
        /// Whether it was uploaded.
        uploaded: bool,
    },
    /// It got these controllers.
    Controllers(Vec<Principal>),
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    /// When, ns.
    pub(crate) at: u64,
    /// The canister's version after it.
    pub(crate) version: u64,
    /// By whom.
    pub(crate) author: Author,
    /// What.
    pub(crate) event: Event,
}

/// A canister's past.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct History {
    /// How many changes there ever were.
    pub(crate) total: u64,
    /// The latest, oldest first.
    pub(crate) recent: VecDeque<Change>,
    /// When it was created, ns; none where that was not kept.
    #[serde(default)]
    pub(crate) created: Option<u64>,
    /// When it last got code, by an installation or a snapshot, ns; none where that was not kept.
    #[serde(default)]
    pub(crate) deployed: Option<u64>,
}

impl History {
    /// Adds a change.
    pub(crate) fn add(&mut self, change: Change) {
        self.total += 1;
        match &change.event {
            Event::Created(..) => self.created = Some(change.at),
            Event::Deployed(..) | Event::Loaded { .. } => self.deployed = Some(change.at),
            Event::Uninstalled | Event::Controllers(_) => {}
        }
        self.recent.push_back(change);
        while self.recent.len() > KEPT {
            self.recent.pop_front();
        }
    }
}
