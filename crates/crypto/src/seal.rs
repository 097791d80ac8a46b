//! `seal`: C2SP chunked encryption with AES-256-GCM and HKDF-Expand-SHA-512, for content and for
//! every symmetric wrap. Commits to its key and context.
//!
//! `salt 24 ‖ commitment 32 ‖ chunks`; a chunk is up to 16,384 bytes of plaintext and a 16-byte
//! tag; the last one is always shorter than a full one, possibly empty, so that a cut is noticed.

use crate::context::Context;
use crate::error::{OpenError, SealError};
use crate::hazmat::hkdf::expand_sha512;
use crate::key::Key;
use crate::random;
use salus_cipher::{Cipher, TAG_LEN};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of random salt.
pub const SALT_LEN: usize = 24;
/// Salt and commitment.
pub const HEADER_LEN: usize = 56;
/// Plaintext bytes of a full chunk.
pub const CHUNK_LEN: usize = 16_384;
/// A full chunk with its tag.
pub const SEALED_CHUNK_LEN: usize = CHUNK_LEN + TAG_LEN;
const INFO_LABEL: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00";

/// Length of what sealing this many bytes gives.
pub const fn sealed_len(plaintext: u64) -> u64 {
    let chunks = plaintext / CHUNK_LEN as u64 + 1;
    HEADER_LEN as u64 + plaintext + chunks * TAG_LEN as u64
}

/// Length of the plaintext in a sealed text of this length; `None` if no text has that length.
pub const fn plaintext_len(sealed: u64) -> Option<u64> {
    let Some(body) = sealed.checked_sub(HEADER_LEN as u64) else {
        return None;
    };
    let full = body / SEALED_CHUNK_LEN as u64;
    match (body % SEALED_CHUNK_LEN as u64).checked_sub(TAG_LEN as u64) {
        Some(last) => Some(full * CHUNK_LEN as u64 + last),
        None => None,
    }
}

/// Seals in one go.
///
/// # Errors
/// [`SealError::Random`]
pub fn seal(key: &Key, context: &Context, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
    seal_whole(Sealer::new(key, context)?, plaintext)
}

/// Opens in one go.
///
/// # Errors
/// [`OpenError`]: too short, another key or context, or a damaged chunk.
pub fn open(key: &Key, context: &Context, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    open_raw(key, context.as_bytes(), sealed)
}

pub(crate) fn seal_whole(mut sealer: Sealer, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
    let capacity = plaintext.len() + (plaintext.len() / CHUNK_LEN + 1) * TAG_LEN + HEADER_LEN;
    let mut out = Vec::with_capacity(capacity);
    out.extend_from_slice(&sealer.header());
    let mut chunks = plaintext.chunks_exact(CHUNK_LEN);
    for chunk in &mut chunks {
        sealer.cipher.seal_chunk(chunk, &mut out)?;
    }
    sealer.cipher.seal_chunk(chunks.remainder(), &mut out)?;
    Ok(out)
}

pub(crate) fn open_raw(key: &Key, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    let (header, body) = sealed
        .split_at_checked(HEADER_LEN)
        .ok_or(OpenError::TooShort)?;
    let mut opener = Opener::raw(key, context, header)?;
    let mut out = Zeroizing::new(Vec::with_capacity(body.len()));
    let mut chunks = body.chunks_exact(SEALED_CHUNK_LEN);
    for chunk in &mut chunks {
        opener.cipher.open_next(chunk, &mut out)?;
    }
    opener.cipher.open_next(chunks.remainder(), &mut out)?;
    Ok(std::mem::take(&mut *out))
}

/// The AEAD of one sealed text, and how many chunks went by.
struct Chunks {
    aead: Cipher,
    nonce: [u8; 12],
    next: u64,
}

impl Chunks {
    /// The cipher for this salt and context, and the commitment to both and to the key.
    fn derive(key: &Key, context: &[u8], salt: &[u8; SALT_LEN]) -> (Self, [u8; 32]) {
        let okm = expand_sha512(key.expose(), &[INFO_LABEL, salt, context]);
        let mut aead_key = Zeroizing::new([0u8; 32]);
        let mut nonce = [0u8; 12];
        let mut commitment = [0u8; 32];
        aead_key.copy_from_slice(&okm[..32]);
        nonce.copy_from_slice(&okm[32..44]);
        commitment.copy_from_slice(&okm[44..]);
        let aead = Cipher::new(&aead_key);
        let next = 0;
        (Self { aead, nonce, next }, commitment)
    }

