//! Audit entries as they are answered: fields and plain words. Must not know how a trail is verified.

use crate::error::Result;
use crate::session::Session;
use crate::text::line;
use salus_client::audit::{AuditEntry, AuditEvent};
use salus_client::{AccountId, Hash};
use serde::Serialize;
use std::collections::BTreeMap;

/// Someone in the trail.
#[derive(Clone, Serialize)]
pub(super) struct Who {
    /// Their account; absent where it is not known whom the pseudonym stands for.
    account: Option<String>,
    name: Option<String>,
    pseudonym: String,
    /// Whether it is the trail's owner.
    owner: bool,
}

#[derive(Serialize)]
pub(super) struct Entry {
    pub(super) seq: u64,
    /// Milliseconds since 1970.
    pub(super) at: u64,
    pub(super) event: &'static str,
    actor: Option<Who>,
    other: Option<Who>,
    grant: Option<String>,
    request: Option<String>,
    compartment: Option<String>,
    record: Option<String>,
    version: Option<u32>,
    count: Option<u64>,
    /// The entry in plain words.
    pub(super) text: String,
}

/// Entries in words.
#[derive(Default)]
pub(super) struct Words {
    own: Option<AccountId>,
    names: BTreeMap<String, String>,
    compartments: BTreeMap<String, String>,
}

impl Words {
    pub(super) fn of(session: &Session<'_>) -> Result<Self> {
        Ok(Self {
            own: Some(session.unlocked.account()),
            names: session.contacts.borrow().names(),
            compartments: session
                .unlocked
                .compartments()?
                .into_iter()
                .map(|c| (c.id.to_string(), c.label.name))
                .collect(),
        })
    }

    pub(super) fn entries(
        &self,
        entries: &[AuditEntry],
        names: &BTreeMap<Hash, AccountId>,
        owner: AccountId,
    ) -> Vec<Entry> {
        let who = |pseudonym: &Hash| {
            let account = names.get(pseudonym).copied();
            Who {
                account: account.map(|a| a.to_string()),
                name: account.and_then(|a| self.names.get(&a.to_string()).cloned()),
                pseudonym: pseudonym.to_string(),
                owner: account == Some(owner),
            }
        };
        entries
            .iter()
            .map(|entry| {
                let actor = entry.actor.as_ref().map(who);
                let other = entry.other.as_ref().map(who);
                Entry {
                    seq: entry.seq,
                    at: entry.at,
                    event: name(entry.event),
                    text: self.text(entry, actor.as_ref(), other.as_ref()),
                    actor,
                    other,
                    grant: entry.grant.map(|id| id.to_string()),
                    request: entry.request.map(|id| id.to_string()),
                    compartment: entry.compartment.map(|id| id.to_string()),
                    record: entry.record.map(|id| id.to_string()),
                    version: entry.version,
                    count: entry.count,
                }
            })
            .collect()
    }

    fn called(&self, who: Option<&Who>) -> String {
        let Some(who) = who else {
            return "the vault".to_owned();
        };
        match (&who.account, &who.name) {
            (Some(account), _) if self.own.is_some_and(|own| own.to_string() == *account) => {
                "you".to_owned()
            }
            (_, Some(name)) => line(name),
            _ if who.owner => "the owner".to_owned(),
            (Some(account), None) => format!("account {account}"),
            (None, None) => {
                let short: String = who.pseudonym.chars().take(8).collect();
                format!("someone ({short})")
            }
        }
    }

