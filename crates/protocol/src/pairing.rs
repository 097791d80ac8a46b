//! Pairing: how a new device gets a slot of its own by help of one that is unlocked, and how people
//! make sure that nobody stands between the two. Must not know how anything is sealed, sent or shown.
//!
//! The unlocked device binds itself to its answer by a hash; the new one then offers its slot; only
//! after that the answer is opened. Both make words of everything said. Whoever stands in between must
//! choose what to say to each side before knowing the other side's random bytes, so that the words are
//! the same only by chance: 2^-44 for each attempt, and there is one attempt for each code.

use crate::canonical;
use crate::ledger::SlotKind;
use crate::statement::labelled_hash;
use minicbor::{Decode, Encode};
use salus_types::{AccountId, Hash, SlotId};
use std::fmt;
use std::str::FromStr;

/// Label of what the unlocked device is bound by.
pub const COMMITMENT_LABEL: &str = "salus/v1/pairing-commitment";
/// Label of what both sides make words of.
pub const WORDS_LABEL: &str = "salus/v1/pairing-words";
/// Words that both sides show.
pub const WORDS: usize = 4;
/// Bits that a word of the list of 2,048 stands for.
const WORD_BITS: usize = 11;

/// Characters of a code before its check character.
const CHARACTERS: usize = 8;
/// Crockford's base 32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Modulus of Crockford's check character. It finds every wrong character and every swap of two
/// neighbours.
const CHECK: u64 = 37;

/// What finds a pairing at the vault: 40 bits, of which the remainder by 37 is below 32, so that the
/// check character is one of the same alphabet. No secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PairingCode(u64);

/// The text is no code, or one of its characters is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a pairing code: a character is wrong or missing")]
pub struct NotACode;

impl PairingCode {
    /// The code of this number, if there is one: about 86 of 100 numbers below 2^40 have one.
    pub fn new(number: u64) -> Option<Self> {
        (number >> (5 * CHARACTERS) == 0 && number % CHECK < 32).then_some(Self(number))
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let character = |value: u64| {
            let place = usize::try_from(value & 31).unwrap_or(0);
            char::from(ALPHABET.get(place).copied().unwrap_or(b'0'))
        };
        for place in (0..CHARACTERS).rev() {
            write!(f, "{}", character(self.0 >> (5 * place)))?;
            if place % 4 == 0 {
                write!(f, "-")?;
            }
        }
        write!(f, "{}", character(self.0 % CHECK))
    }
}

impl FromStr for PairingCode {
    type Err = NotACode;

    /// Case, spaces and hyphens do not matter; I and L are read as 1, O as 0.
    fn from_str(text: &str) -> Result<Self, NotACode> {
        let mut values = Vec::with_capacity(CHARACTERS + 1);
        for character in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let plain = match character.to_ascii_uppercase() {
                'I' | 'L' => '1',
                'O' => '0',
                other => other,
            };
            let value = ALPHABET.iter().position(|c| char::from(*c) == plain);
            values.push(value.ok_or(NotACode)? as u64);
        }
        let (check, characters) = values.split_last().ok_or(NotACode)?;
        if characters.len() != CHARACTERS {
            return Err(NotACode);
        }
        let number = characters.iter().fold(0, |all, value| (all << 5) | value);
        let code = Self::new(number).ok_or(NotACode)?;
        if number % CHECK == *check {
            Ok(code)
        } else {
            Err(NotACode)
        }
    }
}

/// The kind of slot that a new device may offer, by its number in the ledger: what lies on the device
/// itself. A phrase is no device, and passkeys and passphrases are chosen by people once they are in.
pub const fn offered_kind(number: u8) -> Option<SlotKind> {
    match number {
        1 => Some(SlotKind::Browser),
        4 => Some(SlotKind::File),
        _ => None,
    }
}

/// The number of a kind that may be offered.
pub const fn kind_number(kind: SlotKind) -> Option<u8> {
    match kind {
        SlotKind::Browser => Some(1),
        SlotKind::File => Some(4),
        _ => None,
    }
}

