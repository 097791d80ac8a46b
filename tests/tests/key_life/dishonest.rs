//! Counterparties who hold their own keys and sign what does not fit: a patient whose grant says
//! something else than its envelope, an author whose statement says something else than the record.

use super::super::*;
use salus_tests::world::dishonest::{read_after, received_after};
use salus_types::Hash;

#[test]
fn a_grant_signed_anew_without_a_change_is_believed() {
    run(async {
        let received = received_after(|_, _| {}).await.unwrap();
        assert_eq!(received[0].purpose(), Some("treatment of a cough"));
    });
}

#[test]
fn a_grant_whose_envelope_names_another_purpose_is_refused() {
    run(async {
        let received = received_after(|_, contents| contents.purpose = "anything".into()).await;
        assert_eq!(integrity(received), IntegrityError::Grant("the purpose"));
        let received = received_after(|_, contents| contents.purpose_salt[0] ^= 1).await;
        assert_eq!(integrity(received), IntegrityError::Grant("the purpose"));
    });
}

fn defect_of(result: Result<(), ClientError>) -> &'static str {
    match integrity(result) {
        IntegrityError::Version { what, .. } => what,
        other => panic!("refused for something else: {other:?}"),
    }
}

#[test]
fn a_record_signed_anew_without_a_change_is_believed() {
    run(async { read_after(|_| {}).await.unwrap() });
}

#[test]
fn a_record_signed_over_another_plaintext_is_refused() {
    run(async {
        let read = read_after(|version| version.commitment = Hash([7; 32])).await;
        assert_eq!(defect_of(read), "its plaintext");
    });
}

#[test]
fn a_record_signed_over_other_ciphertext_is_refused() {
    run(async {
        let root = read_after(|version| version.parts[0].root = Hash([7; 32])).await;
        assert_eq!(defect_of(root), "a part");
        let size = read_after(|version| version.parts[0].size -= 1).await;
        assert_eq!(defect_of(size), "a part");
    });
}

#[test]
fn a_record_signed_over_other_keys_is_refused() {
    run(async {
        let descriptor = read_after(|version| version.descriptor_kid = Hash([7; 32])).await;
        assert_eq!(defect_of(descriptor), "its key");
        let content = read_after(|version| version.content_kid = Hash([7; 32])).await;
        assert_eq!(defect_of(content), "its key");
    });
}
