//! From what the vault shows of a version to what it says: statement, author, keys and descriptor,
//! each checked against the one before. Must not fetch lists or parts.

use super::{Author, Authorship, RecordItem};
use crate::error::{ClientError, IntegrityError, Result};
use crate::people::Contact;
use crate::session::Unlocked;
use salus_crypto::hierarchy::VersionKeys;
use salus_crypto::record::Descriptor;
use salus_crypto::{Key, VaultScope, VersionScope};
use salus_protocol::KeyChain;
use salus_protocol::statement::{self, Statement, StatementError, sha256};
use salus_protocol::version::Version;
use salus_types::api::{Filed, VersionView};
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RecordId};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A version whose statement is what the vault shows it to be.
pub(crate) struct Shown {
    pub(crate) version: Version,
    pub(crate) statement: Hash,
}

fn defect(record: RecordId, what: &'static str) -> ClientError {
    IntegrityError::Version { record, what }.into()
}

/// Checks that statement, place and sealed descriptor belong together.
pub(crate) fn check_view(view: &VersionView, vault: &[u8], owner: AccountId) -> Result<Shown> {
    let version: Version = statement::decode_for(&view.statement.statement, vault)?;
    let bad = |what| Err(defect(view.record, what));
    if version.owner != owner {
        return bad("the owner");
    }
    if version.record != view.record || version.version != view.version {
        return bad("the version");
    }
    if version.previous.is_some() != (version.version > 1) {
        return bad("the predecessor");
    }
    if version.author != view.author {
        return bad("the author");
    }
    if version.descriptor != sha256(&view.descriptor) {
        return bad("the descriptor");
    }
    Ok(Shown {
        statement: statement::hash_of::<Version>(&view.statement.statement),
        version,
    })
}

/// Authors met while reading a list.
#[derive(Default)]
pub(crate) struct Authors(BTreeMap<AccountId, Option<(KeyChain, Option<String>)>>);

impl Authors {
    /// Someone whose chain is at hand.
    pub(crate) fn know(&mut self, contact: &Contact) {
        self.0.insert(
            contact.account,
            Some((contact.chain.clone(), contact.name().map(Into::into))),
        );
    }
}

impl Unlocked {
    /// Verifies a version's signature as far as its author's keys may be seen.
    pub(crate) async fn author(
        &self,
        authors: &mut Authors,
        view: &VersionView,
        shown: &Shown,
    ) -> Result<Author> {
        let account = view.author;
        let own = account == self.account();
        if own && !authors.0.contains_key(&account) {
            let chain = self.with(|keys| Ok(keys.chain.clone()))?;
            authors.0.insert(account, Some((chain, None)));
        }
        if let Entry::Vacant(place) = authors.0.entry(account) {
            place.insert(self.find_author(account).await?);
        }
        let mut author = Author {
            account,
            name: None,
            authorship: Authorship::Unknown,
        };
        if let Some(Some((chain, name))) = authors.0.get(&account) {
            author.name.clone_from(name);
            if chain.genesis_fingerprint() != shown.version.author_genesis {
                return Err(defect(view.record, "the author's fingerprint"));
            }
            // A link that the recovery key has discarded since vouches for nothing.
            if let Some(link) = chain.link(&shown.version.author_link) {
                let message = statement::signing_bytes(Version::LABEL, &view.statement.statement);
                if !statement::signature_is_valid(
                    &link.link.signing,
                    &message,
                    &view.statement.signature,
                ) {
                    return Err(
                        IntegrityError::from(StatementError::BadSignature(Version::LABEL)).into(),
                    );
                }
                author.authorship = if own {
                    Authorship::Own
                } else {
                    Authorship::Verified
                };
            }
        }
        Ok(author)
    }

    async fn find_author(&self, account: AccountId) -> Result<Option<(KeyChain, Option<String>)>> {
        match self.client().person(account).await {
            Ok(contact) => {
                let name = contact.name().map(Into::into);
                Ok(Some((contact.chain, name)))
            }
            // Not to be seen any more; what was seen before still serves.
            Err(ClientError::NotFound(_)) => {
                let known = self.client().known_chain(account).await?;
                Ok(known.map(|chain| (chain, None)))
            }
            Err(error) => Err(error),
        }
    }

