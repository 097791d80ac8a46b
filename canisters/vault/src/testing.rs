//! What native tests share: a seeded random source that prints its seed, a double of the platform,
//! and people who sign what real clients sign.

use crate::api;
use crate::runtime::{Call, Generator, Runtime};
use crate::vault::Vault;
use candid::Principal;
use ed25519_dalek::{Signer, SigningKey};
use ic_stable_structures::VectorMemory;
use salus_protocol::canonical;
use salus_protocol::grant::{Conveyed, Grant, Scope};
use salus_protocol::keychain::{Authority, KeyLink, POSSESSION_LABEL, SEALING_KEY_BYTES};
use salus_protocol::ledger::{
    Change, EpochAdvance, GrantEntry, LedgerOp, NewCompartment, Pin, Slot, SlotKind,
};
use salus_protocol::request::{Invitation, Request, invitation_id};
use salus_protocol::statement::{Statement, hash_of, sha256, signing_bytes};
use salus_protocol::version::{Adoption, DropBox, Part, Version, part_root};
use salus_types::api::{
    AccountCreate, AccountInfo, Adopt, Filing, GrantPayload, Head, LedgerAppend, PartSource,
    Placement, RequestSend, Signed, SignedLink, VersionAdd, VersionReceipt,
};
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RecordId, RequestId, Result, SlotId};
use serde_bytes::ByteBuf;

/// splitmix64: small, repeatable, not for secrets.
pub(crate) struct Seeded(u64);

impl Seeded {
    /// Seeded by the clock unless `SALUS_SEED` says otherwise; prints the seed.
    pub(crate) fn from_clock(name: &str) -> Self {
        let seed = std::env::var("SALUS_SEED")
            .ok()
            .and_then(|s| s.parse().ok())
            .unwrap_or_else(|| {
                let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                now.map_or(1, |d| d.as_nanos() as u64)
            });
        println!("{name}: SALUS_SEED={seed}");
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// When tests happen, ms since 1970.
pub(crate) const NOW: u64 = 1_800_000_000_000;
/// An hour.
pub(crate) const HOUR: u64 = 3_600_000;

/// A platform that certifies by remembering.
#[derive(Default)]
pub(crate) struct TestRuntime {
    pub(crate) generator: Generator,
    pub(crate) certified: [u8; 32],
}

impl Runtime for TestRuntime {
    fn canister(&self) -> Principal {
        vault_id()
    }
    fn random(&mut self) -> Option<[u8; 32]> {
        self.generator.draw()
    }
    fn certify(&mut self, root: &[u8; 32]) {
        self.certified = *root;
    }
    fn certificate(&self) -> Option<Vec<u8>> {
        Some(self.certified.to_vec())
    }
    fn stable_bytes(&self) -> u64 {
        0
    }
}

pub(crate) type TestVault = Vault<TestRuntime, VectorMemory>;

pub(crate) fn vault_id() -> Principal {
    Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 7, 1, 1])
}

pub(crate) fn vault_in(memory: VectorMemory) -> TestVault {
    let mut vault = Vault::open(memory, TestRuntime::default(), None, false).unwrap();
    vault.runtime.generator.seed(&[1; 32]);
    vault
}

pub(crate) fn new_vault() -> TestVault {
    vault_in(VectorMemory::default())
}

/// Runs an update that must be refused, and checks that it changed nothing half-way.
pub(crate) fn refused<T: std::fmt::Debug>(
    vault: &mut TestVault,
    run: impl FnOnce(&mut TestVault) -> Result<T>,
) -> salus_types::Error {
    vault.settle();
    let error = run(vault).unwrap_err();
    assert!(!vault.is_unsettled(), "{error}: left something behind");
    error
}

/// Files one version: a batch of one.
pub(crate) fn adopt_version(
    vault: &mut TestVault,
    call: &Call,
    args: Adopt,
) -> Result<VersionReceipt> {
    api::versions_adopt(vault, call, vec![args])?.remove(0)
}

/// Adds one version: a batch of one.
pub(crate) fn add_version(
    vault: &mut TestVault,
    call: &Call,
    args: VersionAdd,
) -> Result<VersionReceipt> {
    api::versions_add(vault, call, vec![args])?.remove(0)
}

pub(crate) fn sign<T: Statement>(key: &SigningKey, statement: &T) -> Signed {
    let bytes = canonical::encode(statement);
    let signature = key.sign(&signing_bytes(T::LABEL, &bytes));
    Signed {
        statement: ByteBuf::from(bytes),
        signature: ByteBuf::from(signature.to_bytes().to_vec()),
    }
}

