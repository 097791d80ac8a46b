//! A CBOR reader that is as strict as the interface specification asks for, and that needs no
//! more memory than a small multiple of what it reads. Knows nothing of what the values mean.

use serde_cbor::Value;
use std::collections::BTreeMap;

/// The self-describing tag, 55799.
const TAG: u64 = 55_799;
/// Deepest nesting; envelopes need seven.
const MAX_DEPTH: usize = 16;
/// Most values in one document; a read_state of 1,000 paths of 127 labels needs half of it.
const MAX_ITEMS: usize = 1 << 18;

/// Why bytes are not a CBOR document this node reads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CborError {
    /// The bytes end too early.
    #[error("malformed CBOR: the bytes end inside a value")]
    Short,
    /// There is more than one document.
    #[error("malformed CBOR: bytes after the value")]
    Trailing,
    /// A byte that begins nothing.
    #[error("malformed CBOR: {0:#04x} begins no value")]
    Initial(u8),
    /// A text that is none.
    #[error("malformed CBOR: a text is not UTF-8")]
    Utf8,
    /// A part of a string of unknown length that is another kind of string.
    #[error("malformed CBOR: a part of a string is not a string of its kind")]
    Part,
    /// The self-describing tag is missing.
    #[error("the self-describing tag 55799 is missing")]
    Untagged,
    /// Another tag.
    #[error("the tag {0} has no place here")]
    Tag(u64),
    /// A key that occurs twice.
    #[error("a key occurs twice in a map")]
    Duplicate,
    /// A key that is neither a text nor a whole number.
    #[error("a key of a map is neither a text nor a whole number")]
    Key,
    /// A floating-point number.
    #[error("floating-point numbers have no place here")]
    Float,
    /// Too deep.
    #[error("nested deeper than {MAX_DEPTH}")]
    Deep,
    /// Too many.
    #[error("more than {MAX_ITEMS} values")]
    Many,
}

/// Reads a document that begins with the self-describing tag.
pub(crate) fn parse_tagged(bytes: &[u8]) -> Result<Value, CborError> {
    let mut reader = Reader {
        rest: bytes,
        items: 0,
    };
    let (major, info) = reader.initial()?;
    if major != 6 || reader.argument(major, info)? != TAG {
        return Err(CborError::Untagged);
    }
    reader.whole()
}

/// Reads a document with or without the self-describing tag. The interface specification writes
/// requests with it; the IC's nodes take them without it too, and some agents leave it out.
pub(crate) fn parse_request(bytes: &[u8]) -> Result<Value, CborError> {
    parse_plain(bytes.strip_prefix(&[0xd9, 0xd9, 0xf7]).unwrap_or(bytes))
}

/// Reads a document without a tag: a COSE key.
pub(crate) fn parse_plain(bytes: &[u8]) -> Result<Value, CborError> {
    let mut reader = Reader {
        rest: bytes,
        items: 0,
    };
    reader.whole()
}

/// Whether every length a document claims can be true of the bytes that follow: what to ask before a
/// reader is trusted with it that makes room for what it is promised. Trees may be of any depth.
pub(crate) fn claims_hold(bytes: &[u8]) -> bool {
    let mut reader = Reader {
        rest: bytes,
        items: 0,
    };
    let mut awaited = 1_u64;
    while awaited > 0 {
        let Ok((major, info)) = reader.initial() else {
            return false;
        };
        let Ok(argument) = reader.argument(major, info) else {
            return false;
        };
        let within = match major {
            2 | 3 => match usize::try_from(argument) {
                Ok(len) if reader.take(len).is_ok() => 0,
                _ => return false,
            },
            4 => argument,
            5 => argument.saturating_mul(2),
            6 => 1,
            _ => 0,
        };
        awaited = (awaited - 1).saturating_add(within);
        // A value takes a byte at the least.
        if awaited > reader.rest.len() as u64 {
            return false;
        }
    }
    reader.rest.is_empty()
}

struct Reader<'a> {
    rest: &'a [u8],
    items: usize,
}

