//! The audit trail in plain view models, what its verification found, and the file that proves it
//! elsewhere. Must not know how chains are hashed or certified.

use crate::dispatch::{Answer, Task, misplaced};
use crate::failure::{Outcome, from_client, from_platform};
use crate::people::People;
use crate::platform::files;
use crate::sharing::Own;
use crate::watch::Watch;
use crate::{session, views};
use futures::join;
use salus_client::audit::{AuditEntry as Entry, AuditEvent, Trail};
use salus_client::{ClientError, Hash, IntegrityError, Unlocked};
use salus_messages::{
    AccountId, Actor, AuditEntry, AuditKind, Cursor, Defect, FailureKind, FileRef, Intent, Page,
    Reply, Verification,
};
use salus_protocol::chain::LinkError;
use std::rc::Rc;

/// Entries of a page.
const PAGE: usize = 50;
/// Hexadecimal digits that stand for someone unknown.
const PSEUDONYM: usize = 8;

/// Carries out the intents about the audit trail.
pub(crate) async fn carry_out(task: &Task, intent: Intent) -> Outcome<Answer> {
    session::renew(&task.engine).await?;
    let unlocked = task.engine.unlocked()?;
    match intent {
        Intent::Activity { cursor } => page(task, &unlocked, cursor).await,
        Intent::VerifyActivity => {
            let trail = unlocked.audit_trail(&Watch::new(task)).await;
            Ok(Reply::Verified(verified(trail)?).into())
        }
        Intent::ExportActivity => {
            let trail = unlocked
                .audit_trail(&Watch::new(task))
                .await
                .map_err(from_client)?;
            let bytes = trail.export(unlocked.client());
            let entries = trail.verification.entries;
            file(format!("salus-activity-{entries}.cbor"), &bytes)
        }
        _ => Err(misplaced()),
    }
}

/// The proof that was kept when answers about an account were refused last. Needs no keys.
pub(crate) async fn save_proof(task: &Task, account: &AccountId) -> Outcome<Answer> {
    let account = views::parse("account", &account.0)?;
    let kept = task.engine.client()?.last_refusal(account).await;
    let proof = kept.map_err(from_client)?.and_then(|kept| kept.evidence);
    let bytes = proof.ok_or(FailureKind::NotFound)?;
    file("salus-proof.cbor".into(), &bytes)
}

fn file(name: String, bytes: &[u8]) -> Outcome<Answer> {
    let file = FileRef {
        index: 0,
        name,
        media_type: "application/cbor".into(),
        size: bytes.len() as u64,
    };
    Ok(Answer {
        reply: Reply::File(file),
        files: vec![files::make(bytes).map_err(from_platform)?],
    })
}

fn verified(trail: Result<Trail, ClientError>) -> Outcome<Verification> {
    let error = match trail {
        Ok(trail) => {
            return Ok(Verification {
                entries: trail.verification.entries,
                head: trail.verification.head.hash.to_string(),
                certified_at: Some(trail.verification.certified_at),
                defect: None,
            });
        }
        Err(error) => error,
    };
    // What was weighed against what this device remembers is told with the figures and the proof.
    let refused = matches!(&error, ClientError::Refused(_));
    let found = error.integrity().filter(|_| !refused).and_then(defect);
    let Some(defect) = found else {
        return Err(from_client(error));
    };
    Ok(Verification {
        entries: 0,
        head: String::new(),
        certified_at: None,
        defect: Some(defect),
    })
}

const fn defect(error: &IntegrityError) -> Option<Defect> {
    Some(match error {
        IntegrityError::Broken { error, .. } => match error {
            LinkError::NotCanonical(sequence) => Defect::BrokenLink {
                sequence: *sequence,
            },
            LinkError::OutOfPlace(sequence) => Defect::Gap {
                sequence: *sequence,
            },
            LinkError::WrongHead(_) => Defect::HeadMismatch,
        },
        IntegrityError::RolledBack { known, .. } => Defect::RolledBack { sequence: *known },
        IntegrityError::Forked { at, .. } => Defect::RolledBack { sequence: *at },
        IntegrityError::NotCertified { .. } => Defect::HeadMismatch,
        IntegrityError::StaleCertificate { .. } => Defect::Stale,
        IntegrityError::Certificate(_)
        | IntegrityError::Witness(_)
        | IntegrityError::OtherAccount => Defect::Certificate,
        _ => return None,
    })
}

