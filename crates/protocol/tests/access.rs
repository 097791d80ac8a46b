//! Which accesses a grant covers, against an oracle that knows nothing of the code: a generated
//! matrix of scopes, rights, times and accesses.

mod common;

use common::*;
use salus_protocol::grant::*;
use salus_types::{CompartmentId, RecordId};

const fn c(n: u8) -> CompartmentId {
    CompartmentId([n; 16])
}

const fn r(n: u8) -> RecordId {
    RecordId([n; 16])
}

const fn v(record: u8, version: u32) -> VersionRef {
    VersionRef {
        record: r(record),
        version,
    }
}

/// In words: read needs the read right and lies inside the scope; append likewise; single-record
/// grants never list compartments nor start records; nothing outside [not before, expires).
fn oracle(scope: &str, rights: u8, access: &str, now: u64) -> bool {
    let in_time = (1000..2000).contains(&now);
    let reads = rights & 1 != 0;
    let appends = rights & 2 != 0;
    let allowed = match (scope, access) {
        ("everything", "list 1" | "list 2" | "read 1/1" | "read 2/1") => reads,
        ("everything", "append" | "amend 1/1" | "amend 2/2") => appends,
        ("compartment 1", "list 1" | "read 1/1") => reads,
        ("compartment 1", "append" | "amend 1/1") => appends,
        ("record 1v1", "list records" | "read 1/1") => reads,
        ("record 1v1", "amend 1/1") => appends,
        _ => false,
    };
    in_time && allowed
}

#[test]
fn a_grant_covers_exactly_what_it_says() {
    let scopes = [
        ("everything", Scope::Everything),
        ("compartment 1", Scope::Compartments(vec![c(1)])),
        ("record 1v1", Scope::Records(vec![v(1, 1)])),
    ];
    let accesses = [
        ("list 1", Access::ListCompartment(c(1))),
        ("list 2", Access::ListCompartment(c(2))),
        ("list records", Access::ListRecords),
        ("read 1/1", Access::Read(c(1), v(1, 1))),
        ("read 2/1", Access::Read(c(2), v(2, 1))),
        ("append", Access::Append),
        ("amend 1/1", Access::Amend(c(1), r(1))),
        ("amend 2/2", Access::Amend(c(2), r(2))),
    ];
    let mut covered = 0;
    for (scope_name, scope) in &scopes {
        for rights in [READ, APPEND, READ | APPEND] {
            for (access_name, access) in accesses {
                for now in [0, 999, 1000, 1500, 1999, 2000, u64::MAX] {
                    let got = grant(scope.clone(), rights).covers(access, now).is_ok();
                    let expected = oracle(scope_name, rights, access_name, now);
                    assert_eq!(
                        got, expected,
                        "{scope_name} {rights} {access_name} at {now}"
                    );
                    covered += u32::from(got);
                }
            }
        }
    }
    assert!(covered > 50, "the matrix is not empty");
    // The second version of a record that was granted as it stood is not covered.
    let one = grant(Scope::Records(vec![v(1, 1)]), READ);
    assert_eq!(
        one.covers(Access::Read(c(1), v(1, 2)), 1500),
        Err(Denial::Scope)
    );
}

#[test]
fn unsound_grants_are_recognised() {
    let good = || grant(Scope::Compartments(vec![c(1)]), READ);
    assert!(good().is_well_formed());
    let mut cases: Vec<(&str, Grant)> = Vec::new();
    cases.push((
        "no rights",
        Grant {
            rights: 0,
            ..good()
        },
    ));
    cases.push((
        "unknown right",
        Grant {
            rights: 5,
            ..good()
        },
    ));
    cases.push((
        "ends before it begins",
        Grant {
            expires: 1000,
            ..good()
        },
    ));
    cases.push((
        "revision 0",
        Grant {
            revision: 0,
            ..good()
        },
    ));
    cases.push((
        "empty scope",
        Grant {
            scope: Scope::Compartments(vec![]),
            ..good()
        },
    ));
    cases.push((
        "repeated",
        Grant {
            scope: Scope::Compartments(vec![c(1), c(1)]),
            ..good()
        },
    ));
    cases.push((
        "key outside scope",
        Grant {
            scope: Scope::Compartments(vec![c(2)]),
            ..good()
        },
    ));
    cases.push((
        "keys without read",
        Grant {
            rights: APPEND,
            ..good()
        },
    ));
    cases.push((
        "epoch key for a record",
        Grant {
            scope: Scope::Records(vec![v(1, 1)]),
            ..good()
        },
    ));
    for (name, grant) in cases {
        assert!(!grant.is_well_formed(), "{name}");
    }
}

#[test]
fn only_single_records_that_may_be_read_are_followed() {
    let following = |scope, rights| Grant {
        follows: Some(true),
        ..grant(scope, rights)
    };
    let records = || Scope::Records(vec![v(1, 1)]);
    let good = following(records(), READ);
    assert!(good.is_well_formed() && good.follows());
    assert_eq!(
        good.covers(Access::Read(c(1), v(1, 2)), 1500),
        Err(Denial::Scope),
        "a later version is covered once a revision names it"
    );
    assert!(!following(records(), APPEND).is_well_formed());
    assert!(!following(Scope::Everything, READ).is_well_formed());
    assert!(!following(Scope::Compartments(vec![c(1)]), READ).is_well_formed());
    let said_twice = Grant {
        follows: Some(false),
        ..grant(records(), READ)
    };
    assert!(!said_twice.is_well_formed(), "one meaning, one encoding");
}
