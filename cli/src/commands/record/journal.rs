//! What an import has stored so far, so that one that was interrupted stores nothing twice. Must not
//! know how records are stored.

use super::import::{PART_NAME, to_draft};
use super::store::Target;
use crate::error::{Error, Kind, Result};
use crate::home;
use crate::session::Session;
use salus_client::RecordItem;
use salus_health::RecordDraft;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

#[derive(Serialize, Deserialize)]
struct Noted {
    /// When the import was begun, milliseconds since 1970.
    begun: u64,
    /// Records by their drafts' positions.
    done: BTreeMap<usize, String>,
}

/// Which drafts of an import are stored already.
pub(super) struct Journal {
    folder: PathBuf,
    noted: Noted,
}

impl Journal {
    /// That of an import of a file (by the hash of its bytes) to its target: an earlier, interrupted
    /// run's, or a new one.
    ///
    /// # Errors
    /// When it cannot be written, or what is stored cannot be listed.
    pub(super) async fn open(
        session: &Session<'_>,
        target: &Target,
        file: &str,
        drafts: &[RecordDraft],
    ) -> Result<Self> {
        let folder = folder(session, target, file)?;
        let before: Option<Noted> =
            home::read(&folder.join(NAME))?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let fresh = before.is_none();
        let mut journal = Self {
            folder,
            noted: before.unwrap_or_else(|| Noted {
                begun: session.client().now(),
                done: BTreeMap::new(),
            }),
        };
        if !fresh {
            journal.find_unnoted(session, target, drafts).await?;
        }
        journal.save()?;
        Ok(journal)
    }

    /// How many drafts are stored.
    pub(super) fn len(&self) -> usize {
        self.noted.done.len()
    }

    /// The record a draft became, if it is stored.
    pub(super) fn stored(&self, at: usize) -> Option<&str> {
        self.noted.done.get(&at).map(String::as_str)
    }

    /// Notes that drafts are stored.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(super) fn note(&mut self, stored: impl IntoIterator<Item = (usize, String)>) -> Result<()> {
        self.noted.done.extend(stored);
        self.save()
    }

    /// Everything is stored.
    pub(super) fn end(self) {
        // What stays behind only costs a look next time.
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    /// Records that had arrived when a run was killed before it could note them.
    async fn find_unnoted(
        &mut self,
        session: &Session<'_>,
        target: &Target,
        drafts: &[RecordDraft],
    ) -> Result<()> {
        if !matches!(target, Target::Own { .. }) {
            return Ok(());
        }
        let noted: BTreeSet<&String> = self.noted.done.values().collect();
        let mut arrived: Vec<RecordItem> = session
            .unlocked
            .all_records()
            .await?
            .into_iter()
            .filter(|item| {
                item.version == 1
                    && item.signed_at >= self.noted.begun
                    && item.author.account == session.unlocked.account()
                    && !noted.contains(&item.record.to_string())
            })
            .collect();
        for (at, draft) in drafts.iter().enumerate() {
            if self.noted.done.contains_key(&at) {
                continue;
            }
            if let Some(found) = arrived.iter().position(|item| is_of(draft, item)) {
                let item = arrived.swap_remove(found);
                self.noted.done.insert(at, item.record.to_string());
            }
        }
        Ok(())
    }

    fn save(&self) -> Result<()> {
        let bytes = serde_json::to_vec(&self.noted).map_err(|error| {
            Error::new(
                Kind::Other,
                "file",
                format!("could not note the import: {error}"),
            )
        })?;
        home::write_whole(&self.folder.join(NAME), &bytes)
    }
}

/// The file in the import's folder.
const NAME: &str = "journal.json";

fn folder(session: &Session<'_>, target: &Target, file: &str) -> Result<PathBuf> {
    let mut name = Sha256::new();
    name.update(file.as_bytes());
    name.update(target.owner(session).as_bytes());
    if let Target::Own {
        named: Some(named), ..
    } = target
    {
        name.update(named.id.as_bytes());
    }
    let folder = session
        .folder
        .join("imports")
        .join(hex::encode(name.finalize()));
    home::private_folder(&folder)?;
    Ok(folder)
}

/// Whether a record is what a draft becomes.
fn is_of(draft: &RecordDraft, item: &RecordItem) -> bool {
    let (wanted, there) = (to_draft(draft), &item.descriptor);
    let parts = matches!(there.parts.as_slice(),
        [one] if one.name == PART_NAME && one.len == draft.content.len() as u64);
    parts
        && wanted.title == there.title
        && wanted.coding == there.coding
        && wanted.category == there.category
        && wanted.clinical_date == there.clinical_date
        && wanted.source == there.source
}
