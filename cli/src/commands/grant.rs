//! `salus grant …`: access one gave, and was given.

use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::session::Session;
use crate::span::Span;
use crate::terms::{ShownScope, bits, words};
use crate::text::{count, line, time};
use crate::wish::{RightsArg, ScopeArg, join};
use clap::{Args, Subcommand};
use salus_client::{CompartmentId, GrantId, GrantPhase, READ, Scope, Terms};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Grants.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Give a provider access
    Give(GiveArgs),
    /// Show access you gave and were given
    List,
    /// Take access back
    Revoke {
        /// Which grant
        id: GrantId,
    },
}

#[derive(Args, Debug)]
pub(crate) struct GiveArgs {
    /// The provider: a principal, or a name you deal with or that is in the directory
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// all, compartment:NAME or record:ID; may be repeated
    #[arg(long, required = true, value_name = "SCOPE")]
    scope: Vec<ScopeArg>,
    /// read, append, or read,append
    #[arg(long, value_name = "RIGHTS")]
    rights: RightsArg,
    /// With record:ID: later versions, too; otherwise the record as it is now
    #[arg(long)]
    follow: bool,
    /// What for; the provider sees it
    #[arg(long)]
    purpose: String,
    /// For how long, from now on: 30d, 12h, 1y
    #[arg(long = "for", value_name = "LENGTH")]
    span: Span,
}

/// A grant, from either side.
#[derive(Serialize)]
struct Grant {
    grant: String,
    /// The other side's account.
    account: String,
    name: Option<String>,
    specialty: Option<String>,
    safety_number: String,
    scope: ShownScope,
    /// Whether later versions of single records are granted too.
    follows: bool,
    rights: Vec<&'static str>,
    purpose: Option<String>,
    /// Milliseconds since 1970.
    not_before: u64,
    /// Milliseconds since 1970.
    expires: u64,
    /// `upcoming`, `active`, `expired` or `revoked`.
    status: &'static str,
    /// Milliseconds since 1970.
    revoked_at: Option<u64>,
    /// The request it answers.
    request: Option<String>,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_ref().unwrap_or(&self.account);
        write!(
            f,
            "  {}  {}  {}\n      {} {}",
            self.grant,
            self.status,
            line(name),
            self.rights.join(" and "),
            self.scope
        )?;
        if self.follows {
            write!(f, ", with later versions")?;
        }
        match self.revoked_at {
            Some(at) => write!(f, ", taken back {}", time(at))?,
            None => write!(f, ", until {}", time(self.expires))?,
        }
        if let Some(purpose) = &self.purpose {
            write!(f, ": {}", line(purpose))?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Grants {
    given: Vec<Grant>,
    received: Vec<Grant>,
}

impl fmt::Display for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.given.is_empty() && self.received.is_empty() {
            return write!(f, "No grants.");
        }
        for (heading, grants) in [("By you", &self.given), ("To you", &self.received)] {
            if grants.is_empty() {
                continue;
            }
            writeln!(f, "{heading}:")?;
            for grant in grants {
                writeln!(f, "{grant}")?;
            }
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Given {
    grant: String,
    grantee: String,
    name: Option<String>,
    safety_number: String,
    scope: ShownScope,
    /// Whether later versions of single records are granted too.
    follows: bool,
    rights: Vec<&'static str>,
    /// Milliseconds since 1970.
    expires: u64,
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_ref().unwrap_or(&self.grantee);
        write!(
            f,
            "Granted: {} may {} {} until {}.\nTheir safety number: {}\nGrant {}",
            line(name),
            self.rights.join(" and "),
            self.scope,
            time(self.expires),
            self.safety_number,
            self.grant
        )
    }
}

#[derive(Serialize)]
struct Revoked {
    grant: String,
    /// Compartments that have new keys now.
    new_keys: Vec<String>,
    /// Other grants that got the new keys.
    reissued: Vec<String>,
    /// Other grants that could not get them: give these again.
    left_behind: Vec<String>,
}

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Taken back. The vault gives them nothing more; what they saw, they saw.\n\
             New keys for {}, passed on to {}.",
            count(self.new_keys.len(), "compartment"),
            count(self.reissued.len(), "other grant")
        )?;
        if !self.left_behind.is_empty() {
            write!(
                f,
                "\nThe vault withheld these grants, so they did not get the new keys; give them again:"
            )?;
            for grant in &self.left_behind {
                write!(f, "\n  {grant}")?;
            }
        }
        Ok(())
    }
}

/// Runs the command.
pub(crate) async fn run(app: &App, command: &Command) -> Result<()> {
    let session = Session::open(app).await?;
    match command {
        Command::Give(arguments) => give(&session, arguments).await,
        Command::List => list(&session).await,
        Command::Revoke { id } => {
            let given = session.unlocked.grants().await?;
            let wanted = given.iter().find(|grant| grant.grant.id == *id);
            if let Some(GrantPhase::Revoked { at }) = wanted.map(|grant| grant.phase) {
                return Err(Error::new(
                    Kind::Conflict,
                    "revoked",
                    format!("it was taken back already, {}", time(at)),
                ));
            }
            let revoked = session.unlocked.revoke(*id).await?;
            let ids = |grants: Vec<GrantId>| grants.iter().map(ToString::to_string).collect();
            app.out.answer(&Revoked {
                grant: id.to_string(),
                new_keys: revoked.advanced.iter().map(ToString::to_string).collect(),
                reissued: ids(revoked.reissued),
                left_behind: ids(revoked.left_behind),
            })
        }
    }
}

