//! How ids and keys stand in CBOR: byte strings of their exact length. Private on purpose: a key
//! has no encoding outside what is sealed.

pub(crate) mod fixed {
    use minicbor::decode::{Decoder, Error};
    use minicbor::encode::{Encoder, Error as EncodeError, Write};

    pub(crate) fn encode<C, W: Write, T: AsRef<[u8]>>(
        value: &T,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        e.bytes(value.as_ref())?.ok()
    }

    pub(crate) fn decode<'b, C, const N: usize, T: From<[u8; N]>>(
        d: &mut Decoder<'b>,
        _: &mut C,
    ) -> Result<T, Error> {
        let at = d.position();
        let bytes: [u8; N] = d
            .bytes()?
            .try_into()
            .map_err(|_| Error::message("wrong length").at(at))?;
        Ok(T::from(bytes))
    }
}

pub(crate) mod id {
    pub(crate) use super::fixed::encode;
    use minicbor::decode::{Decoder, Error};

    pub(crate) fn decode<'b, C, T: From<[u8; 16]>>(
        d: &mut Decoder<'b>,
        ctx: &mut C,
    ) -> Result<T, Error> {
        super::fixed::decode::<C, 16, T>(d, ctx)
    }
}

pub(crate) mod hash {
    pub(crate) use super::fixed::encode;
    use minicbor::decode::{Decoder, Error};
    use salus_types::Hash;

    pub(crate) fn decode<'b, C>(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Hash, Error> {
        super::fixed::decode::<C, 32, Hash>(d, ctx)
    }
}

pub(crate) mod salt {
    pub(crate) use super::fixed::encode;
    use minicbor::decode::{Decoder, Error};

    pub(crate) fn decode<'b, C>(d: &mut Decoder<'b>, ctx: &mut C) -> Result<[u8; 32], Error> {
        super::fixed::decode::<C, 32, [u8; 32]>(d, ctx)
    }
}

pub(crate) mod key {
    use crate::key::Key;
    use minicbor::decode::{Decoder, Error};
    use minicbor::encode::{Encoder, Error as EncodeError, Write};

    pub(crate) fn encode<C, W: Write>(
        value: &Key,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        e.bytes(value.expose())?.ok()
    }

    pub(crate) fn decode<'b, C>(d: &mut Decoder<'b>, _: &mut C) -> Result<Key, Error> {
        let at = d.position();
        Key::from_slice(d.bytes()?).map_err(|_| Error::message("wrong length").at(at))
    }
}
