//! What anyone may know of the vault, and which calls are worth executing at all.

use crate::runtime::{Call, Runtime};
use crate::vault::Vault;
use candid::Principal;
use ic_stable_structures::Memory;
use salus_types::api::{SignUp, VaultStatus};

/// Version of the code. The `changed-build` feature makes another build of the same code, for
/// tests of upgrades.
const VERSION: &str = if cfg!(feature = "changed-build") {
    concat!(env!("CARGO_PKG_VERSION"), "+changed")
} else {
    env!("CARGO_PKG_VERSION")
};

/// Updates by which someone without an account may begin.
const OPEN_TO_ALL: [&str; 5] = [
    "account_create",
    "principal_claim",
    "pairing_begin",
    "pairing_offer",
    "pairing_end",
];
/// Largest argument of most updates: an inline version with its descriptor and framing, or a
/// ledger operation with its grants.
const ARGUMENT_BYTES: usize = 1_900_000;

/// What anyone may know of the vault.
pub fn status<R: Runtime, M: Memory>(vault: &Vault<R, M>) -> VaultStatus {
    VaultStatus {
        version: VERSION.into(),
        schema: vault.store.schema(),
        accounts: vault.store.merkle.count(),
        stable_bytes: vault.runtime.stable_bytes(),
        sign_up: if vault.settings.open_sign_up {
            SignUp::Open
        } else {
            SignUp::Closed
        },
    }
}

/// Whether an update is worth the cycles of executing it. Runs on one node and can be bypassed:
/// a cost filter, not a guard.
pub fn accepts<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    caller: &Principal,
    method: &str,
    argument: usize,
) -> bool {
    if *caller == Principal::anonymous() || argument > ARGUMENT_BYTES {
        return false;
    }
    let call = Call {
        caller: *caller,
        now: 0,
    };
    OPEN_TO_ALL.contains(&method) || vault.caller_number(&call).is_ok()
}
