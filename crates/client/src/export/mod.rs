//! An account as a file: everything the vault keeps of it, as sealed as it lies there, with the
//! network's word that nothing is missing. Whoever has the file and the recovery phrase has the
//! records, without Salus and without the Internet Computer. Must not open anything.

mod item;

use crate::audit::Trail;
use crate::client::Client;
use crate::error::{Chain, ClientError, IntegrityError, Result};
use crate::ledger::Ledger;
use crate::records::{FeedView, SourceError, check_view};
use crate::session::Unlocked;
use crate::surroundings::{Progress, Stage, go_on};
use futures::future::try_join_all;
use item::{FORMAT, Item};
use salus_protocol::KeyChain;
use salus_protocol::chain::{self, follow_feed};
use salus_protocol::statement::sha256;
use salus_protocol::version::{Version, part_root};
use salus_types::api::{
    FeedGet, FeedPage, GrantView, Head, LedgerPage, PieceRead, Signed, SignedLink, VersionView,
};
use salus_types::{AccountId, CompartmentId, RecordId, limits};
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, BTreeSet};

/// How often an account that changes meanwhile is read again.
const ROUNDS: usize = 5;
/// Pieces or histories fetched at once.
const IN_FLIGHT: usize = 4;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Versions of records.
    pub versions: u64,
    /// Bytes of sealed parts.
    pub bytes: u64,
    /// Operations of the owner ledger.
    pub operations: u64,
    /// Entries of the audit trail.
    pub entries: u64,
    /// When the network certified where the chains end, ms since 1970.
    pub certified_at: u64,
}

/// All of an account but the pieces.
struct Gathered {
    links: Vec<SignedLink>,
    chain: KeyChain,
    profile: Vec<u8>,
    ops: Vec<Signed>,
    ledger: Head,
    feeds: Vec<(CompartmentId, Vec<ByteBuf>, Head)>,
    versions: BTreeMap<(RecordId, u32), VersionView>,
    /// Key chains of others who wrote one, as far as they may be seen.
    authors: Vec<(AccountId, Vec<SignedLink>)>,
    grants: Vec<GrantView>,
    trail: Trail,
}

impl Gathered {
    /// The first chain that ends elsewhere than the certificate says.
    fn moved(&self) -> Option<Chain> {
        let certified = &self.trail.heads().certified;
        if certified.keys.as_ref() != Some(&self.chain.head()) {
            return Some(Chain::Keys(self.chain.account()));
        }
        if certified.ledger.as_ref() != Some(&self.ledger) {
            return Some(Chain::Ledger);
        }
        let ends = |id: &CompartmentId| certified.feeds.get(id).unwrap_or(&chain::EMPTY);
        self.feeds
            .iter()
            .find(|(id, _, head)| ends(id) != head)
            .map(|(id, _, _)| Chain::Feed(*id))
    }
}

impl Client {
    async fn ledger_ops(&self, chain: &KeyChain) -> Result<(Vec<Signed>, Head)> {
        let mut ledger = Ledger::empty(chain);
        let mut ops = Vec::new();
        loop {
            let page: LedgerPage = self.query("ledger_page", (ledger.head.count,)).await?;
            let empty = page.ops.is_empty();
            for signed in page.ops {
                ledger.push(&signed, self.vault_bytes(), chain.account(), chain)?;
                ops.push(signed);
            }
            if empty || ledger.head.count >= page.head.count {
                ledger.check_end(chain)?;
                return Ok((ops, ledger.head));
            }
        }
    }

    async fn feed_entries(
        &self,
        owner: AccountId,
        compartment: CompartmentId,
    ) -> Result<(Vec<ByteBuf>, Head, FeedView)> {
        let mut view = FeedView::default();
        let mut entries = Vec::new();
        let mut head = chain::EMPTY;
        loop {
            let get = FeedGet {
                owner,
                grant: None,
                compartment,
                from: head.count,
            };
            let page: FeedPage = self.query("feed_page", (get,)).await?;
            let empty = page.entries.is_empty();
            let links = page.entries.iter().map(|e| e.as_slice());
            let (told, next) =
                follow_feed(&head, links).map_err(|error| IntegrityError::Broken {
                    chain: Chain::Feed(compartment),
                    error,
                })?;
            view.take_all(&told, compartment);
            entries.extend(page.entries);
            head = next;
            if empty || head.count >= page.head.count {
                return Ok((entries, head, view));
            }
        }
    }
}

