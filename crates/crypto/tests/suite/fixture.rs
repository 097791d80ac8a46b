//! Fixed inputs: everything is derived from names, so that a failure repeats.

use salus_crypto::context;
use salus_crypto::hierarchy::Amk;
use salus_crypto::hpke::{SUITE, SecretSeed};
use salus_crypto::slot::{SlotKeys, SlotSecret};
use salus_crypto::{Context, Key, VaultScope, VersionScope, hazmat};
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RecordId, RequestId, SlotId};
use sha2::{Digest, Sha256};

/// As many bytes as wanted, from a name.
pub(crate) fn stream(name: &str, len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len + 32);
    for block in 0u64.. {
        if out.len() >= len {
            break;
        }
        let input = [name.as_bytes(), &block.to_be_bytes()].concat();
        out.extend_from_slice(&Sha256::digest(input));
    }
    out.truncate(len);
    out
}

pub(crate) fn bytes<const N: usize>(name: &str) -> [u8; N] {
    stream(name, N).try_into().unwrap()
}

pub(crate) fn key(name: &str) -> Key {
    Key::from_bytes(bytes(name))
}

pub(crate) fn seed(name: &str) -> SecretSeed {
    SecretSeed::from_bytes(bytes(name))
}

pub(crate) const VAULT: &[u8] = &[0, 0, 0, 0, 1, 0x20, 0, 7, 1, 1];
pub(crate) const OTHER_VAULT: &[u8] = &[0, 0, 0, 0, 1, 0x20, 0, 8, 1, 1];
pub(crate) const SLOT: SlotId = SlotId([0x51; 16]);
pub(crate) const COMPARTMENT: CompartmentId = CompartmentId([0xc0; 16]);
pub(crate) const RECORD: RecordId = RecordId([0x4e; 16]);
pub(crate) const GRANT: GrantId = GrantId([0x64; 16]);
pub(crate) const REQUEST: RequestId = RequestId([0x72; 16]);
pub(crate) const GRANTEE: AccountId = AccountId([0xb0; 16]);
pub(crate) const LINK: Hash = Hash([0x11; 32]);
pub(crate) const AUTHOR: Hash = Hash([0xa7; 32]);

pub(crate) fn scope() -> VaultScope<'static> {
    VaultScope {
        vault: VAULT,
        account: AccountId([0xa0; 16]),
    }
}

pub(crate) fn other_vault() -> VaultScope<'static> {
    VaultScope {
        vault: OTHER_VAULT,
        ..scope()
    }
}

pub(crate) fn other_account() -> VaultScope<'static> {
    VaultScope {
        account: AccountId([0xa1; 16]),
        ..scope()
    }
}

pub(crate) fn at() -> VersionScope<'static> {
    VersionScope {
        scope: scope(),
        record: RECORD,
        version: 3,
        author: AUTHOR,
    }
}

pub(crate) fn slot_keys() -> SlotKeys {
    let secret = SlotSecret::from_file(bytes("slot secret"));
    secret.derive_keys(scope(), SLOT).unwrap()
}

/// An account master key that is the same in every run.
pub(crate) fn amk(generation: u32) -> Amk {
    amk_of(generation, generation)
}

/// The key of generation `key` under the number of another generation.
pub(crate) fn amk_of(generation: u32, key: u32) -> Amk {
    let keys = slot_keys();
    let envelope = envelope(
        keys.public().as_bytes(),
        &context::slot_wrap(scope(), SLOT, generation),
        &bytes::<32>(&format!("amk {key}")),
        "amk envelope",
    );
    keys.unwrap_amk(scope(), SLOT, generation, &envelope)
        .unwrap()
}

/// The secret bytes of [`amk`].
pub(crate) fn amk_key(generation: u32) -> Key {
    key(&format!("amk {generation}"))
}

/// An envelope with randomness from a name.
pub(crate) fn envelope(public: &[u8], context: &Context, text: &[u8], name: &str) -> Vec<u8> {
    let body = hazmat::hpke::seal(public, context.as_bytes(), text, &bytes(name)).unwrap();
    [SUITE.to_be_bytes().as_slice(), &body].concat()
}

/// A copy with one bit turned.
pub(crate) fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out[bit / 8] ^= 1 << (bit % 8);
    out
}
