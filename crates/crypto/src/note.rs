//! Texts the owner seals for himself under the account master key: compartment names, labels of
//! slots, notes about grants, the profile note. All padded. What is not resealed when the account
//! master key changes opens with the earlier key, which the identity bundle keeps.

use crate::context::{self, Context, VaultScope};
use crate::error::{OpenError, SealError};
use crate::hierarchy::Amk;
use crate::key::Key;
use crate::pad;
use crate::seal;
use salus_types::{CompartmentId, GrantId, SlotId};
use zeroize::Zeroizing;

/// Bytes of UTF-8 a compartment name or a slot's label may have; any then takes 1 KiB and tells
/// nothing.
pub const NAME_LIMIT: u64 = pad::MIN_LEN - pad::PREFIX_LEN as u64;
/// Bytes of a sealed compartment name or slot label, whatever it is.
pub const SEALED_NAME_LEN: u64 = seal::sealed_len(pad::MIN_LEN);
/// Bytes a note may have: sealed, it stays within 4 KiB.
pub const NOTE_LIMIT: u64 = 3_840 - pad::PREFIX_LEN as u64;

pub(crate) fn seal_padded(
    key: &Key,
    context: &Context,
    text: &[u8],
    limit: u64,
) -> Result<Vec<u8>, SealError> {
    let size = text.len() as u64;
    if size > limit {
        return Err(SealError::TooLarge { size, limit });
    }
    seal::seal(key, context, &pad::pad(text))
}

pub(crate) fn open_padded(
    key: &Key,
    context: &Context,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let padded = Zeroizing::new(seal::open(key, context, sealed)?);
    pad::unpad(&padded).map(|text| Zeroizing::new(text.to_vec()))
}

/// Seals a compartment's name.
///
/// # Errors
/// [`SealError::TooLarge`] above [`NAME_LIMIT`]; [`SealError::Random`].
pub fn seal_compartment_name(
    amk: &Amk,
    scope: VaultScope<'_>,
    compartment: CompartmentId,
    name: &str,
) -> Result<Vec<u8>, SealError> {
    let context = context::compartment_name(scope, compartment, amk.generation());
    seal_padded(amk.key(), &context, name.as_bytes(), NAME_LIMIT)
}

/// Opens a compartment's name.
///
/// # Errors
/// [`OpenError`]
pub fn open_compartment_name(
    amk: &Amk,
    scope: VaultScope<'_>,
    compartment: CompartmentId,
    sealed: &[u8],
) -> Result<String, OpenError> {
    let context = context::compartment_name(scope, compartment, amk.generation());
    let bytes = open_padded(amk.key(), &context, sealed)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| OpenError::Malformed)
}

/// Seals a slot's label.
///
/// # Errors
/// [`SealError::TooLarge`] above [`NAME_LIMIT`]; [`SealError::Random`].
pub fn seal_slot_label(
    amk: &Amk,
    scope: VaultScope<'_>,
    slot: SlotId,
    label: &str,
) -> Result<Vec<u8>, SealError> {
    let context = context::slot_label(scope, slot, amk.generation());
    seal_padded(amk.key(), &context, label.as_bytes(), NAME_LIMIT)
}

/// Opens a slot's label.
///
/// # Errors
/// [`OpenError`]
pub fn open_slot_label(
    amk: &Amk,
    scope: VaultScope<'_>,
    slot: SlotId,
    sealed: &[u8],
) -> Result<String, OpenError> {
    let context = context::slot_label(scope, slot, amk.generation());
    let bytes = open_padded(amk.key(), &context, sealed)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| OpenError::Malformed)
}

/// Seals the owner's note about a grant. What it holds is the client's.
///
/// # Errors
/// [`SealError::TooLarge`] above [`NOTE_LIMIT`]; [`SealError::Random`].
pub fn seal_owner_note(
    amk: &Amk,
    scope: VaultScope<'_>,
    grant: GrantId,
    note: &[u8],
) -> Result<Vec<u8>, SealError> {
    let context = context::owner_note(scope, grant, amk.generation());
    seal_padded(amk.key(), &context, note, NOTE_LIMIT)
}

/// Opens the owner's note about a grant.
///
/// # Errors
/// [`OpenError`]
pub fn open_owner_note(
    amk: &Amk,
    scope: VaultScope<'_>,
    grant: GrantId,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let context = context::owner_note(scope, grant, amk.generation());
    open_padded(amk.key(), &context, sealed)
}

/// Seals the profile note. What it holds is the client's.
///
/// # Errors
/// [`SealError::TooLarge`] above [`NOTE_LIMIT`]; [`SealError::Random`].
pub fn seal_profile_note(
    amk: &Amk,
    scope: VaultScope<'_>,
    note: &[u8],
) -> Result<Vec<u8>, SealError> {
    let context = context::profile_note(scope, amk.generation());
    seal_padded(amk.key(), &context, note, NOTE_LIMIT)
}

/// Opens the profile note.
///
/// # Errors
/// [`OpenError`]
pub fn open_profile_note(
    amk: &Amk,
    scope: VaultScope<'_>,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let context = context::profile_note(scope, amk.generation());
    open_padded(amk.key(), &context, sealed)
}
