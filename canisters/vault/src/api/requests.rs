//! Requests for access.

use super::invitations::CODE_BYTES;
use super::{Room, items, signed};
use crate::access::Permit;
use crate::audit::Detail;
use crate::rows::{
    DirectoryRow, InvitationRow, NoticeRow, RequestMadeRow, RequestReceivedRow, RequestRow,
    RequestStatusRow, TieRow,
};
use crate::runtime::{Call, Runtime};
use crate::vault::{Vault, at_most, not_from_the_future, refused};
use ic_stable_structures::Memory;
use salus_protocol::request::{Request, invitation_id};
use salus_protocol::statement::{self, sha256};
use salus_types::api::{Counterparty, RequestPage, RequestSend, RequestStatus, RequestView};
use salus_types::{Error, RequestId, Result, limits};
use serde_bytes::ByteBuf;

impl<R: Runtime, M: Memory> Vault<R, M> {
    /// What an account shows to whom it may concern.
    pub(crate) fn counterparty(&self, number: u64) -> Result<Counterparty> {
        let account = self.account(number)?;
        let directory = match account.directory {
            Some(seq) => {
                let row: Option<DirectoryRow> = self.store.get(&DirectoryRow::key(seq))?;
                row.map(|row| signed(row.statement, row.signature))
            }
            None => None,
        };
        let chain = self.links(number)?;
        Ok(Counterparty {
            account: account.id,
            number,
            chain,
            directory,
        })
    }
}

/// Asks a patient for access, with an invitation's code or where a grant is live between the two.
/// The same request again answers the same.
///
/// # Errors
/// [`Error::NotFound`] for an unknown patient, a wrong code and no tie, alike;
/// [`Error::Conflict`], [`Error::TooMany`], what is wrong with the statement.
pub fn request_send<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    args: RequestSend,
) -> Result<RequestId> {
    vault.admit(call)?;
    at_most(
        "statement",
        args.statement.statement.len(),
        limits::STATEMENT_BYTES,
    )?;
    at_most("envelope", args.envelope.len(), limits::ENVELOPE_BYTES)?;
    let requester = vault.caller_number(call)?;
    let mut mine = vault.account(requester)?;
    let request: Request =
        statement::verify(&args.statement, &vault.canister, &mine.signing).map_err(refused)?;
    if request.requester != mine.id
        || request.requester_genesis != mine.genesis
        || request.requester_link != mine.link
    {
        return Err(Error::invalid(
            "requester",
            "is not the caller, or under other keys",
        ));
    }
    if request.envelope != sha256(&args.envelope) {
        return Err(Error::invalid(
            "envelope",
            "is not the one that the statement names",
        ));
    }
    not_from_the_future(request.at, call.now)?;
    let patient = vault
        .account_number(&request.patient)?
        .ok_or(Error::NotFound)?;
    let key = RequestRow::key(patient, &request.id);
    if let Some(known) = vault.store.get::<RequestRow>(&key)? {
        return if known.requester == requester && known.statement == *args.statement.statement {
            Ok(request.id)
        } else {
            Err(Error::Conflict {
                what: "request".into(),
            })
        };
    }
    if patient == requester {
        return Err(Error::invalid("patient", "is the caller"));
    }
    let invitation = admitted(vault, patient, requester, args.code.as_ref(), call.now)?;
    let mut owner = vault.load(patient)?;
    if request.patient_genesis != owner.account.genesis
        || request.patient_link != owner.account.link
    {
        return Err(Error::invalid(
            "patient_link",
            "is not the patient's key in force",
        ));
    }
    if owner.account.pending_requests >= limits::PENDING_REQUESTS {
        let what = "requests".into();
        return Err(Error::TooMany {
            what,
            limit: limits::PENDING_REQUESTS,
        });
    }
    vault.ensure_pseudonym(patient, requester)?;

    if let Some((key, mut row)) = invitation {
        row.used = Some(request.id);
        vault.store.put(key, &row);
        owner.account.open_invitations = owner.account.open_invitations.saturating_sub(1);
    }
    let row = RequestRow {
        statement: args.statement.statement.into_vec(),
        signature: args.statement.signature.into_vec(),
        envelope: vault.store.large_put(&args.envelope)?,
        requester,
        status: RequestStatusRow::Pending,
        at: call.now,
    };
    vault.store.put(key, &row);
    let received = RequestReceivedRow::key(patient, owner.account.requests_received);
    vault.store.put(received, &RequestReceivedRow(request.id));
    owner.account.requests_received += 1;
    owner.account.pending_requests += 1;
    let mut tie = vault.tie(patient, requester)?;
    tie.pending += 1;
    vault.store.put(TieRow::key(patient, requester), &tie);
    let made = RequestMadeRow::key(requester, mine.requests_made);
    vault.store.put(
        made,
        &RequestMadeRow {
            patient,
            request: request.id,
        },
    );
    mine.requests_made += 1;
    vault.put_account(requester, &mine);
    let notice = NoticeRow::RequestReceived(request.id);
    vault.notify(patient, &mut owner.account, notice, mine.id, call.now);
    let detail = Detail {
        request: Some(request.id),
        subject: Some(statement::hash_of::<Request>(&row.statement)),
        ..Detail::default()
    };
    let permit = Permit::by_requester(patient, requester);
    vault.record(&mut owner, permit, detail, call.now)?;
    vault.save(owner)?;
    Ok(request.id)
}

