//! Refusals explained: a vault that went back on what the network certified is proven wrong, an answer
//! that does not fit is told from it, and one that may just be behind accuses nobody.

use super::super::*;
use minicbor::{Decode, Encode};
use salus_client::evidence::{EvidenceError, verify_evidence};
use salus_client::{Chain, ClientError, Label, Quiet, Refusal, Verdict};
use salus_protocol::canonical;
use salus_tests::transports::decode_answer;
use salus_types::api::{CertifiedHeads, LedgerPage};

const MINUTE: u64 = 60_000;

fn refused<T>(result: Result<T, ClientError>) -> Refusal {
    match result {
        Err(ClientError::Refused(refusal)) => *refusal,
        Err(other) => panic!("refused without an explanation: {other:?}"),
        Ok(_) => panic!("the lie was believed"),
    }
}

/// A file of evidence, as its documentation says.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
struct File {
    #[n(0)]
    format: u32,
    #[cbor(n(1), with = "minicbor::bytes")]
    vault: Vec<u8>,
    #[n(2)]
    account: salus_types::AccountId,
    #[n(3)]
    number: u64,
    #[n(4)]
    before: Proof,
    #[n(5)]
    after: Proof,
    #[cbor(n(6), with = "minicbor::bytes")]
    root_key: Vec<u8>,
}

#[derive(Clone, Encode, Decode)]
#[cbor(map)]
struct Proof {
    #[cbor(n(0), with = "minicbor::bytes")]
    certificate: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    witness: Vec<u8>,
}

/// Something is written, and a minute later it never was.
async fn rolled_back(world: &World) -> Person {
    let person = world.person(1).await;
    let earlier = world.vault.snapshot();
    world.clock.pass(MINUTE);
    person.write("gone").await;
    world.clock.pass(MINUTE);
    world.vault.restore(&earlier).unwrap();
    person
}

#[test]
fn a_vault_rolled_back_is_proven_wrong_to_anyone() {
    run(async {
        let world = World::new();
        let person = rolled_back(&world).await;
        let client = &person.device.client;
        assert_eq!(client.last_refusal(person.own.account()).await, Ok(None));
        let refusal = refused(person.own.refresh().await);
        assert_eq!(refusal.verdict, Verdict::Vault);
        assert_eq!(refusal.remembered_at, Some(NOW + MINUTE));
        assert_eq!(refusal.certified_at, Some(NOW + 2 * MINUTE));
        // The next visit refuses it before anything is shown.
        let again = client.unlock_with_phrase(&person.phrase).await;
        assert_eq!(refused(again).verdict, Verdict::Vault);
        let kept = client.last_refusal(person.own.account()).await.unwrap();
        let file = kept.unwrap().evidence.unwrap();
        assert_eq!(Some(&file), refusal.evidence.as_ref());

        let root = client.root_key();
        let found = verify_evidence(&file, Some(&root)).unwrap();
        assert_eq!(found.account, person.own.account());
        assert_eq!(found.vault, client.vault());
        assert_eq!(
            (found.before_at, found.after_at),
            (NOW + MINUTE, NOW + 2 * MINUTE)
        );
        let contradiction = found.contradiction;
        assert_eq!(contradiction.chain, Chain::Audit);
        assert_eq!(contradiction.before.count, contradiction.after.count + 1);
    });
}

