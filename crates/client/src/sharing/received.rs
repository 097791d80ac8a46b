//! Grants one has received: verified under their owner's keys, their envelopes opened, their keys
//! compared with what was signed. Must not fetch records.

use super::given::GrantPhase;
use crate::error::{ClientError, IntegrityError, Result};
use crate::people::{Contact, verify_under};
use crate::session::{Label, Unlocked};
use salus_crypto::commitment::commit_purpose;
use salus_crypto::envelope::GrantContents;
use salus_protocol::grant::{Conveyed, Grant, VersionRef};
use salus_protocol::statement::sha256;
use salus_types::CompartmentId;
use salus_types::api::GrantView;

/// A grant one has received.
#[derive(Clone)]
pub struct ReceivedGrant {
    /// The statement, as its owner signed it.
    pub grant: Grant,
    /// Who gave it.
    pub owner: Contact,
    /// Where it stands.
    pub phase: GrantPhase,
    /// Purpose, names and keys; absent once it is over.
    pub(crate) contents: Option<GrantContents>,
}

impl std::fmt::Debug for ReceivedGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReceivedGrant({}, {:?})", self.grant.id, self.phase)
    }
}

impl ReceivedGrant {
    /// What for, in the owner's words, while it is in force.
    pub fn purpose(&self) -> Option<&str> {
        self.contents.as_ref().map(|c| c.purpose.as_str())
    }

    /// What the owner wants to be called, while it is in force.
    pub fn owner_name(&self) -> Option<&str> {
        self.contents.as_ref()?.owner_name.as_deref()
    }

    /// Compartments it conveys, with their names and tags.
    pub fn compartments(&self) -> Vec<(CompartmentId, Label)> {
        let contents = self.contents.iter();
        contents
            .flat_map(|c| &c.compartments)
            .map(|c| (c.compartment, Label::from_text(&c.name)))
            .collect()
    }

    /// Single versions it conveys.
    pub fn versions(&self) -> Vec<VersionRef> {
        let contents = self.contents.iter();
        contents
            .flat_map(|c| &c.records)
            .map(|r| VersionRef {
                record: r.record,
                version: r.version,
            })
            .collect()
    }
}

impl Unlocked {
    /// Grants one has received, newest first, those that are over included.
    ///
    /// # Errors
    /// [`IntegrityError::Grant`] when one is not what its owner signed;
    /// [`IntegrityError::KeyChanged`]; [`ClientError::Open`].
    pub async fn received(&self) -> Result<Vec<ReceivedGrant>> {
        let mut out = Vec::new();
        for view in self.grant_views("grant_received").await? {
            out.push(self.read_received(&view).await?);
        }
        Ok(out)
    }

    async fn read_received(&self, view: &GrantView) -> Result<ReceivedGrant> {
        let owner = self.client().contact(&view.counterparty).await?;
        let owner = self.weigh(owner).await?;
        let grant = verify_under(
            &view.statement,
            self.client().vault_bytes(),
            &owner.chain,
            |g: &Grant| g.owner_link,
        )?;
        let bad = |what| Err(IntegrityError::Grant(what).into());
        if grant.id != view.grant
            || (grant.owner, grant.owner_genesis) != (owner.account, owner.genesis())
        {
            return bad("the owner");
        }
        if (grant.grantee, grant.grantee_genesis) != (self.account(), self.genesis()) {
            return bad("the grantee");
        }
        if !grant.is_well_formed() {
            return bad("the statement");
        }
        self.check_revision(&grant).await?;
        let phase = GrantPhase::of(&grant, &view.status, self.client().now());
        let over = matches!(phase, GrantPhase::Expired | GrantPhase::Revoked { .. });
        let contents = if view.envelope.is_empty() && over {
            None
        } else {
            Some(self.open_envelope(&grant, &view.envelope)?)
        };
        Ok(ReceivedGrant {
            grant,
            owner,
            phase,
            contents,
        })
    }

    /// Refuses a revision older than one seen before.
    async fn check_revision(&self, grant: &Grant) -> Result<()> {
        let key = self
            .client()
            .memory_key(&format!("grant/{}", grant.id), &self.account());
        let known = match self.client().memory().load(&key).await? {
            Some(bytes) => <[u8; 4]>::try_from(bytes.as_slice()).map_or(0, u32::from_be_bytes),
            None => 0,
        };
        if grant.revision < known {
            return Err(IntegrityError::Grant("the revision").into());
        }
        if grant.revision > known {
            let bytes = grant.revision.to_be_bytes();
            self.client().memory().save(&key, &bytes).await?;
        }
        Ok(())
    }

    fn open_envelope(&self, grant: &Grant, envelope: &[u8]) -> Result<GrantContents> {
        if sha256(envelope) != grant.envelope {
            return Err(IntegrityError::Grant("the envelope").into());
        }
        let scope = self.client().scope(grant.owner);
        let contents = self.with(|keys| {
            let seeds = keys
                .bundle
                .seeds(grant.grantee_link)
                .ok_or(IntegrityError::Grant("the grantee's key"))?;
            Ok(GrantContents::open(
                &seeds.hpke,
                scope,
                grant.id,
                grant.revision,
                grant.grantee,
                grant.grantee_link,
                envelope,
            )?)
        })?;
        if commit_purpose(&contents.purpose_salt, &contents.purpose) != grant.purpose {
            return Err(IntegrityError::Grant("the purpose").into());
        }
        let mut conveyed = Vec::new();
        for compartment in &contents.compartments {
            for granted in &compartment.epochs {
                let key = compartment
                    .epoch_key(granted.epoch)
                    .ok_or(IntegrityError::Grant("a key"))?;
                conveyed.push(Conveyed::Epoch {
                    compartment: compartment.compartment,
                    epoch: granted.epoch,
                    kid: key.kid(scope),
                });
            }
        }
        for record in &contents.records {
            let keys = record.keys();
            conveyed.push(Conveyed::Version {
                version: VersionRef {
                    record: record.record,
                    version: record.version,
                },
                descriptor: keys.descriptor_kid(scope, record.record, record.version),
                content: keys.content_kid(scope, record.record, record.version),
            });
        }
        if conveyed == grant.conveys {
            Ok(contents)
        } else {
            Err(ClientError::from(IntegrityError::Grant("a key")))
        }
    }
}
