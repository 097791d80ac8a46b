//! Making a grant: its envelope, its statement, its ledger entry and the owner's note. Must not
//! call the vault.

use super::given::Terms;
use crate::error::{ClientError, IntegrityError, Result};
use crate::keys::Keys;
use crate::ledger::sign;
use crate::people::Contact;
use crate::session::Unlocked;
use minicbor::{Decode, Encode};
use salus_crypto::commitment::commit_purpose;
use salus_crypto::envelope::{GrantContents, GrantedCompartment, GrantedEpoch, GrantedRecord};
use salus_crypto::hierarchy::{EpochKey, VersionKeys};
use salus_crypto::{note, random_salt};
use salus_protocol::canonical;
use salus_protocol::grant::{Conveyed, Grant, READ, Scope, VersionRef};
use salus_protocol::ledger::GrantEntry;
use salus_protocol::statement::{self, sha256};
use salus_types::api::GrantPayload;
use salus_types::{CompartmentId, GrantId, RequestId};
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, BTreeSet};

/// What the owner notes about a grant, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct GrantNote {
    #[n(0)]
    pub(crate) purpose: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) purpose_salt: Vec<u8>,
    #[n(2)]
    pub(crate) owner_name: Option<String>,
    #[n(3)]
    pub(crate) grantee_name: Option<String>,
    #[n(4)]
    pub(crate) specialty: Option<String>,
}

impl GrantNote {
    pub(crate) fn new(terms: &Terms, contact: &Contact) -> Result<Self> {
        let from = |own: &Option<String>, published: Option<&str>| {
            own.clone().or_else(|| published.map(Into::into))
        };
        Ok(Self {
            purpose: terms.purpose.clone(),
            purpose_salt: random_salt()?.to_vec(),
            owner_name: terms.owner_name.clone(),
            grantee_name: from(&terms.grantee_name, contact.name()),
            specialty: from(
                &terms.specialty,
                contact.directory.as_ref().map(|d| d.specialty.as_str()),
            ),
        })
    }

    pub(crate) fn salt(&self) -> Result<[u8; 32]> {
        self.purpose_salt
            .as_slice()
            .try_into()
            .map_err(|_| IntegrityError::Grant("the note").into())
    }
}

/// Of these compartments, the epochs to be conveyed; whatever is newer than all of them is conveyed
/// too. Of a compartment that is not named, every epoch is.
pub(crate) type Kept = BTreeMap<CompartmentId, BTreeSet<u32>>;

/// A grant to be made or made anew.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) id: GrantId,
    pub(crate) revision: u32,
    pub(crate) contact: Contact,
    pub(crate) scope: Scope,
    pub(crate) rights: u8,
    pub(crate) not_before: u64,
    pub(crate) expires: u64,
    pub(crate) request: Option<RequestId>,
    pub(crate) follows: bool,
    pub(crate) note: GrantNote,
    /// Epochs to be conveyed; all of them if absent.
    pub(crate) kept: Option<Kept>,
    /// Keys of the versions a grant over single records names.
    pub(crate) versions: BTreeMap<VersionRef, VersionKeys>,
}

impl Plan {
    fn keeps(&self, key: &EpochKey) -> bool {
        let kept = self.kept.as_ref().and_then(|k| k.get(&key.compartment));
        kept.is_none_or(|epochs| {
            epochs.contains(&key.epoch) || epochs.last().is_none_or(|last| *last < key.epoch)
        })
    }
}

/// Epoch keys that come to be by the same operation, with the sealed text of their compartment.
pub(crate) type Fresh = [(EpochKey, String)];

struct Sealed {
    contents: GrantContents,
    conveys: Vec<Conveyed>,
}