    fn nonce(&self, chunk: u64) -> [u8; 12] {
        let mut nonce = self.nonce;
        for (byte, count) in nonce[4..].iter_mut().zip(chunk.to_be_bytes()) {
            *byte ^= count;
        }
        nonce
    }

    fn seal_chunk(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        let nonce = self.nonce(self.next);
        let start = out.len();
        out.extend_from_slice(plaintext);
        let tag = self.aead.seal(nonce, &mut out[start..]);
        let tag = tag.ok_or(SealError::Cipher)?;
        out.extend_from_slice(&tag);
        self.next += 1;
        Ok(())
    }

    fn open_chunk(&self, index: u64, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), OpenError> {
        let damaged = OpenError::Damaged { chunk: index };
        let body = chunk.len().checked_sub(TAG_LEN).ok_or(damaged)?;
        let (body, tag) = chunk.split_at(body);
        let tag = <[u8; TAG_LEN]>::try_from(tag).map_err(|_| damaged)?;
        let start = out.len();
        out.extend_from_slice(body);
        // On failure the buffer still holds ciphertext, never unauthenticated plaintext.
        if self.aead.open(self.nonce(index), &mut out[start..], tag) {
            return Ok(());
        }
        out.truncate(start);
        Err(damaged)
    }

    fn open_next(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), OpenError> {
        self.open_chunk(self.next, chunk, out)?;
        self.next += 1;
        Ok(())
    }
}

/// Seals a text that arrives in pieces: [`Self::header`], then what [`Self::update`] gives, then
/// what [`Self::finish`] gives.
pub struct Sealer {
    cipher: Chunks,
    header: [u8; HEADER_LEN],
    pending: Zeroizing<Vec<u8>>,
}

impl Sealer {
    /// Begins, with a fresh random salt.
    ///
    /// # Errors
    /// [`SealError::Random`]
    pub fn new(key: &Key, context: &Context) -> Result<Self, SealError> {
        let mut salt = [0; SALT_LEN];
        random::fill(&mut salt)?;
        Ok(Self::with_salt(key, context.as_bytes(), salt))
    }

    pub(crate) fn with_salt(key: &Key, context: &[u8], salt: [u8; SALT_LEN]) -> Self {
        let (cipher, commitment) = Chunks::derive(key, context, &salt);
        let mut header = [0; HEADER_LEN];
        header[..SALT_LEN].copy_from_slice(&salt);
        header[SALT_LEN..].copy_from_slice(&commitment);
        let pending = Zeroizing::new(Vec::new());
        Self {
            cipher,
            header,
            pending,
        }
    }

    /// The first 56 bytes of the sealed text.
    pub const fn header(&self) -> [u8; HEADER_LEN] {
        self.header
    }

    /// Takes more plaintext; gives the chunks that are full.
    ///
    /// # Errors
    /// [`SealError::Cipher`], which does not happen.
    pub fn update(&mut self, mut plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut out = Vec::with_capacity(plaintext.len() + plaintext.len() / CHUNK_LEN * TAG_LEN);
        if !self.pending.is_empty() {
            let wanted = CHUNK_LEN - self.pending.len();
            let (now, later) = plaintext.split_at(wanted.min(plaintext.len()));
            self.pending.extend_from_slice(now);
            plaintext = later;
            if self.pending.len() < CHUNK_LEN {
                return Ok(out);
            }
            self.cipher.seal_chunk(&self.pending, &mut out)?;
            self.pending.zeroize();
        }
        let mut chunks = plaintext.chunks_exact(CHUNK_LEN);
        for chunk in &mut chunks {
            self.cipher.seal_chunk(chunk, &mut out)?;
        }
        hold(&mut self.pending, chunks.remainder(), CHUNK_LEN);
        Ok(out)
    }

    /// Gives the last chunk.
    ///
    /// # Errors
    /// [`SealError::Cipher`], which does not happen.
    pub fn finish(mut self) -> Result<Vec<u8>, SealError> {
        let mut out = Vec::with_capacity(self.pending.len() + TAG_LEN);
        self.cipher.seal_chunk(&self.pending, &mut out)?;
        Ok(out)
    }
}

// Reserves a whole chunk at once: a growing vector would leave copies of plaintext behind.
fn hold(pending: &mut Vec<u8>, rest: &[u8], chunk: usize) {
    if !rest.is_empty() {
        pending.reserve_exact(chunk.saturating_sub(pending.len()));
        pending.extend_from_slice(rest);
    }
}

