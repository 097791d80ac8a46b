//! 16–18: what was true once: an older version, an older account, an older epoch.

use super::super::*;
use salus_client::{Chain, Label, Quiet, Transport, VaultError, Verdict};
use salus_protocol::keychain::KeyLink;
use salus_tests::transports::{Snapshot, decode_answer};
use salus_types::Hash;
use salus_types::api::{
    AccountInfo, FeedPage, Head, Placement, RecordList, RecordPage, ReleaseList, VersionAdd,
    VersionReceipt, VersionView,
};
use std::cell::RefCell;
use std::rc::Rc;

#[test]
fn a16_serve_an_older_version_to_its_owner() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let stored = person.write("old").await;
        let medicines = person.compartment("Medicines");
        let old = person.own.history(stored.record).await.unwrap().remove(0);
        let list = RecordList {
            compartment: medicines,
            cursor: None,
            limit: None,
        };
        let arg = candid::encode_one(list).unwrap();
        let vault = world.vault.for_caller(person.device.client.caller());
        let before = vault.query("record_list", &arg).await.unwrap();
        let before: RecordPage = decode_answer(&before).unwrap();
        person.amend(&old, "new").await;
        let record = stored.record;
        person.device.lies.pretend("record_list", before);
        let listed = unmoved(&world, person.own.records(medicines)).await;
        assert_eq!(integrity(listed), IntegrityError::NotInFeed { record });
        person
            .device
            .lies
            .alter::<Vec<VersionView>>("record_get", |views| drop(views.remove(0)));
        let history = unmoved(&world, person.own.history(record)).await;
        // Explained, and kept, as every refusal of what a feed tells is.
        let Err(ClientError::Refused(refused)) = history else {
            panic!("not explained: {history:?}")
        };
        assert_eq!(refused.error, IntegrityError::NotInFeed { record });
        assert_eq!(refused.verdict, Verdict::Answer);
        let kept = person.device.client.refusals().await.unwrap();
        assert!(
            kept.iter()
                .any(|(account, _)| *account == person.own.account())
        );
        person.device.lies.stop();
        assert_eq!(person.titles().await, ["new"]);
    });
}

#[test]
fn a16_serve_an_older_version_to_a_grantee() {
    run(async {
        let world = World::new();
        let (patient, doctor, grant) = granted(&world).await;
        let medicines = patient.compartment("Medicines");
        let old = patient.own.records(medicines).await.unwrap().remove(0);
        let before = Thief::of(&world, &doctor).await;
        let list = ReleaseList {
            owner: patient.own.account(),
            grant: grant.grant.id,
            compartment: Some(medicines),
            cursor: None,
            limit: None,
        };
        let before: RecordPage = before.update("release_list", list).await.unwrap();
        patient.amend(&old, "new").await;
        let record = old.record;
        doctor.device.lies.pretend("release_list", before);
        let listed = doctor.own.granted_records(&grant, medicines).await;
        assert_eq!(integrity(listed), IntegrityError::NotInFeed { record });
        doctor.device.lies.stop();
        // Opening names the version that the feed told of.
        let newest = doctor.own.newest_granted(&grant, record).await.unwrap();
        assert_eq!(newest, Some(2));
        doctor
            .device
            .lies
            .alter::<Vec<VersionView>>("release_open", |views| {
                for view in views {
                    view.version = 1;
                }
            });
        let wanted = [(record, newest)];
        let opened = doctor.own.open_granted(&grant, &wanted).await.map(drop);
        assert_eq!(integrity(opened), IntegrityError::Omitted { record });
    });
}

