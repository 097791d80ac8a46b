//! 41, 42 and 44: what can be told from how long something takes or is, and from envelopes side by side.

use super::super::*;
use salus_client::{Label, NewSlot, PartDraft, Profile, Quiet, READ, Scope, SlotSecret, Wish};
use salus_crypto::pad::padded_len;
use salus_types::api::{LedgerAppend, Placement, RequestSend, VersionAdd};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Sources below a folder of the workspace, without their tests.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, out: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                out.push((path, code.to_owned()));
            }
        }
    }
    let mut out = Vec::new();
    walk(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(folder),
        &mut out,
    );
    assert!(!out.is_empty(), "{folder} has no sources");
    out
}

fn of<'a>(sources: &'a [(PathBuf, String)], file: &str) -> &'a str {
    let found = sources.iter().find(|(path, _)| path.ends_with(file));
    &found.unwrap().1
}

/// Time is not measured here; what is compared in constant time is read from the source.
#[test]
fn a41_timing_of_comparing_commitments_and_secrets() {
    let crypto = sources("crates/crypto/src");
    assert!(of(&crypto, "src/seal.rs").contains("commitment.ct_eq(claimed)"));
    let mut compared = BTreeSet::new();
    for (path, code) in &crypto {
        // A derived comparison ends at the first byte that differs.
        for (at, _) in code.match_indices("impl PartialEq for ") {
            let body = &code[at..];
            let name = body["impl PartialEq for ".len()..].split([' ', '<']).next();
            let body = &body[..body.find("\n}").unwrap()];
            assert!(body.contains("ct_eq"), "{}: {name:?}", path.display());
            compared.insert(name.unwrap());
        }
        for (at, _) in code.match_indices("ZeroizeOnDrop)]") {
            let line = code[..at].rfind("#[derive(").unwrap();
            let derives = &code[line..at];
            assert!(
                !derives.contains("PartialEq"),
                "{}: {derives}",
                path.display()
            );
        }
    }
    for name in ["Key", "SecretSeed"] {
        assert!(compared.contains(name), "{name} is compared by nothing");
    }
}

/// How long what someone sends by `method` is, each time.
fn lengths(person: &Person, method: &str) -> Rc<RefCell<Vec<usize>>> {
    let lengths = Rc::new(RefCell::new(Vec::new()));
    let ear = Rc::clone(&lengths);
    let hear = move |arg: &[u8]| ear.borrow_mut().push(arg.len());
    person.device.lies.overhear(method, hear);
    lengths
}

/// Lengths of texts that with all that goes with them fall into the first bucket of padding.
const SHORT: [usize; 6] = [1, 2, 30, 200, 300, 400];

fn of_length(len: usize) -> String {
    "x".repeat(len)
}

#[test]
fn a42_length_leaks_of_what_is_written() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let medicines = person.compartment("Medicines");
        // Titles, names and kinds of parts share a descriptor, and it is the same length for all these.
        let sent = lengths(&person, "versions_add");
        for len in SHORT {
            let part = [PartDraft::of_bytes(of_length(len / 4), "text/plain", "x")];
            let draft = draft(&of_length(len / 2));
            let add = person.own.add_record(medicines, &draft, &part, &Quiet);
            add.await.unwrap();
        }
        let seen: BTreeSet<usize> = sent.borrow().iter().copied().collect();
        assert_eq!(seen.len(), 1, "descriptors: {seen:?}");
        // Content: as many lengths as there are buckets, and each belongs to one.
        sent.borrow_mut().clear();
        let contents = [
            0, 1, 500, 1015, 1016, 1017, 1080, 1081, 5_000, 5_110, 9_000, 20_000,
        ];
        let mut buckets: BTreeMap<u64, BTreeSet<usize>> = BTreeMap::new();
        for len in contents {
            let part = [PartDraft::of_bytes("x", "text/plain", of_length(len))];
            let draft = draft("x");
            let add = person.own.add_record(medicines, &draft, &part, &Quiet);
            add.await.unwrap();
            let seen = sent.borrow_mut().pop().unwrap();
            buckets
                .entry(padded_len(len as u64))
                .or_default()
                .insert(seen);
        }
        // What says how long it is takes a byte or two more itself, in the descriptor.
        for (bucket, seen) in &buckets {
            assert_eq!(seen.len(), 1, "{bucket}: {seen:?}");
        }
        assert!(buckets.len() < contents.len());
    });
}

