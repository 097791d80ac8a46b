//! What the benchmarks run in a browser's worker: sealing and opening with the engine's own crate
//! and build profile. Must not measure time: the worker's script does.

use salus_crypto::hpke::{PublicKey, SecretSeed, open_with, seal_to};
use salus_crypto::record::{open_part, seal_part};
use salus_crypto::{Context, Key, VaultScope, VersionScope, context};
use salus_types::{AccountId, Hash, RecordId};
use wasm_bindgen::prelude::wasm_bindgen;

const VAULT: [u8; 10] = [2; 10];

fn place() -> VersionScope<'static> {
    VersionScope {
        scope: VaultScope {
            vault: &VAULT,
            account: AccountId([3; 16]),
        },
        record: RecordId([4; 16]),
        version: 1,
        author: Hash([5; 32]),
    }
}

/// A content and its sealed form.
#[wasm_bindgen]
pub struct Content {
    key: Key,
    plain: Vec<u8>,
    sealed: Vec<u8>,
}

#[wasm_bindgen]
impl Content {
    /// So many bytes, not sealed yet.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: usize) -> Self {
        Self {
            key: Key::from_bytes([1; 32]),
            plain: vec![6; bytes],
            sealed: Vec::new(),
        }
    }

    /// Seals it; whether that worked.
    pub fn seal(&mut self) -> bool {
        let sealed = seal_part(&self.key, &place(), 0, &self.plain);
        self.sealed = sealed.map(|part| part.sealed).unwrap_or_default();
        !self.sealed.is_empty()
    }

    /// Opens what was sealed; whether it is the content.
    pub fn open(&self) -> bool {
        let opened = open_part(&self.key, &place(), 0, &self.sealed);
        opened.is_ok_and(|part| part.bytes.len() == self.plain.len())
    }
}

/// A key pair and an envelope to it.
#[wasm_bindgen]
pub struct Envelope {
    seed: SecretSeed,
    public: PublicKey,
    context: Context,
    sealed: Vec<u8>,
}

#[wasm_bindgen]
impl Envelope {
    /// A key pair without an envelope; nothing if there is no randomness.
    pub fn make() -> Option<Self> {
        let seed = SecretSeed::generate().ok()?;
        Some(Self {
            public: seed.public().ok()?,
            seed,
            context: context::content(&place(), 0),
            sealed: Vec::new(),
        })
    }

    /// Seals a key; whether that worked.
    pub fn seal(&mut self) -> bool {
        self.sealed = seal_to(&self.public, &self.context, &[7; 32]).unwrap_or_default();
        !self.sealed.is_empty()
    }

    /// Opens what was sealed; whether that worked.
    pub fn open(&self) -> bool {
        open_with(&self.seed, &self.context, &self.sealed).is_ok()
    }
}
