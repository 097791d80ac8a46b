//! What every command starts from: the options, the folder, and where answers go.

use crate::args::Global;
use crate::error::Result;
use crate::home::Home;
use crate::identity::{self, IdentityFile};
use crate::output::Output;

/// What every command starts from.
#[derive(Debug)]
pub(crate) struct App {
    /// Where answers go.
    pub(crate) out: Output,
    /// This machine's folder.
    pub(crate) home: Home,
    identity: Option<String>,
}

impl App {
    /// From the options.
    ///
    /// # Errors
    /// When there is no place for the folder.
    pub(crate) fn new(options: &Global) -> Result<Self> {
        Ok(Self {
            out: Output::new(options.json),
            home: Home::find()?,
            identity: options.identity.clone(),
        })
    }

    /// The identity that calls.
    ///
    /// # Errors
    /// See [`identity::find`].
    pub(crate) fn identity(&self) -> Result<IdentityFile> {
        identity::find(&self.home, self.identity.as_deref())
    }
}
