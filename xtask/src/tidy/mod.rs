//! `tidy`: the rules of the house.

use anyhow::Result;

use crate::workspace::Workspace;

pub(crate) fn tidy(_workspace: &Workspace) -> Result<()> {
    Ok(())
}
