//! `salus account pair`: a new machine gets a way to unlock of its own by help of one that has one. Both
//! show the same words, and both ask.
//!
//! Either side answers several documents, one for each step: what has to be typed or compared elsewhere is
//! shown before it is waited for.

use super::open::file_slot;
use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::proof::ProofArgs;
use crate::session::note_use;
use crate::text::{self, line};
use salus_client::{ClientError, NotACode, PairingCode, Words};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// How often the vault is looked at while the other side is waited for.
const LOOK: Duration = Duration::from_secs(1);
/// Looks in a row that may fail for want of a network.
const FAILURES: usize = 10;
/// What a paired machine is called unless the person says otherwise.
const LABEL: &str = "paired device";

/// The code, on the new machine.
#[derive(Serialize)]
struct Begun {
    code: String,
    /// ms since 1970.
    expires: u64,
}

impl fmt::Display for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Code   {}", self.code)?;
        write!(
            f,
            "Type it on a device that is unlocked: on the website under Account, \"Let another device in\", or\n\
             with `salus account pair --approve {}`. Waiting until {}.",
            self.code,
            text::time(self.expires)
        )
    }
}

/// The words, on both.
#[derive(Serialize)]
struct Compared {
    words: String,
    /// Principal of the new machine, where it is not the one that answers.
    principal: Option<String>,
    /// Whether that is new to the account.
    joins: Option<bool>,
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Words  {}", self.words)?;
        if let (Some(principal), Some(true)) = (&self.principal, self.joins) {
            writeln!(f, "{principal} will be able to call for your account.")?;
        }
        write!(
            f,
            "Look at the other device: if it does not show these very words, someone is in between."
        )
    }
}

/// How it ended, on the new machine.
#[derive(Serialize)]
struct Paired {
    account: String,
    principal: String,
}

impl fmt::Display for Paired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "This machine now opens your account {}.", self.account)
    }
}

/// How it ended, on the other.
#[derive(Serialize)]
struct Approved {
    label: String,
    joined: Option<String>,
}

impl fmt::Display for Approved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "The new device now opens your account, as \"{}\".",
            line(&self.label)
        )
    }
}

/// Looks until there is something; what is looked at ends by itself. A network that fails for a moment
/// is no reason to begin again.
async fn wait<T>(
    mut look: impl AsyncFnMut() -> std::result::Result<Option<T>, ClientError>,
) -> Result<T> {
    let mut failed = 0;
    loop {
        match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => failed = 0,
            Err(ClientError::Transport(_)) if failed < FAILURES => failed += 1,
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether the person says that both show the same: yes, or the words themselves.
fn agreed(app: &App, words: &Words) -> bool {
    app.out.remark(
        "Does the other device show the same words? Type y, or the words you see there; anything else ends it.",
    );
    let mut typed = String::new();
    let read = std::io::stdin().read_line(&mut typed);
    let typed = typed.trim().to_lowercase();
    read.is_ok() && (typed == "y" || typed == "yes" || words.are(&typed))
}

fn differ() -> Error {
    Error::new(
        Kind::Other,
        "not_the_same_words",
        "ended: nothing was added to the account",
    )
    .hint(
        "if the words differ again, someone stands between the two: do not go on over this network",
    )
}

/// On the new machine.
pub(crate) async fn join(app: &App) -> Result<()> {
    let client = app.client().await?;
    if let Some(info) = client.account().await?
        && let Ok(Some((slot, secret))) = app.secrets(&app.folder(&client, info.account)).slot()
        && client.unlock_with_slot(slot, &secret).await.is_ok()
    {
        return Err(Error::exists("this machine opens your account already"));
    }
    let mut joining = client.pairing_begin().await?;
    app.out.answer(&Begun {
        code: joining.code().to_string(),
        expires: joining.expires(),
    })?;
    let account = wait(async || joining.answered().await).await?;
    let slot = file_slot()?;
    joining.offer(slot.id, slot.secret.clone()).await?;
    let words = wait(async || joining.words().await).await?;
    app.out.answer(&Compared {
        words: words.to_string(),
        principal: None,
        joins: None,
    })?;
    if !agreed(app, &words) {
        // It ends by itself if this does not arrive.
        let _ = joining.end().await;
        return Err(differ());
    }
    // Before the other side has added it: whoever is let in must not be without it.
    let secrets = app.secrets(&app.folder(&client, account));
    secrets.keep_slot(slot.id, &slot.secret)?;
    let unlocked = wait(async || joining.unlocked().await).await;
    let unlocked = match unlocked {
        Ok(unlocked) => unlocked,
        Err(error) => {
            if error.kind != Kind::Network {
                let _ = secrets.forget_slot();
            }
            return Err(error);
        }
    };
    note_use(app, &unlocked).await;
    app.out.answer(&Paired {
        account: unlocked.account().to_string(),
        principal: client.caller().to_text(),
    })
}

/// On the machine that is unlocked.
pub(crate) async fn approve(
    app: &App,
    code: &str,
    label: Option<&str>,
    proof: &ProofArgs,
) -> Result<()> {
    if proof.reads_stdin() {
        return Err(Error::usage(
            "stdin is where you say whether both show the same words",
        ));
    }
    let code: PairingCode = code
        .parse()
        .map_err(|error: NotACode| Error::usage(error.to_string()))?;
    let session = proof.session(app).await?;
    let mut approving = session.unlocked.pairing_answer(code).await?;
    let words = wait(async || approving.words().await).await?;
    let principal = approving.principal().map(|p| p.to_text());
    app.out.answer(&Compared {
        words: words.to_string(),
        principal: principal.clone(),
        joins: Some(approving.joins()),
    })?;
    if !agreed(app, &words) {
        let _ = approving.refuse().await;
        return Err(differ());
    }
    let label = line(label.unwrap_or(LABEL));
    approving.approve(&label).await?;
    app.out.answer(&Approved {
        label,
        joined: principal.filter(|_| approving.joins()),
    })
}
