//! Creating, starting, stopping and deleting canisters, and giving them cycles.

use super::settings::{apply, cycles, environment_hash};
use super::{About, Call, encode, invalid, node_failed, nothing};
use crate::certify::layout::{canister_id, canister_number};
use crate::node::history::Event;
use crate::node::loaded::Loaded;
use crate::node::places::Places;
use crate::node::state::{Canister, Cycles, Run, Waiting};
use crate::node::transaction::Transaction;
use crate::wire::response::{CallResult, Reject};
use candid::Principal;
use ic_management_canister_types::{
    CanisterIdRecord, CanisterSettings, CreateCanisterArgs,
    ProvisionalCreateCanisterWithCyclesArgs, ProvisionalTopUpCanisterArgs,
};

/// What a canister gets when nobody says how much: 100 T (interface specification).
const DEFAULT_CYCLES: u128 = 100_000_000_000_000;
/// What creating a canister costs, cycles (published price of a 13-node subnet).
const CREATION_FEE: u128 = 500_000_000_000;
/// How long a call to stop a canister waits, ns: as the IC's nodes do.
const STOP_TIMEOUT: u64 = 5 * 60 * 1_000_000_000;

impl Call<'_, '_> {
    pub(super) fn create_canister(&mut self) -> CallResult {
        let args = if self.arg.is_empty() {
            CreateCanisterArgs::default()
        } else {
            let (args,): (CreateCanisterArgs,) = self.decode()?;
            args
        };
        let Some(left) = self.cycles.checked_sub(CREATION_FEE) else {
            let message = format!(
                "Creating a canister requires a fee of {CREATION_FEE} that is deducted from the \
                 canister's initial balance but only {} cycles were received with the \
                 create_canister request.",
                self.cycles
            );
            return Err(Reject::new(4, "IC0403", message));
        };
        let id = self.free_id();
        self.create(id, args.settings, args.sender_canister_version, left)?;
        self.cycles = 0;
        encode((CanisterIdRecord { canister_id: id },))
    }

    pub(super) fn provisional_create(&mut self) -> CallResult {
        let (args,): (ProvisionalCreateCanisterWithCyclesArgs,) = self.decode()?;
        let amount = match args.amount {
            None => DEFAULT_CYCLES,
            Some(amount) => cycles("amount", &amount)?,
        };
        let id = match args.specified_id {
            Some(id) => self.specified_id(id)?,
            None => self.free_id(),
        };
        self.create(id, args.settings, args.sender_canister_version, amount)?;
        encode((CanisterIdRecord { canister_id: id },))
    }

    /// An id somebody asks for: one of this subnet's that no canister has or had.
    fn specified_id(&mut self, id: Principal) -> Result<Principal, Reject> {
        if canister_number(id).is_none() {
            let message = format!(
                "Unsuccessful validation of specified ID: {id} is not a canister id of this subnet"
            );
            return Err(Reject::new(4, "IC0405", message));
        }
        if self.taken(id) {
            let message =
                format!("Unsuccessful canister creation: canister id {id} already exists.");
            return Err(Reject::new(2, "IC0205", message));
        }
        Ok(id)
    }

    fn taken(&mut self, id: Principal) -> bool {
        self.transaction.exists(id) || self.transaction.node.core().deleted.contains(&id)
    }

    fn free_id(&mut self) -> Principal {
        loop {
            let id = canister_id(self.transaction.next_canister);
            self.transaction.next_canister += 1;
            if !self.taken(id) {
                return id;
            }
        }
    }

    fn create(
        &mut self,
        id: Principal,
        settings: Option<CanisterSettings>,
        caller_version: Option<u64>,
        cycles: u128,
    ) -> Result<(), Reject> {
        let mut state = Canister::new(id, vec![self.caller], cycles);
        let settings = settings.unwrap_or_default();
        let named = settings.environment_variables.is_some();
        apply(&mut state, settings)?;
        let environment = named.then(|| environment_hash(&state.settings));
        let created = Event::Created(state.controllers.clone(), environment);
        let loaded = Loaded::open(&self.transaction.node.dir, state, None).map_err(node_failed)?;
        self.transaction.create(loaded);
        self.record(id, caller_version, created)
    }