#[test]
fn a42_length_leaks_of_what_is_said_and_how_things_are_called() {
    run(async {
        let world = World::new();
        let (patient, doctor) = (world.person(1).await, world.person(2).await);
        let (asks, ops) = (
            lengths(&doctor, "request_send"),
            lengths(&patient, "ledger_append"),
        );
        let profiles = lengths(&patient, "profile_set");
        // An operation's number takes a byte more from the 24th on.
        let letters = patient.compartment("Letters");
        for _ in 0..24 {
            let label = Label::named("Letters");
            patient
                .own
                .rename_compartment(letters, &label)
                .await
                .unwrap();
        }
        let mut seen: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for len in SHORT {
            let words = of_length(len);
            let mut wish = ask(Wish::Everything, READ);
            wish.purpose.clone_from(&words);
            wish.requester_name = of_length(len / 8 + 1);
            let request = asked(&patient, &doctor, &wish).await;
            let sent = asks.borrow_mut().pop().unwrap();
            seen.entry("request").or_default().insert(sent);

            let given = salus_client::Terms {
                purpose: words.clone(),
                owner_name: Some(of_length(len / 8 + 1)),
                ..terms(Scope::Compartments(vec![letters]), READ)
            };
            patient.own.approve(&request, &given).await.unwrap();
            let sent = ops.borrow_mut().pop().unwrap();
            seen.entry("grant").or_default().insert(sent);

            let label = Label::named(of_length(len));
            patient
                .own
                .rename_compartment(letters, &label)
                .await
                .unwrap();
            let sent = ops.borrow_mut().pop().unwrap();
            seen.entry("compartment").or_default().insert(sent);

            let secret = SlotSecret::generate_for_file().unwrap();
            let slot = NewSlot::new(secret, words.clone()).unwrap();
            patient.own.add_slot(&slot).await.unwrap();
            let sent = ops.borrow_mut().pop().unwrap();
            seen.entry("slot").or_default().insert(sent);

            let profile = Profile {
                display_name: words,
                ..Profile::default()
            };
            patient.own.set_profile(&profile).await.unwrap();
            let sent = profiles.borrow_mut().pop().unwrap();
            seen.entry("profile").or_default().insert(sent);
        }
        for (what, lengths) in seen {
            assert_eq!(lengths.len(), 1, "{what}: {lengths:?}");
        }
    });
}

/// Encapsulated keys: what would be the same if a context sealed twice.
fn encapsulated(envelope: &[u8]) -> Vec<u8> {
    envelope[2..1122].to_vec()
}

#[test]
fn a44_reuse_of_an_hpke_context() {
    // There is none to be had: sealing is single-shot, in one place, which keeps nothing.
    for folder in [
        "crates/crypto/src",
        "crates/client/src",
        "canisters/vault/src",
    ] {
        for (path, code) in sources(folder) {
            for reusable in ["setup_sender", "setup_receiver", "AeadCtx"] {
                assert!(!code.contains(reusable), "{}: {reusable}", path.display());
            }
            let seals = code.contains("single_shot_seal");
            assert!(
                !seals || path.ends_with("hazmat/hpke.rs"),
                "{}",
                path.display()
            );
        }
    }
    run(async {
        let world = World::new();
        let (patient, doctor) = (world.person(1).await, world.person(2).await);
        let seen = Rc::new(RefCell::new(Vec::new()));
        let ear = |method, found: fn(&[u8]) -> Vec<Vec<u8>>| {
            for person in [&patient, &doctor] {
                let seen = Rc::clone(&seen);
                let hear = move |arg: &[u8]| seen.borrow_mut().extend(found(arg));
                person.device.lies.overhear(method, hear);
            }
        };
        ear("request_send", |arg| {
            let send: RequestSend = candid::decode_one(arg).unwrap();
            vec![encapsulated(&send.envelope)]
        });
        ear("ledger_append", |arg| {
            let append: LedgerAppend = candid::decode_one(arg).unwrap();
            let op: LedgerOp = canonical::decode(&append.op.statement).unwrap();
            let grants = append
                .grants
                .iter()
                .map(|grant| encapsulated(&grant.envelope));
            let slots = match &op.change {
                Change::AddSlot { slot } => vec![encapsulated(&slot.wrap)],
                Change::Rekey { slots, .. } => {
                    slots.iter().map(|slot| encapsulated(&slot.wrap)).collect()
                }
                _ => Vec::new(),
            };
            grants.chain(slots).collect()
        });
        ear("versions_add", |arg| {
            let versions: Vec<VersionAdd> = candid::decode_one(arg).unwrap();
            let placements = versions.iter().map(|version| &version.placement);
            let envelopes = placements.filter_map(|placement| match placement {
                Placement::DropBox { envelope, .. } => Some(encapsulated(envelope)),
                Placement::Filed(_) => None,
            });
            envelopes.collect()
        });
        // The same things to the same people, over and over.
        let rights = READ | salus_client::APPEND;
        let request = asked(&patient, &doctor, &ask(Wish::Everything, rights)).await;
        let given = terms(Scope::Everything, rights);
        patient.own.approve(&request, &given).await.unwrap();
        let grant = doctor.own.received().await.unwrap().remove(0);
        for _ in 0..3 {
            doctor.leave(&grant, "note").await;
            let teeth = Label::named("Teeth");
            patient.own.add_compartment(&teeth).await.unwrap();
            let secret = SlotSecret::from_file([7; 32]);
            let slot = NewSlot::new(secret, "").unwrap();
            patient.own.add_slot(&slot).await.unwrap();
            patient.own.remove_slots(&[slot.id]).await.unwrap();
        }
        let seen = seen.borrow();
        let distinct: BTreeSet<&Vec<u8>> = seen.iter().collect();
        assert!(seen.len() >= 1 + 1 + 3 * 4, "{}", seen.len());
        assert_eq!(
            distinct.len(),
            seen.len(),
            "an encapsulated key was used twice"
        );
    });
}
