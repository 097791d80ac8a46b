//! Messages survive their bytes, and bytes that are none are refused.
use super::*;

#[test]
fn messages_come_back_as_they_went() {
    let request = Request {
        id: 7,
        intent: Intent::Unlock {
            with: Proof::Phrase(Secret("abandon ability".to_owned())),
            stay_unlocked: true,
        },
    };
    let bytes = encode(&request).unwrap();
    assert_eq!(decode::<Request>(&bytes), Ok(request));

    let message = Message::Reply {
        id: 7,
        result: Box::new(Err(Failure::new(
            FailureKind::TooLarge { limit: 9 },
            "piece",
        ))),
    };
    let bytes = encode(&message).unwrap();
    assert_eq!(decode::<Message>(&bytes), Ok(message));
}

#[test]
fn bytes_left_over_or_missing_are_refused() {
    let mut bytes = encode(&Request {
        id: 1,
        intent: Intent::Touch,
    })
    .unwrap();
    bytes.push(0);
    assert_eq!(decode::<Request>(&bytes), Err(Malformed::Unreadable));
    bytes.truncate(1);
    assert_eq!(decode::<Request>(&bytes), Err(Malformed::Unreadable));
    assert_eq!(decode::<Request>(&[]), Err(Malformed::Unreadable));
}

#[test]
fn a_phrase_is_never_printed() {
    let intent = Intent::CheckPhrase {
        words: vec![Secret("zebra".to_owned())],
    };
    assert!(!format!("{intent:?}").contains("zebra"));
}
