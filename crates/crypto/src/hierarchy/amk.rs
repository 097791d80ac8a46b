//! The account master key and its generation.

use crate::key::Key;
use crate::random::RandomError;

/// The account master key. A slot is removed by making the next generation and sealing it to the
/// slots that remain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amk {
    generation: u32,
    key: Key,
}

impl Amk {
    /// A fresh key of the given generation; the first is 1.
    ///
    /// # Errors
    /// [`RandomError`]
    pub fn generate(generation: u32) -> Result<Self, RandomError> {
        Key::generate().map(|key| Self { generation, key })
    }

    pub(crate) const fn from_parts(generation: u32, key: Key) -> Self {
        Self { generation, key }
    }

    /// Which generation it is.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    pub(crate) const fn key(&self) -> &Key {
        &self.key
    }
}
