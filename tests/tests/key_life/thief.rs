//! Someone steals the identity keys, and the owner takes the account back with the phrase.

use super::super::*;
use candid::CandidType;
use salus_crypto::hierarchy::{IdentityBundle, IdentitySeeds};
use salus_protocol::keychain::{Authority, KeyLink, POSSESSION_LABEL};
use salus_protocol::ledger::{Change, CompartmentRewrap, LedgerOp, NewCompartment, SlotWrap, Wrap};
use salus_protocol::statement::{self, Statement, hash_of, signing_bytes};
use salus_protocol::{KeyChain, canonical};
use salus_types::api::{
    AccountInfo, Head, KeyRotate, LedgerAppend, LedgerPage, Signed, SignedLink,
};
use salus_types::{Hash, Result as Answer, SlotId};
use serde::de::DeserializeOwned;
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
        let keys = person
            .phrase
            .slot_secret()
            .derive_keys(scope, slot.id)
            .unwrap();
        let amk = keys.unwrap_amk(scope, slot.id, 1, &slot.wrap).unwrap();
        let bundle = IdentityBundle::open(&amk, scope, &bundle).unwrap();
        thief.signing = bundle.current.signing.clone();
        thief.link = bundle.current.link;
        thief
    }

    async fn query<T>(&self, method: &str, arg: Vec<u8>) -> Answer<T>
    where
        T: CandidType + DeserializeOwned,
    {
        candid::decode_one(&self.vault.query(method, &arg).await.unwrap()).unwrap()
    }

    async fn update<T>(&self, method: &str, arg: impl CandidType) -> Answer<T>
    where
        T: CandidType + DeserializeOwned,
    {
        let arg = candid::encode_one(arg).unwrap();
        candid::decode_one(&self.vault.update(method, &arg).await.unwrap()).unwrap()
    }

    async fn info(&self) -> AccountInfo {
        let none = candid::encode_args(()).unwrap();
        self.query("account_show", none).await.unwrap()
    }

    async fn ledger(&self) -> Vec<Signed> {
        let from = candid::encode_one(0u64).unwrap();
        let page: Answer<LedgerPage> = self.query("ledger_page", from).await;
        page.unwrap().ops
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
        self.update("ledger_append", append).await
    }

    /// Replaces every wrap of the account by rubbish, and removes the owner's slot.
    pub(crate) async fn rekey(&self) {
        let op = self.ledger().await.remove(0);
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
        let mut compartments: Vec<CompartmentRewrap> = compartments
            .iter()
            .map(|c| CompartmentRewrap {
                compartment: c.id,
                name: vec![1; 100],
                wraps: vec![Wrap(vec![1; 120])],
            })
            .collect();
        compartments.sort_by_key(|c| c.compartment);
        self.append(Change::Rekey {
            generation: 2,
            removed: vec![slots[0].id],
            slots: vec![SlotWrap {
                slot: id,
                wrap: vec![1; 1200],
            }],
            bundle: vec![1; 200],
            compartments,
        })
        .await
        .unwrap();
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
        let answer: Answer<Head> = self.update("key_rotate", rotate).await;
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
        let locked_out = person
            .device
            .client
            .unlock_with_phrase(&person.phrase)
            .await;
        assert_eq!(integrity(locked_out), IntegrityError::Bundle);
        assert_eq!(
            integrity(person.own.refresh().await),
            IntegrityError::Bundle
        );

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
        let again = fresh
            .client
            .unlock_with_phrase(&person.phrase)
            .await
            .unwrap();
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
        fresh
            .client
            .unlock_with_phrase(&person.phrase)
            .await
            .unwrap();
    });
}

#[test]
fn a_key_wrapped_by_someone_else_is_not_used_and_keeps_nobody_out() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person.write("mine").await;
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
        let fresh = world.device(1);
        let own = fresh
            .client
            .unlock_with_phrase(&person.phrase)
            .await
            .unwrap();
        let shown = own.compartments().unwrap();
        assert!(shown.iter().any(|c| c.id == id && c.damaged));
        let filed = own.add_record(id, &draft("x"), &text("x"), &Quiet).await;
        let refused = IntegrityError::EpochKey {
            compartment: id,
            epoch: 1,
        };
        assert_eq!(integrity(filed), refused);
        // Everything else goes on, a new account master key included.
        let secret = SlotSecret::generate_for_file().unwrap();
        let slot = NewSlot::new(secret, "").unwrap();
        own.add_slot(&slot).await.unwrap();
        own.remove_slots(&[slot.id]).await.unwrap();
        let items = own
            .records(person.compartment_of(&own, "Medicines"))
            .await
            .unwrap();
        assert_eq!(items[0].descriptor.title, "mine");
    });
}

#[test]
fn a_thief_who_replaces_the_account_master_key_cannot_keep_the_owner_out() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person.write("mine").await;
        let mut thief = Thief::of(&world, &person).await;
        thief.rekey().await;
        thief.rotate().await;
        let locked_out = person
            .device
            .client
            .unlock_with_phrase(&person.phrase)
            .await;
        assert!(matches!(integrity(locked_out), IntegrityError::Slot { .. }));

        let own = person.device.client.recover(&person.phrase).await.unwrap();
        let items = own
            .records(person.compartment_of(&own, "Medicines"))
            .await
            .unwrap();
        assert_eq!(items[0].descriptor.title, "mine");
        assert_eq!(own.profile().unwrap().display_name, "Person 1");
        assert_eq!(own.slots().unwrap().len(), 1);
        let fresh = world.device(1);
        let again = fresh
            .client
            .unlock_with_phrase(&person.phrase)
            .await
            .unwrap();
        let medicines = person.compartment_of(&again, "Medicines");
        again
            .add_record(medicines, &draft("new"), &text("new"), &Quiet)
            .await
            .unwrap();
    });
}