/// Someone with keys, as a client would hold them.
pub(crate) struct Person {
    pub(crate) principal: Principal,
    pub(crate) id: AccountId,
    pub(crate) signing: SigningKey,
    pub(crate) recovery: SigningKey,
    pub(crate) genesis: Hash,
    pub(crate) link: Hash,
    pub(crate) head: Head,
    next: u8,
    seed: u8,
}

pub(crate) fn sealing_key() -> Vec<u8> {
    vec![9; SEALING_KEY_BYTES]
}

impl Person {
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            principal: Principal::from_slice(&[seed; 29]),
            id: AccountId([seed; 16]),
            signing: SigningKey::from_bytes(&[seed; 32]),
            recovery: SigningKey::from_bytes(&[seed ^ 0xff; 32]),
            genesis: Hash([0; 32]),
            link: Hash([0; 32]),
            head: salus_protocol::chain::EMPTY,
            next: 0,
            seed,
        }
    }

    pub(crate) fn opened(vault: &mut TestVault, seed: u8) -> Self {
        let mut person = Self::new(seed);
        person.create(vault).unwrap();
        person
    }

    pub(crate) fn call(&self) -> Call {
        self.call_at(NOW)
    }

    pub(crate) fn call_at(&self, now: u64) -> Call {
        Call {
            caller: self.principal,
            now,
        }
    }

    /// A fresh id, never zero.
    pub(crate) fn fresh(&mut self) -> [u8; 16] {
        self.next += 1;
        let mut id = [self.seed; 16];
        id[0] = self.next;
        id
    }

    /// An id that a grant and a time give.
    pub(crate) fn fresh_among(&self, now: u64, grant: GrantId) -> [u8; 16] {
        let mut id = grant.0;
        id[8..].copy_from_slice(&now.to_be_bytes());
        id
    }

    pub(crate) fn compartment(&self) -> CompartmentId {
        CompartmentId([self.seed; 16])
    }

    pub(crate) fn key_link(&self) -> KeyLink {
        KeyLink {
            vault: vault_id().as_slice().to_vec(),
            account: self.id,
            index: 0,
            previous: None,
            signing: self.signing.verifying_key().to_bytes(),
            sealing: sealing_key(),
            recovery: self.recovery.verifying_key().to_bytes(),
            by: Authority::Recovery,
            at: NOW,
        }
    }

    pub(crate) fn signed_link(link: &KeyLink, by: &SigningKey, own: &SigningKey) -> SignedLink {
        let signed = sign(by, link);
        let possession = own.sign(&signing_bytes(POSSESSION_LABEL, &signed.statement));
        SignedLink {
            statement: signed.statement,
            signature: signed.signature,
            possession: ByteBuf::from(possession.to_bytes().to_vec()),
        }
    }

    pub(crate) fn create_args(&mut self) -> AccountCreate {
        let link = Self::signed_link(&self.key_link(), &self.recovery, &self.signing);
        self.genesis = hash_of::<KeyLink>(&link.statement);
        self.link = self.genesis;
        let slot = Slot {
            id: SlotId([self.seed; 16]),
            kind: SlotKind::Recovery,
            sealing: sealing_key(),
            anchor: vec![1; 80],
            wrap: vec![2; 80],
            label: Vec::new(),
            parameters: None,
        };
        let compartment = NewCompartment {
            id: self.compartment(),
            name: vec![3; 60],
            kid: Hash([4; 32]),
            wrap: vec![5; 100],
        };
        let ledger = self.op(Change::Open {
            slots: vec![slot],
            bundle: vec![6; 200],
            compartments: vec![compartment],
        });
        AccountCreate {
            genesis: link,
            ledger,
            profile: ByteBuf::from(vec![8; 90]),
        }
    }

    pub(crate) fn create(&mut self, vault: &mut TestVault) -> Result<AccountInfo> {
        let args = self.create_args();
        let signed = args.ledger.clone();
        let info = api::account_create(vault, &self.call(), args)?;
        self.advance(&signed);
        Ok(info)
    }

    /// Signs the next operation; [`Self::advance`] follows once it was accepted.
    pub(crate) fn op(&self, change: Change) -> Signed {
        self.op_by(&self.signing, change)
    }

    pub(crate) fn op_by(&self, key: &SigningKey, change: Change) -> Signed {
        let op = LedgerOp {
            vault: vault_id().as_slice().to_vec(),
            account: self.id,
            seq: self.head.count,
            previous: (self.head.count > 0).then_some(self.head.hash),
            link: self.link,
            at: NOW,
            change,
        };
        sign(key, &op)
    }

    pub(crate) fn advance(&mut self, op: &Signed) {
        let hash = hash_of::<LedgerOp>(&op.statement);
        self.head = Head {
            count: self.head.count + 1,
            hash,
        };
    }

    pub(crate) fn append(
        &mut self,
        vault: &mut TestVault,
        change: Change,
        grants: Vec<GrantPayload>,
    ) -> Result<Head> {
        let op = self.op(change);
        let args = LedgerAppend {
            op: op.clone(),
            grants,
        };
        let head = api::ledger_append(vault, &self.call(), args)?;
        self.advance(&op);
        assert_eq!(head, self.head);
        Ok(head)
    }

    pub(crate) fn grant(&mut self, to: &Person, scope: Scope, rights: u8) -> Grant {
        let conveys = match (&scope, rights & 1) {
            (Scope::Everything, 1) => vec![Conveyed::Epoch {
                compartment: self.compartment(),
                epoch: 1,
                kid: Hash([4; 32]),
            }],
            (Scope::Compartments(list), 1) => list
                .iter()
                .map(|c| Conveyed::Epoch {
                    compartment: *c,
                    epoch: 1,
                    kid: Hash([4; 32]),
                })
                .collect(),
            _ => Vec::new(),
        };
        Grant {
            vault: vault_id().as_slice().to_vec(),
            id: GrantId(self.fresh()),
            revision: 1,
            owner: self.id,
            owner_genesis: self.genesis,
            owner_link: self.link,
            grantee: to.id,
            grantee_genesis: to.genesis,
            grantee_link: to.link,
            scope,
            rights,
            conveys,
            not_before: NOW,
            expires: NOW + 24 * HOUR,
            purpose: Hash([7; 32]),
            envelope: sha256(ENVELOPE),
            request: None,
            at: NOW,
            follows: None,
        }
    }

    pub(crate) fn payload(&self, grant: &Grant) -> (GrantEntry, GrantPayload) {
        let statement = sign(&self.signing, grant);
        let entry = GrantEntry {
            id: grant.id,
            revision: grant.revision,
            statement: hash_of::<Grant>(&statement.statement),
            grantee: grant.grantee,
            expires: grant.expires,
        };
        let payload = GrantPayload {
            statement,
            envelope: ByteBuf::from(ENVELOPE.to_vec()),
            note: ByteBuf::from(vec![1; 50]),
        };
        (entry, payload)
    }

    pub(crate) fn give_grant(&mut self, vault: &mut TestVault, grant: &Grant) -> Result<GrantId> {
        let (entry, payload) = self.payload(grant);
        let pin = Pin {
            account: grant.grantee,
            genesis: grant.grantee_genesis,
            link: grant.grantee_link,
            by: None,
        };
        let change = Change::Grant {
            grant: entry,
            request: grant.request,
            pin,
        };
        self.append(vault, change, vec![payload])?;
        Ok(grant.id)
    }

    pub(crate) fn give(
        &mut self,
        vault: &mut TestVault,
        to: &Person,
        scope: Scope,
        rights: u8,
    ) -> GrantId {
        let grant = self.grant(to, scope, rights);
        self.give_grant(vault, &grant).unwrap()
    }

    pub(crate) fn revoke(&mut self, vault: &mut TestVault, grant: GrantId, epoch: Option<u32>) {
        let advance = |epoch| EpochAdvance {
            compartment: self.compartment(),
            epoch,
            kid: Hash([5; 32]),
            wrap: vec![5; 100],
        };
        let epochs = epoch.map(advance).into_iter().collect();
        let change = Change::Revoke {
            grant,
            epochs,
            reissues: Vec::new(),
        };
        self.append(vault, change, Vec::new()).unwrap();
    }

    /// A version of a record in someone's account, with content of one byte value.
    pub(crate) fn version(&self, owner: &Person, record: RecordId, content: &[u8]) -> Version {
        Version {
            vault: vault_id().as_slice().to_vec(),
            owner: owner.id,
            record,
            version: 1,
            previous: None,
            author: self.id,
            author_genesis: self.genesis,
            author_link: self.link,
            descriptor_kid: Hash([1; 32]),
            content_kid: Hash([2; 32]),
            descriptor: sha256(DESCRIPTOR),
            parts: vec![Part {
                root: part_root(content.len() as u64, &[sha256(content)]),
                size: content.len() as u64,
            }],
            commitment: Hash([3; 32]),
            drop_box: None,
            at: NOW,
        }
    }

    pub(crate) fn add_args(&self, version: &Version, content: &[u8], epoch: u32) -> VersionAdd {
        VersionAdd {
            statement: sign(&self.signing, version),
            descriptor: ByteBuf::from(DESCRIPTOR.to_vec()),
            parts: vec![PartSource::Inline(ByteBuf::from(content.to_vec()))],
            placement: Placement::Filed(Filing {
                compartment: self.compartment(),
                epoch,
                wrap_descriptor: ByteBuf::from(b"descriptor key".to_vec()),
                wrap_content: ByteBuf::from(b"content key".to_vec()),
            }),
        }
    }

    /// An order to file a version of one's own account; other times mean other keys.
    pub(crate) fn order(
        &self,
        record: RecordId,
        version: u32,
        statement: Hash,
        compartment: CompartmentId,
        epoch: u32,
        at: u64,
    ) -> Adopt {
        let filing = Filing {
            compartment,
            epoch,
            wrap_descriptor: ByteBuf::from(format!("wrapped d {at}").into_bytes()),
            wrap_content: ByteBuf::from(format!("wrapped c {at}").into_bytes()),
        };
        let adoption = Adoption {
            vault: vault_id().as_slice().to_vec(),
            owner: self.id,
            owner_link: self.link,
            record,
            version,
            statement,
            compartment,
            epoch,
            wrap_descriptor: sha256(&filing.wrap_descriptor),
            wrap_content: sha256(&filing.wrap_content),
            at,
        };
        Adopt {
            statement: sign(&self.signing, &adoption),
            filing,
        }
    }

    pub(crate) fn add(&mut self, vault: &mut TestVault, content: &[u8]) -> RecordId {
        let record = RecordId(self.fresh());
        let version = self.version(self, record, content);
        let args = self.add_args(&version, content, 1);
        add_version(vault, &self.call(), args).unwrap();
        record
    }

    pub(crate) fn amend(
        &self,
        vault: &mut TestVault,
        record: RecordId,
        after: (u32, Hash),
        content: &[u8],
    ) -> Result<VersionReceipt> {
        let mut version = self.version(self, record, content);
        version.version = after.0 + 1;
        version.previous = Some(after.1);
        add_version(vault, &self.call(), self.add_args(&version, content, 1))
    }

    pub(crate) fn drop_args(
        &self,
        owner: &Person,
        version: &Version,
        grant: GrantId,
        content: &[u8],
    ) -> VersionAdd {
        let mut version = version.clone();
        version.drop_box = Some(DropBox {
            envelope: sha256(ENVELOPE),
            owner_link: owner.link,
            suggested: None,
        });
        let mut args = self.add_args(&version, content, 1);
        args.placement = Placement::DropBox {
            grant,
            envelope: ByteBuf::from(ENVELOPE.to_vec()),
        };
        args
    }

    pub(crate) fn invite(&self, vault: &mut TestVault, code: &[u8]) -> Result<()> {
        self.invite_at(vault, code, NOW)
    }

    pub(crate) fn invite_at(&self, vault: &mut TestVault, code: &[u8], now: u64) -> Result<()> {
        let invitation = Invitation {
            vault: vault_id().as_slice().to_vec(),
            account: self.id,
            link: self.link,
            id: invitation_id(code),
            expires: now + HOUR,
            at: now,
        };
        let signed = sign(&self.signing, &invitation);
        api::invitation_create(vault, &self.call_at(now), signed).map(drop)
    }

    pub(crate) fn request_args(&mut self, to: &Person, code: Option<&[u8]>) -> RequestSend {
        let request = Request {
            vault: vault_id().as_slice().to_vec(),
            id: RequestId(self.fresh()),
            requester: self.id,
            requester_genesis: self.genesis,
            requester_link: self.link,
            patient: to.id,
            patient_genesis: to.genesis,
            patient_link: to.link,
            envelope: sha256(ENVELOPE),
            at: NOW,
        };
        RequestSend {
            statement: sign(&self.signing, &request),
            envelope: ByteBuf::from(ENVELOPE.to_vec()),
            code: code.map(|code| ByteBuf::from(code.to_vec())),
        }
    }
}

pub(crate) const DESCRIPTOR: &[u8] = b"a sealed descriptor";
pub(crate) const ENVELOPE: &[u8] = b"an envelope to someone";