/// How long a string, array or map says it is; none when a break ends it.
type Length = Option<usize>;

impl<'a> Reader<'a> {
    fn whole(&mut self) -> Result<Value, CborError> {
        let value = self.value(0)?;
        if self.rest.is_empty() {
            Ok(value)
        } else {
            Err(CborError::Trailing)
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], CborError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(CborError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Major type and additional information.
    fn initial(&mut self) -> Result<(u8, u8), CborError> {
        let (&byte, rest) = self.rest.split_first().ok_or(CborError::Short)?;
        self.rest = rest;
        Ok((byte >> 5, byte & 0x1f))
    }

    fn argument(&mut self, major: u8, info: u8) -> Result<u64, CborError> {
        let len = match info {
            0..=23 => return Ok(info.into()),
            24..=27 => 1 << (info - 24),
            _ => return Err(CborError::Initial(major << 5 | info)),
        };
        let bytes = self.take(len)?;
        Ok(bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn length(&mut self, major: u8, info: u8) -> Result<Length, CborError> {
        if info == 31 {
            return Ok(None);
        }
        let len = self.argument(major, info)?;
        usize::try_from(len).map(Some).map_err(|_| CborError::Short)
    }

    /// Whether the break comes next, which is then read over.
    fn ended(&mut self) -> Result<bool, CborError> {
        match self.rest.split_first() {
            None => Err(CborError::Short),
            Some((0xff, rest)) => {
                self.rest = rest;
                Ok(true)
            }
            Some(_) => Ok(false),
        }
    }

    fn more(&mut self, length: Length, so_far: usize) -> Result<bool, CborError> {
        match length {
            Some(len) => Ok(so_far < len),
            None => Ok(!self.ended()?),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, CborError> {
        if depth > MAX_DEPTH {
            return Err(CborError::Deep);
        }
        self.items += 1;
        if self.items > MAX_ITEMS {
            return Err(CborError::Many);
        }
        let (major, info) = self.initial()?;
        Ok(match major {
            0 => Value::Integer(self.argument(major, info)?.into()),
            1 => Value::Integer(-1 - i128::from(self.argument(major, info)?)),
            2 => Value::Bytes(self.string(major, info)?),
            3 => {
                let bytes = self.string(major, info)?;
                Value::Text(String::from_utf8(bytes).map_err(|_| CborError::Utf8)?)
            }
            4 => self.array(info, depth)?,
            5 => self.map(info, depth)?,
            6 => return Err(CborError::Tag(self.argument(major, info)?)),
            _ => match info {
                20 => Value::Bool(false),
                21 => Value::Bool(true),
                // Null and undefined: both stand for what is not there.
                22 | 23 => Value::Null,
                25..=27 => return Err(CborError::Float),
                _ => return Err(CborError::Initial(major << 5 | info)),
            },
        })
    }

    fn string(&mut self, major: u8, info: u8) -> Result<Vec<u8>, CborError> {
        if let Some(len) = self.length(major, info)? {
            return Ok(self.take(len)?.to_vec());
        }
        let mut whole = Vec::new();
        while !self.ended()? {
            let (kind, info) = self.initial()?;
            if kind != major || info == 31 {
                return Err(CborError::Part);
            }
            let len = self.length(kind, info)?.unwrap_or(0);
            let part = self.take(len)?;
            if major == 3 && std::str::from_utf8(part).is_err() {
                return Err(CborError::Utf8);
            }
            whole.extend_from_slice(part);
        }
        Ok(whole)
    }

    fn array(&mut self, info: u8, depth: usize) -> Result<Value, CborError> {
        let length = self.length(4, info)?;
        // Grown as it is read: what a length says is not believed.
        let mut items = Vec::new();
        while self.more(length, items.len())? {
            items.push(self.value(depth + 1)?);
        }
        Ok(Value::Array(items))
    }

    fn map(&mut self, info: u8, depth: usize) -> Result<Value, CborError> {
        let length = self.length(5, info)?;
        let mut map = BTreeMap::new();
        while self.more(length, map.len())? {
            let key = self.value(depth + 1)?;
            if !matches!(key, Value::Text(_) | Value::Integer(_)) {
                return Err(CborError::Key);
            }
            let value = self.value(depth + 1)?;
            if map.insert(key, value).is_some() {
                return Err(CborError::Duplicate);
            }
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(hex: &str) -> Result<Value, CborError> {
        parse_plain(&hex::decode(hex).unwrap())
    }

    #[test]
    fn reads_what_is_cbor() {
        assert_eq!(plain("1bffffffffffffffff").unwrap(), u64::MAX.into());
        assert_eq!(plain("1800").unwrap(), 0_u64.into());
        assert_eq!(plain("26").unwrap(), Value::Integer(-7));
        assert_eq!(plain("4201ff").unwrap(), Value::Bytes(vec![1, 255]));
        assert_eq!(plain("5f41014102ff").unwrap(), Value::Bytes(vec![1, 2]));
        assert_eq!(plain("7f61616162ff").unwrap(), Value::Text("ab".into()));
        assert_eq!(plain("f6").unwrap(), plain("f7").unwrap());
        assert_eq!(plain("9f01ff").unwrap(), plain("8101").unwrap());
        assert_eq!(plain("bf616101ff").unwrap(), plain("a1616101").unwrap());
    }

    #[test]
    fn a_length_beyond_the_bytes_that_follow_does_not_hold() {
        let holds = |hex: &str| claims_hold(&hex::decode(hex).unwrap());
        for whole in [
            "00",
            "d9d9f7a0",
            "4201ff",
            "820102",
            "a1616101",
            "818181818180",
        ] {
            assert!(holds(whole), "{whole}");
        }
        let deep = [vec![0x81; 5_000], vec![0x80]].concat();
        assert!(claims_hold(&deep));
        let lying = [
            "",
            "18",
            "42ff",
            "8201",
            "a16161",
            "a1b991d1",
            "9bffffffffffffffff",
        ];
        for lying in lying
            .into_iter()
            .chain(["bbffffffffffffffff", "0000", "9fff", "1c"])
        {
            assert!(!holds(lying), "{lying}");
        }
    }

    #[test]
    fn refuses_what_is_not() {
        for (hex, error) in [
            ("", CborError::Short),
            ("18", CborError::Short),
            ("42ff", CborError::Short),
            ("5bffffffffffffffff", CborError::Short),
            ("9bffffffffffffffff", CborError::Short),
            ("9f01", CborError::Short),
            ("0000", CborError::Trailing),
            ("1c", CborError::Initial(0x1c)),
            ("1f", CborError::Initial(0x1f)),
            ("ff", CborError::Initial(0xff)),
            ("f8ff", CborError::Initial(0xf8)),
            ("61ff", CborError::Utf8),
            ("7f41ffff", CborError::Part),
            ("5f5f4100ffff", CborError::Part),
            ("a2616101616102", CborError::Duplicate),
            ("a201010102", CborError::Duplicate),
            ("a1410101", CborError::Key),
            ("f93c00", CborError::Float),
            ("fb3ff0000000000000", CborError::Float),
            ("c249010000000000000000", CborError::Tag(2)),
            ("d9d9f700", CborError::Tag(TAG)),
        ] {
            assert_eq!(plain(hex), Err(error), "{hex}");
        }
        assert_eq!(parse_tagged(&[0xa0]), Err(CborError::Untagged));
        assert_eq!(parse_tagged(&[0xc1, 0xa0]), Err(CborError::Untagged));
        assert!(parse_tagged(&[0xd9, 0xd9, 0xf7, 0xa0]).is_ok());
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let nested = |depth: usize| [vec![0x81; depth], vec![0]].concat();
        assert!(parse_plain(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(parse_plain(&nested(MAX_DEPTH + 1)), Err(CborError::Deep));
        assert_eq!(parse_plain(&nested(1 << 20)), Err(CborError::Deep));
        let mut many = vec![0x9f];
        many.resize(MAX_ITEMS + 2, 0);
        assert_eq!(parse_plain(&many), Err(CborError::Many));
    }
}
