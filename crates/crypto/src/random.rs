//! Randomness from the system: `getrandom` natively, Web Crypto in a browser.

use zeroize::Zeroizing;

/// The system gave no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no randomness")]
pub struct RandomError;

pub(crate) fn fill(out: &mut [u8]) -> Result<(), RandomError> {
    getrandom::fill(out).map_err(|_| RandomError)
}

pub(crate) fn secret32() -> Result<Zeroizing<[u8; 32]>, RandomError> {
    let mut out = Zeroizing::new([0; 32]);
    fill(out.as_mut())?;
    Ok(out)
}

/// 16 random bytes for a new id.
///
/// # Errors
/// [`RandomError`]
pub fn random_id() -> Result<[u8; 16], RandomError> {
    let mut out = [0; 16];
    fill(&mut out)?;
    Ok(out)
}

/// 32 random bytes for the salt of a commitment.
///
/// # Errors
/// [`RandomError`]
pub fn random_salt() -> Result<[u8; 32], RandomError> {
    let mut out = [0; 32];
    fill(&mut out)?;
    Ok(out)
}
