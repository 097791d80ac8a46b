//! What canisters pay for: executions, messages and what they keep. An execution is paid for at
//! its dearest before it begins, and what it did not spend comes back.

use super::loaded::Loaded;
use crate::exec::prices;
use crate::exec::room::Room;
use crate::exec::stable::WASM_PAGE;
use crate::wire::response::Reject;
use candid::Principal;

/// Time after which a canister pays for what it keeps, ns.
const PAYMENT_EVERY: u64 = 10_000_000_000;

/// The reject for a canister without the cycles for a message.
fn out_of_cycles(canister: Principal) -> Reject {
    let message = format!("Canister {canister} is out of cycles");
    Reject::new(2, "IC0207", message)
}

/// The reject for a query to a canister below its freezing threshold.
pub(super) fn frozen(canister: Principal) -> Reject {
    let message = format!(
        "Canister {canister} is unable to process query calls because it's frozen. Please top up \
         the canister with cycles and try again."
    );
    Reject::new(2, "IC0207", message)
}

impl Loaded {
    /// Bytes it takes up in all.
    pub(crate) fn memory_used(&self) -> u64 {
        let state = &self.state;
        let code = self.module.as_ref().map_or(0, |module| {
            (module.size + module.anatomy.custom_bytes) as u64
        });
        state.heap.len
            + state.stable.pages * WASM_PAGE
            + 8 * state.heap.globals.len() as u64
            + state.chunks.values().sum::<u64>()
            + state.snapshots.values().map(|s| s.size()).sum::<u64>()
            + code
    }

    /// What it takes up and may.
    pub(crate) fn room(&self) -> Room {
        let settings = &self.state.settings;
        Room {
            used: self.memory_used(),
            allocation: settings.memory_allocation,
            heap_limit: settings.wasm_memory_limit,
            compute: settings.compute_allocation,
            freezing_seconds: settings.freezing_threshold,
        }
    }

    /// Whether it has fewer cycles than it must keep.
    pub(crate) fn is_frozen(&self) -> bool {
        self.state.cycles.0 < self.room().threshold()
    }

    /// Takes cycles that leave it unfrozen.
    fn spend(&mut self, amount: u128) -> Result<(), Reject> {
        let left = self.state.cycles.0.checked_sub(amount);
        match left.filter(|left| *left >= self.room().threshold()) {
            Some(left) => {
                self.state.cycles.0 = left;
                Ok(())
            }
            None => Err(out_of_cycles(self.state.id)),
        }
    }

    /// Whether a request by an agent can be paid for.
    pub(crate) fn can_pay_for_ingress(&self, method: &str, arg: &[u8]) -> Result<(), Reject> {
        let left = self.state.cycles.0.checked_sub(ingress(method, arg));
        if left.is_some_and(|left| left >= self.room().threshold()) {
            Ok(())
        } else {
            Err(out_of_cycles(self.state.id))
        }
    }

    /// Pays for a request by an agent.
    pub(crate) fn pay_for_ingress(&mut self, method: &str, arg: &[u8]) -> Result<(), Reject> {
        self.spend(ingress(method, arg))
    }

    /// Puts aside what an execution may cost at most.
    pub(crate) fn prepay(&mut self, instructions: u64) -> Result<(), Reject> {
        self.spend(prices::execution(instructions))
    }

    /// Pays for the bytes of an answer out of what was put aside for it; what is left of that for
    /// executing the callback.
    pub(crate) fn pay_for_answer(&mut self, prepaid: u128, bytes: usize) -> u128 {
        let transport = prices::CALL_BYTE * prices::MAX_RESPONSE;
        let unused = transport.saturating_sub(prices::CALL_BYTE * bytes as u128);
        if prepaid < transport {
            return prepaid;
        }
        self.state.cycles.0 += unused;
        prepaid - transport
    }

    /// Pays for what it kept since it last did, up to `now` (ns).
    pub(crate) fn pay_for_keeping(&mut self, now: u64) {
        let since = match self.state.paid_until {
            0 => now,
            since => since,
        };
        let elapsed = now.saturating_sub(since);
        if since != now && elapsed < PAYMENT_EVERY {
            return;
        }
        let room = self.room();
        let bytes = room.used.max(room.allocation);
        let cost = prices::keeping(bytes, room.compute, elapsed.into());
        self.state.cycles.0 = self.state.cycles.0.saturating_sub(cost);
        self.state.paid_until = now;
    }
}

/// What a request by an agent costs.
fn ingress(method: &str, arg: &[u8]) -> u128 {
    prices::INGRESS + prices::INGRESS_BYTE * (method.len() + arg.len()) as u128
}
