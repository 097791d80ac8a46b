//! `salus account rotate`: everything anew that someone may have got hold of.

use crate::app::App;
use crate::error::Result;
use crate::proof::ProofArgs;
use crate::text::count;
use crate::watch::Watch;
use salus_client::{AccountId, VersionRef};
use serde::Serialize;
use std::fmt;

/// A version that was left as it was.
#[derive(Serialize)]
struct Left {
    record: String,
    version: u32,
}

impl From<VersionRef> for Left {
    fn from(at: VersionRef) -> Self {
        Self {
            record: at.record.to_string(),
            version: at.version,
        }
    }
}

/// What `rotate` answers.
#[derive(Serialize)]
pub(super) struct Rotated {
    account: String,
    /// Whether this command began it, or went on with one that was stopped.
    began: bool,
    /// Generation of the account master key.
    generation: u32,
    /// Versions whose keys were sealed anew by this command.
    refiled: u64,
    /// Grants in force that could not be made anew.
    left_behind: Vec<String>,
    /// Versions whose keys do not open.
    unreadable: Vec<Left>,
}

impl Rotated {
    /// As it is shown.
    pub(super) fn of(account: AccountId, rotated: salus_client::Rotated) -> Self {
        Self {
            account: account.to_string(),
            began: rotated.began,
            generation: rotated.generation,
            refiled: rotated.refiled,
            left_behind: rotated
                .left_behind
                .iter()
                .map(ToString::to_string)
                .collect(),
            unreadable: rotated.unreadable.into_iter().map(Left::from).collect(),
        }
    }
}

impl fmt::Display for Rotated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.began {
            writeln!(f, "All keys of your account are new.")?;
        } else {
            writeln!(f, "The rotation that had been stopped is finished.")?;
        }
        let refiled = usize::try_from(self.refiled).unwrap_or(usize::MAX);
        writeln!(f, "Sealed anew    keys of {}", count(refiled, "version"))?;
        for grant in &self.left_behind {
            writeln!(
                f,
                "Left behind    grant {grant}: whoever has it reads nothing new until you give it again"
            )?;
        }
        for version in &self.unreadable {
            writeln!(
                f,
                "Left as it is  record {} version {}, whose keys do not open",
                version.record, version.version
            )?;
        }
        write!(
            f,
            "Whoever had the old keys may have read what they opened until now."
        )
    }
}

/// Runs the command.
pub(crate) async fn rotate(app: &App, proof: &ProofArgs) -> Result<()> {
    let session = proof.session(app).await?;
    let rotated = {
        let watch = Watch::new(app.out, "versions");
        session.unlocked.rotate_everything(&watch).await?
    };
    app.out
        .answer(&Rotated::of(session.unlocked.account(), rotated))
}