async fn give(session: &Session<'_>, arguments: &GiveArgs) -> Result<()> {
    let scope = session.scope(&join(&arguments.scope)?).await?;
    let rights = bits(arguments.rights);
    can_follow(arguments.follow, &scope, rights)?;
    let grantee = session.provider(&arguments.provider).await?;
    if grantee.account == session.unlocked.account() {
        return Err(Error::usage("this is your own account"));
    }
    let name = grantee
        .name()
        .map(line)
        .or_else(|| session.name_of(grantee.account));
    let profile = session.unlocked.profile()?;
    let expires = session.client().now().saturating_add(arguments.span.ms());
    let terms = Terms {
        scope: scope.clone(),
        rights,
        follows: arguments.follow,
        not_before: None,
        expires,
        purpose: arguments.purpose.trim().to_owned(),
        owner_name: Some(profile.display_name).filter(|name| !name.is_empty()),
        grantee_name: name.clone(),
        specialty: None,
    };
    let id = session.unlocked.give(&grantee, &terms).await?;
    let names = own_names(session)?;
    session.app.out.answer(&Given {
        grant: id.to_string(),
        grantee: grantee.account.to_string(),
        name,
        safety_number: grantee.safety_number(),
        scope: ShownScope::of(&scope, |id| names.get(id).cloned()),
        follows: arguments.follow,
        rights: words(rights),
        expires,
    })
}

/// Refuses to follow anything but single records that may be read.
pub(super) fn can_follow(follow: bool, scope: &Scope, rights: u8) -> Result<()> {
    let sound = matches!(scope, Scope::Records(_)) && rights & READ != 0;
    if !follow || sound {
        Ok(())
    } else {
        Err(Error::usage(
            "--follow goes with --scope record:ID and the right to read; compartments grow anyway",
        ))
    }
}

fn own_names(session: &Session<'_>) -> Result<BTreeMap<CompartmentId, String>> {
    let all = session.unlocked.compartments()?;
    Ok(all.into_iter().map(|c| (c.id, c.label.name)).collect())
}

async fn list(session: &Session<'_>) -> Result<()> {
    let names = own_names(session)?;
    let mut given = Vec::new();
    for grant in session.unlocked.grants().await? {
        session.learn(&grant.grantee, None, grant.grantee_name.as_deref())?;
        let published = grant.grantee.directory.as_ref();
        let (status, revoked_at) = status(grant.phase);
        given.push(Grant {
            grant: grant.grant.id.to_string(),
            account: grant.grantee.account.to_string(),
            name: grant
                .grantee_name
                .clone()
                .or_else(|| published.map(|entry| entry.name.clone())),
            specialty: grant
                .specialty
                .clone()
                .or_else(|| published.map(|entry| entry.specialty.clone())),
            safety_number: grant.grantee.safety_number(),
            scope: ShownScope::of(&grant.grant.scope, |id| names.get(id).cloned()),
            follows: grant.grant.follows(),
            rights: words(grant.grant.rights),
            purpose: grant.purpose.clone(),
            not_before: grant.grant.not_before,
            expires: grant.grant.expires,
            status,
            revoked_at,
            request: grant.grant.request.map(|id| id.to_string()),
        });
    }
    let from = session.learn_from_grants().await?;
    let theirs = super::record::granted_names(&from);
    let received = from
        .iter()
        .map(|grant| {
            let (status, revoked_at) = status(grant.phase);
            Grant {
                grant: grant.grant.id.to_string(),
                account: grant.owner.account.to_string(),
                name: grant
                    .owner_name()
                    .map(str::to_owned)
                    .or_else(|| session.name_of(grant.owner.account)),
                specialty: None,
                safety_number: grant.owner.safety_number(),
                scope: ShownScope::of(&grant.grant.scope, |id| theirs.get(id).cloned()),
                follows: grant.grant.follows(),
                rights: words(grant.grant.rights),
                purpose: grant.purpose().map(str::to_owned),
                not_before: grant.grant.not_before,
                expires: grant.grant.expires,
                status,
                revoked_at,
                request: grant.grant.request.map(|id| id.to_string()),
            }
        })
        .collect();
    session.app.out.answer(&Grants { given, received })
}

const fn status(phase: GrantPhase) -> (&'static str, Option<u64>) {
    match phase {
        GrantPhase::Upcoming => ("upcoming", None),
        GrantPhase::Active => ("active", None),
        GrantPhase::Expired => ("expired", None),
        GrantPhase::Revoked { at } => ("revoked", Some(at)),
    }
}