/// What the unlocked device answers to a code. It sends the hash first, and the nonce only after it
/// has the other side's offer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Answer {
    /// The vault canister.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub vault: Vec<u8>,
    /// The code's number.
    #[n(1)]
    pub code: u64,
    /// Which account the slot will open.
    #[n(2)]
    pub account: AccountId,
    /// Its genesis fingerprint.
    #[n(3)]
    pub genesis: Hash,
    /// 32 random bytes.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub nonce: [u8; 32],
}

impl Answer {
    /// What binds to it without telling the nonce.
    pub fn commitment(&self) -> Hash {
        labelled_hash(COMMITMENT_LABEL, &canonical::encode(self))
    }
}

/// What the new device offers: the slot to be added, but for what only the account's keys can make.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Offer {
    /// The principal it calls with.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub principal: Vec<u8>,
    /// Which slot.
    #[n(1)]
    pub slot: SlotId,
    /// How it will be opened.
    #[n(2)]
    pub kind: SlotKind,
    /// X-Wing public key the account master key is to be sealed to.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub sealing: Vec<u8>,
    /// The genesis fingerprint that was answered, sealed under the slot's secret.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub anchor: Vec<u8>,
    /// 32 random bytes.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub nonce: [u8; 32],
}

/// Everything that was said, as one side has it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Transcript {
    /// By the unlocked device.
    #[n(0)]
    pub answer: Answer,
    /// By the new one.
    #[n(1)]
    pub offer: Offer,
}

impl Transcript {
    /// The words to be compared, as places in a list of 2,048: the first 44 bits of the hash.
    pub fn words(&self) -> [u16; WORDS] {
        let hash = labelled_hash(WORDS_LABEL, &canonical::encode(self));
        let bytes = hash.0.iter().take(8);
        let bits = bytes.fold(0u64, |bits, byte| (bits << 8) | u64::from(*byte));
        let mut words = [0; WORDS];
        for (place, word) in words.iter_mut().enumerate() {
            let shifted = bits >> (64 - WORD_BITS * (place + 1));
            *word = u16::try_from(shifted & 0x7ff).unwrap_or(0);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        // 0xa5a5a5a5a5 = 37 · 19228343252 + 1.
        let code = PairingCode::new(0x00a5_a5a5_a5a5).unwrap();
        assert_eq!(code.to_string(), "MPJT-B9D5-1");
        for typed in ["mpjtb9d51", " MPJT B9D5 I\n", "mpjt-b9d5-l"] {
            assert_eq!(typed.parse(), Ok(code), "{typed}");
        }
    }

    #[test]
    fn every_wrong_character_and_every_swap_is_noticed() {
        let mut seen = 0;
        for step in 0..200u64 {
            let Some(code) = PairingCode::new(step * 5_432_109_876 % (1 << 40)) else {
                continue;
            };
            let text: Vec<char> = code.to_string().chars().filter(|c| *c != '-').collect();
            for place in 0..text.len() {
                for other in ALPHABET {
                    let mut wrong = text.clone();
                    wrong[place] = char::from(*other);
                    let same = wrong == text;
                    let wrong: String = wrong.into_iter().collect();
                    assert_eq!(wrong.parse::<PairingCode>().is_ok(), same, "{wrong}");
                    seen += 1;
                }
            }
            for place in 0..text.len() - 1 {
                let mut wrong = text.clone();
                wrong.swap(place, place + 1);
                if wrong != text {
                    let wrong: String = wrong.into_iter().collect();
                    assert!(wrong.parse::<PairingCode>().is_err(), "{wrong}");
                }
            }
        }
        assert!(seen > 10_000, "{seen}");
        for text in [
            "",
            "MPJT-B9D5",
            "MPJT-B9D5-11",
            "MPJT-B9D5-U",
            "MPJT-B9D5-é",
        ] {
            assert_eq!(text.parse::<PairingCode>(), Err(NotACode), "{text}");
        }
    }
}
