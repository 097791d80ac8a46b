//! The recovery phrase: 24 BIP-39 words (English list) for 32 bytes of entropy.
//!
//! The entropy itself is the secret; BIP-39's password stretching is not used, since 256 random
//! bits need none.

use crate::context;
use crate::kdf::derive_key;
use crate::key::Key;
use crate::random::{RandomError, secret32};
use crate::sign::SigningKey;
use crate::slot::{SlotKind, SlotSecret};
use bip39::{Language, Mnemonic};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Words of a phrase.
pub const WORDS: usize = 24;

/// A word of the list that phrases are made of. Places above 2,047 begin anew.
pub fn listed_word(place: u16) -> &'static str {
    let words = Language::English.word_list();
    let place = usize::from(place) % words.len();
    words.get(place).copied().unwrap_or_default()
}

/// Why a text is not a recovery phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    /// Not 24 words.
    #[error("a recovery phrase has 24 words, not {0}")]
    Count(usize),
    /// A word that is not in the list.
    #[error("word {} is not in the word list", .index + 1)]
    UnknownWord {
        /// Which, from 0.
        index: usize,
    },
    /// All words are in the list, but one is wrong or two are swapped.
    #[error("the words do not fit together: one is wrong, or two are swapped")]
    Checksum,
}

/// A recovery phrase. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryPhrase([u8; 32]);

impl RecoveryPhrase {
    /// A fresh random phrase.
    ///
    /// # Errors
    /// [`RandomError`]
    pub fn generate() -> Result<Self, RandomError> {
        secret32().map(|entropy| Self(*entropy))
    }

    /// The phrase with this entropy.
    pub const fn from_entropy(entropy: [u8; 32]) -> Self {
        Self(entropy)
    }

    /// Reads a phrase; case and white space do not matter.
    ///
    /// # Errors
    /// [`PhraseError`]
    pub fn parse(text: &str) -> Result<Self, PhraseError> {
        let lower = Zeroizing::new(text.to_lowercase());
        let count = lower.split_whitespace().count();
        if count != WORDS {
            return Err(PhraseError::Count(count));
        }
        let mnemonic =
            Mnemonic::parse_in_normalized(Language::English, &lower).map_err(|e| match e {
                bip39::Error::UnknownWord(index) => PhraseError::UnknownWord { index },
                bip39::Error::BadWordCount(count) => PhraseError::Count(count),
                _ => PhraseError::Checksum,
            })?;
        let (entropy, len) = mnemonic.to_entropy_array();
        let entropy = Zeroizing::new(entropy);
        match entropy.first_chunk::<32>() {
            Some(entropy) if len == 32 => Ok(Self(*entropy)),
            _ => Err(PhraseError::Count(count)),
        }
    }

    /// The 24 words, separated by single spaces.
    pub fn to_words(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::with_capacity(WORDS * 9));
        // 32 bytes are always valid entropy.
        if let Ok(mnemonic) = Mnemonic::from_entropy_in(Language::English, &self.0) {
            for word in mnemonic.words() {
                if !out.is_empty() {
                    out.push(' ');
                }
                out.push_str(word);
            }
        }
        out
    }

    /// The recovery signing key. Depends on the vault and the phrase only: it is how someone who
    /// has nothing else finds the account.
    pub fn derive_signing_key(&self, vault: &[u8]) -> SigningKey {
        let seed = derive_key(&Key::from_bytes(self.0), &context::recovery_signing(vault));
        SigningKey::from_seed(seed.expose())
    }

    /// The secret of the recovery slot.
    pub const fn slot_secret(&self) -> SlotSecret {
        SlotSecret::from_bytes(SlotKind::Recovery, self.0)
    }
}

impl std::fmt::Debug for RecoveryPhrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryPhrase(secret)")
    }
}
