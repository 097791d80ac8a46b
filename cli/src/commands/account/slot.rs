//! `salus account slots` and `salus account slot …`: the ways to open the account.

use super::passphrase::{self, PassphraseArgs};
use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::proof::ProofArgs;
use crate::session::Session;
use crate::text::{self, line};
use clap::Subcommand;
use salus_client::{SecondSecretKind, SlotId, SlotInfo, SlotKind, SlotParameters};
use serde::Serialize;
use std::fmt;

/// One way to open the account.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add one
    #[command(subcommand)]
    Add(Add),
    /// Remove one for good: all keys it opened are sealed anew to those that stay
    Remove {
        /// Which, as `account slots` lists it
        #[arg(value_name = "SLOT")]
        slot: SlotId,
        #[command(flatten)]
        proof: ProofArgs,
    },
}

/// Kinds that a terminal can add.
#[derive(Debug, Subcommand)]
pub(crate) enum Add {
    /// A passphrase: of seven random words, printed once, unless you give your own
    Passphrase(PassphraseArgs),
}

/// A way to open the account, as it is shown.
#[derive(Serialize)]
pub(crate) struct Slot {
    id: String,
    kind: &'static str,
    /// What a passphrase is combined with.
    with: Option<&'static str>,
    label: String,
    last_used: Option<u64>,
    in_use: bool,
}

impl Slot {
    /// Which.
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

impl From<SlotInfo> for Slot {
    fn from(slot: SlotInfo) -> Self {
        let with = second_of(&slot);
        Self {
            id: slot.id.to_string(),
            kind: match slot.kind {
                SlotKind::Recovery => "recovery",
                SlotKind::Browser => "browser",
                SlotKind::Passkey => "passkey",
                SlotKind::Passphrase => "passphrase",
                SlotKind::File => "file",
            },
            with,
            label: slot.label,
            last_used: slot.last_used,
            in_use: slot.in_use,
        }
    }
}

fn second_of(slot: &SlotInfo) -> Option<&'static str> {
    match &slot.parameters {
        Some(SlotParameters::Passphrase(parameters)) => Some(match parameters.second {
            SecondSecretKind::Sheet => "sheet",
            SecondSecretKind::Device => "device",
        }),
        _ => None,
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(with) = self.with {
            write!(f, " with {with}")?;
        }
        if !self.label.is_empty() {
            write!(f, " {}", line(&self.label))?;
        }
        if let Some(at) = self.last_used {
            write!(f, ", last used {}", text::time(at))?;
        }
        if self.in_use {
            write!(f, " (in use)")?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Slots {
    slots: Vec<Slot>,
}

impl fmt::Display for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for slot in &self.slots {
            writeln!(f, "{}  {slot}", slot.id)?;
        }
        Ok(())
    }
}

/// Lists them.
pub(crate) async fn list(app: &App) -> Result<()> {
    let session = Session::open(app).await?;
    let slots = session.unlocked.slots()?;
    app.out.answer(&Slots {
        slots: slots.into_iter().map(Slot::from).collect(),
    })
}

/// Runs the command.
pub(crate) async fn run(app: &App, command: &Command) -> Result<()> {
    match command {
        Command::Add(Add::Passphrase(arguments)) => passphrase::add(app, arguments).await,
        Command::Remove { slot, proof } => remove(app, *slot, proof).await,
    }
}

#[derive(Serialize)]
struct Removed {
    removed: String,
    kind: &'static str,
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "The {} {} opens nothing any more.",
            self.kind, self.removed
        )?;
        write!(
            f,
            "If someone else may have had it, make all keys anew with `salus account rotate`."
        )
    }
}

async fn remove(app: &App, slot: SlotId, proof: &ProofArgs) -> Result<()> {
    let session = proof.session(app).await?;
    let slots = session.unlocked.slots()?;
    let there = slots.into_iter().find(|s| s.id == slot);
    let there = removable(there, slot)?;
    let shown = Slot::from(there);
    session.unlocked.remove_slots(&[slot]).await?;
    app.out.answer(&Removed {
        removed: slot.to_string(),
        kind: shown.kind,
    })
}

/// A way that may be removed from here.
///
/// # Errors
/// `not_found`; `in_use` for this machine's own.
pub(super) fn removable(there: Option<SlotInfo>, slot: SlotId) -> Result<SlotInfo> {
    match there {
        Some(there) if there.in_use => Err(Error::new(
            Kind::Usage,
            "in_use",
            format!("`{slot}` is how this machine opens your account"),
        )
        .hint("`salus account forget` removes it, with what else this machine keeps")),
        Some(there) => Ok(there),
        None => Err(
            Error::not_found(format!("there is no way `{slot}` to open your account"))
                .hint("see `salus account slots`"),
        ),
    }
}

/// Whether nothing but the recovery phrase would open the account if this machine were gone.
/// `own` is its slot; `bound_here` whether it has a key that passphrases may be bound to, which are not
/// told apart from other machines'.
pub(super) fn only_the_words_without(
    slots: &[SlotInfo],
    own: Option<SlotId>,
    bound_here: bool,
) -> bool {
    let others = slots.iter().filter(|slot| Some(slot.id) != own);
    others.into_iter().all(|slot| {
        slot.kind == SlotKind::Recovery || (bound_here && second_of(slot) == Some("device"))
    })
}

/// Passphrases that go with the key of some machine.
pub(super) fn bound_to_a_machine(slots: &[SlotInfo]) -> Vec<String> {
    let bound = slots
        .iter()
        .filter(|slot| second_of(slot) == Some("device"));
    bound.map(|slot| slot.id.to_string()).collect()
}

/// One sentence about a second way, where there is none.
pub(super) fn second_way(f: &mut fmt::Formatter<'_>, only_the_words: bool) -> fmt::Result {
    if only_the_words {
        write!(
            f,
            "Besides this machine only your 24 words open your account, and if you lose both nobody \
             can open it again, not even we: `salus account slot add passphrase` adds a second way."
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use salus_client::PassphraseParameters;

    fn slot(n: u8, kind: SlotKind, second: Option<SecondSecretKind>) -> SlotInfo {
        let parameters = second.map(|second| {
            SlotParameters::Passphrase(PassphraseParameters {
                memory_kib: 65536,
                passes: 3,
                salt: [0; 32],
                second,
            })
        });
        SlotInfo {
            id: SlotId([n; 16]),
            kind,
            label: String::new(),
            parameters,
            last_used: None,
            in_use: false,
        }
    }

    #[test]
    fn what_goes_with_this_machine_is_no_second_way() {
        let words = slot(1, SlotKind::Recovery, None);
        let own = slot(2, SlotKind::File, None);
        let bound = slot(3, SlotKind::Passphrase, Some(SecondSecretKind::Device));
        let sheet = slot(4, SlotKind::Passphrase, Some(SecondSecretKind::Sheet));
        let other = slot(5, SlotKind::File, None);
        let only = |slots: &[&SlotInfo], bound_here| {
            let slots: Vec<SlotInfo> = slots.iter().map(|slot| (*slot).clone()).collect();
            only_the_words_without(&slots, Some(own.id), bound_here)
        };
        assert!(only(&[&words, &own], false));
        assert!(only(&[&words, &own, &bound], true));
        assert!(!only(&[&words, &own, &bound], false));
        assert!(!only(&[&words, &own, &sheet], true));
        assert!(!only(&[&words, &own, &other], true));
    }
}
