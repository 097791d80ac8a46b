//! The people: names and a secret each, kept in the state folder.

use crate::node::Node;
use crate::node::load::encode;
use crate::persist::{Batch, PersistError};
use crate::wire::value::sha256;
use serde::{Deserialize, Serialize};

/// Before a person's name in the store.
const KEY: &str = "person/";
/// Longest name, bytes.
const MAX_NAME: usize = 64;

/// Somebody.
#[derive(Serialize, Deserialize)]
pub(super) struct Person {
    #[serde(with = "serde_bytes")]
    secret: Vec<u8>,
}

/// Why there is no such person.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeopleError {
    /// Nobody of that name.
    #[error("there is nobody called {0:?}")]
    Nobody(String),
    /// A name nobody may have.
    #[error("a name has 1 to {MAX_NAME} bytes and no control characters")]
    Name,
    /// What is stored is damaged.
    #[error("what is stored about {0:?} is damaged")]
    Damaged(String),
    /// No randomness.
    #[error("no randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// The state folder.
    #[error(transparent)]
    Persist(#[from] PersistError),
}

impl Person {
    /// The secret of this person for one purpose at one origin.
    pub(super) fn seed(&self, purpose: &str, origin: &str) -> [u8; 32] {
        let mut input = self.secret.clone();
        for part in [purpose, origin] {
            input.extend_from_slice(&(part.len() as u64).to_be_bytes());
            input.extend_from_slice(part.as_bytes());
        }
        sha256(&input)
    }
}

/// All names.
pub(super) fn names(node: &Node) -> Vec<String> {
    let store = node.store();
    store
        .with_prefix(KEY)
        .filter_map(|(key, _)| key.strip_prefix(KEY).map(str::to_owned))
        .collect()
}

/// Somebody by name.
pub(super) fn find(node: &Node, name: &str) -> Result<Person, PeopleError> {
    let name = name.trim();
    let store = node.store();
    let stored = store
        .get(&format!("{KEY}{name}"))
        .ok_or_else(|| PeopleError::Nobody(name.to_owned()))?;
    serde_cbor::from_slice(stored).map_err(|_| PeopleError::Damaged(name.to_owned()))
}

/// Adds somebody; whoever has the name already stays who they are. The name as it is kept.
pub(super) fn add(node: &Node, name: &str) -> Result<String, PeopleError> {
    let name = name.trim();
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(PeopleError::Name);
    }
    let mut secret = vec![0; 32];
    getrandom::fill(&mut secret)?;
    let key = format!("{KEY}{name}");
    let mut store = node.store();
    if store.get(&key).is_none() {
        store.commit(&Batch {
            values: vec![(key, Some(encode(&Person { secret })))],
            pages: Vec::new(),
        })?;
    }
    Ok(name.to_owned())
}
