//! Candid in and out of the entry points: bounds on what an argument may cost, and answers whose
//! type description is made once. Must not know any endpoint.

use candid::ser::{IDLBuilder, ValueSerializer};
use candid::types::{Serializer, Type};
use candid::utils::ArgumentDecoder;
use candid::{CandidType, DecoderConfig};
use salus_types::api::UploadPiece;
use serde::Deserialize;
use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;

/// What decoding an argument may cost: one per byte of a blob and a little per value, so what an
/// ingress message of 2 MiB can honestly hold fits, and a small message that unfolds does not.
const DECODING_QUOTA: usize = 4_000_000;
/// What may be skipped of values that the interface does not know.
const SKIPPING_QUOTA: usize = 10_000;

thread_local! {
    /// What precedes the values of an answer, per type of answer. Making it anew costs about
    /// 0.3 M instructions.
    static HEADERS: RefCell<HashMap<TypeId, Vec<u8>>> = RefCell::default();
}

fn quotas() -> DecoderConfig {
    let mut config = DecoderConfig::new();
    config
        .set_decoding_quota(DECODING_QUOTA)
        .set_skipping_quota(SKIPPING_QUOTA);
    config
}

fn arguments<'a, T: ArgumentDecoder<'a>>(bytes: &'a [u8]) -> candid::Result<T> {
    candid::utils::decode_args_with_config(bytes, &quotas())
}

/// The one argument of a call; traps on anything else.
pub(crate) fn one<T: CandidType + for<'a> Deserialize<'a>>(bytes: Vec<u8>) -> T {
    match arguments::<(T,)>(&bytes) {
        Ok((value,)) => value,
        Err(error) => ic_cdk::trap(format!("argument: {error}")),
    }
}

/// A piece of an upload with its bytes where they arrived.
#[derive(CandidType, Deserialize)]
struct Borrowed<'a> {
    upload: salus_types::UploadId,
    index: u32,
    #[serde(borrow)]
    bytes: &'a serde_bytes::Bytes,
}

/// The largest argument there is, as it arrived: its bytes stay in the message, which saves
/// copying a megabyte. On the wire it is an [`UploadPiece`].
pub(crate) struct ArrivedPiece {
    pub(crate) upload: salus_types::UploadId,
    pub(crate) index: u32,
    message: Vec<u8>,
    bytes: std::ops::Range<usize>,
}

impl ArrivedPiece {
    /// The piece's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.message.get(self.bytes.clone()).unwrap_or_default()
    }
}

impl CandidType for ArrivedPiece {
    fn _ty() -> Type {
        UploadPiece::_ty()
    }
    fn idl_serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<(), S::Error> {
        serializer.serialize_blob(self.bytes())
    }
}

/// As [`one`], for a piece of an upload.
pub(crate) fn piece(message: Vec<u8>) -> ArrivedPiece {
    let decoded = arguments::<(Borrowed<'_>,)>(&message).map(|(piece,)| {
        let start = (piece.bytes.as_ptr() as usize).saturating_sub(message.as_ptr() as usize);
        let end = start.saturating_add(piece.bytes.len());
        (piece.upload, piece.index, start..end)
    });
    match decoded {
        Ok((upload, index, bytes)) => ArrivedPiece {
            upload,
            index,
            message,
            bytes,
        },
        Err(error) => ic_cdk::trap(format!("argument: {error}")),
    }
}

fn encode<T: CandidType + 'static>(value: &T) -> candid::Result<Vec<u8>> {
    let mut values = ValueSerializer::new();
    value.idl_serialize(&mut values)?;
    let values = values.get_result();
    HEADERS.with_borrow_mut(|headers| {
        if let Some(header) = headers.get(&TypeId::of::<T>()) {
            return Ok([header.as_slice(), values].concat());
        }
        let whole = IDLBuilder::new().arg(value)?.serialize_to_vec()?;
        let header = whole.len().saturating_sub(values.len());
        let header = whole.get(..header).unwrap_or_default().to_vec();
        headers.insert(TypeId::of::<T>(), header);
        Ok(whole)
    })
}

/// The bytes of an update's answer.
pub(crate) fn answer<T: CandidType + 'static>(value: T) -> Vec<u8> {
    finish(encode(&value))
}

