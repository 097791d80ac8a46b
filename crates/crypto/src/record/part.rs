//! A version's parts: content and attachments, padded and sealed as they stream by.

use crate::context::{self, VersionScope};
use crate::error::{OpenError, SealError};
use crate::kdf::derive_key;
use crate::key::Key;
use crate::pad::{self, Unpadder};
use crate::seal::{self, HEADER_LEN, Opener, SALT_LEN, Sealer};
use salus_types::Hash;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const ZEROS: [u8; 4096] = [0; 4096];

/// Bytes a part may have: the longest whose padded and sealed form the vault takes.
pub const PART_LIMIT: u64 = (256 << 20) - pad::PREFIX_LEN as u64;

/// Bytes of the sealed form of a part of this length.
pub const fn sealed_part_len(len: u64) -> u64 {
    seal::sealed_len(pad::padded_len(len))
}

/// A part, sealed in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedPart {
    /// The sealed part.
    pub sealed: Vec<u8>,
    /// SHA-256 of the part without padding, for the author's commitment.
    pub plaintext: Hash,
}

/// A part, opened in one go.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenedPart {
    /// The part.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Its SHA-256, for the author's commitment.
    pub plaintext: Hash,
}

/// Seals a part in one go.
///
/// # Errors
/// [`SealError::TooLarge`] above [`PART_LIMIT`]; [`SealError::Random`].
pub fn seal_part(
    key: &Key,
    at: &VersionScope<'_>,
    part: u32,
    bytes: &[u8],
) -> Result<SealedPart, SealError> {
    let mut sealer = PartSealer::new(key, at, part, bytes.len() as u64)?;
    let mut sealed = sealer.update(bytes)?;
    let (last, plaintext) = sealer.finish()?;
    sealed.extend_from_slice(&last);
    Ok(SealedPart { sealed, plaintext })
}

/// Opens a part in one go.
///
/// # Errors
/// [`OpenError`]
pub fn open_part(
    key: &Key,
    at: &VersionScope<'_>,
    part: u32,
    sealed: &[u8],
) -> Result<OpenedPart, OpenError> {
    let padded = Zeroizing::new(seal::open(key, &context::content(at, part), sealed)?);
    let bytes = Zeroizing::new(pad::unpad(&padded)?.to_vec());
    let plaintext = Hash(Sha256::digest(bytes.as_slice()).into());
    Ok(OpenedPart { bytes, plaintext })
}

/// Seals a part that streams by; gives the sealed part from its first byte.
pub struct PartSealer {
    sealer: Sealer,
    header: Option<[u8; HEADER_LEN]>,
    hash: Sha256,
    announced: Option<Hash>,
    len: u64,
    left: u64,
}

impl PartSealer {
    /// Begins a part of `len` bytes with a fresh random salt.
    ///
    /// # Errors
    /// [`SealError::TooLarge`] above [`PART_LIMIT`]; [`SealError::Random`].
    pub fn new(key: &Key, at: &VersionScope<'_>, part: u32, len: u64) -> Result<Self, SealError> {
        let sealer = Sealer::new(key, &context::content(at, part))?;
        Self::begin(sealer, len, None)
    }

    /// Begins a part whose upload can be resumed: the salt is derived from the key and from the
    /// plaintext's SHA-256, so that the same part gives the same bytes again and another part never
    /// shares a nonce with it. Compute the hash from the very bytes that are about to be sealed,
    /// also when resuming.
    ///
    /// # Errors
    /// [`SealError::TooLarge`] above [`PART_LIMIT`]. [`SealError::Changed`] comes from [`Self::finish`] if the bytes were others.
    pub fn resumable(
        key: &Key,
        at: &VersionScope<'_>,
        part: u32,
        len: u64,
        plaintext: Hash,
    ) -> Result<Self, SealError> {
        let derived = derive_key(key, &context::content_salt(at, part, plaintext, len));
        let mut salt = [0; SALT_LEN];
        salt.copy_from_slice(&derived.expose()[..SALT_LEN]);
        let sealer = Sealer::with_salt(key, context::content(at, part).as_bytes(), salt);
        Self::begin(sealer, len, Some(plaintext))
    }

    fn begin(mut sealer: Sealer, len: u64, announced: Option<Hash>) -> Result<Self, SealError> {
        if len > PART_LIMIT {
            let limit = PART_LIMIT;
            return Err(SealError::TooLarge { size: len, limit });
        }
        let header = Some(sealer.header());
        // Eight bytes never complete a chunk.
        sealer.update(&len.to_be_bytes())?;
        Ok(Self {
            sealer,
            header,
            hash: Sha256::new(),
            announced,
            len,
            left: len,
        })
    }

