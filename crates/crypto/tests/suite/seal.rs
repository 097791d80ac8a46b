//! Chunked sealing: round trips and refusals.

use crate::fixture::*;
use salus_crypto::seal::{
    HEADER_LEN, Opener, SEALED_CHUNK_LEN, Sealer, open, plaintext_len, seal, sealed_len,
};
use salus_crypto::{OpenError, context, hazmat};

const LENGTHS: [usize; 9] = [0, 1, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 50_000];

fn whole(len: usize) -> (Vec<u8>, Vec<u8>) {
    let text = stream("text", len);
    let sealed = seal(&key("k"), &context::content(&at(), 0), &text).unwrap();
    (text, sealed)
}

fn refused(sealed: &[u8]) -> OpenError {
    let context = context::content(&at(), 0);
    let error = open(&key("k"), &context, sealed).unwrap_err();
    // The incremental opener refuses too, however the text is cut.
    for piece in [1 << 20, 16_400, 999] {
        if let Ok(opened) = streamed(sealed, piece) {
            panic!("opened {} bytes in pieces of {piece}", opened.len());
        }
    }
    error
}

fn streamed(sealed: &[u8], piece: usize) -> Result<Vec<u8>, OpenError> {
    let header = sealed.get(..HEADER_LEN).ok_or(OpenError::TooShort)?;
    let mut opener = Opener::new(&key("k"), &context::content(&at(), 0), header)?;
    let mut out = Vec::new();
    for piece in sealed[HEADER_LEN..].chunks(piece) {
        out.extend(opener.update(piece)?);
    }
    out.extend(opener.finish()?);
    Ok(out)
}

#[test]
fn opens_what_it_sealed_at_every_length_around_a_chunk() {
    for len in LENGTHS {
        let (text, sealed) = whole(len);
        assert_eq!(sealed.len() as u64, sealed_len(len as u64));
        assert_eq!(plaintext_len(sealed.len() as u64), Some(len as u64));
        assert_eq!(
            open(&key("k"), &context::content(&at(), 0), &sealed).unwrap(),
            text
        );
        for piece in [1 << 20, 16_400, 16_399, 777] {
            assert_eq!(streamed(&sealed, piece).unwrap(), text);
        }
    }
}

#[test]
fn sealing_in_pieces_gives_the_same_bytes() {
    let context = context::content(&at(), 0);
    for len in LENGTHS {
        let text = stream("text", len);
        let expected =
            hazmat::seal::seal_with_salt(&key("k"), context.as_bytes(), &text, bytes("salt"))
                .unwrap();
        for piece in [1, 100, 16_383, 16_384, 16_385, 1 << 20] {
            if piece == 1 && len > 20_000 {
                continue;
            }
            let mut sealer =
                hazmat::seal::sealer_with_salt(&key("k"), context.as_bytes(), bytes("salt"));
            let mut out = sealer.header().to_vec();
            for piece in text.chunks(piece) {
                out.extend(sealer.update(piece).unwrap());
            }
            out.extend(sealer.finish().unwrap());
            assert!(out == expected, "length {len} in pieces of {piece}");
        }
    }
}

#[test]
fn two_seals_of_one_text_differ() {
    let context = context::content(&at(), 0);
    let headers: std::collections::HashSet<_> = (0..100)
        .map(|_| Sealer::new(&key("k"), &context).unwrap().header())
        .collect();
    assert_eq!(headers.len(), 100);
}

#[test]
fn any_chunk_opens_by_itself_and_only_in_its_place() {
    let context = context::content(&at(), 0);
    let (text, sealed) = whole(50_000);
    let total = sealed.len() as u64;
    let opener = Opener::new(&key("k"), &context, &sealed[..HEADER_LEN]).unwrap();
    let chunks: Vec<_> = sealed[HEADER_LEN..].chunks(SEALED_CHUNK_LEN).collect();
    assert_eq!(chunks.len(), 4);
    for (i, chunk) in chunks.iter().enumerate().rev() {
        let expected = &text[i * 16_384..(i * 16_384 + 16_384).min(text.len())];
        assert_eq!(opener.open_chunk(i as u64, total, chunk).unwrap(), expected);
        for other in (0..6).filter(|other| *other != i as u64) {
            let damaged = OpenError::Damaged { chunk: other };
            assert_eq!(opener.open_chunk(other, total, chunk), Err(damaged));
        }
    }
    // A total that would make a middle chunk the last, or hide that one is missing.
    let short = total - 1;
    assert!(opener.open_chunk(3, short, chunks[3]).is_err());
    assert!(opener.open_chunk(u64::MAX, total, chunks[0]).is_err());
    let cut_total = (HEADER_LEN + 2 * SEALED_CHUNK_LEN) as u64;
    assert!(
        opener.open_chunk(0, cut_total, chunks[0]).is_err(),
        "no text has that length"
    );
}

#[test]
fn no_sealed_text_has_an_impossible_length() {
    for sealed in [
        0,
        1,
        55,
        56,
        71,
        56 + 16_400,
        56 + 16_400 + 15,
        56 + 2 * 16_400,
    ] {
        assert_eq!(plaintext_len(sealed), None, "{sealed}");
    }
    for len in 0..70_000u64 {
        assert_eq!(plaintext_len(sealed_len(len)), Some(len));
    }
}