/// The bytes of a query's answer: what a query remembers is forgotten, so there is nothing to gain.
pub(crate) fn shown<T: CandidType>(value: T) -> Vec<u8> {
    finish(candid::encode_one(value))
}

fn finish(encoded: candid::Result<Vec<u8>>) -> Vec<u8> {
    let bytes = match encoded {
        Ok(bytes) => bytes,
        Err(error) => ic_cdk::trap(format!("answer: {error}")),
    };
    #[cfg(feature = "measured")]
    ic_cdk::api::debug_print(format!("measured {}", ic_cdk::api::performance_counter(0)));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use salus_types::api::{
        Filing, Head, PartSource, Placement, Signed, VersionAdd, VersionReceipt,
    };
    use salus_types::{CompartmentId, Error, Hash, Result, UploadId, limits};
    use serde_bytes::ByteBuf;

    #[test]
    fn answers_are_the_same_bytes_the_second_time() {
        for count in [1, 2, 3] {
            let value: Result<Head> = Ok(Head {
                count,
                hash: Hash([count as u8; 32]),
            });
            assert_eq!(encode(&value).unwrap(), candid::encode_one(&value).unwrap());
            let none: Result<VersionReceipt> = Err(Error::NotFound);
            assert_eq!(encode(&none).unwrap(), candid::encode_one(&none).unwrap());
        }
    }

    #[test]
    fn a_piece_decodes_to_exactly_its_bytes() {
        for len in [0, 1, 777, 1 << 20] {
            let sent = UploadPiece {
                upload: UploadId([3; 16]),
                index: 5,
                bytes: ByteBuf::from((0..len).map(|i| i as u8).collect::<Vec<_>>()),
            };
            let arrived = piece(candid::encode_one(&sent).unwrap());
            assert_eq!((arrived.upload, arrived.index), (sent.upload, sent.index));
            assert_eq!(arrived.bytes(), sent.bytes.as_slice());
        }
    }

    #[test]
    fn the_largest_honest_argument_decodes() {
        let piece = UploadPiece {
            upload: UploadId([1; 16]),
            index: 0,
            bytes: ByteBuf::from(vec![7; 1 << 20]),
        };
        let bytes = candid::encode_one(&piece).unwrap();
        let (decoded,) = arguments::<(UploadPiece,)>(&bytes).unwrap();
        assert_eq!(decoded, piece);
    }

    #[test]
    fn the_fullest_batch_decodes() {
        let version = |parts: Vec<PartSource>| VersionAdd {
            statement: Signed {
                statement: ByteBuf::from(vec![1; 1000]),
                signature: ByteBuf::from(vec![2; 64]),
            },
            descriptor: ByteBuf::from(vec![3; 1024]),
            parts,
            placement: Placement::Filed(Filing {
                compartment: CompartmentId([4; 16]),
                epoch: 1,
                wrap_descriptor: ByteBuf::from(vec![5; 104]),
                wrap_content: ByteBuf::from(vec![6; 104]),
            }),
        };
        let most = limits::BATCH_VERSIONS as usize;
        let each = limits::BATCH_BYTES as usize / most - 2400;
        let large = version(vec![PartSource::Inline(ByteBuf::from(vec![7; each]))]);
        let small = version(vec![
            PartSource::Upload(UploadId([8; 16]));
            limits::PARTS as usize
        ]);
        for batch in [vec![large; most], vec![small; most]] {
            let bytes = candid::encode_one(&batch).unwrap();
            let (decoded,) = arguments::<(Vec<VersionAdd>,)>(&bytes).unwrap();
            assert_eq!(decoded, batch);
        }
    }

    #[test]
    fn a_small_message_that_unfolds_is_refused() {
        // A record with an unknown field that holds millions of empty values.
        #[derive(CandidType)]
        struct Bomb {
            from: u64,
            extra: Vec<candid::Reserved>,
        }
        let bomb = Bomb {
            from: 1,
            extra: vec![candid::Reserved; 5_000_000],
        };
        let bytes = candid::encode_one(&bomb).unwrap();
        assert!(bytes.len() < 1000, "{} bytes", bytes.len());
        #[derive(CandidType, serde::Deserialize, Debug)]
        struct Wanted {
            from: u64,
        }
        arguments::<(Wanted,)>(&bytes).unwrap_err();
    }
}
