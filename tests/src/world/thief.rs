//! Someone with an account's identity keys and a session, who signs whatever they like. Must not
//! assert anything.

use super::{NOW, Person, World};
use candid::CandidType;
use salus_client::{RecoveryPhrase, Transport};
use salus_crypto::hierarchy::{Amk, IdentityBundle, IdentitySeeds, VersionKeys};
use salus_crypto::{VaultScope, VersionScope};
use salus_protocol::keychain::{Authority, KeyLink, POSSESSION_LABEL};
use salus_protocol::ledger::{Change, CompartmentRewrap, LedgerOp, Slot, SlotWrap, Wrap};
use salus_protocol::statement::{self, Statement, hash_of, sha256, signing_bytes};
use salus_protocol::version::Version;
use salus_protocol::{KeyChain, canonical};
use salus_types::api::{
    AccountInfo, Head, KeyRotate, LedgerAppend, LedgerPage, Signed, SignedLink,
};
use salus_types::{AccountId, CompartmentId, Hash, Result as Answer, SlotId};
use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;
use std::rc::Rc;

/// Whoever has the identity keys and a session, but neither phrase nor account master key.
pub struct Thief {
    vault: Rc<dyn Transport>,
    /// When everything was signed, as it says.
    now: u64,
    signing: salus_crypto::sign::SigningKey,
    link: Hash,
    /// The owner's, for those tests whose thief has more than the identity keys.
    pub amk: Amk,
    /// The same.
    pub bundle: IdentityBundle,
    account: AccountId,
}

fn signed<T: Statement>(value: &T, key: &salus_crypto::sign::SigningKey) -> Signed {
    let bytes = canonical::encode(value);
    let signature = key.sign(&signing_bytes(T::LABEL, &bytes));
    Signed {
        statement: ByteBuf::from(bytes),
        signature: ByteBuf::from(signature.to_vec()),
    }
}

fn scope_of<'a>(scope: VaultScope<'a>, version: &Version) -> VersionScope<'a> {
    VersionScope {
        scope,
        record: version.record,
        version: version.version,
        author: version.author_genesis,
    }
}

async fn ledger(vault: &dyn Transport) -> Vec<Signed> {
    let from = candid::encode_one(0u64).unwrap();
    let answer = vault.query("ledger_page", &from).await.unwrap();
    let page: Answer<LedgerPage> = candid::decode_one(&answer).unwrap();
    page.unwrap().ops
}

/// A slot as it stands in someone's ledger.
pub async fn slot(world: &World, person: &Person, id: SlotId) -> Slot {
    let native = world.vault.for_caller(person.device.client.caller());
    let vault = native.vault();
    let ops = ledger(&native).await;
    let added = ops.iter().find_map(|op| {
        let op: LedgerOp = statement::decode_for(&op.statement, vault.as_slice()).unwrap();
        match op.change {
            Change::AddSlot { slot } if slot.id == id => Some(slot),
            _ => None,
        }
    });
    added.unwrap()
}

impl Thief {
    /// Takes the keys out of the sealed bundle with the owner's phrase: for the test alone.
    pub async fn of(world: &World, person: &Person) -> Self {
        let native = world.vault.for_caller(person.device.client.caller());
        let account = person.own.account();
        Self::in_session(Rc::new(native), account, &person.phrase, NOW).await
    }

    /// The same in any session that may call for the account.
    pub async fn in_session(
        session: Rc<dyn Transport>,
        account: AccountId,
        phrase: &RecoveryPhrase,
        now: u64,
    ) -> Self {
        let vault = session.vault();
        let scope = VaultScope {
            vault: vault.as_slice(),
            account,
        };
        let op = ledger(session.as_ref()).await.remove(0);
        let op: LedgerOp = statement::decode_for(&op.statement, vault.as_slice()).unwrap();
        let Change::Open { slots, bundle, .. } = op.change else {
            panic!("operation 0 opens an account")
        };
        let slot = &slots[0];
        let secret = phrase.slot_secret();
        let keys = secret.derive_keys(scope, slot.id).unwrap();
        let amk = keys.unwrap_amk(scope, slot.id, 1, &slot.wrap).unwrap();
        let bundle = IdentityBundle::open(&amk, scope, &bundle).unwrap();
        Self {
            vault: session,
            now,
            signing: bundle.current.signing.clone(),
            link: bundle.current.link,
            amk,
            bundle,
            account,
        }
    }

    /// Calls in another session from now on.
    pub fn call_in(&mut self, session: Rc<dyn Transport>) {
        self.vault = session;
    }

