//! `salus contact …`: how far the keys of people one deals with are known, comparing them, and
//! accepting them after they changed.

use crate::app::App;
use crate::error::{Error, Result};
use crate::output::on_terminal;
use crate::qr;
use crate::session::Session;
use crate::text::{Table, line};
use clap::{Args, Subcommand};
use salus_client::{Comparison, Contact, KeyChange, Trust};
use serde::Serialize;
use std::fmt;

/// People one deals with.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show everyone, and how far their keys are known
    List,
    /// Show the safety number you have with someone, and your code for them to scan
    Safety {
        /// By name, account, principal or link
        person: String,
        /// Show your code as one for a camera too
        #[arg(long)]
        qr: bool,
    },
    /// Compare what someone shows you, and remember that you did
    Verify(VerifyArgs),
    /// Accept someone's keys after they changed
    Accept {
        /// By name, account, principal or link
        person: String,
    },
}

/// What to compare.
#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// By name, account, principal or link
    person: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Shown {
    /// The digits of the safety number that they see
    #[arg(long, value_name = "DIGITS")]
    number: Option<String>,
    /// The text of their safety code
    #[arg(long, value_name = "TEXT")]
    code: Option<String>,
}

#[derive(Serialize)]
struct Person {
    account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    trust: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'static str>,
    /// Digits that both see.
    safety_number: String,
    /// What they scan or paste.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// The same for a camera, in half blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    qr: Option<String>,
}

impl Person {
    fn of(session: &Session<'_>, contact: &Contact) -> Self {
        let (trust, change) = words(contact.trust);
        let named = session.name_of(contact.account);
        Self {
            account: contact.account.to_string(),
            name: named.or_else(|| contact.name().map(line)),
            trust,
            change,
            safety_number: session.unlocked.safety_number_with(contact),
            code: None,
            qr: None,
        }
    }

    fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.account)
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.called(), self.said())?;
        write!(f, "Safety number  {}", self.safety_number)?;
        if let Some(code) = &self.code {
            write!(
                f,
                "\nTheir app shows the same number. Or give them this code:\n{code}"
            )?;
        }
        match &self.qr {
            Some(qr) if on_terminal() => write!(f, "\n\n{}", qr::on_screen(qr))?,
            Some(qr) => write!(f, "\n\n{qr}")?,
            None => {}
        }
        Ok(())
    }
}

impl Person {
    fn said(&self) -> &'static str {
        match (self.trust, self.change) {
            ("verified", _) => "compared with you",
            ("pinned", _) => "known from before",
            ("certified", _) => "vouched for by the network, not compared",
            (_, Some("different_account")) => "a different account: nothing is sent to it",
            (_, Some(_)) => "the keys changed: nothing is sent to them",
            _ => "new to you",
        }
    }
}

#[derive(Serialize)]
struct People {
    contacts: Vec<Person>,
}

impl fmt::Display for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["NAME", "ACCOUNT", "KEYS"]);
        for person in &self.contacts {
            table.row(vec![
                person.name.clone().unwrap_or_default(),
                person.account.clone(),
                person.said().to_owned(),
            ]);
        }
        write!(f, "{table}")
    }
}

const fn words(trust: Trust) -> (&'static str, Option<&'static str>) {
    match trust {
        Trust::FirstSeen => ("first_seen", None),
        Trust::Certified => ("certified", None),
        Trust::Pinned => ("pinned", None),
        Trust::Verified => ("verified", None),
        Trust::Changed(KeyChange::Recovered) => ("changed", Some("recovered")),
        Trust::Changed(KeyChange::Diverged) => ("changed", Some("diverged")),
        Trust::Changed(KeyChange::OtherAccount) => ("changed", Some("different_account")),
    }
}

/// Runs the command.
pub(crate) async fn run(app: &App, command: &Command) -> Result<()> {
    let session = Session::open(app).await?;
    match command {
        Command::List => {
            let all = session.people().await?;
            let contacts = all.iter().map(|c| Person::of(&session, c)).collect();
            app.out.answer(&People { contacts })
        }
        Command::Safety { person, qr } => {
            let contact = session.someone(person).await?;
            let code = session.unlocked.safety_code_for(&contact);
            app.out.answer(&Person {
                qr: qr.then(|| qr::blocks(&code)).transpose()?,
                code: Some(code),
                ..Person::of(&session, &contact)
            })
        }
        Command::Verify(arguments) => {
            let contact = session.someone(&arguments.person).await?;
            let shown = match (&arguments.shown.number, &arguments.shown.code) {
                (Some(digits), _) => Comparison::Number(digits),
                (None, Some(text)) => Comparison::Code(text),
                (None, None) => return Err(Error::usage("give --number or --code")),
            };
            let verified = session.unlocked.verify_contact(&contact, shown).await?;
            app.out.answer(&Person::of(&session, &verified))
        }
        Command::Accept { person } => {
            let contact = session.someone(person).await?;
            let accepted = session.unlocked.accept_key_change(&contact).await?;
            app.out.answer(&Person::of(&session, &accepted))
        }
    }
}
