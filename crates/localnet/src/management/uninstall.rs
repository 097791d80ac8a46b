//! Removing a canister's code and state.

use super::{Call, node_failed, nothing};
use crate::exec::memory::BackingFile;
use crate::node::history::Event;
use crate::node::places::Places;
use crate::node::state::{HeapState, StableState};
use crate::wire::response::{CallResult, Reject};
use candid::Principal;
use ic_management_canister_types::UninstallCodeArgs;

impl Call<'_, '_> {
    pub(super) fn uninstall_code(&mut self) -> CallResult {
        let (args,): (UninstallCodeArgs,) = self.decode()?;
        self.allowed(args.canister_id)?;
        self.uninstall(args.canister_id, args.sender_canister_version)?;
        Ok(nothing())
    }

    /// Makes a canister empty; whoever waits for its code is told.
    pub(super) fn uninstall(
        &mut self,
        id: Principal,
        caller_version: Option<u64>,
    ) -> Result<(), Reject> {
        self.drop_contexts(id);
        self.clear_chunks(id)?;
        let places = Places::new(&self.transaction.node.dir, id);
        let loaded = self.existing(id)?;
        let (heap, stable) = (loaded.state.heap.generation, loaded.state.stable.generation);
        let file = BackingFile::open(&places.stable(stable + 1), 0).map_err(node_failed)?;
        loaded.stable = file;
        loaded.heap = None;
        loaded.module = None;
        let state = &mut loaded.state;
        state.module = None;
        state.heap = HeapState {
            generation: heap,
            ..HeapState::default()
        };
        state.stable = StableState {
            generation: stable + 1,
            pages: 0,
        };
        state.certified_data = Vec::new();
        state.timer = 0;
        state.version += 1;
        self.transaction.remove_later(places.heap(heap));
        self.transaction.remove_later(places.stable(stable));
        self.transaction.logs(id, |logs| logs.clear());
        self.record(id, caller_version, Event::Uninstalled)
    }

    /// Rejects every call the canister has not answered; what it called is not told to it.
    fn drop_contexts(&mut self, id: Principal) {
        let Some(loaded) = self.transaction.canister(id) else {
            return;
        };
        for callback in std::mem::take(&mut loaded.state.callbacks).into_values() {
            // Nobody executes it any more.
            loaded.state.cycles.0 += callback.prepaid.0;
        }
        for context in std::mem::take(&mut loaded.state.contexts).into_values() {
            if !context.responded {
                let reject = Reject::new(4, "IC0406", "Canister has been uninstalled.");
                self.transaction
                    .respond(&context.origin, Err(reject), context.available.0);
            }
        }
        self.transaction.stop_when_idle(id);
    }
}
