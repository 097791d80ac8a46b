//! A vault that lies about accounts: each lie has its refusal.

use super::super::*;
use salus_protocol::canonical;
use salus_protocol::keychain::KeyLink;
use salus_protocol::ledger::{Change, LedgerOp};
use salus_tests::transports::decode_answer;
use salus_types::Hash;
use salus_types::api::{AccountInfo, CertifiedHeads, LedgerPage};
use serde_bytes::ByteBuf;

async fn unlock(world: &World, person: &Person, lies: impl Fn(&Lies)) -> IntegrityError {
    let fresh = world.device(person.seed);
    lies(&fresh.lies);
    integrity(fresh.client.unlock_with_phrase(&person.phrase).await)
}

/// Changes operation `seq` without being able to sign it.
fn forge(lies: &Lies, seq: u64, change: impl Fn(&mut Change) + 'static) {
    lies.alter::<LedgerPage>("ledger_page", move |page| {
        for signed in &mut page.ops {
            let mut op: LedgerOp = canonical::decode(&signed.statement).unwrap();
            if op.seq == seq {
                change(&mut op.change);
                signed.statement = ByteBuf::from(canonical::encode(&op));
            }
        }
    });
}

#[test]
fn an_altered_operation_is_refused() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person
            .own
            .add_compartment(&Label::named("Teeth"))
            .await
            .unwrap();
        let swapped_bundle = unlock(&world, &person, |lies| {
            forge(lies, 0, |change| {
                if let Change::Open { bundle, .. } = change {
                    bundle[10] ^= 1;
                }
            });
        });
        assert!(matches!(swapped_bundle.await, IntegrityError::Statement(_)));
        let swapped_slot = unlock(&world, &person, |lies| {
            forge(lies, 0, |change| {
                if let Change::Open { slots, .. } = change {
                    slots[0].wrap[10] ^= 1;
                }
            });
        });
        assert!(matches!(swapped_slot.await, IntegrityError::Statement(_)));
        let swapped_epoch = unlock(&world, &person, |lies| {
            forge(lies, 1, |change| {
                if let Change::AddCompartment { compartment, .. } = change {
                    compartment.wrap[10] ^= 1;
                }
            });
        });
        assert!(matches!(swapped_epoch.await, IntegrityError::Statement(_)));
    });
}

#[test]
fn a_truncated_ledger_is_refused_even_by_who_remembers_nothing() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let first = person
            .device
            .client
            .account()
            .await
            .unwrap()
            .unwrap()
            .ledger;
        person
            .own
            .add_compartment(&Label::named("Teeth"))
            .await
            .unwrap();
        let truncate = move |lies: &Lies| {
            let first = first.clone();
            lies.alter::<LedgerPage>("ledger_page", move |page| {
                let begins = page.ops.first().is_some_and(|op| {
                    canonical::decode::<LedgerOp>(&op.statement).unwrap().seq == 0
                });
                page.ops.truncate(usize::from(begins));
                page.head = first.clone();
            });
        };
        let fresh = unlock(&world, &person, truncate.clone()).await;
        let expected = IntegrityError::NotCertified {
            chain: Chain::Ledger,
        };
        assert_eq!(fresh, expected);
        truncate(&person.device.lies);
        let known = person
            .device
            .client
            .unlock_with_phrase(&person.phrase)
            .await;
        assert!(matches!(
            integrity(known),
            IntegrityError::RolledBack {
                chain: Chain::Ledger,
                known: 2,
                seen: 1
            }
        ));
    });
}