    pub(super) fn provisional_top_up(&mut self) -> CallResult {
        let (args,): (ProvisionalTopUpCanisterArgs,) = self.decode()?;
        let amount = cycles("amount", &args.amount)?;
        let state = &mut self.allowed(args.canister_id)?.state;
        add_cycles(state, amount)?;
        Ok(nothing())
    }

    pub(super) fn deposit_cycles(&mut self) -> CallResult {
        let (about,): (About,) = self.decode()?;
        let amount = self.cycles;
        let state = &mut self.allowed(about.canister_id)?.state;
        add_cycles(state, amount)?;
        self.cycles = 0;
        Ok(nothing())
    }

    pub(super) fn start_canister(&mut self) -> CallResult {
        let (about,): (About,) = self.decode()?;
        let id = about.canister_id;
        let loaded = self.allowed(id)?;
        let before = std::mem::replace(&mut loaded.state.run, Run::Running);
        loaded.state.version += 1;
        if let Run::Stopping(waiting) = before {
            for Waiting { origin, cycles, .. } in waiting {
                let message = format!("Canister {id}'s stop request was cancelled.");
                let reject = Reject::new(5, "IC0511", message);
                self.transaction.respond(&origin, Err(reject), cycles.0);
            }
        }
        Ok(nothing())
    }

    /// None when calls must end first.
    pub(super) fn stop_canister(&mut self) -> Result<Option<Vec<u8>>, Reject> {
        let (about,): (About,) = self.decode()?;
        let waiting = Waiting {
            origin: self.origin.clone(),
            cycles: Cycles(self.cycles),
            until: self.now().saturating_add(STOP_TIMEOUT),
        };
        let state = &mut self.allowed(about.canister_id)?.state;
        state.version += 1;
        let idle = state.contexts.is_empty();
        match &mut state.run {
            Run::Stopped => {}
            Run::Stopping(others) => {
                others.push(waiting);
                return Ok(None);
            }
            Run::Running if idle => {
                state.run = Run::Stopped;
                state.version += 1;
            }
            Run::Running => {
                state.run = Run::Stopping(vec![waiting]);
                return Ok(None);
            }
        }
        Ok(Some(nothing()))
    }

    pub(super) fn delete_canister(&mut self) -> CallResult {
        let (about,): (About,) = self.decode()?;
        let id = about.canister_id;
        if self.caller == id {
            let message = format!("Canister {id} cannot delete itself.");
            return Err(Reject::new(5, "IC0512", message));
        }
        let loaded = self.allowed(id)?;
        if loaded.state.run != Run::Stopped {
            let message = format!("Canister {id} must be stopped before it is deleted.");
            return Err(Reject::new(5, "IC0510", message));
        }
        let dir = Places::new(&self.transaction.node.dir, id).dir;
        self.transaction.delete(id);
        self.transaction.remove_later(dir);
        Ok(nothing())
    }
}

fn add_cycles(state: &mut Canister, amount: u128) -> Result<(), Reject> {
    state.cycles.0 = state
        .cycles
        .0
        .checked_add(amount)
        .ok_or_else(|| invalid("the canister would have more than 2^128-1 cycles"))?;
    Ok(())
}

/// Rejects calls that have waited too long for a canister to stop; it goes on stopping.
pub(crate) fn give_up_stopping(transaction: &mut Transaction<'_>, id: Principal, now: u64) {
    let Some(loaded) = transaction.canister(id) else {
        return;
    };
    let Run::Stopping(waiting) = &mut loaded.state.run else {
        return;
    };
    let (late, others) = std::mem::take(waiting)
        .into_iter()
        .partition(|waiting| waiting.until <= now);
    *waiting = others;
    let late: Vec<Waiting> = late;
    for Waiting { origin, cycles, .. } in late {
        let reject = Reject::new(2, "IC0206", "Stop canister request timed out");
        transaction.respond(&origin, Err(reject), cycles.0);
    }
}
