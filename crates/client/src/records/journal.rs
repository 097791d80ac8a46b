//! Uploads that may be interrupted: what has to be remembered to go on with the very same bytes.
//! Kept sealed. Must not hold plaintext of a part.

use crate::client::Client;
use crate::error::{ClientError, Result};
use crate::session::Unlocked;
use minicbor::{Decode, Encode};
use salus_crypto::hierarchy::VersionKeys;
use salus_crypto::local::LocalKey;
use salus_crypto::record::Descriptor;
use salus_crypto::{Key, VersionScope};
use salus_protocol::canonical;
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RecordId, UploadId};
use zeroize::Zeroizing;

/// An upload that was begun and not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingUpload {
    /// Which.
    pub id: UploadId,
    /// Whose record it is to be.
    pub owner: AccountId,
    /// Which record.
    pub record: RecordId,
    /// Which version it is to be, from 1.
    pub version: u32,
    /// Its title.
    pub title: String,
    /// Its parts: name and length in bytes, in order. To resume, give sources of the same bytes.
    pub parts: Vec<(String, u64)>,
}

#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct JournalPart {
    #[n(0)]
    pub(crate) upload: UploadId,
    #[n(1)]
    pub(crate) len: u64,
    #[n(2)]
    pub(crate) plaintext: Hash,
}

#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Journal {
    #[n(0)]
    pub(crate) id: UploadId,
    #[n(1)]
    pub(crate) owner: AccountId,
    #[n(2)]
    pub(crate) grant: Option<GrantId>,
    #[n(3)]
    pub(crate) compartment: Option<CompartmentId>,
    #[n(4)]
    pub(crate) record: RecordId,
    #[n(5)]
    pub(crate) version: u32,
    #[n(6)]
    pub(crate) previous: Option<Hash>,
    #[cbor(n(7), with = "minicbor::bytes")]
    descriptor_key: Vec<u8>,
    #[cbor(n(8), with = "minicbor::bytes")]
    content_key: Vec<u8>,
    #[n(9)]
    pub(crate) descriptor: Descriptor,
    #[cbor(n(10), with = "minicbor::bytes")]
    pub(crate) sealed_descriptor: Vec<u8>,
    #[n(11)]
    pub(crate) parts: Vec<JournalPart>,
}

impl Drop for Journal {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.descriptor_key.zeroize();
        self.content_key.zeroize();
    }
}

/// What a journal is made of besides keys and sealed descriptor.
pub(crate) struct Begun {
    pub(crate) owner: AccountId,
    pub(crate) grant: Option<GrantId>,
    pub(crate) compartment: Option<CompartmentId>,
    pub(crate) base: super::Base,
    pub(crate) descriptor: Descriptor,
    pub(crate) parts: Vec<JournalPart>,
}

impl Journal {
    /// Fresh keys, the descriptor sealed.
    pub(crate) fn new(client: &Client, begun: Begun, author: Hash) -> Result<Self> {
        let keys = VersionKeys::generate()?;
        let at = VersionScope {
            scope: client.scope(begun.owner),
            record: begun.base.record,
            version: begun.base.version,
            author,
        };
        let sealed_descriptor = begun.descriptor.seal(&keys.descriptor, &at)?;
        Ok(Self {
            id: match begun.parts.first() {
                Some(part) => part.upload,
                None => UploadId(salus_crypto::random_id()?),
            },
            owner: begun.owner,
            grant: begun.grant,
            compartment: begun.compartment,
            record: begun.base.record,
            version: begun.base.version,
            previous: begun.base.previous,
            descriptor_key: keys.descriptor.expose().to_vec(),
            content_key: keys.content.expose().to_vec(),
            descriptor: begun.descriptor,
            sealed_descriptor,
            parts: begun.parts,
        })
    }

    pub(crate) fn keys(&self) -> Result<VersionKeys> {
        let key = |bytes: &[u8]| {
            Key::from_slice(bytes)
                .map_err(|_| ClientError::Open(salus_crypto::OpenError::Malformed))
        };
        Ok(VersionKeys {
            descriptor: key(&self.descriptor_key)?,
            content: key(&self.content_key)?,
        })
    }

    pub(crate) fn scope<'a>(&self, client: &'a Client, author: Hash) -> VersionScope<'a> {
        VersionScope {
            scope: client.scope(self.owner),
            record: self.record,
            version: self.version,
            author,
        }
    }
}

impl Unlocked {
    fn journal_key(&self, id: &UploadId) -> String {
        self.client()
            .memory_key(&format!("upload/{id}"), &self.account())
    }

    pub(crate) async fn save_journal(&self, journal: &Journal) -> Result<()> {
        let sealed = self.with(|keys| {
            let bytes = Zeroizing::new(canonical::encode(journal));
            let local = LocalKey::derive(&keys.amk, self.scope());
            Ok(local.seal_journal(self.scope(), journal.id, &bytes)?)
        })?;
        let key = self.journal_key(&journal.id);
        Ok(self.client().memory().save(&key, &sealed).await?)
    }

    pub(crate) async fn load_journal(&self, id: &UploadId) -> Result<Journal> {
        let sealed = self
            .client()
            .memory()
            .load(&self.journal_key(id))
            .await?
            .ok_or(ClientError::NotFound("upload"))?;
        self.with(|keys| {
            let local = LocalKey::derive(&keys.amk, self.scope());
            let bytes = local.open_journal(self.scope(), *id, &sealed)?;
            canonical::decode(&bytes)
                .map_err(|_| ClientError::Open(salus_crypto::OpenError::Malformed))
        })
    }

    pub(crate) async fn forget_journal(&self, id: &UploadId) -> Result<()> {
        Ok(self.client().memory().remove(&self.journal_key(id)).await?)
    }

    /// Uploads that this device began and did not finish. Those begun before ways to unlock were
    /// removed cannot be resumed and are not listed.
    ///
    /// # Errors
    /// [`ClientError::Locked`], [`ClientError::Memory`].
    pub async fn pending_uploads(&self) -> Result<Vec<PendingUpload>> {
        let prefix = self.client().memory_key("upload/", &self.account());
        let mut out = Vec::new();
        for key in self.client().memory().keys(&prefix).await? {
            let Some(Ok(id)) = key.strip_prefix(&prefix).map(str::parse::<UploadId>) else {
                continue;
            };
            match self.load_journal(&id).await {
                Ok(journal) => out.push(PendingUpload {
                    id,
                    owner: journal.owner,
                    record: journal.record,
                    version: journal.version,
                    title: journal.descriptor.title.clone(),
                    parts: journal
                        .descriptor
                        .parts
                        .iter()
                        .map(|p| (p.name.clone(), p.len))
                        .collect(),
                }),
                Err(ClientError::Open(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(out)
    }

    /// Gives an unfinished upload up: frees what the vault holds of it and forgets it here.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`ClientError::Transport`].
    pub async fn abandon_upload(&self, id: UploadId) -> Result<()> {
        let journal = self.load_journal(&id).await?;
        for part in &journal.parts {
            match self
                .client()
                .update::<()>("upload_abort", (part.upload,))
                .await
            {
                Ok(()) | Err(ClientError::Vault(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.forget_journal(&id).await
    }
}
