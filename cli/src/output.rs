//! Where answers go: to stdout, as text or as JSON; progress and remarks to stderr, as text only.
//! Must not know any command.

use crate::error::{Error, Kind, Result};
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

/// Whether answers are looked at as they come.
pub(crate) fn on_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Where answers go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    bars: bool,
}

impl Output {
    /// As text, or as JSON.
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            bars: !json && io::stderr().is_terminal(),
        }
    }

    /// Gives the answer: one JSON document or its plain form.
    ///
    /// # Errors
    /// When stdout cannot be written to. A reader that has seen enough is no error.
    pub(crate) fn answer<T: Serialize + Display>(self, answer: &T) -> Result<()> {
        let text = if self.json {
            serde_json::to_string_pretty(answer).map_err(|error| {
                Error::new(
                    Kind::Other,
                    "output",
                    format!("could not write JSON: {error}"),
                )
            })?
        } else {
            answer.to_string()
        };
        let mut out = io::stdout().lock();
        let written = out
            .write_all(text.trim_end_matches('\n').as_bytes())
            .and_then(|()| out.write_all(b"\n"))
            .and_then(|()| out.flush());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::new(
                Kind::Other,
                "output",
                format!("could not write the answer: {error}"),
            )),
            _ => Ok(()),
        }
    }

    /// A remark on what else was done. With JSON it stands in the answer instead.
    pub(crate) fn remark(self, text: impl Display) {
        if !self.json {
            let text = crate::text::shown(&text.to_string());
            self.clear();
            // A remark that cannot be read is no reason to fail.
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// How far a long job got; on a terminal the line is replaced by the next.
    pub(crate) fn progress(self, text: impl Display) {
        if self.bars {
            let text = crate::text::line(&text.to_string());
            let mut err = io::stderr().lock();
            let _ = write!(err, "\r\u{1b}[K{text}");
            let _ = err.flush();
        }
    }

    /// Ends the line of [`Self::progress`].
    pub(crate) fn clear(self) {
        if self.bars {
            let _ = write!(io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}
