//! Uploads in pieces: resumed, used, given up, expired.

use crate::api;
use crate::runtime::Call;
use crate::testing::*;
use salus_protocol::grant::{APPEND, READ, Scope};
use salus_protocol::statement::sha256;
use salus_protocol::version::{Part, part_root};
use salus_types::api::{PartSource, PieceRead, UploadBegin, UploadPiece};
use salus_types::{Error, GrantId, RecordId, UploadId};
use serde_bytes::ByteBuf;

fn send(vault: &mut TestVault, call: &Call, piece: UploadPiece) -> salus_types::Result<()> {
    api::upload_piece(vault, call, &piece.upload, piece.index, &piece.bytes)
}

const MIB: usize = 1 << 20;

fn begin(owner: &Person, size: usize, grant: Option<GrantId>) -> UploadBegin {
    UploadBegin {
        upload: UploadId([5; 16]),
        owner: owner.id,
        grant,
        size: size as u64,
    }
}

fn piece(index: u32, bytes: &[u8]) -> UploadPiece {
    UploadPiece {
        upload: UploadId([5; 16]),
        index,
        bytes: ByteBuf::from(bytes.to_vec()),
    }
}

fn content() -> Vec<u8> {
    (0..2 * MIB + 777).map(|i| (i / 4096) as u8).collect()
}

#[test]
fn an_upload_is_resumed_becomes_a_version_and_is_read_back() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let content = content();
    let call = alice.call();
    api::upload_begin(&mut vault, &call, begin(&alice, content.len(), None)).unwrap();
    let pieces: Vec<&[u8]> = content.chunks(MIB).collect();
    send(&mut vault, &call, piece(2, pieces[2])).unwrap();
    send(&mut vault, &call, piece(0, pieces[0])).unwrap();
    let status = api::upload_begin(&mut vault, &call, begin(&alice, content.len(), None)).unwrap();
    assert_eq!(status.received, [0, 2], "where to go on");
    send(&mut vault, &call, piece(0, pieces[0])).unwrap();
    let other = refused(&mut vault, |v| send(v, &call, piece(0, &vec![1; MIB])));
    assert_eq!(
        other,
        Error::Conflict {
            what: "piece".into()
        }
    );

    let record = RecordId(alice.fresh());
    let hashes: Vec<_> = pieces.iter().map(|p| sha256(p)).collect();
    let size = content.len() as u64;
    let mut version = alice.version(&alice, record, b"");
    version.parts = vec![Part {
        root: part_root(size, &hashes),
        size,
    }];
    let mut args = alice.add_args(&version, b"", 1);
    args.parts = vec![PartSource::Upload(UploadId([5; 16]))];
    let early = refused(&mut vault, |v| add_version(v, &call, args.clone()));
    assert!(matches!(early, Error::Invalid { .. }), "a piece is missing");
    send(&mut vault, &call, piece(1, pieces[1])).unwrap();
    let receipt = add_version(&mut vault, &call, args.clone()).unwrap();
    assert_eq!(add_version(&mut vault, &call, args).unwrap(), receipt);
    let mut read = Vec::new();
    for index in 0..3 {
        let get = PieceRead {
            owner: alice.id,
            grant: None,
            record,
            version: 1,
            part: 0,
            index,
        };
        read.extend_from_slice(&api::piece_read(&vault, &call, get).unwrap());
    }
    assert!(read == content);
    let gone = api::upload_status(&vault, &call, UploadId([5; 16])).unwrap_err();
    assert_eq!(gone, Error::NotFound);
    assert_eq!(vault.account(0).unwrap().open_uploads, 0);
}

#[test]
fn an_upload_by_unauthorized_is_refused() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let error = refused(&mut vault, |v| {
        api::upload_begin(v, &bob.call(), begin(&alice, 10, None))
    });
    assert_eq!(error, Error::NotFound);
    let reader = alice.give(&mut vault, &bob, Scope::Everything, READ);
    let args = begin(&alice, 10, Some(reader));
    let error = refused(&mut vault, |v| api::upload_begin(v, &bob.call(), args));
    assert_eq!(error, Error::NotFound, "may read, not append");
    api::upload_begin(&mut vault, &alice.call(), begin(&alice, 10, None)).unwrap();
    let error = refused(&mut vault, |v| send(v, &bob.call(), piece(0, &[1; 10])));
    assert_eq!(error, Error::NotFound, "a piece from who did not begin");
    let status = api::upload_status(&vault, &bob.call(), UploadId([5; 16]));
    assert_eq!(status.unwrap_err(), Error::NotFound);
    api::upload_abort(&mut vault, &bob.call(), UploadId([5; 16])).unwrap();
    api::upload_status(&vault, &alice.call(), UploadId([5; 16])).unwrap();
}