#[test]
fn a_missing_or_reordered_operation_is_refused() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person
            .own
            .add_compartment(&Label::named("A"))
            .await
            .unwrap();
        person
            .own
            .add_compartment(&Label::named("B"))
            .await
            .unwrap();
        let missing = unlock(&world, &person, |lies| {
            lies.alter::<LedgerPage>("ledger_page", |page| {
                page.ops.remove(1);
            });
        });
        assert!(matches!(
            missing.await,
            IntegrityError::Ledger { seq: 1, .. }
        ));
        let swapped = unlock(&world, &person, |lies| {
            lies.alter::<LedgerPage>("ledger_page", |page| page.ops.swap(1, 2));
        });
        assert!(matches!(
            swapped.await,
            IntegrityError::Ledger { seq: 1, .. }
        ));
    });
}

#[test]
fn a_forged_or_foreign_key_chain_is_refused() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let mallory = world.person(66).await;
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
        // The rotation withheld: who remembers it says so, who does not learns it from the
        // certificate or the ledger.
        let withhold = |lies: &Lies| {
            lies.alter::<AccountInfo>("account_show", |info| info.chain.truncate(1));
        };
        assert!(matches!(
            unlock(&world, &person, withhold).await,
            IntegrityError::LedgerKeys | IntegrityError::NotCertified { .. }
        ));
        withhold(&person.device.lies);
        let known = person
            .device
            .client
            .unlock_with_phrase(&person.phrase)
            .await;
        assert!(matches!(
            integrity(known),
            IntegrityError::RolledBack {
                chain: Chain::Keys(_),
                known: 2,
                seen: 1
            }
        ));
    });
}

#[test]
fn another_account_under_the_same_principal_is_refused() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let mallory = world.person(66).await;
        // All of another account, consistently: chain, ledger, certified heads.
        let theirs = mallory.device.client.account().await.unwrap().unwrap();
        let fresh = world.device(1);
        fresh
            .lies
            .alter::<AccountInfo>("account_show", move |info| *info = theirs.clone());
        let refused = fresh.client.unlock_with_phrase(&person.phrase).await;
        assert_eq!(refused.unwrap_err(), ClientError::WrongPhrase);
    });
}

#[test]
fn an_account_the_principal_is_not_of_is_refused() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        // A vault that has someone else call for the account, and hides that from the owner.
        let honest = world.vault.for_caller(person.device.client.caller());
        let account = person.own.account();
        let ask = async |method: &str, arg: Vec<u8>| honest.query(method, &arg).await.unwrap();
        let none = candid::encode_args(()).unwrap();
        let info: AccountInfo = decode_answer(&ask("account_show", none).await).unwrap();
        let from = candid::encode_one(0u64).unwrap();
        let ledger: LedgerPage = decode_answer(&ask("ledger_page", from).await).unwrap();
        let whose = candid::encode_one(account).unwrap();
        let heads: CertifiedHeads = decode_answer(&ask("heads", whose).await).unwrap();
        let other = world.device(9);
        other.lies.pretend("account_show", info);
        other.lies.pretend("ledger_page", ledger);
        other.lies.pretend("heads", heads);
        let refused = other.client.unlock_with_phrase(&person.phrase).await;
        assert_eq!(integrity(refused), IntegrityError::OtherAccount);
    });
}

#[test]
fn old_certificates_and_foreign_witnesses_are_refused() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let fresh = world.device(1);
        fresh.lies.record();
        let own = fresh
            .client
            .unlock_with_phrase(&person.phrase)
            .await
            .unwrap();
        drop(own);
        world.clock.pass(6 * MINUTE);
        fresh.lies.replay();
        let stale = fresh.client.unlock_with_phrase(&person.phrase).await;
        assert_eq!(
            integrity(stale),
            IntegrityError::StaleCertificate { age_ms: 6 * MINUTE }
        );
        let flipped = unlock(&world, &person, |lies| {
            lies.alter::<CertifiedHeads>("heads", |heads| {
                let last = heads.witness.len() - 1;
                heads.witness[last] ^= 1;
            });
        });
        assert!(matches!(flipped.await, IntegrityError::Witness(_)));
        let forged = unlock(&world, &person, |lies| {
            lies.alter::<CertifiedHeads>("heads", |heads| {
                let last = heads.certificate.len() - 1;
                heads.certificate[last] ^= 1;
            });
        });
        assert!(matches!(forged.await, IntegrityError::Certificate(_)));
        let moved = unlock(&world, &person, |lies| {
            lies.alter::<CertifiedHeads>("heads", |heads| heads.number += 1);
        });
        assert!(matches!(moved.await, IntegrityError::Witness(_)));
    });
}

