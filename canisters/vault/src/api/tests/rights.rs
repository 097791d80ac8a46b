//! Generated rights: what random grants open is compared with an oracle that knows nothing of the
//! code: a plain reading of what was granted.

use crate::api;
use crate::testing::*;
use salus_protocol::grant::{APPEND, Conveyed, READ, Scope, VersionRef};
use salus_protocol::ledger::{Change, NewCompartment};
use salus_types::api::{
    FeedGet, Filing, PieceRead, Placement, RecordGet, ReleaseList, ReleaseOpen,
};
use salus_types::{CompartmentId, Hash, RecordId};
use serde_bytes::ByteBuf;

/// What one grant says, in the plainest terms.
struct Plain {
    everything: bool,
    compartments: Vec<CompartmentId>,
    records: Vec<RecordId>,
    read: bool,
    append: bool,
    from: u64,
    until: u64,
    revoked: bool,
}

impl Plain {
    fn live(&self, now: u64) -> bool {
        !self.revoked && self.from <= now && now < self.until
    }
    fn may_list(&self, compartment: CompartmentId, now: u64) -> bool {
        let inside = self.everything || self.compartments.contains(&compartment);
        self.live(now) && self.read && inside && compartment != CompartmentId::DROP_BOX
    }
    fn may_open(&self, record: RecordId, within: CompartmentId, now: u64) -> bool {
        let inside = self.everything
            || self.compartments.contains(&within)
            || self.records.contains(&record);
        self.live(now) && self.read && inside
    }
    fn may_leave_something_new(&self, now: u64) -> bool {
        self.live(now) && self.append && (self.everything || !self.compartments.is_empty())
    }
}

struct Scene {
    vault: TestVault,
    alice: Person,
    bob: Person,
    /// Records with the compartments they lie in.
    records: Vec<(RecordId, CompartmentId)>,
    compartments: Vec<CompartmentId>,
}

fn scene() -> Scene {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let mut compartments = vec![alice.compartment()];
    for n in [100, 101] {
        let id = CompartmentId([n; 16]);
        let compartment = NewCompartment {
            id,
            name: vec![1; 40],
            kid: Hash([4; 32]),
            wrap: vec![2; 100],
        };
        let change = Change::AddCompartment {
            compartment,
            reissues: Vec::new(),
        };
        alice.append(&mut vault, change, Vec::new()).unwrap();
        compartments.push(id);
    }
    let mut records = Vec::new();
    for compartment in &compartments {
        for _ in 0..2 {
            let record = RecordId(alice.fresh());
            let version = alice.version(&alice, record, b"content");
            let mut args = alice.add_args(&version, b"content", 1);
            args.placement = Placement::Filed(Filing {
                compartment: *compartment,
                epoch: 1,
                wrap_descriptor: ByteBuf::from(vec![1; 10]),
                wrap_content: ByteBuf::from(vec![2; 10]),
            });
            add_version(&mut vault, &alice.call(), args).unwrap();
            records.push((record, *compartment));
        }
    }
    Scene {
        vault,
        alice,
        bob,
        records,
        compartments,
    }
}

