//! `salus account create`. Must not know how an account is made.

use super::open::{file_slot, no_randomness};
use super::slot::{only_the_words_without, second_way};
use crate::app::App;
use crate::error::{Kind, Result};
use crate::home;
use crate::text::line;
use salus_client::{AccountId, Label, NewAccount, Profile, RecoveryPhrase, Unlocked, random_id};
use salus_health::Category;
use serde::Serialize;
use std::fmt;
use std::path::Path;

/// What `create` answers.
#[derive(Serialize)]
struct Created {
    account: String,
    principal: String,
    safety_number: String,
    compartments: Vec<String>,
    /// The 24 words, unless they were written to a file.
    recovery_phrase: Option<String>,
    recovery_file: Option<String>,
    /// Whether, without this machine, nothing but the words opens the account.
    only_the_words: bool,
}

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Your account: {}", self.account)?;
        writeln!(f, "Safety number: {}", self.safety_number)?;
        match (&self.recovery_phrase, &self.recovery_file) {
            (Some(phrase), _) => {
                writeln!(f, "\nYour recovery phrase, shown only now:\n")?;
                let words: Vec<&str> = phrase.split(' ').collect();
                for row in words.chunks(6) {
                    writeln!(f, "    {}", row.join(" "))?;
                }
                writeln!(
                    f,
                    "\nWrite it down and keep it where only you can find it: it opens your records \
                     when everything else is lost."
                )?;
            }
            (None, Some(file)) => writeln!(
                f,
                "Your recovery phrase is in {}. Keep it where only you can find it.",
                line(file)
            )?,
            (None, None) => {}
        }
        second_way(f, self.only_the_words)
    }
}

/// Runs the command.
pub(super) async fn create(app: &App, name: Option<&str>, out: Option<&Path>) -> Result<()> {
    let client = app.client().await?;
    if client.account().await?.is_some() {
        return Err(salus_client::ClientError::HasAccount.into());
    }
    let phrase = RecoveryPhrase::generate().map_err(no_randomness)?;
    let words = phrase.to_words();
    let account = AccountId(random_id().map_err(salus_client::ClientError::from)?);
    let slot = file_slot()?;
    let own = slot.id;
    let folder = app.folder(&client, account);
    // Both before the account: whoever has it must not be without them.
    if let Some(out) = out {
        home::write_new(out, format!("{}\n", words.as_str()).as_bytes())?;
    }
    let made = async {
        app.secrets(&folder).keep_slot(slot.id, &slot.secret)?;
        let new = NewAccount {
            account: Some(account),
            phrase: &phrase,
            profile: Profile {
                display_name: name.map(line).unwrap_or_default(),
                ..Profile::default()
            },
            compartments: Category::ALL
                .iter()
                .map(|category| Label::tagged(category.name(), category.id()))
                .collect(),
            slots: vec![slot],
        };
        Ok(client.create_account(new).await?)
    };
    let made: Result<Unlocked> = made.await;
    let unlocked = match made {
        Ok(unlocked) => unlocked,
        Err(error) => {
            // Unless nobody knows whether it was done, it was not: leave nothing behind.
            if error.kind != Kind::Network && error.kind != Kind::Integrity {
                let _ = app.secrets(&folder).forget_slot();
                let _ = std::fs::remove_dir_all(&folder);
                if let Some(out) = out {
                    let _ = std::fs::remove_file(out);
                }
            }
            return Err(error);
        }
    };
    app.out.answer(&Created {
        account: account.to_string(),
        principal: client.caller().to_text(),
        safety_number: unlocked.safety_number(),
        compartments: unlocked
            .compartments()?
            .into_iter()
            .map(|c| c.label.name)
            .collect(),
        recovery_phrase: out.is_none().then(|| words.to_string()),
        recovery_file: out.map(|path| path.display().to_string()),
        only_the_words: only_the_words_without(&unlocked.slots()?, Some(own), false),
    })
}
