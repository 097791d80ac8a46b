//! Someone steals the identity keys, and the owner takes the account back with the phrase.

use super::super::*;
use salus_crypto::hierarchy::{IdentityBundle, IdentitySeeds};
use salus_protocol::keychain::{Authority, KeyLink, POSSESSION_LABEL};
use salus_protocol::ledger::{Change, LedgerOp, NewCompartment};
use salus_protocol::statement::{self, Statement, hash_of, signing_bytes};
use salus_protocol::{KeyChain, canonical};
use salus_types::api::{AccountInfo, Head, KeyRotate, LedgerAppend, LedgerPage, Signed, SignedLink};
use salus_types::{Hash, Result as Answer};
use serde_bytes::ByteBuf;

/// Whoever has the identity keys and a session, but neither phrase nor account master key.
pub(crate) struct Thief {
    vault: Native,
    signing: salus_crypto::sign::SigningKey,
    link: Hash,
}

fn signed<T: Statement>(value: &T, key: &salus_crypto::sign::SigningKey) -> Signed {
    let bytes = canonical::encode(value);
    let signature = key.sign(&signing_bytes(T::LABEL, &bytes));
    Signed {
        statement: ByteBuf::from(bytes),
        signature: ByteBuf::from(signature.to_vec()),
    }
}

impl Thief {
    /// Takes the keys out of the sealed bundle with the owner's phrase: for the test alone.
    pub(crate) async fn of(world: &World, person: &Person) -> Self {
        let caller = person.device.client.caller();
        let mut thief = Self {
            vault: world.vault.for_caller(caller),
            signing: salus_crypto::sign::SigningKey::generate().unwrap(),
            link: Hash([0; 32]),
        };
        let info = thief.info().await;
        let vault = person.device.client.vault();
        let scope = salus_crypto::VaultScope {
            vault: vault.as_slice(),
            account: info.account,
        };
        let op = thief.ledger().await.remove(0);
        let op: LedgerOp = statement::decode_for(&op.statement, vault.as_slice()).unwrap();
        let Change::Open { slots, bundle, .. } = op.change else {
            panic!("operation 0 opens an account")
        };
        let slot = &slots[0];
        let keys = person.phrase.slot_secret().derive_keys(scope, slot.id).unwrap();
        let amk = keys.unwrap_amk(scope, slot.id, 1, &slot.wrap).unwrap();
        let bundle = IdentityBundle::open(&amk, scope, &bundle).unwrap();
        thief.signing = bundle.current.signing.clone();
        thief.link = bundle.current.link;
        thief
    }

    async fn info(&self) -> AccountInfo {
        let bytes = self.vault.query("account_show", &candid::encode_args(()).unwrap());
        let answer: Answer<AccountInfo> = candid::decode_one(&bytes.await.unwrap()).unwrap();
        answer.unwrap()
    }

    async fn ledger(&self) -> Vec<Signed> {
        let bytes = self.vault.query("ledger_page", &candid::encode_one(0u64).unwrap());
        let answer: Answer<LedgerPage> = candid::decode_one(&bytes.await.unwrap()).unwrap();
        answer.unwrap().ops
    }

    async fn op(&self, change: Change, link: Hash) -> LedgerOp {
        let info = self.info().await;
        LedgerOp {
            vault: self.vault.vault().as_slice().to_vec(),
            account: info.account,
            seq: info.ledger.count,
            previous: Some(info.ledger.hash),
            link,
            at: NOW,
            change,
        }
    }

    pub(crate) async fn append(&self, change: Change) -> Answer<Head> {
        let op = self.op(change, self.link).await;
        let append = LedgerAppend {
            op: signed(&op, &self.signing),
            grants: Vec::new(),
        };
        let bytes = self.vault.update("ledger_append", &candid::encode_one(append).unwrap());
        candid::decode_one(&bytes.await.unwrap()).unwrap()
    }

