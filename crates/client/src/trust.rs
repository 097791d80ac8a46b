//! How far someone's keys are known: a key chain against one remembered, and against what the owner
//! recorded. Must not know where either is kept.

use salus_protocol::KeyChain;
use salus_protocol::keychain::{Authority, VerifiedLink};
use salus_protocol::ledger::Pin;
use std::fmt;

/// How someone's keys differ from those known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyChange {
    /// Their recovery key brought new ones: they took the account back, or someone with their phrase
    /// did.
    Recovered,
    /// They do not follow from those known before.
    Diverged,
    /// They are those of a different account under the same id.
    OtherAccount,
}

impl fmt::Display for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recovered => "their recovery phrase was used to make new keys",
            Self::Diverged => "the keys do not follow from those known before",
            Self::OtherAccount => "this is a different account",
        })
    }
}

/// How far someone's keys are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// The vault showed them, for the first time.
    FirstSeen,
    /// They are those the network certifies, or have the fingerprint of a link.
    Certified,
    /// They follow from those this device remembers, or the owner recorded.
    Pinned,
    /// They follow from those for which the two compared their safety number or code.
    Verified,
    /// They are others than those known before: nothing is sealed to them until they are accepted.
    Changed(KeyChange),
}

/// A chain against one remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is the same or goes on from it.
    Extends,
    /// It is the beginning of it.
    Behind,
    /// It is another.
    Changed(KeyChange),
}

fn recovered(links: &[VerifiedLink]) -> bool {
    links.iter().any(|link| link.link.by == Authority::Recovery)
}

/// Where a chain stands to one remembered.
pub(crate) fn since_remembered(shown: &KeyChain, known: &KeyChain) -> Standing {
    if shown.genesis_fingerprint() != known.genesis_fingerprint() {
        return Standing::Changed(KeyChange::OtherAccount);
    }
    let pairs = shown.links().iter().zip(known.links());
    let common = pairs.take_while(|(a, b)| a.hash == b.hash).count();
    let news = shown.links().get(common..).unwrap_or_default();
    if recovered(news) {
        Standing::Changed(KeyChange::Recovered)
    } else if common == known.links().len() {
        Standing::Extends
    } else if news.is_empty() {
        Standing::Behind
    } else {
        Standing::Changed(KeyChange::Diverged)
    }
}

/// How a chain differs from what was recorded, if it does.
pub(crate) fn since_pin(shown: &KeyChain, pin: &Pin) -> Option<KeyChange> {
    if shown.genesis_fingerprint() != pin.genesis {
        return Some(KeyChange::OtherAccount);
    }
    let links = shown.links();
    match links.iter().position(|link| link.hash == pin.link) {
        Some(at) => {
            recovered(links.get(at + 1..).unwrap_or_default()).then_some(KeyChange::Recovered)
        }
        // Discarded by the recovery key, or never there.
        None if recovered(links.get(1..).unwrap_or_default()) => Some(KeyChange::Recovered),
        None => Some(KeyChange::Diverged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use salus_crypto::sign::SigningKey;
    use salus_protocol::canonical;
    use salus_protocol::keychain::{KeyLink, POSSESSION_LABEL, SEALING_KEY_BYTES};
    use salus_protocol::ledger::PinnedBy;
    use salus_protocol::statement::{Statement, signing_bytes};
    use salus_types::api::SignedLink;
    use salus_types::{AccountId, Hash};
    use serde_bytes::ByteBuf;

    const RECOVERY: u8 = 99;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32])
    }

    /// A chain of these signing keys; `true` for those that the recovery key brought.
    fn chain(recovery: u8, keys: &[(u8, bool)]) -> KeyChain {
        let mut links: Vec<SignedLink> = Vec::new();
        let mut previous: Option<(Hash, u8)> = None;
        for (index, (own, recovered)) in (0u32..).zip(keys) {
            let by_recovery = previous.is_none() || *recovered;
            let link = KeyLink {
                vault: vec![7],
                account: AccountId([1; 16]),
                index,
                previous: previous.map(|(hash, _)| hash),
                signing: key(*own).public(),
                sealing: vec![9; SEALING_KEY_BYTES],
                recovery: key(recovery).public(),
                by: if by_recovery {
                    Authority::Recovery
                } else {
                    Authority::Identity
                },
                at: 0,
            };
            let statement = canonical::encode(&link);
            let signer = match previous {
                Some((_, before)) if !by_recovery => before,
                _ => recovery,
            };
            let sign = |seed: u8, label| {
                ByteBuf::from(key(seed).sign(&signing_bytes(label, &statement)).to_vec())
            };
            links.push(SignedLink {
                signature: sign(signer, KeyLink::LABEL),
                possession: sign(*own, POSSESSION_LABEL),
                statement: ByteBuf::from(statement.clone()),
            });
            let hash = salus_protocol::statement::hash_of::<KeyLink>(&statement);
            previous = Some((hash, *own));
        }
        KeyChain::verify(&links, &[7]).unwrap()
    }

    fn pin(chain: &KeyChain) -> Pin {
        Pin {
            account: chain.account(),
            genesis: chain.genesis_fingerprint(),
            link: chain.current().unwrap().hash,
            by: Some(PinnedBy::Digits),
        }
    }

    #[test]
    fn every_way_a_chain_can_change_is_told_apart() {
        use KeyChange::{Diverged, OtherAccount, Recovered};
        use Standing::{Behind, Changed, Extends};
        let first = chain(RECOVERY, &[(1, false)]);
        let second = chain(RECOVERY, &[(1, false), (2, false)]);
        let third = chain(RECOVERY, &[(1, false), (2, false), (3, false)]);
        let forked = chain(RECOVERY, &[(1, false), (4, false)]);
        let overridden = chain(RECOVERY, &[(1, false), (5, true)]);
        let after = chain(RECOVERY, &[(1, false), (5, true), (6, false)]);
        let twice = chain(RECOVERY, &[(1, false), (5, true), (7, true)]);
        let stranger = chain(98, &[(1, false)]);
        let cases = [
            // known, shown, by this device's memory, by the ledger's pin
            (&first, &first, Extends, None),
            (&first, &third, Extends, None),
            (&second, &first, Behind, Some(Diverged)),
            (&second, &forked, Changed(Diverged), Some(Diverged)),
            (&first, &overridden, Changed(Recovered), Some(Recovered)),
            (&second, &overridden, Changed(Recovered), Some(Recovered)),
            (&second, &after, Changed(Recovered), Some(Recovered)),
            (&overridden, &after, Extends, None),
            (&overridden, &twice, Changed(Recovered), Some(Recovered)),
            (&overridden, &second, Changed(Diverged), Some(Diverged)),
            (&first, &stranger, Changed(OtherAccount), Some(OtherAccount)),
        ];
        for (case, (known, shown, remembered, pinned)) in cases.into_iter().enumerate() {
            assert_eq!(since_remembered(shown, known), remembered, "case {case}");
            assert_eq!(since_pin(shown, &pin(known)), pinned, "case {case}");
        }
    }
}
