//! Pairing: carries what a new device and an unlocked one say to each other. Two parties only see a
//! pairing, each step is taken once, and all of it is forgotten after ten minutes. What is said is
//! theirs to verify: the slot itself is added by the owner ledger, the principal by a claim.

use crate::audit::Detail;
use crate::pairings::over;
use crate::rows::{
    PairingAnswerRow, PairingBegunRow, PairingClaimRow, PairingFinishRow, PairingOfferRow,
    PairingRow,
};
use crate::runtime::{Call, Runtime};
use crate::vault::{Vault, at_most, refused};
use candid::Principal;
use ic_stable_structures::Memory;
use minicbor::bytes::ByteArray;
use salus_protocol::chain::AuditEvent;
use salus_protocol::keychain::{Authority, SEALING_KEY_BYTES};
use salus_protocol::pairing::{Answer, PairingCode, offered_kind};
use salus_protocol::request::Claim;
use salus_protocol::statement;
use salus_types::api::{PairingAnswer, PairingFinish, PairingOffer, PairingReveal, PairingView};
use salus_types::{Error, Result, limits};

/// Longest sealed anchor: a fingerprint with what sealing adds.
const ANCHOR_BYTES: u64 = 104;

fn conflict() -> Error {
    Error::Conflict {
        what: "pairing".into(),
    }
}

fn too_many(what: &str, limit: u64) -> Error {
    Error::TooMany {
        what: what.into(),
        limit,
    }
}

fn code_of(number: u64) -> Result<PairingCode> {
    PairingCode::new(number).ok_or_else(|| Error::invalid("code", "is no pairing code"))
}

fn nonce_of(bytes: &[u8]) -> Result<ByteArray<32>> {
    let nonce: [u8; 32] = bytes
        .try_into()
        .map_err(|_| Error::invalid("nonce", "has not 32 bytes"))?;
    Ok(nonce.into())
}

/// Begins a pairing for a device that is signed in and locked; the caller may have no account. Says
/// until when it has to be finished. The same call again answers the same.
///
/// # Errors
/// [`Error::Conflict`] if the code is in use: take another; [`Error::TooMany`] if the caller has begun
/// too many, [`Error::Temporary`] if everyone together has.
pub fn pairing_begin<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    code: u64,
) -> Result<u64> {
    vault.admit(call)?;
    let code = code_of(code)?;
    vault.drop_pairings(call.now)?;
    vault.settle();
    let key = PairingRow::key(code);
    if let Some(row) = vault.store.get::<PairingRow>(&key)? {
        let same = row.beginner == call.caller.as_slice()
            && row.expires > call.now
            && row.answer.is_none()
            && row.ended.is_none();
        return if same {
            Ok(row.expires)
        } else {
            Err(conflict())
        };
    }
    let beginner = call.caller.as_slice();
    let prefix = PairingBegunRow::prefix(beginner);
    let begun = vault.store.keys::<PairingBegunRow>(prefix, prefix);
    if begun.count() as u64 >= limits::PAIRINGS_BEGUN {
        return Err(too_many("pairings", limits::PAIRINGS_BEGUN));
    }
    if vault.settings.pairings.unwrap_or(0) >= limits::PAIRINGS {
        return Err(Error::Temporary {
            reason: "too many devices are being paired".into(),
        });
    }
    let expires = call.now.saturating_add(limits::PAIRING_LIFE_MS);
    vault.keep_pairing(code, beginner, expires);
    vault.settle();
    Ok(expires)
}