impl Unlocked {
    /// Gives everything the vault keeps of the account to `sink`, which takes bytes in order. What it
    /// was given is whole only if this returns `Ok`.
    ///
    /// # Errors
    /// [`IntegrityError`] when anything is withheld or not what was signed;
    /// [`ClientError::Conflict`] when the account changes all the time; [`ClientError::Cancelled`];
    /// [`ClientError::Source`] of the sink.
    pub async fn export(
        &self,
        progress: &dyn Progress,
        sink: &mut dyn FnMut(&[u8]) -> std::result::Result<(), SourceError>,
    ) -> Result<Exported> {
        let gathered = self.gather(progress).await?;
        let mut items = self.write_chains(&gathered, sink)?;
        let mut out = Exported {
            versions: gathered.versions.len() as u64,
            operations: gathered.ledger.count,
            entries: gathered.trail.verification.entries,
            certified_at: gathered.trail.verification.certified_at,
            bytes: 0,
        };
        let vault = self.client().vault_bytes();
        let mut versions = Vec::new();
        for view in gathered.versions.values() {
            versions.push((view, check_view(view, vault, self.account())?.version));
        }
        let parts = versions.iter().flat_map(|(_, version)| &version.parts);
        let total = parts.map(|part| part.size).sum();
        for (view, version) in &versions {
            sink(&Item::from(*view).encode())?;
            items += 1;
            for part in (0u32..).take(version.parts.len()) {
                items += self
                    .write_part(version, part, sink, &mut |bytes| {
                        out.bytes += bytes;
                        progress.report(Stage::Downloading, out.bytes, total);
                        go_on(progress)
                    })
                    .await?;
            }
        }
        sink(&Item::End { items }.encode())?;
        Ok(out)
    }

    async fn gather(&self, progress: &dyn Progress) -> Result<Gathered> {
        let mut moved = None;
        for _ in 0..ROUNDS {
            let gathered = self.gather_once(progress).await?;
            moved = gathered.moved();
            if moved.is_none() {
                return Ok(gathered);
            }
        }
        Err(moved.map_or(ClientError::Conflict("the account"), |chain| {
            IntegrityError::NotCertified { chain }.into()
        }))
    }

    async fn gather_once(&self, progress: &dyn Progress) -> Result<Gathered> {
        self.refresh().await?;
        let client = self.client();
        let info = client.account().await?.ok_or(ClientError::NoAccount)?;
        let chain = client.accept_chain(self.account(), &info.chain).await?;
        let (ops, ledger) = client.ledger_ops(&chain).await?;
        let mut compartments: Vec<CompartmentId> =
            self.with(|keys| Ok(keys.ledger.state.compartments.keys().copied().collect()))?;
        compartments.push(CompartmentId::DROP_BOX);
        let mut feeds = Vec::new();
        let mut versions = BTreeMap::new();
        for compartment in compartments {
            go_on(progress)?;
            let newest = self.views(compartment).await?;
            let (entries, head, told) = client.feed_entries(self.account(), compartment).await?;
            let mut listed = Vec::with_capacity(newest.len());
            for view in &newest {
                let shown = check_view(view, client.vault_bytes(), self.account())?;
                listed.push((view.record, view.version, shown.statement));
            }
            told.check_list(&listed)?;
            feeds.push((compartment, entries, head));
            versions.extend(newest.into_iter().map(|v| ((v.record, v.version), v)));
        }
        self.add_histories(&mut versions, progress).await?;
        let authors = self.author_links(&versions).await?;
        let grants = self.grant_views("grant_list").await?;
        let trail = self.audit_trail(progress).await?;
        Ok(Gathered {
            links: info.chain,
            chain,
            profile: info.profile.into_vec(),
            ops,
            ledger,
            feeds,
            versions,
            authors,
            grants,
            trail,
        })
    }

