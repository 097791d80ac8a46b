//! What the benchmarks run in a browser's worker: sealing and opening, a mebibyte at a time as the
//! engine does, and stretching a passphrase, with the engine's own crate and build profile. Must not measure time: the worker's
//! script does.

use salus_crypto::hpke::{PublicKey, SecretSeed, open_with, seal_to};
use salus_crypto::passphrase::{DeviceSecret, Passphrase, SecondSecret, generate_parameters};
use salus_crypto::record::{PartOpener, PartSealer};
use salus_crypto::seal::{HEADER_LEN, Opener, Sealer};
use salus_crypto::{Context, Key, VaultScope, VersionScope, context};
use salus_types::{AccountId, Hash, RecordId, SlotId};
use wasm_bindgen::prelude::wasm_bindgen;

const VAULT: [u8; 10] = [2; 10];
/// Bytes taken at a time.
const STEP: usize = 1 << 20;
/// Steps of a text; then the next begins.
const STEPS: usize = 16;

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

fn key() -> Key {
    Key::from_bytes([1; 32])
}

fn whole() -> Context {
    context::content(&place(), 0)
}

/// Seals texts of 16 MiB step by step, with or without what a part has besides: its length,
/// padding and hash.
#[wasm_bindgen]
pub struct Sealing {
    plain: Vec<u8>,
    steps: usize,
    text: Option<Sealer>,
    part: Option<PartSealer>,
}

#[wasm_bindgen]
impl Sealing {
    /// Begins.
    #[wasm_bindgen(constructor)]
    #[expect(clippy::new_without_default, reason = "made by a script")]
    pub fn new() -> Self {
        Self {
            plain: vec![6; STEP],
            steps: 0,
            text: None,
            part: None,
        }
    }

    fn begin(&mut self) -> Option<()> {
        if self.steps.is_multiple_of(STEPS) {
            self.text = Some(Sealer::new(&key(), &whole()).ok()?);
            let len = (STEP * STEPS) as u64;
            self.part = Some(PartSealer::new(&key(), &place(), 0, len).ok()?);
        }
        self.steps += 1;
        Some(())
    }

    /// Seals the next mebibyte; whether that worked.
    pub fn text(&mut self) -> bool {
        self.begin();
        self.text
            .as_mut()
            .is_some_and(|sealer| sealer.update(&self.plain).is_ok())
    }

    /// Seals the next mebibyte of a part; whether that worked.
    pub fn part(&mut self) -> bool {
        self.begin();
        self.part
            .as_mut()
            .is_some_and(|sealer| sealer.update(&self.plain).is_ok())
    }
}

/// Opens what was sealed, step by step.
#[wasm_bindgen]
pub struct Opening {
    sealed: Vec<u8>,
    steps: usize,
    text: Option<Opener>,
    part: Option<PartOpener>,
}

#[wasm_bindgen]
impl Opening {
    /// Seals a part of 16 MiB to be opened; nothing if that fails.
    pub fn make() -> Option<Self> {
        let plain = vec![6; STEP * STEPS];
        let sealed = salus_crypto::record::seal_part(&key(), &place(), 0, &plain).ok()?;
        Some(Self {
            sealed: sealed.sealed,
            steps: 0,
            text: None,
            part: None,
        })
    }

    fn next(&mut self) -> Option<std::ops::Range<usize>> {
        let step = self.steps % STEPS;
        if step == 0 {
            let header = self.sealed.get(..HEADER_LEN)?;
            self.text = Some(Opener::new(&key(), &whole(), header).ok()?);
            self.part = Some(PartOpener::new(&key(), &place(), 0));
        }
        self.steps += 1;
        Some(step * STEP..(step + 1) * STEP)
    }

    /// Opens the next mebibyte; whether that worked.
    pub fn text(&mut self) -> bool {
        let Some(range) = self.next() else {
            return false;
        };
        // The header went before.
        let sealed = self.sealed.get(range.start + HEADER_LEN..range.end);
        match (&mut self.text, sealed) {
            (Some(opener), Some(sealed)) if range.start == 0 => opener.update(sealed).is_ok(),
            (Some(opener), Some(_)) => self
                .sealed
                .get(range)
                .is_some_and(|sealed| opener.update(sealed).is_ok()),
            _ => false,
        }
    }

    /// Opens the next mebibyte of a part; whether that worked.
    pub fn part(&mut self) -> bool {
        let Some(range) = self.next() else {
            return false;
        };
        match (&mut self.part, self.sealed.get(range)) {
            (Some(opener), Some(sealed)) => opener.update(sealed).is_ok(),
            _ => false,
        }
    }
}

/// A key pair and an envelope to it.
#[wasm_bindgen]
pub struct Envelope {
    seed: SecretSeed,
    public: PublicKey,
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
            sealed: Vec::new(),
        })
    }

    /// Seals a key; whether that worked.
    pub fn seal(&mut self) -> bool {
        self.sealed = seal_to(&self.public, &whole(), &[7; 32]).unwrap_or_default();
        !self.sealed.is_empty()
    }

    /// Opens what was sealed; whether that worked.
    pub fn open(&self) -> bool {
        open_with(&self.seed, &whole(), &self.sealed).is_ok()
    }
}

/// Stretches a passphrase as for a new slot; whether that worked.
#[wasm_bindgen]
pub fn stretch() -> bool {
    let second = SecondSecret::Device(DeviceSecret::from_hmac([8; 32]));
    let (Ok(passphrase), Ok(parameters)) = (
        Passphrase::read("seventeen parakeets were asked about zinc"),
        generate_parameters(second.kind()),
    ) else {
        return false;
    };
    let scope = place().scope;
    passphrase
        .derive_secret(scope, SlotId([9; 16]), &parameters, &second)
        .is_ok()
}
