//! `salus account show`.

use super::slot::Slot;
use crate::app::App;
use crate::error::Result;
use crate::session::Session;
use crate::text::{self, line};
use serde::Serialize;
use std::fmt;

#[derive(Serialize)]
struct Usage {
    bytes: u64,
    quota: u64,
    records: u64,
}

/// What `show` answers.
#[derive(Serialize)]
struct Shown {
    account: String,
    name: String,
    safety_number: String,
    genesis: String,
    principals: Vec<String>,
    slots: Vec<Slot>,
    usage: Usage,
    /// What was stopped, and is gone on with by the command of that name.
    unfinished: Option<&'static str>,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Account        {}", self.account)?;
        if !self.name.is_empty() {
            writeln!(f, "Name           {}", line(&self.name))?;
        }
        writeln!(f, "Safety number  {}", self.safety_number)?;
        for principal in &self.principals {
            writeln!(f, "Principal      {principal}")?;
        }
        for slot in &self.slots {
            writeln!(f, "Opened by      {slot}")?;
        }
        write!(
            f,
            "Storage        {} of {}, {}",
            text::size(self.usage.bytes),
            text::size(self.usage.quota),
            text::count(
                usize::try_from(self.usage.records).unwrap_or(usize::MAX),
                "record"
            )
        )?;
        if let Some(command) = self.unfinished {
            write!(
                f,
                "\nUnfinished     keys are half renewed: `salus {command}` goes on"
            )?;
        }
        Ok(())
    }
}

/// Runs the command.
pub(super) async fn show(app: &App) -> Result<()> {
    let session = Session::open(app).await?;
    let unlocked = &session.unlocked;
    let usage = unlocked.usage();
    let info = session.client().account().await?;
    let info = info.ok_or(salus_client::ClientError::NoAccount)?;
    let unfinished = if super::lost::is_stopped(&session) {
        Some("account lost")
    } else if unlocked.seems_unfinished(&info)? {
        Some("account rotate")
    } else {
        None
    };
    let shown = Shown {
        account: unlocked.account().to_string(),
        name: unlocked.profile()?.display_name,
        safety_number: unlocked.safety_number(),
        genesis: unlocked.genesis().to_string(),
        unfinished,
        principals: info.principals.into_iter().map(|p| p.to_text()).collect(),
        slots: unlocked.slots()?.into_iter().map(Slot::from).collect(),
        usage: Usage {
            bytes: usage.bytes,
            quota: usage.quota,
            records: usage.records,
        },
    };
    app.out.answer(&shown)
}
