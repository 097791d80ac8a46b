//! Length hiding: Padmé with a minimum of 1 KiB.
//!
//! Padded text = true length (u64 big-endian) ‖ text ‖ zeros, up to [`padded_len`]. Padmé leaves
//! O(log log n) bits of the length visible and costs at most 12 %. Must not know keys.

use crate::error::OpenError;
use zeroize::Zeroizing;

/// Bytes of the true length that lead a padded text.
pub const PREFIX_LEN: usize = 8;
/// The shortest padded text.
pub const MIN_LEN: u64 = 1024;

/// Length of the padded form of a text of this length. Saturates beyond 2^63, which nothing
/// reaches.
pub const fn padded_len(len: u64) -> u64 {
    let len = len.saturating_add(PREFIX_LEN as u64);
    if len <= MIN_LEN {
        return MIN_LEN;
    }
    // Padmé: keep as many leading bits as the exponent itself needs, round the rest up.
    let exponent = len.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1u64 << (exponent - kept)) - 1;
    len.saturating_add(mask) & !mask
}

/// The padded form.
pub fn pad(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let len = text.len() as u64;
    let total = usize::try_from(padded_len(len)).unwrap_or(usize::MAX);
    let mut out = Zeroizing::new(Vec::with_capacity(total));
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(text);
    out.resize(total, 0);
    out
}

/// The text in its padded form.
///
/// # Errors
/// [`OpenError::Padding`] if the length is not what the true length calls for or a padding byte is
/// not zero: a text has exactly one padded form.
pub fn unpad(padded: &[u8]) -> Result<&[u8], OpenError> {
    let (prefix, rest) = padded
        .split_first_chunk::<PREFIX_LEN>()
        .ok_or(OpenError::Padding)?;
    let len = u64::from_be_bytes(*prefix);
    if padded_len(len) != padded.len() as u64 {
        return Err(OpenError::Padding);
    }
    let len = usize::try_from(len).map_err(|_| OpenError::Padding)?;
    let (text, zeros) = rest.split_at_checked(len).ok_or(OpenError::Padding)?;
    if zeros.iter().any(|byte| *byte != 0) {
        return Err(OpenError::Padding);
    }
    Ok(text)
}

/// Removes padding from a text that arrives in pieces.
#[derive(Default)]
pub struct Unpadder {
    prefix: [u8; PREFIX_LEN],
    seen: u64,
    nonzero: bool,
}

impl Unpadder {
    /// Begins.
    pub fn new() -> Self {
        Self::default()
    }

    /// The true length, once the first 8 bytes have been seen.
    pub const fn true_len(&self) -> Option<u64> {
        if self.seen < PREFIX_LEN as u64 {
            None
        } else {
            Some(u64::from_be_bytes(self.prefix))
        }
    }

    /// Takes more of the padded text; gives the part of it that is text.
    pub fn update<'a>(&mut self, mut piece: &'a [u8]) -> &'a [u8] {
        while self.seen < PREFIX_LEN as u64 {
            let Some((first, rest)) = piece.split_first() else {
                return &[];
            };
            // `seen` is below 8 here.
            self.prefix[self.seen as usize] = *first;
            self.seen += 1;
            piece = rest;
        }
        let end = u64::from_be_bytes(self.prefix).saturating_add(PREFIX_LEN as u64);
        let left = usize::try_from(end.saturating_sub(self.seen)).unwrap_or(usize::MAX);
        let (text, zeros) = piece.split_at(left.min(piece.len()));
        self.seen += piece.len() as u64;
        self.nonzero |= zeros.iter().any(|byte| *byte != 0);
        text
    }

    /// Confirms that the padding was right.
    ///
    /// # Errors
    /// [`OpenError::Padding`]
    pub fn finish(self) -> Result<(), OpenError> {
        match self.true_len() {
            Some(len) if padded_len(len) == self.seen && !self.nonzero => Ok(()),
            _ => Err(OpenError::Padding),
        }
    }
}
