//! Certified heads: the platform's certificate and a witness cut to what its reader may know.

use crate::runtime::{Call, Runtime};
use crate::vault::Vault;
use ic_stable_structures::Memory;
use salus_protocol::certified::{FeedsShown, Shown};
use salus_protocol::grant::{Access, READ, Scope};
use salus_protocol::hash_tree;
use salus_types::api::CertifiedHeads;
use salus_types::{AccountId, CompartmentId, Error, GrantId, Result};
use serde_bytes::ByteBuf;

/// The certified heads of an account. Its owner sees all; the holder of a grant its keys,
/// principals, audit chain and the feeds the grant covers; whoever is in its audit chain all of
/// that but the feeds; of a provider in the directory anyone sees keys and principals, and so does
/// the owner of a chain that the account is in.
///
/// # Errors
/// [`Error::NotFound`] for an unknown account and for who may see nothing of it, alike.
pub fn heads<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    account: AccountId,
    grant: Option<GrantId>,
) -> Result<CertifiedHeads> {
    let caller = vault.caller_number(call)?;
    let number = vault.account_number(&account)?.ok_or(Error::NotFound)?;
    let owner = vault.load(number)?;
    let who = owner
        .account
        .principals
        .iter()
        .map(|p| p.to_vec())
        .collect();
    let in_chain = vault.known_pseudonym(number, caller)?.is_some();
    let shown = if caller == number {
        Shown {
            audit: true,
            feeds: FeedsShown::All,
            keys: true,
            ledger: true,
            who,
        }
    } else if in_chain {
        let feeds = match grant {
            Some(grant) => {
                let compartments: Vec<CompartmentId> =
                    owner.outline.feeds.iter().map(|f| f.compartment).collect();
                covered(vault, call, &account, &grant, compartments)?
            }
            None => FeedsShown::None,
        };
        Shown {
            audit: true,
            feeds,
            keys: true,
            ledger: false,
            who,
        }
    } else if owner.account.directory.is_some() || vault.known_pseudonym(caller, number)?.is_some()
    {
        Shown {
            keys: true,
            who,
            ..Shown::default()
        }
    } else {
        return Err(Error::NotFound);
    };
    let certificate = vault
        .runtime
        .certificate()
        .ok_or_else(|| Error::Temporary {
            reason: "certificates come only by query".into(),
        })?;
    let witness = hash_tree::encode(&vault.witness(&owner, &shown)?);
    Ok(CertifiedHeads {
        number,
        certificate: ByteBuf::from(certificate),
        witness: ByteBuf::from(witness),
    })
}

fn covered<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    account: &AccountId,
    grant: &GrantId,
    compartments: Vec<CompartmentId>,
) -> Result<FeedsShown> {
    use crate::access::NotHeld;
    let held = vault.held(call, account, grant).map_err(|why| match why {
        NotHeld::Holder { error, .. } | NotHeld::Failed(error) => error,
        NotHeld::Stranger(_) => Error::NotFound,
    })?;
    if held.grant().rights & READ == 0 || matches!(held.grant().scope, Scope::Records(_)) {
        return Ok(FeedsShown::None);
    }
    let readable = compartments
        .into_iter()
        .filter(|c| held.covers(Access::ListCompartment(*c), call.now).is_ok())
        .collect();
    Ok(FeedsShown::Some(readable))
}
