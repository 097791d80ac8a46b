//! The identity bundle: the secret seeds of the current link of the key chain, and of earlier ones
//! for as long as something is sealed to them; and earlier account master keys for as long as a note
//! is sealed under them.

use super::Amk;
use crate::context::{self, VaultScope};
use crate::error::{OpenError, SealError};
use crate::hpke::SecretSeed;
use crate::key::Key;
use crate::random::RandomError;
use crate::seal;
use crate::sign::SigningKey;
use crate::wire;
use minicbor::{Decode, Encode};
use salus_protocol::canonical;
use salus_types::Hash;
use zeroize::Zeroizing;

/// The secret seeds behind one link of a key chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentitySeeds {
    /// Hash of the link that names the public keys.
    pub link: Hash,
    /// The HPKE key.
    pub hpke: SecretSeed,
    /// The signing key.
    pub signing: SigningKey,
}

impl IdentitySeeds {
    /// Fresh keys. The link is named once it exists: it contains the public halves.
    ///
    /// # Errors
    /// [`RandomError`]
    pub fn generate() -> Result<Self, RandomError> {
        Ok(Self {
            link: Hash([0; 32]),
            hpke: SecretSeed::generate()?,
            signing: SigningKey::generate()?,
        })
    }
}

/// Current and earlier seeds, and earlier account master keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityBundle {
    /// Those of the current link.
    pub current: IdentitySeeds,
    /// Those of earlier links, oldest first.
    pub earlier: Vec<IdentitySeeds>,
    /// Earlier account master keys, oldest first. Whoever had one could open what it sealed; none
    /// opens anything sealed later.
    pub earlier_amks: Vec<Amk>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct WireSeeds {
    #[cbor(n(0), with = "wire::hash")]
    link: Hash,
    #[cbor(n(1), with = "wire::key")]
    hpke: Key,
    #[cbor(n(2), with = "wire::key")]
    signing: Key,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct WireBundle {
    #[n(0)]
    current: WireSeeds,
    #[n(1)]
    earlier: Vec<WireSeeds>,
    #[n(2)]
    earlier_amks: Vec<WireAmk>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct WireAmk {
    #[n(0)]
    generation: u32,
    #[cbor(n(1), with = "wire::key")]
    key: Key,
}

impl From<&IdentitySeeds> for WireSeeds {
    fn from(seeds: &IdentitySeeds) -> Self {
        Self {
            link: seeds.link,
            hpke: Key::from_bytes(*seeds.hpke.expose()),
            signing: Key::from_bytes(*seeds.signing.expose_seed()),
        }
    }
}

impl From<&WireSeeds> for IdentitySeeds {
    fn from(wire: &WireSeeds) -> Self {
        Self {
            link: wire.link,
            hpke: SecretSeed::from_bytes(*wire.hpke.expose()),
            signing: SigningKey::from_seed(wire.signing.expose()),
        }
    }
}

impl IdentityBundle {
    /// A bundle with these seeds alone.
    pub const fn new(current: IdentitySeeds) -> Self {
        Self {
            current,
            earlier: Vec::new(),
            earlier_amks: Vec::new(),
        }
    }

    /// Makes other seeds current and keeps those that were.
    pub fn rotate(&mut self, next: IdentitySeeds) {
        let before = std::mem::replace(&mut self.current, next);
        self.earlier.push(before);
    }

    /// Keeps the account master key that is being replaced.
    pub fn retire_amk(&mut self, amk: Amk) {
        self.earlier_amks.push(amk);
    }

    /// The seeds behind a link.
    pub fn seeds(&self, link: Hash) -> Option<&IdentitySeeds> {
        std::iter::once(&self.current)
            .chain(&self.earlier)
            .find(|seeds| seeds.link == link)
    }

    /// Seals the bundle under the account master key.
    ///
    /// # Errors
    /// [`SealError::Random`]
    pub fn seal(&self, amk: &Amk, scope: VaultScope<'_>) -> Result<Vec<u8>, SealError> {
        let context = context::bundle(scope, amk.generation());
        seal::seal(amk.key(), &context, &self.encode())
    }

    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let wire = WireBundle {
            current: WireSeeds::from(&self.current),
            earlier: self.earlier.iter().map(WireSeeds::from).collect(),
            earlier_amks: self
                .earlier_amks
                .iter()
                .map(|amk| WireAmk {
                    generation: amk.generation(),
                    key: amk.key().clone(),
                })
                .collect(),
        };
        Zeroizing::new(canonical::encode(&wire))
    }

    /// Opens a bundle. The caller compares its public keys with the key chain.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open(amk: &Amk, scope: VaultScope<'_>, sealed: &[u8]) -> Result<Self, OpenError> {
        let context = context::bundle(scope, amk.generation());
        let bytes = Zeroizing::new(seal::open(amk.key(), &context, sealed)?);
        let wire: WireBundle = canonical::decode(&bytes).map_err(|_| OpenError::Malformed)?;
        Ok(Self {
            current: IdentitySeeds::from(&wire.current),
            earlier: wire.earlier.iter().map(IdentitySeeds::from).collect(),
            earlier_amks: wire
                .earlier_amks
                .iter()
                .map(|amk| Amk::from_parts(amk.generation, amk.key.clone()))
                .collect(),
        })
    }
}