impl Unlocked {
    /// What the envelope conveys.
    fn contents(&self, keys: &Keys, plan: &Plan, fresh: &Fresh) -> Result<Sealed> {
        let mut conveys = Vec::new();
        let (mut compartments, mut records) = (Vec::new(), Vec::new());
        let wanted = |id: &CompartmentId| match &plan.scope {
            Scope::Everything => true,
            Scope::Compartments(list) => list.contains(id),
            Scope::Records(_) => false,
        };
        if plan.rights & READ != 0 {
            let mut all: BTreeMap<CompartmentId, (String, Vec<EpochKey>)> = BTreeMap::new();
            for (id, epochs) in keys.all_epochs().iter().filter(|(id, _)| wanted(id)) {
                // A key that does not open cannot be conveyed.
                let open = epochs.iter().flatten();
                let open: Vec<EpochKey> = open.filter(|key| plan.keeps(key)).cloned().collect();
                if let Ok(label) = self.label(keys, id) {
                    all.insert(*id, (label.to_text(), open));
                }
            }
            for (key, text) in fresh.iter().filter(|(k, _)| wanted(&k.compartment)) {
                let (_, epochs) = all
                    .entry(key.compartment)
                    .or_insert_with(|| (text.clone(), Vec::new()));
                epochs.push(key.clone());
            }
            for (compartment, (name, epochs)) in all {
                for key in &epochs {
                    conveys.push(Conveyed::Epoch {
                        compartment,
                        epoch: key.epoch,
                        kid: key.kid(self.scope()),
                    });
                }
                compartments.push(GrantedCompartment {
                    compartment,
                    name,
                    epochs: epochs
                        .into_iter()
                        .map(|k| GrantedEpoch {
                            epoch: k.epoch,
                            key: k.key.clone(),
                        })
                        .collect(),
                });
            }
            if let Scope::Records(list) = &plan.scope {
                for at in list {
                    let keys = plan
                        .versions
                        .get(at)
                        .ok_or(ClientError::NotFound("record"))?;
                    conveys.push(Conveyed::Version {
                        version: *at,
                        descriptor: keys.descriptor_kid(self.scope(), at.record, at.version),
                        content: keys.content_kid(self.scope(), at.record, at.version),
                    });
                    records.push(GrantedRecord {
                        record: at.record,
                        version: at.version,
                        descriptor: keys.descriptor.clone(),
                        content: keys.content.clone(),
                    });
                }
            }
        }
        let contents = GrantContents {
            purpose: plan.note.purpose.clone(),
            purpose_salt: plan.note.salt()?,
            owner_name: plan.note.owner_name.clone(),
            compartments,
            records,
        };
        Ok(Sealed { contents, conveys })
    }

    /// Seals and signs a grant.
    pub(crate) fn build(
        &self,
        keys: &Keys,
        plan: &Plan,
        fresh: &Fresh,
    ) -> Result<(GrantEntry, GrantPayload)> {
        let Sealed { contents, conveys } = self.contents(keys, plan, fresh)?;
        let grantee_link = plan.contact.current()?.hash;
        let envelope = contents.seal(
            &plan.contact.sealing()?,
            self.scope(),
            plan.id,
            plan.revision,
            plan.contact.account,
            grantee_link,
        )?;
        let grant = Grant {
            vault: self.vault(),
            id: plan.id,
            revision: plan.revision,
            owner: self.account(),
            owner_genesis: self.genesis(),
            owner_link: keys.link()?.hash,
            grantee: plan.contact.account,
            grantee_genesis: plan.contact.genesis(),
            grantee_link,
            scope: plan.scope.clone(),
            rights: plan.rights,
            conveys,
            not_before: plan.not_before,
            expires: plan.expires,
            purpose: commit_purpose(&plan.note.salt()?, &plan.note.purpose),
            envelope: sha256(&envelope),
            request: plan.request,
            at: self.client().now(),
            follows: plan.follows.then_some(true),
        };
        if !grant.is_well_formed() {
            return Err(ClientError::Invalid {
                field: "terms",
                reason: "rights, times, scope or what it follows are not sound",
            });
        }
        let statement = sign(&grant, &keys.bundle.current.signing);
        let note = canonical::encode(&plan.note);
        let entry = GrantEntry {
            id: plan.id,
            revision: plan.revision,
            statement: statement::hash_of::<Grant>(&statement.statement),
            grantee: plan.contact.account,
            expires: plan.expires,
        };
        let payload = GrantPayload {
            statement,
            envelope: ByteBuf::from(envelope),
            note: ByteBuf::from(note::seal_owner_note(
                &keys.amk,
                self.scope(),
                plan.id,
                &note,
            )?),
        };
        Ok((entry, payload))
    }

    /// Grants made anew with fresh keys, as far as they reach one of them.
    pub(crate) fn reissue_all(
        &self,
        keys: &Keys,
        plans: &[Plan],
        fresh: &Fresh,
        revoked: Option<GrantId>,
    ) -> Result<(Vec<GrantEntry>, Vec<GrantPayload>)> {
        let mut entries = Vec::new();
        let mut payloads = Vec::new();
        for plan in plans {
            let reaches = plan.rights & READ != 0
                && match &plan.scope {
                    Scope::Everything => !fresh.is_empty(),
                    Scope::Compartments(list) => {
                        fresh.iter().any(|(k, _)| list.contains(&k.compartment))
                    }
                    Scope::Records(_) => false,
                };
            if !reaches || revoked == Some(plan.id) {
                continue;
            }
            let mut next = plan.clone();
            next.revision = plan.revision.saturating_add(1);
            let (entry, payload) = self.build(keys, &next, fresh)?;
            entries.push(entry);
            payloads.push(payload);
        }
        Ok((entries, payloads))
    }
}