    /// With whose account it is, and where.
    pub fn with_scope<T>(&self, run: impl FnOnce(VaultScope<'_>) -> T) -> T {
        let vault = self.vault.vault();
        run(VaultScope {
            vault: vault.as_slice(),
            account: self.account,
        })
    }

    /// The compartments the account was opened with.
    pub async fn compartments(&self) -> Vec<CompartmentId> {
        let op = ledger(self.vault.as_ref()).await.remove(0);
        let op: LedgerOp =
            statement::decode_for(&op.statement, self.vault.vault().as_slice()).unwrap();
        match op.change {
            Change::Open { compartments, .. } => compartments.iter().map(|c| c.id).collect(),
            _ => panic!("operation 0 opens an account"),
        }
    }

    /// Signs anything with the identity key.
    pub fn sign<T: Statement>(&self, value: &T) -> Signed {
        signed(value, &self.signing)
    }

    /// Asks the vault in the session of whose keys these are.
    pub async fn query<T>(&self, method: &str, arg: Vec<u8>) -> Answer<T>
    where
        T: CandidType + DeserializeOwned,
    {
        candid::decode_one(&self.vault.query(method, &arg).await.unwrap()).unwrap()
    }

    /// Calls the vault in the session of whose keys these are.
    pub async fn update<T>(&self, method: &str, arg: impl CandidType) -> Answer<T>
    where
        T: CandidType + DeserializeOwned,
    {
        let arg = candid::encode_one(arg).unwrap();
        candid::decode_one(&self.vault.update(method, &arg).await.unwrap()).unwrap()
    }

    /// The account as the vault shows it.
    pub async fn info(&self) -> AccountInfo {
        let none = candid::encode_args(()).unwrap();
        self.query("account_show", none).await.unwrap()
    }

    /// Every sealed bundle that the ledger has.
    pub async fn bundles(&self) -> Vec<Vec<u8>> {
        let vault = self.vault.vault();
        let ops = ledger(self.vault.as_ref()).await;
        let bundles = ops.iter().filter_map(|op| {
            let op: LedgerOp = statement::decode_for(&op.statement, vault.as_slice()).unwrap();
            match op.change {
                Change::Open { bundle, .. }
                | Change::Rekey { bundle, .. }
                | Change::Rotate { bundle, .. } => Some(bundle),
                _ => None,
            }
        });
        bundles.collect()
    }

    /// The key link whose key signs.
    pub const fn link(&self) -> Hash {
        self.link
    }

    /// The keys of a version that was left in the account's drop box.
    pub fn dropped_keys(&self, version: &Version, envelope: &[u8]) -> VersionKeys {
        self.with_scope(|scope| {
            let at = scope_of(scope, version);
            VersionKeys::open_drop_box(&self.bundle.current.hpke, &at, envelope).unwrap()
        })
    }

    /// Seals keys for the account's drop box, and has the version name keys and envelope.
    pub fn drop_keys(&self, mut version: Version, keys: &VersionKeys) -> (Version, Vec<u8>) {
        let public = self.bundle.current.hpke.public().unwrap();
        let (record, number) = (version.record, version.version);
        let envelope = self.with_scope(|scope| {
            version.descriptor_kid = keys.descriptor_kid(scope, record, number);
            version.content_kid = keys.content_kid(scope, record, number);
            keys.seal_to_drop_box(&public, &scope_of(scope, &version))
        });
        let envelope = envelope.unwrap();
        version.drop_box.as_mut().unwrap().envelope = sha256(&envelope);
        (version, envelope)
    }

    /// Signs any bytes with the identity key.
    pub fn signature(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message)
    }

    /// What would come next in the ledger, not signed yet.
    pub async fn op(&self, change: Change) -> LedgerOp {
        self.op_under(change, self.link).await
    }

    async fn op_under(&self, change: Change, link: Hash) -> LedgerOp {
        let info = self.info().await;
        LedgerOp {
            vault: self.vault.vault().as_slice().to_vec(),
            account: info.account,
            seq: info.ledger.count,
            previous: Some(info.ledger.hash),
            link,
            at: self.now,
            change,
        }
    }

    /// Signs an operation and appends it.
    pub async fn append(&self, change: Change) -> Answer<Head> {
        let op = self.op(change).await;
        let append = LedgerAppend {
            op: signed(&op, &self.signing),
            grants: Vec::new(),
        };
        self.update("ledger_append", append).await
    }

