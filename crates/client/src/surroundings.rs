//! What a client needs of its surroundings besides a way to the vault: the time, and someone who
//! watches long work. Must not know any platform.

/// Tells the time.
pub trait Environment {
    /// Milliseconds since 1970 (UTC).
    fn now_ms(&self) -> u64;
}

/// The system's clock.
#[cfg(not(target_family = "wasm"))]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[cfg(not(target_family = "wasm"))]
impl Environment for SystemClock {
    fn now_ms(&self) -> u64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
    }
}

/// What long work is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Reading and hashing what is to be sealed.
    Reading,
    /// Sealing and sending.
    Uploading,
    /// Waiting for the vault to confirm.
    Confirming,
    /// Fetching and opening.
    Downloading,
    /// Checking signatures, hashes and certificates.
    Checking,
    /// Filing versions anew.
    Refiling,
}

/// Watches long work, and may stop it.
pub trait Progress {
    /// So many bytes or entries of `total` are done; `total` is 0 while unknown.
    fn report(&self, stage: Stage, done: u64, total: u64);

    /// Whether to stop at the next opportunity.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn report(&self, _: Stage, _: u64, _: u64) {}
}

/// [`crate::ClientError::Cancelled`] if it is.
pub(crate) fn go_on(progress: &dyn Progress) -> crate::Result<()> {
    if progress.is_cancelled() {
        Err(crate::ClientError::Cancelled)
    } else {
        Ok(())
    }
}