/// Opens a text that arrives in pieces, or single chunks of it.
///
/// What [`Self::update`] gives is authentic, but only [`Self::finish`] says that nothing is
/// missing. After an error everything else fails too.
pub struct Opener {
    cipher: Chunks,
    pending: Vec<u8>,
    failed: Option<OpenError>,
}

impl Opener {
    /// Begins with the first 56 bytes of the sealed text.
    ///
    /// # Errors
    /// [`OpenError::TooShort`] unless there are 56; [`OpenError::WrongKeyOrContext`] if the
    /// commitment is not to this key and context.
    pub fn new(key: &Key, context: &Context, header: &[u8]) -> Result<Self, OpenError> {
        Self::raw(key, context.as_bytes(), header)
    }

    pub(crate) fn raw(key: &Key, context: &[u8], header: &[u8]) -> Result<Self, OpenError> {
        let header: &[u8; HEADER_LEN] = header.try_into().map_err(|_| OpenError::TooShort)?;
        let (salt, claimed) = header.split_at(SALT_LEN);
        let salt = salt.try_into().map_err(|_| OpenError::TooShort)?;
        let (cipher, commitment) = Chunks::derive(key, context, salt);
        if bool::from(commitment.ct_eq(claimed)) {
            let pending = Vec::new();
            let failed = None;
            Ok(Self {
                cipher,
                pending,
                failed,
            })
        } else {
            Err(OpenError::WrongKeyOrContext)
        }
    }

    /// Takes more of the sealed text after the header; gives the plaintext of the chunks that are
    /// complete.
    ///
    /// # Errors
    /// [`OpenError::Damaged`]
    pub fn update(&mut self, mut sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut out = Zeroizing::new(Vec::with_capacity(sealed.len() + self.pending.len()));
        if !self.pending.is_empty() {
            let wanted = SEALED_CHUNK_LEN - self.pending.len();
            let (now, later) = sealed.split_at(wanted.min(sealed.len()));
            self.pending.extend_from_slice(now);
            sealed = later;
            if self.pending.len() < SEALED_CHUNK_LEN {
                return Ok(Vec::new());
            }
            let chunk = std::mem::take(&mut self.pending);
            self.open_into(&chunk, &mut out)?;
        }
        let mut chunks = sealed.chunks_exact(SEALED_CHUNK_LEN);
        for chunk in &mut chunks {
            self.open_into(chunk, &mut out)?;
        }
        hold(&mut self.pending, chunks.remainder(), SEALED_CHUNK_LEN);
        Ok(std::mem::take(&mut *out))
    }

    fn open_into(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), OpenError> {
        self.cipher.open_next(chunk, out).inspect_err(|error| {
            self.failed = Some(*error);
        })
    }

    /// Opens the last chunk and so confirms that the text is whole.
    ///
    /// # Errors
    /// [`OpenError::Damaged`]
    pub fn finish(mut self) -> Result<Vec<u8>, OpenError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut out = Vec::with_capacity(self.pending.len());
        let last = std::mem::take(&mut self.pending);
        self.cipher.open_next(&last, &mut out)?;
        Ok(out)
    }

    /// Opens chunk `index` (from 0) of a sealed text of `sealed` bytes in all, wherever it came
    /// from. The total length must come from a signed statement: it is what tells the last chunk.
    /// The chunk's bytes begin at `56 + index · 16,400`.
    ///
    /// # Errors
    /// [`OpenError::Damaged`], also where the chunk's length is not what the total calls for.
    pub fn open_chunk(&self, index: u64, sealed: u64, chunk: &[u8]) -> Result<Vec<u8>, OpenError> {
        let damaged = OpenError::Damaged { chunk: index };
        let expected = index
            .checked_mul(SEALED_CHUNK_LEN as u64)
            .and_then(|start| start.checked_add(HEADER_LEN as u64))
            .and_then(|start| sealed.checked_sub(start))
            .map(|rest| rest.min(SEALED_CHUNK_LEN as u64));
        if plaintext_len(sealed).is_none() || expected != Some(chunk.len() as u64) {
            return Err(damaged);
        }
        let mut out = Vec::with_capacity(chunk.len());
        self.cipher.open_chunk(index, chunk, &mut out)?;
        Ok(out)
    }
}
