//! Long work, as the page sees and stops it. Must not know what the work is.

use crate::dispatch::Task;
use crate::session;
use crate::state::Engine;
use salus_client::{Progress, Stage};
use salus_messages::Event;
use std::rc::Rc;

/// Reports the progress of one operation, and stops it when the person says so.
pub(crate) struct Watch {
    engine: Rc<Engine>,
    operation: u32,
    silent: bool,
}

impl Watch {
    /// For a task.
    pub(crate) fn new(task: &Task) -> Self {
        Self {
            engine: task.engine.clone(),
            operation: task.id,
            silent: false,
        }
    }

    /// For a part of a task: stops with it, reports nothing.
    pub(crate) fn silent(task: &Task) -> Self {
        Self {
            silent: true,
            ..Self::new(task)
        }
    }
}

impl Progress for Watch {
    fn report(&self, stage: Stage, done: u64, total: u64) {
        // What goes on was asked for: someone waits for it.
        session::touch(&self.engine);
        if self.silent {
            return;
        }
        self.engine.tell(Event::Progress {
            operation: self.operation,
            stage: match stage {
                Stage::Reading => salus_messages::Stage::Reading,
                Stage::Uploading => salus_messages::Stage::Uploading,
                Stage::Confirming => salus_messages::Stage::Confirming,
                Stage::Downloading => salus_messages::Stage::Downloading,
                Stage::Checking => salus_messages::Stage::Checking,
                Stage::Refiling => salus_messages::Stage::Sealing,
            },
            done,
            total,
        });
    }

    fn is_cancelled(&self) -> bool {
        self.engine.cancelled.borrow().contains(&self.operation)
    }
}