    /// Replaces every wrap of the account by rubbish, and removes the owner's slots.
    pub async fn rekey(&self) {
        let op = ledger(self.vault.as_ref()).await.remove(0);
        let op: LedgerOp =
            statement::decode_for(&op.statement, self.vault.vault().as_slice()).unwrap();
        let Change::Open {
            slots,
            compartments,
            ..
        } = op.change
        else {
            panic!("operation 0 opens an account")
        };
        let id = SlotId([8; 16]);
        let mut slot = slots[0].clone();
        slot.id = id;
        self.append(Change::AddSlot { slot }).await.unwrap();
        let compartments = compartments.iter().map(|c| c.id).collect();
        let mut removed: Vec<SlotId> = slots.iter().map(|slot| slot.id).collect();
        removed.sort();
        self.rekey_with((2, removed), (id, vec![1; 200]), compartments)
            .await
            .unwrap();
    }

    /// Another generation of rubbish, for the slot that stays and compartments at their first epoch.
    pub async fn rekey_with(
        &self,
        (generation, removed): (u32, Vec<SlotId>),
        (slot, bundle): (SlotId, Vec<u8>),
        mut compartments: Vec<CompartmentId>,
    ) -> Answer<Head> {
        compartments.sort_unstable();
        let compartments = compartments
            .into_iter()
            .map(|compartment| CompartmentRewrap {
                compartment,
                name: vec![1; 100],
                wraps: vec![Wrap(vec![1; 120])],
            });
        self.append(Change::Rekey {
            generation,
            removed,
            slots: vec![SlotWrap {
                slot,
                wrap: vec![1; 1200],
            }],
            bundle,
            compartments: compartments.collect(),
        })
        .await
    }

    /// Rotates to keys of the thief's own, with a bundle nobody can open.
    pub async fn rotate(&mut self) {
        self.rotate_with(vec![1; 200]).await;
    }

    /// Rotates to keys of the thief's own, with this bundle.
    pub async fn rotate_with(&mut self, bundle: Vec<u8>) {
        let bundle = |_: IdentitySeeds, _: &mut Self| bundle;
        self.try_rotate(bundle, |_| {}).await.unwrap();
    }

    /// Rotates to keys of the thief's own that the owner opens and that fit: for a thief who has the
    /// account master key too.
    pub async fn rotate_fitting(&mut self) {
        let bundle = |seeds: IdentitySeeds, thief: &mut Self| {
            thief.bundle.rotate(seeds);
            thief
                .with_scope(|scope| thief.bundle.seal(&thief.amk, scope))
                .unwrap()
        };
        self.try_rotate(bundle, |_| {}).await.unwrap();
    }

    /// Rotates to a sealing key that was damaged before it was signed.
    pub async fn rotate_to(&mut self, damage: impl Fn(&mut Vec<u8>)) -> Answer<Head> {
        self.try_rotate(|_, _| vec![1; 200], damage).await
    }

    async fn try_rotate(
        &mut self,
        bundle: impl FnOnce(IdentitySeeds, &mut Self) -> Vec<u8>,
        damage: impl Fn(&mut Vec<u8>),
    ) -> Answer<Head> {
        let info = self.info().await;
        let vault = self.vault.vault();
        let chain = KeyChain::verify(&info.chain, vault.as_slice()).unwrap();
        let before = chain.current().unwrap();
        let mut seeds = IdentitySeeds::generate().unwrap();
        let mut sealing = seeds.hpke.public().unwrap().as_bytes().to_vec();
        damage(&mut sealing);
        let link = KeyLink {
            index: before.link.index + 1,
            previous: Some(before.hash),
            signing: seeds.signing.public(),
            sealing,
            by: Authority::Identity,
            ..before.link.clone()
        };
        let statement = signed(&link, &self.signing);
        let possession = signing_bytes(POSSESSION_LABEL, &statement.statement);
        let hash = hash_of::<KeyLink>(&statement.statement);
        seeds.link = hash;
        let bundle = bundle(seeds.clone(), self);
        let change = Change::Rotate { link: hash, bundle };
        let op = self.op_under(change, hash).await;
        let rotate = KeyRotate {
            link: SignedLink {
                possession: ByteBuf::from(seeds.signing.sign(&possession).to_vec()),
                statement: statement.statement,
                signature: statement.signature,
            },
            op: signed(&op, &seeds.signing),
        };
        let head: Head = self.update("key_rotate", rotate).await?;
        self.signing = seeds.signing;
        self.link = hash;
        Ok(head)
    }
}
