//! Length hiding.

use crate::fixture::*;
use salus_crypto::OpenError;
use salus_crypto::pad::{MIN_LEN, PREFIX_LEN, Unpadder, pad, padded_len, unpad};

const LENGTHS: [usize; 10] = [0, 1, 7, 8, 1015, 1016, 1017, 5_000, 16_384, 100_001];

fn streamed(padded: &[u8], piece: usize) -> Result<Vec<u8>, OpenError> {
    let mut unpadder = Unpadder::new();
    let mut out = Vec::new();
    for piece in padded.chunks(piece) {
        out.extend_from_slice(unpadder.update(piece));
    }
    unpadder.finish()?;
    Ok(out)
}

fn refused(padded: &[u8]) {
    assert_eq!(unpad(padded), Err(OpenError::Padding));
    for piece in [1, 8, 9, 4096] {
        assert_eq!(streamed(padded, piece), Err(OpenError::Padding));
    }
}

#[test]
fn unpads_what_it_padded() {
    for len in LENGTHS {
        let text = stream("pad", len);
        let padded = pad(&text);
        assert_eq!(padded.len() as u64, padded_len(len as u64));
        assert_eq!(unpad(&padded).unwrap(), text);
        for piece in [1, 7, 8, 9, 1000, 1 << 20] {
            assert_eq!(streamed(&padded, piece).unwrap(), text);
        }
    }
}

#[test]
fn padded_lengths_are_as_published() {
    // ⌊log2 L⌋ = E, ⌊log2 E⌋ + 1 bits kept after the leading one.
    for (len, padded) in [
        (0, 1024),
        (1016, 1024),
        (1017, 1088),
        (2040, 2048),
        (2041, 2176),
        (7_928, 7_936),
        (7_929, 8_192),
        (1_000_000, 1_015_808),
        (268_435_448, 268_435_456),
    ] {
        assert_eq!(padded_len(len), padded, "{len}");
    }
}

#[test]
fn padding_is_monotone_idempotent_and_cheap() {
    let mut before = 0;
    let mut len = 0u64;
    while len < 1 << 36 {
        let padded = padded_len(len);
        assert!(padded >= before && padded >= MIN_LEN && padded >= len + PREFIX_LEN as u64);
        assert!(len < 2_000 || padded <= len + len / 8, "{len} {padded}");
        assert_eq!(
            padded_len(padded - PREFIX_LEN as u64),
            padded,
            "a bucket's end stays"
        );
        before = padded;
        len += 1 + len / 1_001;
    }
    assert!(padded_len(u64::MAX) >= padded_len(u64::MAX - 1));
}

#[test]
fn few_lengths_remain_visible() {
    let lengths: std::collections::HashSet<_> = (0..1u64 << 20).map(padded_len).collect();
    // 16 steps in each octave from 2^10, 32 from 2^16.
    assert_eq!(lengths.len(), 6 * 16 + 4 * 32 + 2);
}

#[test]
fn padding_that_is_not_zero_is_refused() {
    let padded = pad(&stream("pad", 500));
    for byte in [PREFIX_LEN + 500, 700, padded.len() - 1] {
        refused(&flipped(&padded, byte * 8));
    }
}

#[test]
fn a_length_that_does_not_call_for_this_padding_is_refused() {
    let text = stream("pad", 5_000);
    let padded = pad(&text);
    refused(&padded[..padded.len() - 1]);
    refused(&[padded.as_slice(), &[0]].concat());
    refused(&[padded.as_slice(), &[0; 4096]].concat());
    refused(&padded[..4]);
    refused(&[]);
    for claim in [0, 4_000, 6_000, u64::MAX, u64::MAX - 8, 1 << 63] {
        let mut other = padded.to_vec();
        other[..8].copy_from_slice(&claim.to_be_bytes());
        refused(&other);
    }
}

#[test]
fn a_shorter_length_over_text_is_refused() {
    // 4,999 pads to the same length as 5,000, but leaves a byte of text where zero must be.
    let mut padded = pad(&[1; 5_000]).to_vec();
    padded[..8].copy_from_slice(&4_999u64.to_be_bytes());
    refused(&padded);
}
