//! Commitment and words made a second time from the format's text alone: bytes laid out by hand, bits
//! taken from a string.

use salus_protocol::ledger::SlotKind;
use salus_protocol::pairing::{Answer, Offer, PairingCode, Transcript};
use salus_types::{AccountId, Hash, SlotId};
use sha2::{Digest, Sha256};

/// A byte string's head and bytes.
fn bytes(value: &[u8]) -> Vec<u8> {
    let len = value.len();
    let mut out = match len {
        0..24 => vec![0x40 + len as u8],
        24..256 => vec![0x58, len as u8],
        _ => vec![0x59, (len >> 8) as u8, len as u8],
    };
    out.extend_from_slice(value);
    out
}

fn map(fields: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![0xa0 + fields.len() as u8];
    for (number, field) in fields.iter().enumerate() {
        out.push(number as u8);
        out.extend_from_slice(field);
    }
    out
}

fn hash(label: &str, text: &[u8]) -> Vec<u8> {
    let all = [label.as_bytes(), &[0], text].concat();
    Sha256::digest(all).to_vec()
}

#[test]
fn commitment_and_words_are_those_of_the_text() {
    let number = 0x00a5_a5a5_a5a5u64;
    let answer = Answer {
        vault: vec![1, 2, 3],
        code: PairingCode::new(number).unwrap().number(),
        account: AccountId([4; 16]),
        genesis: Hash([5; 32]),
        nonce: [6; 32],
    };
    let mut code = vec![0x1b];
    code.extend_from_slice(&number.to_be_bytes());
    let answered = map(&[
        bytes(&[1, 2, 3]),
        code,
        bytes(&[4; 16]),
        bytes(&[5; 32]),
        bytes(&[6; 32]),
    ]);
    let commitment = hash("salus/v1/pairing-commitment", &answered);
    assert_eq!(answer.commitment().0.as_slice(), commitment);

    let mut seen = std::collections::BTreeSet::new();
    for step in 0..64u8 {
        let offer = Offer {
            principal: vec![7; 29],
            slot: SlotId([8; 16]),
            kind: SlotKind::File,
            sealing: vec![9; 1216],
            anchor: vec![10; 104],
            nonce: [step; 32],
        };
        let offered = map(&[
            bytes(&[7; 29]),
            bytes(&[8; 16]),
            vec![4],
            bytes(&[9; 1216]),
            bytes(&[10; 104]),
            bytes(&[step; 32]),
        ]);
        let both = map(&[answered.clone(), offered]);
        let bits: String = hash("salus/v1/pairing-words", &both)
            .iter()
            .map(|byte| format!("{byte:08b}"))
            .collect();
        let places = [0, 11, 22, 33].map(|at| u16::from_str_radix(&bits[at..at + 11], 2).unwrap());
        let transcript = Transcript {
            answer: answer.clone(),
            offer,
        };
        assert_eq!(transcript.words(), places);
        seen.insert(places);
    }
    assert_eq!(seen.len(), 64);
}