async fn page(task: &Task, unlocked: &Unlocked, cursor: Option<Cursor>) -> Outcome<Answer> {
    let from: usize = match &cursor {
        Some(cursor) => views::parse("cursor", &cursor.0)?,
        None => 0,
    };
    let known = task.engine.found.borrow().trail.clone();
    let quiet = Watch::silent(task);
    let trail = async {
        match known.filter(|_| cursor.is_some()) {
            Some(trail) => Ok(trail),
            None => unlocked.audit_trail(&quiet).await.map(Rc::new),
        }
    };
    let (trail, own, people) = join!(trail, Own::of(&task.engine, unlocked), People::of(unlocked));
    let trail = trail.map_err(from_client)?;
    task.engine.found.borrow_mut().trail = Some(trail.clone());
    let words = Words {
        unlocked,
        trail: &trail,
        own: own?,
        people,
    };
    let total = trail.entries.len();
    let items: Vec<_> = trail
        .entries
        .iter()
        .rev()
        .skip(from)
        .take(PAGE)
        .map(|entry| words.entry(entry))
        .collect();
    let end = from.saturating_add(items.len());
    Ok(Reply::Activity(Page {
        items,
        next: (end < total).then(|| Cursor(end.to_string())),
        total: u32::try_from(total).ok(),
    })
    .into())
}

/// What entries are put into words with.
struct Words<'a> {
    unlocked: &'a Unlocked,
    trail: &'a Trail,
    own: Own,
    people: People,
}

impl Words<'_> {
    fn entry(&self, entry: &Entry) -> AuditEntry {
        let count = match entry.event {
            AuditEvent::Opened | AuditEvent::Written | AuditEvent::Appended => {
                entry.count.unwrap_or(1)
            }
            _ => entry.count.unwrap_or(0),
        };
        AuditEntry {
            sequence: entry.seq,
            at: entry.at,
            actor: self.actor(entry),
            kind: kind(entry),
            subject: self.subject(entry),
            record: entry.record.map(views::record),
            count: u32::try_from(count).unwrap_or(u32::MAX),
        }
    }

    fn actor(&self, entry: &Entry) -> Actor {
        let Some(pseudonym) = entry.actor else {
            return Actor::Vault;
        };
        match self.trail.names.get(&pseudonym) {
            Some(account) if *account == self.unlocked.account() => Actor::You,
            Some(account) => Actor::Person(self.people.find(*account)),
            None => Actor::Pseudonym(short(&pseudonym)),
        }
    }

    fn subject(&self, entry: &Entry) -> String {
        let title = entry.record.and_then(|id| self.own.title(id));
        let place = entry.compartment.and_then(|id| self.own.compartment(id));
        if let Some(text) = title.or(place) {
            return text.to_owned();
        }
        let other = entry.other.filter(|other| Some(*other) != entry.actor);
        match other {
            None => String::new(),
            Some(pseudonym) => match self.trail.names.get(&pseudonym) {
                Some(account) if *account == self.unlocked.account() => String::new(),
                Some(account) => self.people.find(*account).name,
                None => short(&pseudonym),
            },
        }
    }
}

fn short(pseudonym: &Hash) -> String {
    pseudonym.to_string().chars().take(PSEUDONYM).collect()
}

fn kind(entry: &Entry) -> AuditKind {
    match entry.event {
        AuditEvent::AccountOpened => AuditKind::AccountCreated,
        AuditEvent::PrincipalAdded | AuditEvent::PrincipalRemoved => AuditKind::PrincipalsChanged,
        AuditEvent::KeysRotated => AuditKind::IdentityRotated,
        AuditEvent::SlotAdded => AuditKind::SlotAdded,
        AuditEvent::Rekeyed => AuditKind::SlotRemoved,
        AuditEvent::CompartmentAdded => AuditKind::CompartmentAdded,
        AuditEvent::Requested => AuditKind::AccessAsked,
        AuditEvent::Denied => AuditKind::RequestDenied,
        AuditEvent::Granted => AuditKind::GrantGiven,
        AuditEvent::Reissued => AuditKind::KeysPassedOn,
        AuditEvent::Revoked => AuditKind::GrantRevoked,
        AuditEvent::Listed => AuditKind::RecordsListed,
        AuditEvent::Opened => AuditKind::RecordOpened,
        AuditEvent::Written | AuditEvent::Appended => match entry.version {
            Some(2..) => AuditKind::RecordAmended,
            _ => AuditKind::RecordAdded,
        },
        AuditEvent::Adopted => AuditKind::RecordFiled,
        AuditEvent::Refiled if entry.record.is_some() => AuditKind::RecordFiled,
        AuditEvent::Refused | AuditEvent::StrangersRefused => AuditKind::Refused,
        AuditEvent::Invited => AuditKind::Invited,
        AuditEvent::Upgraded => AuditKind::VaultChanged,
        AuditEvent::Unlocked => AuditKind::Unlocked,
        AuditEvent::CompartmentRenamed | AuditEvent::Checkpoint | AuditEvent::Refiled => {
            AuditKind::Other
        }
        AuditEvent::EpochsAdvanced => AuditKind::EpochsAdvanced,
        AuditEvent::Pinned => AuditKind::KeysPinned,
        AuditEvent::Paired => AuditKind::DevicePaired,
        AuditEvent::PairingEnded => AuditKind::PairingEnded,
    }
}