#[test]
fn a_flipped_bit_is_refused_in_every_region() {
    let (_, sealed) = whole(20_000);
    let regions = [
        ("salt", 0..24, OpenError::WrongKeyOrContext),
        ("commitment", 24..56, OpenError::WrongKeyOrContext),
        ("first chunk", 56..16_440, OpenError::Damaged { chunk: 0 }),
        ("first tag", 16_440..16_456, OpenError::Damaged { chunk: 0 }),
        (
            "last chunk",
            16_456..sealed.len() - 16,
            OpenError::Damaged { chunk: 1 },
        ),
        (
            "last tag",
            sealed.len() - 16..sealed.len(),
            OpenError::Damaged { chunk: 1 },
        ),
    ];
    for (name, range, expected) in regions {
        for byte in [range.start, range.start + range.len() / 2, range.end - 1] {
            for bit in 0..8 {
                let damaged = flipped(&sealed, byte * 8 + bit);
                let error = open(&key("k"), &context::content(&at(), 0), &damaged);
                assert_eq!(error, Err(expected), "{name}, byte {byte}, bit {bit}");
            }
        }
        refused(&flipped(&sealed, range.start * 8));
    }
}

#[test]
fn a_text_cut_at_or_around_every_boundary_is_refused() {
    let (_, sealed) = whole(40_000);
    let mut cuts = vec![0, 1, 23, 24, 55, 56, 57, 71, 72];
    for chunk in 0..3 {
        let start = HEADER_LEN + chunk * SEALED_CHUNK_LEN;
        cuts.extend([start, start + 1, start + 15, start + 16, start + 17]);
    }
    cuts.extend([sealed.len() - 17, sealed.len() - 16, sealed.len() - 1]);
    for cut in cuts {
        refused(&sealed[..cut]);
    }
}

#[test]
fn a_text_of_whole_chunks_without_its_empty_last_one_is_refused() {
    let (_, sealed) = whole(32_768);
    assert_eq!(
        refused(&sealed[..sealed.len() - 16]),
        OpenError::Damaged { chunk: 2 }
    );
}

#[test]
fn an_extended_text_is_refused() {
    for len in [0, 100, 16_384] {
        let (_, sealed) = whole(len);
        for more in [1, 15, 16, 17, 16_400] {
            refused(&[sealed.clone(), vec![0; more]].concat());
            refused(
                &[
                    sealed.clone(),
                    sealed[sealed.len() - more.min(16)..].to_vec(),
                ]
                .concat(),
            );
        }
    }
}

#[test]
fn reordered_repeated_and_dropped_chunks_are_refused() {
    let (_, sealed) = whole(50_000);
    let header = &sealed[..HEADER_LEN];
    let c: Vec<_> = sealed[HEADER_LEN..].chunks(SEALED_CHUNK_LEN).collect();
    for order in [
        vec![1, 0, 2, 3],
        vec![0, 2, 1, 3],
        vec![0, 1, 1, 2, 3],
        vec![0, 1, 3],
        vec![1, 2, 3],
        vec![3],
        vec![3, 0, 1, 2],
    ] {
        let mut text = header.to_vec();
        order.iter().for_each(|i| text.extend_from_slice(c[*i]));
        refused(&text);
    }
}

#[test]
fn a_chunk_of_another_text_under_the_same_key_is_refused() {
    let (_, one) = whole(20_000);
    let (_, other) = whole(20_000);
    let spliced = [
        &one[..HEADER_LEN + SEALED_CHUNK_LEN],
        &other[HEADER_LEN + SEALED_CHUNK_LEN..],
    ];
    assert_eq!(refused(&spliced.concat()), OpenError::Damaged { chunk: 1 });
    let header = [&one[..HEADER_LEN], &other[HEADER_LEN..]];
    assert_eq!(refused(&header.concat()), OpenError::Damaged { chunk: 0 });
}

#[test]
fn a_wrong_commitment_is_refused_though_every_chunk_is_right() {
    let (_, mut sealed) = whole(100);
    sealed[24..56].copy_from_slice(&[0; 32]);
    assert_eq!(refused(&sealed), OpenError::WrongKeyOrContext);
}

#[test]
fn another_key_or_context_is_refused_before_any_chunk_is_touched() {
    let (_, mut sealed) = whole(100);
    let last = sealed.len() - 1;
    sealed[last] ^= 1;
    let context = context::content(&at(), 0);
    let other = context::content(&at(), 1);
    assert_eq!(
        open(&key("x"), &context, &sealed),
        Err(OpenError::WrongKeyOrContext)
    );
    assert_eq!(
        open(&key("k"), &other, &sealed),
        Err(OpenError::WrongKeyOrContext)
    );
}

#[test]
fn an_opener_that_failed_goes_on_failing() {
    let (_, sealed) = whole(50_000);
    let context = context::content(&at(), 0);
    let damaged = flipped(&sealed, (HEADER_LEN + 5) * 8);
    let mut opener = Opener::new(&key("k"), &context, &sealed[..HEADER_LEN]).unwrap();
    let error = Err(OpenError::Damaged { chunk: 0 });
    assert_eq!(
        opener.update(&damaged[HEADER_LEN..HEADER_LEN + SEALED_CHUNK_LEN]),
        error
    );
    // The right bytes come too late.
    assert_eq!(opener.update(&sealed[HEADER_LEN..]), error);
    assert_eq!(opener.finish(), error);
}