    /// The keys of a version of one's own, wherever it lies. Recomputed and compared with what the
    /// author signed.
    pub(crate) fn own_keys(&self, view: &VersionView, shown: &Shown) -> Result<VersionKeys> {
        let scope = self.scope();
        let keys = match &view.filed {
            Filed::Compartment(filing) => self.with(|keys| {
                let epoch = keys.epoch(&filing.compartment, filing.epoch)?;
                Ok(VersionKeys {
                    descriptor: epoch.unwrap_descriptor_key(
                        scope,
                        view.record,
                        view.version,
                        &filing.wrap_descriptor,
                    )?,
                    content: epoch.unwrap_content_key(
                        scope,
                        view.record,
                        view.version,
                        &filing.wrap_content,
                    )?,
                })
            })?,
            Filed::DropBox { envelope, .. } => {
                let signed = shown
                    .version
                    .drop_box
                    .filter(|d| d.envelope == sha256(envelope))
                    .ok_or_else(|| defect(view.record, "the envelope"))?;
                let at = version_scope(scope, shown);
                self.with(|keys| {
                    let seeds = keys
                        .bundle
                        .seeds(signed.owner_link)
                        .ok_or_else(|| defect(view.record, "the envelope's key"))?;
                    Ok(VersionKeys::open_drop_box(&seeds.hpke, &at, envelope)?)
                })?
            }
        };
        check_kids(scope, shown, Some(&keys.descriptor), Some(&keys.content))?;
        Ok(keys)
    }

    /// A version of one's own as a list shows it.
    pub(crate) async fn own_item(
        &self,
        authors: &mut Authors,
        view: &VersionView,
    ) -> Result<(RecordItem, Shown, VersionKeys)> {
        let shown = check_view(view, self.client().vault_bytes(), self.account())?;
        let keys = self.own_keys(view, &shown)?;
        let author = self.author(authors, view, &shown).await?;
        let item = item(self.scope(), view, &shown, &keys.descriptor, author, None)?;
        Ok((item, shown, keys))
    }
}

pub(crate) fn version_scope<'a>(scope: VaultScope<'a>, shown: &Shown) -> VersionScope<'a> {
    VersionScope {
        scope,
        record: shown.version.record,
        version: shown.version.version,
        author: shown.version.author_genesis,
    }
}

/// Compares keys with the kids their author signed.
pub(crate) fn check_kids(
    scope: VaultScope<'_>,
    shown: &Shown,
    descriptor: Option<&Key>,
    content: Option<&Key>,
) -> Result<()> {
    use salus_crypto::kdf::{derive_content_kid, derive_descriptor_kid};
    let Version {
        record, version, ..
    } = shown.version;
    let descriptor_ok = descriptor.is_none_or(|key| {
        derive_descriptor_kid(scope, record, version, key) == shown.version.descriptor_kid
    });
    let content_ok = content.is_none_or(|key| {
        derive_content_kid(scope, record, version, key) == shown.version.content_kid
    });
    if descriptor_ok && content_ok {
        Ok(())
    } else {
        Err(defect(record, "its key"))
    }
}

/// Opens the descriptor and puts the item together.
pub(crate) fn item(
    scope: VaultScope<'_>,
    view: &VersionView,
    shown: &Shown,
    descriptor: &Key,
    author: Author,
    grant: Option<GrantId>,
) -> Result<RecordItem> {
    let at = version_scope(scope, shown);
    let descriptor = Descriptor::open(descriptor, &at, &view.descriptor)?;
    if descriptor.parts.len() != shown.version.parts.len() {
        return Err(defect(view.record, "the number of parts"));
    }
    Ok(RecordItem {
        owner: scope.account,
        grant,
        record: view.record,
        version: view.version,
        latest: view.latest.max(view.version),
        compartment: match &view.filed {
            Filed::Compartment(filing) => Some(filing.compartment),
            Filed::DropBox { .. } => None,
        },
        suggested: suggested(view, shown),
        descriptor,
        author,
        at: view.at,
        signed_at: shown.version.at,
        statement: shown.statement,
    })
}

fn suggested(view: &VersionView, shown: &Shown) -> Option<CompartmentId> {
    match view.filed {
        Filed::DropBox { .. } => shown.version.drop_box.and_then(|d| d.suggested),
        Filed::Compartment(_) => None,
    }
}