#[test]
fn nothing_else_is_evidence() {
    run(async {
        let world = World::new();
        let person = rolled_back(&world).await;
        let file = refused(person.own.refresh().await).evidence.unwrap();
        let read: File = canonical::decode(&file).unwrap();
        let verify = |file: &File| verify_evidence(&canonical::encode(file), None).map(drop);
        assert_eq!(verify(&read), Ok(()));
        let mut swapped = read.clone();
        std::mem::swap(&mut swapped.before, &mut swapped.after);
        assert_eq!(verify(&swapped), Err(EvidenceError::NoContradiction));
        // Honest growth, told backwards.
        let honest = World::new();
        let other = honest.person(1).await;
        let proof = async || {
            let vault = honest.vault.for_caller(other.device.client.caller());
            let account = candid::encode_one(other.own.account()).unwrap();
            let heads = vault.query("heads", &account).await.unwrap();
            let heads: CertifiedHeads = decode_answer(&heads).unwrap();
            Proof {
                certificate: heads.certificate.into_vec(),
                witness: heads.witness.into_vec(),
            }
        };
        let less = proof().await;
        honest.clock.pass(MINUTE);
        other.write("more").await;
        let backwards = File {
            account: other.own.account(),
            number: other.own.number(),
            before: proof().await,
            after: less,
            root_key: other.device.client.root_key(),
            ..read.clone()
        };
        assert_eq!(verify(&backwards), Err(EvidenceError::NoContradiction));
        let mut same = read.clone();
        same.after = same.before.clone();
        assert_eq!(verify(&same), Err(EvidenceError::NoContradiction));
        let mut mixed = read.clone();
        mixed.before.witness = mixed.after.witness.clone();
        assert!(matches!(verify(&mixed), Err(EvidenceError::Integrity(_))));
        let mut forged = read.clone();
        let last = forged.before.certificate.len() - 1;
        forged.before.certificate[last] ^= 1;
        assert!(matches!(
            verify(&forged),
            Err(EvidenceError::Certificate(_))
        ));
        let mut foreign = read.clone();
        foreign.account = salus_types::AccountId([9; 16]);
        assert!(matches!(verify(&foreign), Err(EvidenceError::Integrity(_))));
        let mut newer = read.clone();
        newer.format = 2;
        assert_eq!(verify(&newer), Err(EvidenceError::Format));
        let other_root = verify_evidence(&file, Some(&[1, 2, 3]));
        assert_eq!(other_root.map(drop), Err(EvidenceError::OtherNetwork));
        let cut = verify_evidence(&file[..file.len() - 1], None);
        assert_eq!(cut.map(drop), Err(EvidenceError::Malformed));
    });
}

#[test]
fn who_remembers_nothing_cannot_notice_a_rollback() {
    run(async {
        let world = World::new();
        let person = rolled_back(&world).await;
        let fresh = world.device(1).client;
        let own = fresh.unlock_with_phrase(&person.phrase).await.unwrap();
        let medicines = person.compartment_of(&own, "Medicines");
        assert!(own.records(medicines).await.unwrap().is_empty());
        assert!(fresh.refusals().await.unwrap().is_empty());
    });
}

#[test]
fn a_replica_that_is_behind_is_not_accused() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let (lies, client) = (&person.device.lies, &person.device.client);
        let medicines = person.compartment("Medicines");
        let vault = world.vault.for_caller(client.caller());
        let earlier = async |method: &str, arg: Vec<u8>| vault.query(method, &arg).await.unwrap();
        let account = candid::encode_one(person.own.account()).unwrap();
        let heads: CertifiedHeads = decode_answer(&earlier("heads", account).await).unwrap();
        let from = candid::encode_one(0u64).unwrap();
        let page: LedgerPage = decode_answer(&earlier("ledger_page", from).await).unwrap();
        world.clock.pass(MINUTE);
        person.write("one").await;
        let teeth = Label::named("Teeth");
        person.own.add_compartment(&teeth).await.unwrap();
        person.own.records(medicines).await.unwrap();
        lies.pretend("heads", heads);
        lies.pretend("ledger_page", page);
        for _ in 0..2 {
            let behind = refused(client.unlock_with_phrase(&person.phrase).await);
            assert_eq!((behind.verdict, behind.evidence), (Verdict::Behind, None));
        }
        assert!(client.refusals().await.unwrap().is_empty());
        lies.stop();
        let own = client.unlock_with_phrase(&person.phrase).await.unwrap();
        assert_eq!(own.records(medicines).await.unwrap().len(), 1);
        own.audit_trail(&Quiet).await.unwrap();
    });
}

#[test]
fn an_answer_that_is_less_than_the_network_certifies_is_held_against_who_answered() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let teeth = Label::named("Teeth");
        person.own.add_compartment(&teeth).await.unwrap();
        let first = {
            let vault = world.vault.for_caller(person.device.client.caller());
            let arg = candid::encode_one(0u64).unwrap();
            let answer = vault.query("ledger_page", &arg).await.unwrap();
            let page: LedgerPage = decode_answer(&answer).unwrap();
            salus_types::api::Head {
                count: 1,
                hash: salus_protocol::statement::hash_of::<salus_protocol::ledger::LedgerOp>(
                    &page.ops[0].statement,
                ),
            }
        };
        let lies = &person.device.lies;
        lies.alter::<LedgerPage>("ledger_page", move |page| {
            page.ops.truncate(1);
            page.head = first.clone();
        });
        let client = &person.device.client;
        let refusal = refused(client.unlock_with_phrase(&person.phrase).await);
        assert_eq!((refusal.verdict, refusal.evidence), (Verdict::Answer, None));
        let kept = client.last_refusal(person.own.account()).await.unwrap();
        assert_eq!(kept.unwrap().verdict, Verdict::Answer);
    });
}