#[test]
fn revocation_stops_an_upload_half_way() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let grant = alice.give(&mut vault, &bob, Scope::Everything, APPEND);
    let args = begin(&alice, MIB + 1, Some(grant));
    api::upload_begin(&mut vault, &bob.call(), args).unwrap();
    send(&mut vault, &bob.call(), piece(0, &vec![1; MIB])).unwrap();
    alice.revoke(&mut vault, grant, None);
    let error = refused(&mut vault, |v| send(v, &bob.call(), piece(1, &[1])));
    assert_eq!(error, Error::NotFound);
}

#[test]
fn a_piece_of_the_wrong_place_or_length_is_refused() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    let call = alice.call();
    api::upload_begin(&mut vault, &call, begin(&alice, MIB + 10, None)).unwrap();
    for wrong in [
        piece(2, &[1; 10]),
        piece(1, &[1; 11]),
        piece(0, &[1; 10]),
        piece(1, &[]),
    ] {
        let error = refused(&mut vault, |v| send(v, &call, wrong));
        assert!(matches!(error, Error::Invalid { .. }));
    }
    let other_size = begin(&alice, MIB, None);
    let error = refused(&mut vault, |v| api::upload_begin(v, &call, other_size));
    assert_eq!(
        error,
        Error::Conflict {
            what: "upload".into()
        }
    );
    let mut huge = begin(&alice, 300 * MIB, None);
    huge.upload = UploadId([6; 16]);
    let error = refused(&mut vault, |v| api::upload_begin(v, &call, huge));
    assert!(matches!(error, Error::TooLarge { .. }));
}

#[test]
fn an_expired_upload_is_dropped_and_its_space_given_back() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    let call = alice.call();
    let size = 3 * MIB;
    api::upload_begin(&mut vault, &call, begin(&alice, size, None)).unwrap();
    for index in 0..3 {
        send(&mut vault, &call, piece(index, &vec![7; MIB])).unwrap();
    }
    let before = vault.account(0).unwrap().bytes - size as u64;
    let day = 24 * HOUR;
    assert!(!api::tend(&mut vault, NOW + day - 1).unwrap());
    assert_eq!(vault.account(0).unwrap().bytes, before + size as u64);
    let late = alice.call_at(NOW + day);
    let error = refused(&mut vault, |v| send(v, &late, piece(0, &vec![7; MIB])));
    assert!(matches!(error, Error::Expired { .. }));
    assert!(!api::tend(&mut vault, NOW + day).unwrap());
    let account = vault.account(0).unwrap();
    assert_eq!((account.bytes, account.open_uploads), (before, 0));
    assert_eq!(
        vault.store.extents.free_of_size(11).len(),
        3,
        "all space came back"
    );
}

#[test]
fn uploads_count_against_the_quota_and_their_number_is_limited() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    let before = vault.account(0).unwrap().bytes;
    vault.settings.account_quota = before + 1000;
    let call = alice.call();
    let error = refused(&mut vault, |v| {
        api::upload_begin(v, &call, begin(&alice, 1001, None))
    });
    assert_eq!(
        error,
        Error::QuotaExceeded {
            used: before,
            limit: before + 1000
        }
    );
    for n in 0..64 {
        let mut args = begin(&alice, 10, None);
        args.upload = UploadId([100 + n; 16]);
        api::upload_begin(&mut vault, &call, args).unwrap();
    }
    let error = refused(&mut vault, |v| {
        api::upload_begin(v, &call, begin(&alice, 10, None))
    });
    assert!(matches!(error, Error::TooMany { .. }));
    api::upload_abort(&mut vault, &call, UploadId([100; 16])).unwrap();
    api::upload_begin(&mut vault, &call, begin(&alice, 10, None)).unwrap();
    assert_eq!(vault.account(0).unwrap().bytes, before + 640);
}