#[test]
fn a16_slip_an_older_version_in_beside_the_one_that_was_asked_for() {
    run(async {
        let world = World::new();
        let (patient, doctor, grant) = granted(&world).await;
        let medicines = patient.compartment("Medicines");
        let old = patient.own.records(medicines).await.unwrap().remove(0);
        patient.amend(&old, "new").await;
        let record = old.record;
        let lies = &doctor.device.lies;
        let before = Rc::new(RefCell::new(Vec::new()));
        let keep = Rc::clone(&before);
        lies.alter::<Vec<VersionView>>("release_open", move |views| {
            keep.borrow_mut().clone_from(views);
        });
        let opened = doctor.own.open_granted(&grant, &[(record, Some(1))]).await;
        assert_eq!(opened.unwrap()[0].item.descriptor.title, "aspirin");
        let extra = before.borrow().clone();
        lies.alter::<Vec<VersionView>>("release_open", move |views| {
            views.extend(extra.clone());
        });
        let open = async |wanted| integrity(doctor.own.open_granted(&grant, &[wanted]).await);
        let refused = IntegrityError::Malformed("a version not asked for");
        assert_eq!(open((record, Some(2))).await, refused);
        // Nor one and the same twice.
        let refused = IntegrityError::Malformed("a version twice");
        assert_eq!(open((record, Some(1))).await, refused);
        assert_eq!(open((record, None)).await, refused);
    });
}

/// Answers of a replica that lags behind: the first few are those of an earlier moment.
fn lag<T>(person: &Person, method: &str, earlier: T, answers: usize)
where
    T: Clone + candid::CandidType + serde::de::DeserializeOwned + 'static,
{
    let left = std::cell::Cell::new(answers);
    person.device.lies.alter(method, move |answer: &mut T| {
        if left.get() > 0 {
            left.set(left.get() - 1);
            *answer = earlier.clone();
        }
    });
}

#[test]
fn a16_serve_what_was_and_go_on_so_where_a_replica_that_lags_would_catch_up() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let medicines = person.compartment("Medicines");
        person.write("one").await;
        person.own.records(medicines).await.unwrap();
        let shown = person.device.client.account().await.unwrap().unwrap();
        let feed = shown.feeds.iter().find(|f| f.head.count == 1).unwrap();
        let earlier = FeedPage {
            entries: Vec::new(),
            head: feed.head.clone(),
        };
        person.write("two").await;
        assert_eq!(person.titles().await.len(), 2);
        lag(&person, "feed_page", earlier.clone(), 2);
        assert_eq!(person.titles().await.len(), 2);
        lag(&person, "feed_page", earlier, 100);
        let rolled = unmoved(&world, person.own.records(medicines)).await;
        let expected = |chain| IntegrityError::RolledBack {
            chain,
            known: 2,
            seen: 1,
        };
        assert_eq!(integrity(rolled), expected(Chain::Feed(medicines)));
        person.device.lies.stop();

        person.own.rotate_identity().await.unwrap();
        lag(&person, "account_show", shown.clone(), 1);
        person.own.refresh().await.unwrap();
        lag(&person, "account_show", shown, 100);
        let rolled = unmoved(&world, person.own.refresh()).await;
        let account = person.own.account();
        assert_eq!(integrity(rolled), expected(Chain::Keys(account)));
    });
}

#[test]
fn a17_roll_the_whole_account_back() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let medicines = person.compartment("Medicines");
        let earlier = world.vault.snapshot();
        let teeth = Label::named("Teeth");
        person.own.add_compartment(&teeth).await.unwrap();
        person.write("gone").await;
        person.own.records(medicines).await.unwrap();
        person.own.audit_trail(&Quiet).await.unwrap();

        // Whoever controls the canister restores a snapshot: every certificate is valid and fresh.
        world.vault.restore(&earlier).unwrap();
        let rolled_back = |error| match error {
            IntegrityError::RolledBack { chain, .. } => chain,
            other => panic!("refused for something else: {other:?}"),
        };
        let refreshed = unmoved(&world, person.own.refresh()).await;
        assert_eq!(rolled_back(integrity(refreshed)), Chain::Ledger);
        let listed = unmoved(&world, person.own.records(medicines)).await;
        assert_eq!(rolled_back(integrity(listed)), Chain::Feed(medicines));
        let trail = unmoved(&world, person.own.audit_trail(&Quiet)).await;
        assert_eq!(rolled_back(integrity(trail)), Chain::Audit);
        // Grown again to the same lengths it is another ledger, and that is noticed too.
        let second = world.device(1).client;
        let forked = second.unlock_with_phrase(&person.phrase).await.unwrap();
        let other = Label::named("Other");
        forked.add_compartment(&other).await.unwrap();
        let unlock = person.device.client.unlock_with_phrase(&person.phrase);
        let refused = integrity(unmoved(&world, unlock).await);
        let chain = Chain::Ledger;
        assert!(matches!(refused, IntegrityError::Forked { chain: c, .. } if c == chain));
    });
}

