//! `salus account sign-ins` and `salus account sign-in …`: who may call for the account. A sign-in opens
//! nothing; it says whose account is asked for. Must not know how one is proven.

use crate::app::{self, App};
use crate::error::{Error, Kind, Result};
use crate::identity;
use crate::proof::ProofArgs;
use crate::session::Session;
use crate::text::Table;
use clap::Subcommand;
use salus_client::Principal;
use serde::Serialize;
use std::fmt;

/// Who may call for the account.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Let another identity of this machine call for your account. On another machine use `account
    /// pair`, or `account unlock --recovery FILE`, which add its identity too
    Add {
        /// Name of an identity, or a PEM file
        #[arg(value_name = "NAME|FILE.pem")]
        which: String,
        #[command(flatten)]
        proof: ProofArgs,
    },
    /// Let one call for your account no more
    Remove {
        /// Its principal, or an identity of this machine
        #[arg(value_name = "PRINCIPAL|NAME|FILE.pem")]
        which: String,
        #[command(flatten)]
        proof: ProofArgs,
    },
}

#[derive(Serialize)]
struct SignIn {
    principal: String,
    /// The identity of this machine that calls as it.
    identity: Option<String>,
    in_use: bool,
}

#[derive(Serialize)]
struct SignIns {
    sign_ins: Vec<SignIn>,
}

impl fmt::Display for SignIns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["PRINCIPAL", "IDENTITY", ""]);
        for one in &self.sign_ins {
            table.row(vec![
                one.principal.clone(),
                one.identity.clone().unwrap_or_default(),
                if one.in_use { "(in use)" } else { "" }.to_owned(),
            ]);
        }
        write!(f, "{table}")
    }
}

/// Lists them.
pub(super) async fn list(app: &App) -> Result<()> {
    let client = app.client().await?;
    let account = client.account().await?;
    let account = account.ok_or(salus_client::ClientError::NoAccount)?;
    let mine: Vec<(String, Principal)> = identity::list(&app.home)?
        .into_iter()
        .filter_map(|file| Some((file.name.clone(), app::principal(&file).ok()?)))
        .collect();
    let sign_ins = account.principals.into_iter().map(|principal| SignIn {
        principal: principal.to_text(),
        identity: mine
            .iter()
            .find(|(_, p)| *p == principal)
            .map(|(name, _)| name.clone()),
        in_use: principal == client.caller(),
    });
    app.out.answer(&SignIns {
        sign_ins: sign_ins.collect(),
    })
}

/// Runs the command.
pub(super) async fn run(app: &App, command: &Command) -> Result<()> {
    match command {
        Command::Add { which, proof } => add(app, which, proof).await,
        Command::Remove { which, proof } => remove(app, which, proof).await,
    }
}

#[derive(Serialize)]
struct Added {
    principal: String,
    identity: String,
}

impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} now belongs to your account. On this machine it opens your records as before; \
             elsewhere it takes one of the ways in `salus account slots` as well.",
            self.principal
        )
    }
}

async fn add(app: &App, named: &str, proof: &ProofArgs) -> Result<()> {
    if Principal::from_text(named).is_ok() {
        return Err(Error::new(
            Kind::Usage,
            "no_key_here",
            "whoever holds that principal's key has to say yes to it, and this machine does not",
        )
        .hint(
            "there, run `salus account pair` or `salus account unlock --recovery FILE`; on the website, \
             sign in with it and type your 24 words",
        ));
    }
    let file = identity::find(&app.home, Some(named))?;
    let joining = app.client_of(&file).await?;
    let principal = joining.caller();
    let session = proof.session(app).await?;
    if session.unlocked.principals().await?.contains(&principal) {
        return Err(Error::exists(format!(
            "{principal} belongs to your account already"
        )));
    }
    let claim = session.unlocked.authorise(principal)?;
    let joined = joining.claim(claim).await?;
    if joined.account != session.unlocked.account() {
        return Err(
            salus_client::ClientError::from(salus_client::IntegrityError::OtherAccount).into(),
        );
    }
    app.out.answer(&Added {
        principal: principal.to_text(),
        identity: file.name,
    })
}

#[derive(Serialize)]
struct Removed {
    principal: String,
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} calls for your account no more. If someone else has it, and something that opens your \
             account too, lock both out with `salus account lost`.",
            self.principal
        )
    }
}

async fn remove(app: &App, who: &str, proof: &ProofArgs) -> Result<()> {
    let principal = principal_of(app, who)?;
    let session = proof.session(app).await?;
    let known = session.unlocked.principals().await?;
    removable(&session, &known, principal)?;
    session.unlocked.remove_principal(principal).await?;
    app.out.answer(&Removed {
        principal: principal.to_text(),
    })
}

/// Whom the command line means.
///
/// # Errors
/// See [`identity::find`].
pub(super) fn principal_of(app: &App, who: &str) -> Result<Principal> {
    match Principal::from_text(who) {
        Ok(principal) => Ok(principal),
        Err(_) => app::principal(&identity::find(&app.home, Some(who))?),
    }
}

/// Whether one may be removed from here.
///
/// # Errors
/// `in_use` for the one that calls; `not_found`.
pub(super) fn removable(
    session: &Session<'_>,
    known: &[Principal],
    principal: Principal,
) -> Result<()> {
    if principal == session.client().caller() {
        return Err(Error::new(
            Kind::Usage,
            "in_use",
            format!("{principal} is the one that calls"),
        )
        .hint("call with another identity of your account: `--identity NAME`"));
    }
    if known.contains(&principal) {
        Ok(())
    } else {
        Err(
            Error::not_found(format!("{principal} does not belong to your account"))
                .hint("see `salus account sign-ins`"),
        )
    }
}