    fn text(&self, entry: &AuditEntry, actor: Option<&Who>, other: Option<&Who>) -> String {
        let (who, whom) = (self.called(actor), self.called(other));
        let named = entry.compartment.map_or_else(String::new, |id| {
            let id = id.to_string();
            format!(" {}", line(self.compartments.get(&id).unwrap_or(&id)))
        });
        let place = if named.is_empty() {
            String::new()
        } else {
            format!(" in{named}")
        };
        let record = entry.record.map_or_else(String::new, |id| {
            let version = entry
                .version
                .map_or_else(String::new, |version| format!(" version {version}"));
            format!(" record {id}{version}")
        });
        let count = entry.count.unwrap_or(0);
        match entry.event {
            AuditEvent::AccountOpened => format!("{who} opened the account"),
            AuditEvent::PrincipalAdded => format!("{who} added a principal"),
            AuditEvent::PrincipalRemoved => format!("{who} removed a principal"),
            AuditEvent::KeysRotated => format!("{who} renewed the identity keys"),
            AuditEvent::SlotAdded => format!("{who} added a way to unlock"),
            AuditEvent::Rekeyed => {
                format!("{who} made a new master key for the ways to unlock that stay")
            }
            AuditEvent::CompartmentAdded => format!("{who} added the compartment{named}"),
            AuditEvent::CompartmentRenamed => format!("{who} renamed the compartment{named}"),
            AuditEvent::Requested => format!("{who} asked for access"),
            AuditEvent::Denied => format!("{who} denied a request of {whom}"),
            AuditEvent::Granted => format!("{who} gave access to {whom}"),
            AuditEvent::Reissued => format!("{who} passed new keys to {whom}"),
            AuditEvent::Revoked => format!("{who} took access back from {whom}"),
            AuditEvent::Listed => format!("{who} listed {count} records{place}"),
            AuditEvent::Opened => format!("{who} opened{record}{place}"),
            AuditEvent::Written => format!("{who} wrote{record}{place}"),
            AuditEvent::Appended => format!("{who} left{record} in the drop box"),
            AuditEvent::Adopted => format!("{who} filed{record}{place}"),
            AuditEvent::Refused => format!("{who} was refused{record}{place}"),
            AuditEvent::StrangersRefused => format!("{count} attempts by strangers were refused"),
            AuditEvent::Invited => format!("{who} made an invitation"),
            AuditEvent::Upgraded => "the vault was upgraded".to_owned(),
            AuditEvent::Unlocked => format!("{who} unlocked the account"),
            AuditEvent::Checkpoint => format!("{who} signed a checkpoint"),
            AuditEvent::Refiled if entry.record.is_some() => format!("{who} moved{record}{place}"),
            AuditEvent::Refiled => format!("{who} sealed the keys of {count} versions anew"),
            AuditEvent::EpochsAdvanced => format!("{who} made new keys for {count} compartments"),
            AuditEvent::Pinned => format!("{who} confirmed the keys of {whom}"),
            AuditEvent::Paired => format!("{who} paired a new device"),
            AuditEvent::PairingEnded => format!("{who} ended a pairing: no device was added"),
        }
    }
}

/// An event's stable name.
const fn name(event: AuditEvent) -> &'static str {
    match event {
        AuditEvent::AccountOpened => "account_opened",
        AuditEvent::PrincipalAdded => "principal_added",
        AuditEvent::PrincipalRemoved => "principal_removed",
        AuditEvent::KeysRotated => "keys_rotated",
        AuditEvent::SlotAdded => "slot_added",
        AuditEvent::Rekeyed => "rekeyed",
        AuditEvent::CompartmentAdded => "compartment_added",
        AuditEvent::CompartmentRenamed => "compartment_renamed",
        AuditEvent::Requested => "requested",
        AuditEvent::Denied => "denied",
        AuditEvent::Granted => "granted",
        AuditEvent::Reissued => "reissued",
        AuditEvent::Revoked => "revoked",
        AuditEvent::Listed => "listed",
        AuditEvent::Opened => "opened",
        AuditEvent::Written => "written",
        AuditEvent::Appended => "appended",
        AuditEvent::Adopted => "adopted",
        AuditEvent::Refused => "refused",
        AuditEvent::StrangersRefused => "strangers_refused",
        AuditEvent::Invited => "invited",
        AuditEvent::Upgraded => "upgraded",
        AuditEvent::Checkpoint => "checkpoint",
        AuditEvent::Unlocked => "unlocked",
        AuditEvent::Refiled => "refiled",
        AuditEvent::EpochsAdvanced => "epochs_advanced",
        AuditEvent::Pinned => "pinned",
        AuditEvent::Paired => "paired",
        AuditEvent::PairingEnded => "pairing_ended",
    }
}