#[test]
fn a17_roll_the_ledger_back_for_who_remembers_nothing() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let first = person.device.client.account().await.unwrap().unwrap();
        let teeth = Label::named("Teeth");
        person.own.add_compartment(&teeth).await.unwrap();
        let truncate = |lies: &Lies| cut_to(lies, first.ledger.clone());
        let chain = Chain::Ledger;
        let fresh = unlock(&world, &person, truncate).await;
        assert_eq!(fresh, IntegrityError::NotCertified { chain });
        truncate(&person.device.lies);
        let known = person.device.client.unlock_with_phrase(&person.phrase);
        let expected = IntegrityError::RolledBack {
            chain,
            known: 2,
            seen: 1,
        };
        assert_eq!(integrity(unmoved(&world, known).await), expected);
    });
}

#[test]
fn a17_leave_out_or_reorder_operations() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        for name in ["A", "B"] {
            let label = Label::named(name);
            person.own.add_compartment(&label).await.unwrap();
        }
        let lies: [Lie<LedgerPage>; 3] = [
            ("left out", |page| drop(page.ops.remove(1))),
            ("exchanged", |page| page.ops.swap(1, 2)),
            ("twice", |page| page.ops.insert(1, page.ops[1].clone())),
        ];
        for (case, lie) in lies {
            let refused = unlock(&world, &person, |lies| lies.alter("ledger_page", lie)).await;
            let at = matches!(refused, IntegrityError::Ledger { seq: 1 | 2, .. });
            assert!(at, "{case}: {refused:?}");
        }
    });
}

#[test]
fn a17_roll_the_key_chain_back_or_forge_it() {
    run(async {
        let world = World::new();
        let (person, mallory) = (world.person(1).await, world.person(66).await);
        person.own.rotate_identity().await.unwrap();
        let forged = unlock(&world, &person, |lies| {
            lies.alter::<AccountInfo>("account_show", |info| {
                let last = info.chain.last_mut().unwrap();
                let mut link: KeyLink = canonical::decode(&last.statement).unwrap();
                link.signing[0] ^= 1;
                last.statement = ByteBuf::from(canonical::encode(&link));
            });
        });
        assert!(matches!(forged.await, IntegrityError::KeyChain(_)));
        let theirs = mallory.device.client.account().await.unwrap().unwrap();
        let swapped = unlock(&world, &person, |lies| {
            let chain = theirs.chain.clone();
            lies.alter::<AccountInfo>("account_show", move |info| info.chain = chain.clone());
        });
        assert_eq!(swapped.await, IntegrityError::OtherAccount);
        // The rotation withheld: who remembers it says so, who does not learns it from the ledger.
        let withhold = |lies: &Lies| {
            lies.alter::<AccountInfo>("account_show", |info| info.chain.truncate(1));
        };
        let fresh = unlock(&world, &person, withhold).await;
        assert_eq!(fresh, IntegrityError::LedgerKeys);
        withhold(&person.device.lies);
        let known = person.device.client.unlock_with_phrase(&person.phrase);
        let expected = IntegrityError::RolledBack {
            chain: Chain::Keys(person.own.account()),
            known: 2,
            seen: 1,
        };
        assert_eq!(integrity(unmoved(&world, known).await), expected);
    });
}

#[test]
fn a17_answer_an_update_with_another_head() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person
            .device
            .lies
            .alter::<Head>("ledger_append", |head| head.hash = Hash([1; 32]));
        let lied = person.own.add_compartment(&Label::named("Teeth")).await;
        assert!(matches!(integrity(lied), IntegrityError::Forked { .. }));
    });
}

/// A patient who revoked their doctor's grant, and the vault and the ledger's head before that.
async fn revoked(world: &World) -> (Person, Snapshot, Head) {
    let (patient, _, grant) = granted(world).await;
    let before = world.vault.snapshot();
    let info = patient.device.client.account().await.unwrap().unwrap();
    patient.own.revoke(grant.grant.id).await.unwrap();
    (patient, before, info.ledger)
}