    /// Takes more of the part; gives more of the sealed part.
    ///
    /// # Errors
    /// [`SealError::WrongLength`] if it is more than was announced.
    pub fn update(&mut self, bytes: &[u8]) -> Result<Vec<u8>, SealError> {
        self.left = self
            .left
            .checked_sub(bytes.len() as u64)
            .ok_or(SealError::WrongLength)?;
        self.hash.update(bytes);
        let body = self.sealer.update(bytes)?;
        Ok(self.with_header(body))
    }

    fn with_header(&mut self, body: Vec<u8>) -> Vec<u8> {
        match self.header.take() {
            Some(header) => {
                let mut out = Vec::with_capacity(HEADER_LEN + body.len());
                out.extend_from_slice(&header);
                out.extend_from_slice(&body);
                out
            }
            None => body,
        }
    }

    /// Pads; gives the rest of the sealed part and SHA-256 of the part.
    ///
    /// # Errors
    /// [`SealError::WrongLength`] if it was less than was announced; [`SealError::Changed`] if it
    /// has not the announced hash.
    pub fn finish(mut self) -> Result<(Vec<u8>, Hash), SealError> {
        if self.left != 0 {
            return Err(SealError::WrongLength);
        }
        let plaintext = Hash(self.hash.clone().finalize().into());
        if self.announced.is_some_and(|hash| hash != plaintext) {
            return Err(SealError::Changed);
        }
        let mut zeros = pad::padded_len(self.len) - self.len - pad::PREFIX_LEN as u64;
        let mut out = self.with_header(Vec::new());
        while zeros > 0 {
            let now = zeros.min(ZEROS.len() as u64);
            out.extend_from_slice(&self.sealer.update(&ZEROS[..now as usize])?);
            zeros -= now;
        }
        out.extend_from_slice(&self.sealer.finish()?);
        Ok((out, plaintext))
    }
}

/// Opens a part that streams by, from its first byte. What it gives is authentic, but only
/// [`Self::finish`] says that it is whole.
pub struct PartOpener {
    key: Key,
    context: context::Context,
    header: Vec<u8>,
    opener: Option<Opener>,
    unpadder: Unpadder,
    hash: Sha256,
}

impl PartOpener {
    /// Begins.
    pub fn new(key: &Key, at: &VersionScope<'_>, part: u32) -> Self {
        Self {
            key: key.clone(),
            context: context::content(at, part),
            header: Vec::with_capacity(HEADER_LEN),
            opener: None,
            unpadder: Unpadder::new(),
            hash: Sha256::new(),
        }
    }

    /// The part's length, once its first chunk has been opened.
    pub const fn len(&self) -> Option<u64> {
        self.unpadder.true_len()
    }

    /// Whether the part is known to be empty.
    pub const fn is_empty(&self) -> bool {
        matches!(self.unpadder.true_len(), Some(0))
    }

    /// Takes more of the sealed part; gives more of the part.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn update(&mut self, mut sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        if self.opener.is_none() {
            let wanted = HEADER_LEN - self.header.len();
            let (now, later) = sealed.split_at(wanted.min(sealed.len()));
            self.header.extend_from_slice(now);
            sealed = later;
            if self.header.len() == HEADER_LEN {
                self.opener = Some(Opener::new(&self.key, &self.context, &self.header)?);
            }
        }
        match &mut self.opener {
            None => Ok(Zeroizing::new(Vec::new())),
            Some(opener) => {
                let padded = Zeroizing::new(opener.update(sealed)?);
                Ok(self.unpad(&padded))
            }
        }
    }

    fn unpad(&mut self, padded: &[u8]) -> Zeroizing<Vec<u8>> {
        let text = self.unpadder.update(padded);
        self.hash.update(text);
        Zeroizing::new(text.to_vec())
    }

    /// Gives the last of the part and its SHA-256, and confirms that it is whole.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn finish(mut self) -> Result<(Zeroizing<Vec<u8>>, Hash), OpenError> {
        let opener = self.opener.take().ok_or(OpenError::TooShort)?;
        let padded = Zeroizing::new(opener.finish()?);
        let last = self.unpad(&padded);
        self.unpadder.finish()?;
        Ok((last, Hash(self.hash.finalize().into())))
    }
}
