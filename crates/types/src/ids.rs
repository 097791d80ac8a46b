//! Identifiers: a newtype for each, so that none can be passed for another.
//!
//! All ids but [`Hash`] are 16 random bytes made by the client that creates the thing, so that a
//! retried call names the same thing again. Text form: lower-case hexadecimal. In Candid a `blob`,
//! in CBOR a byte string.

use candid::CandidType;
use candid::types::{Serializer, Type, TypeInner};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer as SerdeSerializer};
use std::fmt;
use std::str::FromStr;

/// A text that is not the hexadecimal form of an id of the expected length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseIdError {
    /// Bytes the id has.
    pub expected: usize,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} hexadecimal digits", self.expected * 2)
    }
}

impl std::error::Error for ParseIdError {}

fn parse_hex<const N: usize>(text: &str) -> std::result::Result<[u8; N], ParseIdError> {
    let wrong = ParseIdError { expected: N };
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return Err(wrong);
    }
    let mut out = [0u8; N];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let mut value = 0u8;
        for digit in pair {
            let nibble = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                b'A'..=b'F' => digit - b'A' + 10,
                _ => return Err(wrong),
            };
            value = (value << 4) | nibble;
        }
        *byte = value;
    }
    Ok(out)
}

struct FixedBytes<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for FixedBytes<N> {
    type Value = [u8; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a blob of {N} bytes")
    }

    fn visit_bytes<E: de::Error>(self, v: &[u8]) -> std::result::Result<Self::Value, E> {
        v.try_into().map_err(|_| E::invalid_length(v.len(), &self))
    }

    fn visit_byte_buf<E: de::Error>(self, v: Vec<u8>) -> std::result::Result<Self::Value, E> {
        self.visit_bytes(&v)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl From<[u8; $len]> for $name {
            fn from(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> std::result::Result<Self, ParseIdError> {
                parse_hex(text).map(Self)
            }
        }

        impl CandidType for $name {
            fn _ty() -> Type {
                TypeInner::Vec(TypeInner::Nat8.into()).into()
            }
            fn idl_serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<(), S::Error> {
                serializer.serialize_blob(&self.0)
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> std::result::Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(
                d: &mut minicbor::Decoder<'b>,
                _: &mut C,
            ) -> std::result::Result<Self, minicbor::decode::Error> {
                let bytes = d.bytes()?;
                bytes
                    .try_into()
                    .map(Self)
                    .map_err(|_| minicbor::decode::Error::message("an id of another length"))
            }
        }

        impl Serialize for $name {
            fn serialize<S: SerdeSerializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                deserializer.deserialize_byte_buf(FixedBytes::<$len>).map(Self)
            }
        }
    };
}

id!(
    /// One person's or practice's account, on one vault.
    AccountId, 16
);
id!(
    /// A record; its versions are numbered from 1.
    RecordId, 16
);
id!(
    /// A patient's category. Its name is sealed.
    CompartmentId, 16
);
id!(
    /// A grant, kept across its re-issues.
    GrantId, 16
);
id!(
    /// A provider's request for access.
    RequestId, 16
);
id!(
    /// One way to unlock an account.
    SlotId, 16
);
id!(
    /// An upload in progress: one part of a version to be.
    UploadId, 16
);
id!(
    /// A patient's invitation: SHA-256 of its one-time code, cut to 16 bytes.
    InvitationId, 16
);
id!(
    /// A SHA-256 value.
    Hash, 32
);

impl CompartmentId {
    /// The drop box: where versions wait that their author could not file. Its feed is kept under
    /// this id, which no compartment may have.
    pub const DROP_BOX: Self = Self([0; 16]);
}