#[test]
fn a18_roll_an_epoch_back_so_that_new_data_uses_an_old_key() {
    run(async {
        let world = World::new();
        let (patient, before, _) = revoked(&world).await;
        let medicines = patient.compartment("Medicines");
        let shown = patient.own.compartments().unwrap();
        assert!(shown.iter().all(|c| c.epoch == 2));
        // The whole vault as it was when the doctor's key was the newest. It would take what is filed
        // under it, and the patient's client does not offer that.
        world.vault.restore(&before).unwrap();
        let file = patient.file(medicines, "secret");
        let refused = integrity(unmoved(&world, file).await);
        let rolled = matches!(
            refused,
            IntegrityError::RolledBack {
                chain: Chain::Ledger,
                ..
            }
        );
        assert!(rolled, "{refused:?}");
        // Nor does any other device that saw the revocation, nor one that sees its certificate.
        let again = patient.device.client.unlock_with_phrase(&patient.phrase);
        let again = integrity(unmoved(&world, again).await);
        let rolled = matches!(
            again,
            IntegrityError::RolledBack {
                chain: Chain::Ledger,
                ..
            }
        );
        assert!(rolled, "{again:?}");
    });
}

#[test]
fn a18_roll_an_epoch_back_in_what_a_fresh_device_is_shown() {
    run(async {
        let world = World::new();
        let (patient, _, head) = revoked(&world).await;
        let fresh = unlock(&world, &patient, |lies| cut_to(lies, head.clone())).await;
        let chain = Chain::Ledger;
        assert_eq!(fresh, IntegrityError::NotCertified { chain });
    });
}

#[test]
fn a18_say_that_an_old_epoch_is_the_one_in_force() {
    run(async {
        let world = World::new();
        let (patient, _, _) = revoked(&world).await;
        let medicines = patient.compartment("Medicines");
        // The vault refuses what is filed under the newest epoch, as if another were in force.
        let sent = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&sent);
        let lies = &patient.device.lies;
        lies.overhear("versions_add", move |arg| {
            let versions: Vec<VersionAdd> = candid::decode_one(arg).unwrap();
            for version in versions {
                if let Placement::Filed(filing) = version.placement {
                    seen.borrow_mut().push(filing.epoch);
                }
            }
        });
        let stale = VaultError::StaleHead {
            count: 1,
            head: Hash([0; 32]),
        };
        lies.alter::<Vec<salus_types::Result<VersionReceipt>>>("versions_add", move |receipts| {
            receipts.fill(Err(stale.clone()));
        });
        let file = patient.file(medicines, "secret");
        let refused = refusal("filed", file.await);
        let told = matches!(refused, ClientError::Vault(VaultError::StaleHead { .. }));
        assert!(told, "{refused:?}");
        assert!(!sent.borrow().is_empty());
        assert!(sent.borrow().iter().all(|epoch| *epoch == 2), "{sent:?}");
    });
}

#[test]
fn a18_bring_what_was_filed_under_an_old_epoch_later() {
    run(async {
        let world = World::new();
        let (patient, _, grant) = granted(&world).await;
        let medicines = patient.compartment("Medicines");
        // Written while the doctor had the newest key, and held back by the network.
        let held = Rc::new(RefCell::new(Vec::new()));
        let keep = Rc::clone(&held);
        let lies = &patient.device.lies;
        lies.overhear("versions_add", move |arg| {
            keep.borrow_mut().push(arg.to_vec())
        });
        lies.cut_off("versions_add", 0);
        let sent = patient.file(medicines, "secret");
        assert!(matches!(sent.await, Err(ClientError::Transport(_))));
        lies.stop();
        patient.own.revoke(grant.grant.id).await.unwrap();
        let vault = world.vault.for_caller(patient.device.client.caller());
        let late = held.borrow()[0].clone();
        let answer = unmoved(&world, vault.update("versions_add", &late)).await;
        let receipts: Vec<salus_types::Result<VersionReceipt>> =
            decode_answer(&answer.unwrap()).unwrap();
        assert!(matches!(receipts[0], Err(VaultError::StaleHead { .. })));
    });
}