/// Answers a code for the caller's account, once. Says until when the pairing has to be finished. The
/// same call again answers the same.
///
/// # Errors
/// [`Error::NotFound`] for a code nobody has begun, [`Error::Expired`] for one that is over,
/// [`Error::Conflict`] for one that was answered before or whose device belongs to another account,
/// [`Error::TooMany`] if the account has no room for another slot or principal.
pub fn pairing_answer<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    args: PairingAnswer,
) -> Result<u64> {
    vault.admit(call)?;
    let (owner, _) = vault.own(call)?;
    let code = code_of(args.code)?;
    let mut row = vault.pairing(call, code)?;
    if let Some(known) = row.answer {
        let same = known.owner == owner.number && known.commitment == args.commitment;
        return if same {
            Ok(row.expires)
        } else {
            Err(conflict())
        };
    }
    let beginner =
        Principal::try_from_slice(&row.beginner).map_err(|_| Error::internal("pairing"))?;
    match vault.principal_number(&beginner)? {
        Some(number) if number == owner.number => {}
        Some(_) => {
            return Err(Error::Conflict {
                what: "principal".into(),
            });
        }
        None if owner.account.principals.len() as u64 >= limits::PRINCIPALS => {
            return Err(too_many("principals", limits::PRINCIPALS));
        }
        None => {}
    }
    if owner.outline.slots.len() as u64 >= limits::SLOTS {
        return Err(too_many("slots", limits::SLOTS));
    }
    row.answer = Some(PairingAnswerRow {
        owner: owner.number,
        commitment: args.commitment,
    });
    vault.put_pairing(code, &row);
    vault.settle();
    Ok(row.expires)
}

/// Offers the new device's slot to whoever answered, once. The same call again changes nothing.
///
/// # Errors
/// [`Error::NotFound`] to all but who began, [`Error::Expired`], [`Error::Conflict`] out of turn or
/// for another offer than before, [`Error::Invalid`] for what can be no slot.
pub fn pairing_offer<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    args: PairingOffer,
) -> Result<()> {
    vault.admit(call)?;
    let code = code_of(args.code)?;
    let mut row = vault.pairing(call, code)?;
    if row.beginner != call.caller.as_slice() {
        return Err(Error::NotFound);
    }
    if args.sealing.len() != SEALING_KEY_BYTES {
        return Err(Error::invalid("sealing", "is no X-Wing public key"));
    }
    at_most("anchor", args.anchor.len(), ANCHOR_BYTES)?;
    if offered_kind(args.kind).is_none() {
        return Err(Error::invalid("kind", "is none that a device may offer"));
    }
    let offer = PairingOfferRow {
        slot: args.slot,
        kind: args.kind,
        nonce: nonce_of(&args.nonce)?,
        sealing: args.sealing.into_vec(),
        anchor: args.anchor.into_vec(),
    };
    match &row.offer {
        Some(known) if *known == offer => return Ok(()),
        Some(_) => return Err(conflict()),
        None if row.answer.is_none() => return Err(conflict()),
        None => {}
    }
    row.offer = Some(offer);
    vault.put_pairing(code, &row);
    vault.settle();
    Ok(())
}

/// Opens the commitment of whoever answered. The same call again changes nothing.
///
/// # Errors
/// [`Error::NotFound`] to all but the account that answered, [`Error::Expired`], [`Error::Conflict`]
/// before there is an offer, [`Error::Invalid`] for what does not open the commitment.
pub fn pairing_reveal<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    args: PairingReveal,
) -> Result<()> {
    vault.admit(call)?;
    let (owner, _) = vault.own(call)?;
    let code = code_of(args.code)?;
    let mut row = vault.pairing(call, code)?;
    let answer = row.answer.filter(|answer| answer.owner == owner.number);
    let answer = answer.ok_or(Error::NotFound)?;
    let nonce = nonce_of(&args.nonce)?;
    let opened = Answer {
        vault: vault.canister.clone(),
        code: code.number(),
        account: owner.account.id,
        genesis: owner.account.genesis,
        nonce: *nonce,
    };
    if opened.commitment() != answer.commitment {
        return Err(Error::invalid("nonce", "does not open the commitment"));
    }
    if row.offer.is_none() {
        return Err(conflict());
    }
    if row.nonce.is_none() {
        row.nonce = Some(nonce);
        vault.put_pairing(code, &row);
        vault.settle();
    }
    Ok(())
}