#[test]
fn a_vault_put_back_to_an_earlier_day_is_noticed_by_who_remembers() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let earlier = world.vault.snapshot();
        person
            .own
            .add_compartment(&Label::named("Teeth"))
            .await
            .unwrap();
        person.write("gone").await;
        person
            .own
            .records(person.compartment("Medicines"))
            .await
            .unwrap();
        person.own.audit_trail(&Quiet).await.unwrap();

        // Whoever controls the canister restores a snapshot: every certificate is valid and fresh.
        world.vault.restore(&earlier).unwrap();
        assert!(matches!(
            integrity(person.own.refresh().await),
            IntegrityError::RolledBack {
                chain: Chain::Ledger,
                ..
            }
        ));
        assert!(matches!(
            integrity(person.own.records(person.compartment("Medicines")).await),
            IntegrityError::RolledBack {
                chain: Chain::Feed(_),
                ..
            }
        ));
        assert!(matches!(
            integrity(person.own.audit_trail(&Quiet).await),
            IntegrityError::RolledBack {
                chain: Chain::Audit,
                ..
            }
        ));
        // Grown again to the same lengths it is another ledger, and that is noticed too.
        let second = world.device(1);
        let forked = second
            .client
            .unlock_with_phrase(&person.phrase)
            .await
            .unwrap();
        forked
            .add_compartment(&Label::named("Other"))
            .await
            .unwrap();
        assert!(matches!(
            integrity(
                person
                    .device
                    .client
                    .unlock_with_phrase(&person.phrase)
                    .await
            ),
            IntegrityError::Forked {
                chain: Chain::Ledger,
                ..
            }
        ));
    });
}

#[test]
fn a_lie_about_the_answer_to_an_update_is_noticed() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person
            .device
            .lies
            .alter::<salus_types::api::Head>("ledger_append", |head| {
                head.hash = Hash([1; 32]);
            });
        let lied = person.own.add_compartment(&Label::named("Teeth")).await;
        assert!(matches!(integrity(lied), IntegrityError::Forked { .. }));
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
fn a_replica_that_lags_is_asked_again_and_one_that_goes_on_so_is_not_believed() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person.write("one").await;
        person
            .own
            .records(person.compartment("Medicines"))
            .await
            .unwrap();
        let shown = person.device.client.account().await.unwrap().unwrap();
        let feed = shown.feeds.iter().find(|f| f.head.count == 1).unwrap();
        let earlier = salus_types::api::FeedPage {
            entries: Vec::new(),
            head: feed.head.clone(),
        };
        person.write("two").await;
        assert_eq!(person.titles().await.len(), 2);
        lag(&person, "feed_page", earlier.clone(), 2);
        assert_eq!(person.titles().await.len(), 2);
        lag(&person, "feed_page", earlier, 100);
        let rolled = person.own.records(person.compartment("Medicines")).await;
        assert!(matches!(
            integrity(rolled),
            IntegrityError::RolledBack {
                chain: Chain::Feed(_),
                known: 2,
                seen: 1
            }
        ));
        person.device.lies.stop();

        person.own.rotate_identity().await.unwrap();
        lag(&person, "account_show", shown.clone(), 1);
        person.own.refresh().await.unwrap();
        lag(&person, "account_show", shown, 100);
        assert!(matches!(
            integrity(person.own.refresh().await),
            IntegrityError::RolledBack {
                chain: Chain::Keys(_),
                known: 2,
                seen: 1
            }
        ));
    });
}