type Used = Option<(crate::storage::key::Key, InvitationRow)>;

/// Whether the requester may ask at all: by an invitation, which is then used up, or a tie.
fn admitted<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    patient: u64,
    requester: u64,
    code: Option<&ByteBuf>,
    now: u64,
) -> Result<Used> {
    if let Some(code) = code.filter(|code| code.len() as u64 <= CODE_BYTES) {
        let key = InvitationRow::key(patient, &invitation_id(code));
        let row: Option<InvitationRow> = vault.store.get(&key)?;
        if let Some(row) = row.filter(|row| row.used.is_none() && row.expires > now) {
            return Ok(Some((key, row)));
        }
    }
    if vault.are_tied(patient, requester, now)? {
        Ok(None)
    } else {
        Err(Error::NotFound)
    }
}

impl<R: Runtime, M: Memory> Vault<R, M> {
    fn request_view(
        &self,
        patient: u64,
        request: &RequestId,
        row: RequestRow,
        for_patient: bool,
    ) -> Result<RequestView> {
        let other = if for_patient { row.requester } else { patient };
        let envelope = if for_patient {
            self.store.large_load(&row.envelope)?
        } else {
            Vec::new()
        };
        Ok(RequestView {
            request: *request,
            statement: signed(row.statement, row.signature),
            envelope: ByteBuf::from(envelope),
            counterparty: self.counterparty(other)?,
            status: match row.status {
                RequestStatusRow::Pending => RequestStatus::Pending,
                RequestStatusRow::Approved(grant) => RequestStatus::Approved(grant),
                RequestStatusRow::Denied => RequestStatus::Denied,
            },
            at: row.at,
        })
    }

    fn request_page(
        &self,
        count: u64,
        cursor: Option<u64>,
        for_patient: bool,
        at: impl Fn(u64) -> Result<(u64, RequestId)>,
    ) -> Result<RequestPage> {
        let mut room = Room::new(items(None));
        let mut page = RequestPage {
            items: Vec::new(),
            next: None,
        };
        for seq in (0..cursor.unwrap_or(count).min(count)).rev() {
            let (patient, id) = at(seq)?;
            let row: Option<RequestRow> = self.store.get(&RequestRow::key(patient, &id))?;
            let row = row.ok_or_else(|| Error::internal("request"))?;
            let view = self.request_view(patient, &id, row, for_patient)?;
            let chain: usize = view
                .counterparty
                .chain
                .iter()
                .map(|l| l.statement.len())
                .sum();
            let bytes = view.statement.statement.len() + view.envelope.len() + chain + 512;
            if !room.takes(bytes as u64) {
                page.next = Some(seq + 1);
                break;
            }
            page.items.push(view);
        }
        Ok(page)
    }
}

/// Requests that the caller received, newest first.
///
/// # Errors
/// [`Error::NotFound`] for a caller without account.
pub fn request_inbox<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    cursor: Option<u64>,
) -> Result<RequestPage> {
    let permit = vault.may_read_own(call)?;
    let count = vault.account(permit.owner())?.requests_received;
    vault.request_page(count, cursor, true, |seq| {
        let key = RequestReceivedRow::key(permit.owner(), seq);
        let row: Option<RequestReceivedRow> = vault.store.get(&key)?;
        let row = row.ok_or_else(|| Error::internal("requests received"))?;
        Ok((permit.owner(), row.0))
    })
}

/// Requests that the caller made, newest first.
///
/// # Errors
/// [`Error::NotFound`] for a caller without account.
pub fn request_outbox<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    cursor: Option<u64>,
) -> Result<RequestPage> {
    let permit = vault.may_read_own(call)?;
    let count = vault.account(permit.owner())?.requests_made;
    vault.request_page(count, cursor, false, |seq| {
        let key = RequestMadeRow::key(permit.owner(), seq);
        let row: Option<RequestMadeRow> = vault.store.get(&key)?;
        let row = row.ok_or_else(|| Error::internal("requests made"))?;
        Ok((row.patient, row.request))
    })
}
