//! Progress of long work on stderr. Must not know what the work is.

use crate::output::Output;
use crate::text::size;
use salus_client::{Progress, Stage};

/// Says how far one thing got.
pub(crate) struct Watch {
    out: Output,
    what: String,
}

impl Watch {
    /// For this thing.
    pub(crate) fn new(out: Output, what: impl Into<String>) -> Self {
        Self {
            out,
            what: what.into(),
        }
    }
}

impl Progress for Watch {
    fn report(&self, stage: Stage, done: u64, total: u64) {
        let doing = match stage {
            Stage::Reading => "Reading",
            Stage::Uploading => "Sending",
            Stage::Confirming => "Confirming",
            Stage::Downloading => "Fetching",
            Stage::Checking => "Checking",
            Stage::Refiling => "Filing anew",
        };
        if stage == Stage::Checking || total == 0 {
            self.out
                .progress(format_args!("{doing} {} {done}", self.what));
        } else if stage == Stage::Refiling {
            self.out
                .progress(format_args!("{doing} {} {done} of {total}", self.what));
        } else {
            let percent = done.saturating_mul(100) / total.max(1);
            self.out.progress(format_args!(
                "{doing} {} {percent} % of {}",
                self.what,
                size(total)
            ));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.out.clear();
    }
}