    /// Rotates to keys of the thief's own, with a bundle nobody can open.
    pub(crate) async fn rotate(&mut self) {
        let info = self.info().await;
        let vault = self.vault.vault();
        let chain = KeyChain::verify(&info.chain, vault.as_slice()).unwrap();
        let before = chain.current().unwrap();
        let seeds = IdentitySeeds::generate().unwrap();
        let link = KeyLink {
            index: before.link.index + 1,
            previous: Some(before.hash),
            signing: seeds.signing.public(),
            sealing: seeds.hpke.public().unwrap().as_bytes().to_vec(),
            by: Authority::Identity,
            ..before.link.clone()
        };
        let statement = signed(&link, &self.signing);
        let possession = signing_bytes(POSSESSION_LABEL, &statement.statement);
        let hash = hash_of::<KeyLink>(&statement.statement);
        let change = Change::Rotate {
            link: hash,
            bundle: vec![1; 200],
        };
        let op = self.op(change, hash).await;
        let rotate = KeyRotate {
            link: SignedLink {
                possession: ByteBuf::from(seeds.signing.sign(&possession).to_vec()),
                statement: statement.statement,
                signature: statement.signature,
            },
            op: signed(&op, &seeds.signing),
        };
        let bytes = self.vault.update("key_rotate", &candid::encode_one(rotate).unwrap());
        let answer: Answer<Head> = candid::decode_one(&bytes.await.unwrap()).unwrap();
        answer.unwrap();
        self.signing = seeds.signing;
        self.link = hash;
    }
}

#[test]
fn a_stolen_identity_key_cannot_keep_the_owner_out() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person.write("mine").await;
        let mut thief = Thief::of(&world, &person).await;
        thief.rotate().await;

        // The owner's devices do not take the thief's keys for the owner's.
        let locked_out = person.device.client.unlock_with_phrase(&person.phrase).await;
        assert_eq!(integrity(locked_out), IntegrityError::Bundle);
        assert_eq!(integrity(person.own.refresh().await), IntegrityError::Bundle);

        let own = person.device.client.recover(&person.phrase).await.unwrap();
        let items = own.records(person.compartment("Medicines")).await.unwrap();
        assert_eq!(items[0].descriptor.title, "mine");
        own.add_compartment(&Label::named("New")).await.unwrap();

        // What the thief signs is worth nothing from now on.
        let id = person.compartment("Letters");
        let rename = Change::RenameCompartment {
            compartment: id,
            name: vec![7; 100],
        };
        assert!(thief.append(rename).await.is_err());

        // A device that saw nothing of this folds the same ledger, overridden operations included.
        let fresh = world.device(1);
        let again = fresh.client.unlock_with_phrase(&person.phrase).await.unwrap();
        assert_eq!(again.compartments().unwrap().len(), 3);
        assert_eq!(again.genesis(), person.own.genesis());
    });
}

#[test]
fn recovery_is_possible_where_a_checkpoint_is_due() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let mut thief = Thief::of(&world, &person).await;
        thief.rotate().await;
        let id = person.compartment("Letters");
        while thief.info().await.ledger.count < 256 {
            let name = vec![7; 100];
            thief
                .append(Change::RenameCompartment {
                    compartment: id,
                    name,
                })
                .await
                .unwrap();
        }
        // The next operation has to be a checkpoint, and only the thief could sign it.
        let own = person.device.client.recover(&person.phrase).await.unwrap();
        assert!(own.is_unlocked());
        let fresh = world.device(1);
        fresh.client.unlock_with_phrase(&person.phrase).await.unwrap();
    });
}

#[test]
fn a_key_wrapped_by_someone_else_is_not_used() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let thief = Thief::of(&world, &person).await;
        // Signed with the identity key, so vault and ledger take it; but it wraps another key.
        let id = CompartmentId([9; 16]);
        thief
            .append(Change::AddCompartment {
                compartment: NewCompartment {
                    id,
                    name: vec![1; 100],
                    kid: Hash([1; 32]),
                    wrap: vec![1; 120],
                },
                reissues: Vec::new(),
            })
            .await
            .unwrap();
        let refused = IntegrityError::EpochKey {
            compartment: id,
            epoch: 1,
        };
        assert_eq!(integrity(person.own.refresh().await), refused);
        let fresh = world.device(1).client.unlock_with_phrase(&person.phrase).await;
        assert_eq!(integrity(fresh), refused);
    });
}