#[test]
fn what_grants_open_is_what_they_say() {
    let mut random = Seeded::from_clock("rights");
    let mut scene = scene();
    for round in 0..60 {
        let rights = [READ, APPEND, READ | APPEND][random.below(3) as usize];
        let mut plain = Plain {
            everything: false,
            compartments: Vec::new(),
            records: Vec::new(),
            read: rights & READ != 0,
            append: rights & APPEND != 0,
            from: NOW + random.below(3),
            until: NOW + 3 + random.below(3),
            revoked: false,
        };
        let scope = match random.below(3) {
            0 => {
                plain.everything = true;
                Scope::Everything
            }
            1 => {
                let mut some = scene.compartments.clone();
                some.retain(|_| random.below(2) == 0);
                if some.is_empty() {
                    some.push(scene.compartments[1]);
                }
                some.sort_unstable();
                plain.compartments.clone_from(&some);
                Scope::Compartments(some)
            }
            _ => {
                let mut some: Vec<RecordId> = scene.records.iter().map(|r| r.0).collect();
                some.retain(|_| random.below(2) == 0);
                if some.is_empty() {
                    some.push(scene.records[0].0);
                }
                some.sort_unstable();
                plain.records.clone_from(&some);
                let named = |record: &RecordId| VersionRef {
                    record: *record,
                    version: 1,
                };
                Scope::Records(some.iter().map(named).collect())
            }
        };
        let mut grant = scene.alice.grant(&scene.bob, scope.clone(), rights);
        grant.not_before = plain.from;
        grant.expires = plain.until;
        if let (Scope::Records(list), true) = (&scope, plain.read) {
            let convey = |version: &VersionRef| Conveyed::Version {
                version: *version,
                descriptor: Hash([1; 32]),
                content: Hash([2; 32]),
            };
            grant.conveys = list.iter().map(convey).collect();
        } else {
            // Epochs need not be conveyed for the vault's decisions, and would have to be advanced
            // when the grant is revoked.
            grant.conveys.clear();
        }
        let id = scene.alice.give_grant(&mut scene.vault, &grant).unwrap();
        if random.below(4) == 0 {
            scene.alice.revoke(&mut scene.vault, id, None);
            plain.revoked = true;
        }
        for now in NOW..NOW + 7 {
            check(&mut scene, &plain, id, now, round);
        }
    }
}

fn check(scene: &mut Scene, plain: &Plain, grant: salus_types::GrantId, now: u64, round: u32) {
    let call = scene.bob.call_at(now);
    let owner = scene.alice.id;
    let vault = &mut scene.vault;
    let mut places = scene.compartments.clone();
    places.push(CompartmentId::DROP_BOX);
    places.push(CompartmentId([222; 16]));
    for compartment in places {
        let known = scene.compartments.contains(&compartment);
        let expected = known && plain.may_list(compartment, now);
        let list = ReleaseList {
            owner,
            grant,
            compartment: Some(compartment),
            cursor: None,
            limit: None,
        };
        let listed = api::release_list(vault, &call, list);
        assert_eq!(
            listed.is_ok(),
            expected,
            "list {compartment} at {now} in round {round}"
        );
        let get = FeedGet {
            owner,
            grant: Some(grant),
            compartment,
            from: 0,
        };
        let followed = api::feed_page(vault, &call, get);
        assert_eq!(
            followed.is_ok(),
            expected,
            "follow {compartment} at {now} in round {round}"
        );
    }
    let list = ReleaseList {
        owner,
        grant,
        compartment: None,
        cursor: None,
        limit: None,
    };
    let named = plain.live(now) && plain.read && !plain.records.is_empty();
    assert_eq!(
        api::release_list(vault, &call, list).is_ok(),
        named,
        "list named at {now}"
    );
    for (record, within) in scene.records.clone() {
        let expected = plain.may_open(record, within, now);
        let records = vec![RecordGet {
            record,
            version: Some(1),
        }];
        let opened = api::release_open(
            vault,
            &call,
            ReleaseOpen {
                owner,
                grant,
                records,
            },
        );
        assert_eq!(
            opened.is_ok(),
            expected,
            "open {record} at {now} in round {round}"
        );
        let piece = PieceRead {
            owner,
            grant: Some(grant),
            record,
            version: 1,
            part: 0,
            index: 0,
        };
        let read = api::piece_read(vault, &call, piece);
        assert_eq!(
            read.is_ok(),
            expected,
            "read {record} at {now} in round {round}"
        );
    }
    let fresh = RecordId(scene.bob.fresh_among(now, grant));
    let version = scene.bob.version(&scene.alice, fresh, b"note");
    let args = scene.bob.drop_args(&scene.alice, &version, grant, b"note");
    let left = add_version(vault, &call, args);
    let expected = plain.may_leave_something_new(now);
    assert_eq!(
        left.is_ok(),
        expected,
        "append at {now} in round {round}: {left:?}"
    );
}
