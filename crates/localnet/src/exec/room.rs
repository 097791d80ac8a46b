//! How much memory a canister may take up, and the cycles it must keep for what it has.

use super::host::{Host, Mode, Trap};
use super::prices;

/// What a canister takes up and may.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Room {
    /// Bytes it takes up in all.
    pub(crate) used: u64,
    /// Bytes it may take up in all; zero when nothing is set.
    pub(crate) allocation: u64,
    /// Bytes its heap may have; zero when nothing is set.
    pub(crate) heap_limit: u64,
    /// Percent of compute that is reserved.
    pub(crate) compute: u64,
    /// Seconds it must be able to live on without executing anything.
    pub(crate) freezing_seconds: u64,
}

impl Room {
    /// Cycles below which the canister is frozen.
    pub(crate) fn threshold(&self) -> u128 {
        let bytes = self.used.max(self.allocation);
        let ns = u128::from(self.freezing_seconds) * 1_000_000_000;
        prices::keeping(bytes, self.compute, ns)
    }
}

impl Host {
    /// Cycles that may be spent without freezing the canister.
    pub(crate) fn liquid(&self) -> u128 {
        self.balance.saturating_sub(self.room.threshold())
    }

    /// Takes up more memory.
    pub(crate) fn take_up(&mut self, bytes: u64) -> Result<(), Trap> {
        let mut room = self.room;
        room.used = room.used.checked_add(bytes).ok_or(Trap::OutOfMemory)?;
        if room.allocation != 0 && room.used > room.allocation {
            return Err(Trap::OutOfMemory);
        }
        let missing = room.threshold().saturating_sub(self.balance);
        if missing > 0 && self.mode.is_replicated() {
            return Err(Trap::MemoryCycles { bytes, missing });
        }
        self.room = room;
        Ok(())
    }
}

impl wasmtime::ResourceLimiter for Host {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if !self.running {
            return Ok(true);
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let (used, limit) = (desired as u64, self.room.heap_limit);
        if self.mode.meets(Mode::UPDATE) && limit != 0 && used > limit {
            return Err(Trap::WasmMemoryLimit { limit, used }.into());
        }
        self.take_up(desired.saturating_sub(current) as u64)?;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        _desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(true)
    }
}
