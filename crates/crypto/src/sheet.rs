//! The recovery sheet's key: 128 random bits that a person can type. Printed beside nothing else it
//! opens nothing; combined with a passphrase it makes guessing that passphrase hopeless.
//!
//! Text: 30 characters of Crockford's base32 in six groups of five, 16 bytes and the first 22 bits
//! of a checksum. Must not know what it is combined with.

use crate::context::{Kind, labelled};
use crate::random::{RandomError, fill};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Crockford's alphabet: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters without what separates them.
const CHARACTERS: usize = 30;
const GROUP: usize = 5;

/// Why a text is not a recovery sheet's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SheetKeyError {
    /// A character that does not occur in one.
    #[error("character {} does not occur in a key", .index + 1)]
    Character {
        /// Which, from 0, not counting hyphens and white space.
        index: usize,
    },
    /// Not 30 characters.
    #[error("a key has 30 characters, not {0}")]
    Length(usize),
    /// The characters do not fit together.
    #[error("the characters do not fit together: one is wrong, or two are swapped")]
    Checksum,
}

/// A recovery sheet's key. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SheetKey([u8; 16]);

impl SheetKey {
    /// A fresh random key.
    ///
    /// # Errors
    /// [`RandomError`]
    pub fn generate() -> Result<Self, RandomError> {
        let mut key = Self([0; 16]);
        fill(&mut key.0)?;
        Ok(key)
    }

    /// The key of these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads a key; case, hyphens and white space do not matter, and O, I and L pass for 0 and 1.
    ///
    /// # Errors
    /// [`SheetKeyError`]
    pub fn parse(text: &str) -> Result<Self, SheetKeyError> {
        let mut values = Zeroizing::new([0u8; CHARACTERS]);
        let mut count = 0;
        for (index, character) in text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}'))
            .enumerate()
        {
            let value = value(character).ok_or(SheetKeyError::Character { index })?;
            if let Some(place) = values.get_mut(index) {
                *place = value;
            }
            count = index + 1;
        }
        if count != CHARACTERS {
            return Err(SheetKeyError::Length(count));
        }
        let mut key = Self([0; 16]);
        for (index, value) in values.iter().enumerate() {
            for bit in 0..5 {
                let at = index * 5 + bit;
                if let Some(byte) = key.0.get_mut(at / 8) {
                    *byte |= (value >> (4 - bit) & 1) << (7 - at % 8);
                }
            }
        }
        if *key.values() == *values {
            Ok(key)
        } else {
            Err(SheetKeyError::Checksum)
        }
    }

    /// The key as it is printed: `XXXXX-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX`.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::with_capacity(CHARACTERS + CHARACTERS / GROUP));
        for (index, value) in self.values().iter().enumerate() {
            if index > 0 && index.is_multiple_of(GROUP) {
                out.push('-');
            }
            let character = ALPHABET.get(usize::from(*value)).copied();
            out.push(char::from(character.unwrap_or_default()));
        }
        out
    }

    /// The secret bytes.
    pub(crate) const fn expose(&self) -> &[u8; 16] {
        &self.0
    }

    /// Five bits for each character: the key, then as much of its checksum as fits.
    fn values(&self) -> Zeroizing<[u8; CHARACTERS]> {
        let labelled = Zeroizing::new(labelled(Kind::SheetKey, &[&self.0]));
        let checksum = Sha256::digest(labelled.as_slice());
        let bit = |at: usize| {
            let byte = self.0.get(at / 8).or_else(|| checksum.get(at / 8 - 16));
            byte.copied().unwrap_or_default() >> (7 - at % 8) & 1
        };
        let mut out = Zeroizing::new([0u8; CHARACTERS]);
        for (index, value) in out.iter_mut().enumerate() {
            for at in index * 5..index * 5 + 5 {
                *value = *value << 1 | bit(at);
            }
        }
        out
    }
}

fn value(character: char) -> Option<u8> {
    let upper = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let at = ALPHABET.iter().position(|a| char::from(*a) == upper)?;
    u8::try_from(at).ok()
}

impl std::fmt::Debug for SheetKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SheetKey(secret)")
    }
}
