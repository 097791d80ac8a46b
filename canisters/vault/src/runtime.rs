//! What the vault needs from its surroundings, as arguments: who calls and when, randomness, and
//! the certificate. Must not know any endpoint. Natively a double stands in.

use candid::Principal;
use sha2::{Digest, Sha256};

/// Who calls, and when.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The caller.
    pub caller: Principal,
    /// Milliseconds since 1970 (UTC), by the platform's clock.
    pub now: u64,
}

/// The vault's surroundings.
pub trait Runtime {
    /// The canister's own id; part of every statement.
    fn canister(&self) -> Principal;
    /// 32 fresh random bytes; `None` until the generator has been seeded.
    fn random(&mut self) -> Option<[u8; 32]>;
    /// Sets the 32 bytes that the platform certifies.
    fn certify(&mut self, root: &[u8; 32]);
    /// The platform's certificate over them; only in queries.
    fn certificate(&self) -> Option<Vec<u8>>;
    /// Stable memory in use, in bytes.
    fn stable_bytes(&self) -> u64;
}

/// A hash ratchet over SHA-256: what it gave cannot be computed from its later state. Lives in the
/// heap only, is seeded with the platform's `raw_rand` after every install and upgrade, and never
/// written to stable memory, where a node operator could read it.
#[derive(Default)]
pub struct Generator {
    state: Option<[u8; 32]>,
}

impl Generator {
    /// Mixes a seed in.
    pub fn seed(&mut self, seed: &[u8]) {
        let mut hasher = Sha256::new();
        hasher.update(b"salus/v1/generator-seed");
        hasher.update(self.state.unwrap_or_default());
        hasher.update(seed);
        self.state = Some(hasher.finalize().into());
    }

    /// 32 bytes; `None` before the first seed.
    pub fn draw(&mut self) -> Option<[u8; 32]> {
        let state = self.state?;
        let derive = |tag: u8| -> [u8; 32] {
            let mut hasher = Sha256::new();
            hasher.update(b"salus/v1/generator");
            hasher.update([tag]);
            hasher.update(state);
            hasher.finalize().into()
        };
        self.state = Some(derive(0));
        Some(derive(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_nothing_before_a_seed_and_never_the_same_twice() {
        let mut generator = Generator::default();
        assert_eq!(generator.draw(), None);
        generator.seed(&[7; 32]);
        let first = generator.draw();
        let second = generator.draw();
        assert!(first.is_some() && first != second);
        generator.seed(&[7; 32]);
        assert_ne!(generator.draw(), second);
    }
}