    async fn author_links(
        &self,
        versions: &BTreeMap<(RecordId, u32), VersionView>,
    ) -> Result<Vec<(AccountId, Vec<SignedLink>)>> {
        let mut accounts: BTreeSet<AccountId> = versions.values().map(|v| v.author).collect();
        accounts.remove(&self.account());
        let mut out = Vec::new();
        for account in accounts {
            match self.client().person(account).await {
                Ok(_) | Err(ClientError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
            // What is not to be seen any more may be remembered.
            if let Some(links) = self.client().known_links(account).await? {
                out.push((account, links));
            }
        }
        Ok(out)
    }

    /// Adds the versions that are not the newest of their records.
    async fn add_histories(
        &self,
        versions: &mut BTreeMap<(RecordId, u32), VersionView>,
        progress: &dyn Progress,
    ) -> Result<()> {
        let amended = versions.values().filter(|v| v.latest > 1).map(|v| v.record);
        let amended: Vec<RecordId> = amended.collect::<BTreeSet<_>>().into_iter().collect();
        for some in amended.chunks(IN_FLIGHT) {
            go_on(progress)?;
            let histories = some.iter().map(|record| self.all_views(*record));
            for history in try_join_all(histories).await? {
                let expected = history.first().map_or(0, |v| v.latest) as usize;
                let record = history.first().map(|v| v.record);
                versions.extend(history.into_iter().map(|v| ((v.record, v.version), v)));
                if let Some(record) = record {
                    let range = (record, 0)..=(record, u32::MAX);
                    if versions.range(range).count() != expected {
                        return Err(IntegrityError::Omitted { record }.into());
                    }
                }
            }
        }
        Ok(())
    }

    /// Everything before the versions. How many items that were.
    fn write_chains(
        &self,
        gathered: &Gathered,
        sink: &mut dyn FnMut(&[u8]) -> std::result::Result<(), SourceError>,
    ) -> Result<u64> {
        let heads = gathered.trail.heads();
        let header = Item::Header {
            format: FORMAT,
            vault: self.vault(),
            account: self.account(),
            genesis: self.genesis(),
            number: heads.certified.number,
            certificate: heads.proof.certificate.to_vec(),
            witness: heads.proof.witness.to_vec(),
            root_key: self.client().root_key(),
            profile: gathered.profile.clone(),
        };
        let chain = |account, links: &[SignedLink]| Item::Chain {
            account,
            links: links.iter().map(Into::into).collect(),
        };
        let mut items = vec![header, chain(self.account(), &gathered.links)];
        let authors = gathered.authors.iter();
        items.extend(authors.map(|(account, links)| chain(*account, links)));
        items.extend(gathered.ops.iter().map(Item::from));
        for (compartment, entries, _) in &gathered.feeds {
            items.extend(entries.iter().map(|entry| Item::Feed {
                compartment: *compartment,
                entry: entry.to_vec(),
            }));
        }
        let (entries, names) = gathered.trail.shown();
        items.extend(entries.iter().map(|entry| Item::Audit {
            entry: entry.into(),
        }));
        items.extend(names.iter().map(Item::from));
        items.extend(gathered.grants.iter().map(Item::from));
        for item in &items {
            sink(&item.encode())?;
        }
        Ok(items.len() as u64)
    }

    /// The pieces of a part, compared with what its author signed. How many items that were.
    async fn write_part(
        &self,
        version: &Version,
        part: u32,
        sink: &mut dyn FnMut(&[u8]) -> std::result::Result<(), SourceError>,
        wrote: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<u64> {
        let missing = || ClientError::NotFound("part");
        let signed = version.parts.get(part as usize).ok_or_else(missing)?;
        let count = signed.size.div_ceil(limits::PIECE_BYTES);
        let count = u32::try_from(count).map_err(|_| missing())?;
        let indices: Vec<u32> = (0..count).collect();
        let (mut hashes, mut size) = (Vec::new(), 0);
        for some in indices.chunks(IN_FLIGHT) {
            let calls = some.iter().map(|index| {
                let read = PieceRead {
                    owner: self.account(),
                    grant: None,
                    record: version.record,
                    version: version.version,
                    part,
                    index: *index,
                };
                self.client().query::<ByteBuf>("piece_read", (read,))
            });
            for bytes in try_join_all(calls).await? {
                hashes.push(sha256(&bytes));
                size += bytes.len() as u64;
                let written = bytes.len() as u64;
                let item = Item::Piece {
                    record: version.record,
                    version: version.version,
                    part,
                    bytes: bytes.into_vec(),
                };
                sink(&item.encode())?;
                wrote(written)?;
            }
        }
        if size != signed.size || part_root(signed.size, &hashes) != signed.root {
            return Err(IntegrityError::Version {
                record: version.record,
                what: "a part",
            }
            .into());
        }
        Ok(u64::from(count))
    }
}