/// Tells the new device that its slot was added. The same call again changes nothing.
///
/// # Errors
/// [`Error::NotFound`] to all but the account that answered, [`Error::Expired`], [`Error::Conflict`]
/// out of turn, or while the slot is not in the ledger; what is wrong with the claim.
pub fn pairing_finish<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    args: PairingFinish,
) -> Result<()> {
    vault.admit(call)?;
    let (mut owner, ownership) = vault.own(call)?;
    let code = code_of(args.code)?;
    let mut row = vault.pairing(call, code)?;
    if row.answer.is_none_or(|answer| answer.owner != owner.number) {
        return Err(Error::NotFound);
    }
    let Some(offer) = row.offer.as_ref().filter(|_| row.nonce.is_some()) else {
        return Err(conflict());
    };
    if row.finish.is_some() {
        return Ok(());
    }
    let slot = offer.slot;
    if !owner.outline.slots.iter().any(|known| known.id == slot) {
        return Err(conflict());
    }
    let claim = match args.claim {
        None => None,
        Some(signed) => {
            at_most("claim", signed.statement.len(), limits::STATEMENT_BYTES)?;
            let key = owner.account.signing;
            let claim: Claim =
                statement::verify(&signed, &vault.canister, &key).map_err(refused)?;
            let fits = claim.account == owner.account.id
                && claim.principal == row.beginner
                && claim.by == Authority::Identity;
            if !fits {
                return Err(Error::invalid("claim", "is for someone else"));
            }
            Some(PairingClaimRow {
                statement: signed.statement.into_vec(),
                signature: signed.signature.into_vec(),
            })
        }
    };
    vault.ensure_pseudonym(owner.number, owner.number)?;
    row.finish = Some(PairingFinishRow { claim });
    vault.put_pairing(code, &row);
    let detail = Detail {
        slot: Some(slot),
        subject: Some(statement::sha256(&row.beginner)),
        ..Detail::default()
    };
    let permit = ownership.permit(AuditEvent::Paired);
    vault.record(&mut owner, permit, detail, call.now)?;
    vault.save(owner)
}

/// Ends a pairing that did not come to its end: the words differ, or a person gave up. If an account
/// had answered and ends it, its trail says so. One that is over is ended already.
///
/// # Errors
/// [`Error::NotFound`] to all but the two parties, [`Error::Conflict`] once it is finished.
pub fn pairing_end<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    code: u64,
) -> Result<()> {
    vault.admit(call)?;
    let code = code_of(code)?;
    let Some(mut row) = vault.store.get::<PairingRow>(&PairingRow::key(code))? else {
        return Err(Error::NotFound);
    };
    let owner = vault.answerer(call, &row)?;
    if owner.is_none() && row.beginner != call.caller.as_slice() {
        return Err(Error::NotFound);
    }
    if row.ended.is_some() || row.expires <= call.now {
        return Ok(());
    }
    if row.finish.is_some() {
        return Err(conflict());
    }
    row.ended = Some(call.now);
    let offer = row.offer.take();
    row.nonce = None;
    let Some(number) = owner else {
        vault.put_pairing(code, &row);
        vault.settle();
        return Ok(());
    };
    vault.ensure_pseudonym(number, number)?;
    let (mut owner, ownership) = vault.own(call)?;
    vault.put_pairing(code, &row);
    let detail = Detail {
        slot: offer.map(|offer| offer.slot),
        subject: Some(statement::sha256(&row.beginner)),
        ..Detail::default()
    };
    let permit = ownership.permit(AuditEvent::PairingEnded);
    vault.record(&mut owner, permit, detail, call.now)?;
    vault.save(owner)
}

/// A pairing as far as it has come, for its two parties.
///
/// # Errors
/// [`Error::NotFound`] to everyone else, [`Error::Expired`] once it is over.
pub fn pairing_show<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    code: u64,
) -> Result<PairingView> {
    if call.caller == Principal::anonymous() {
        return Err(Error::Anonymous);
    }
    let code = code_of(code)?;
    let row: Option<PairingRow> = vault.store.get(&PairingRow::key(code))?;
    let row = row.ok_or(Error::NotFound)?;
    let theirs = row.beginner == call.caller.as_slice();
    if !theirs && vault.answerer(call, &row)?.is_none() {
        return Err(Error::NotFound);
    }
    if row.expires <= call.now {
        return Err(over(row.expires));
    }
    vault.pairing_view(code, row)
}
