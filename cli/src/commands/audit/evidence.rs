//! `salus audit evidence` and `salus audit verify --evidence`: what this machine refused last, and a
//! file that proves it to others.

use super::trusted_key;
use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::home;
use crate::text::{line, time};
use salus_client::evidence::{EvidenceError, verify_evidence};
use salus_client::{Head, Verdict};
use serde::Serialize;
use std::fmt;
use std::path::Path;

#[derive(Serialize)]
struct Refused {
    account: String,
    /// `vault`: proven wrong; `answer`: what answered was, and the network is not.
    against: &'static str,
    what: String,
    /// When what this machine remembered was certified, milliseconds since 1970.
    remembered_at: Option<u64>,
    /// When what it was compared with was.
    certified_at: Option<u64>,
    refused_at: u64,
    /// Whether it can be proven to others.
    proven: bool,
    written_to: Option<String>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Refused at {}: {}",
            time(self.refused_at),
            line(&self.what)
        )?;
        if let (Some(before), Some(now)) = (self.remembered_at, self.certified_at) {
            writeln!(
                f,
                "This machine remembered what was certified at {}, and compared it with what was certified at {}.",
                time(before),
                time(now)
            )?;
        }
        match &self.written_to {
            Some(file) => write!(
                f,
                "Written to {}; anyone can check it with `salus audit verify --evidence`.",
                line(file)
            ),
            None if self.proven => write!(f, "`--out FILE` writes the proof."),
            None => write!(
                f,
                "It cannot be proven to others: the network itself certifies nothing wrong."
            ),
        }
    }
}

#[derive(Serialize)]
struct HeadAt {
    entries: u64,
    hash: String,
    certified_at: u64,
}

impl HeadAt {
    fn of(head: &Head, certified_at: u64) -> Self {
        Self {
            entries: head.count,
            hash: head.hash.to_string(),
            certified_at,
        }
    }
}

#[derive(Serialize)]
struct Proven {
    /// Always true: what proves nothing is an error.
    valid: bool,
    account: String,
    vault: String,
    chain: String,
    before: HeadAt,
    after: HeadAt,
    root_key_known: bool,
    root_key: String,
}

impl fmt::Display for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Account {} in vault {}", self.account, self.vault)?;
        for (when, head) in [("certified", &self.before), ("then", &self.after)] {
            writeln!(
                f,
                "{}: {when} at {} with {} entries, hash {}",
                self.chain,
                time(head.certified_at),
                head.entries,
                head.hash
            )?;
        }
        write!(
            f,
            "Both are certified by the network, and cannot both be honest: the vault was rolled back or forked."
        )?;
        if !self.root_key_known {
            write!(
                f,
                "\nThe root key is the file's own, and no network known here: trust it only if you know it:\n{}",
                self.root_key
            )?;
        }
        Ok(())
    }
}

/// Shows what was refused last, and writes the proof.
///
/// # Errors
/// When nothing was, or it cannot be proven and a file is wanted.
pub(super) async fn last(app: &App, out: Option<&Path>) -> Result<()> {
    let client = app.client().await?;
    let refusals = client.refusals().await?;
    let newest = refusals.into_iter().max_by_key(|(_, kept)| kept.refused_at);
    let (account, kept) =
        newest.ok_or_else(|| Error::not_found("this machine has refused nothing of this vault"))?;
    if let Some(file) = out {
        let Some(bytes) = &kept.evidence else {
            return Err(Error::not_found(
                "the last refusal cannot be proven to others: the network itself certifies nothing wrong",
            ));
        };
        home::write_new(file, bytes)?;
    }
    app.out.answer(&Refused {
        account: account.to_string(),
        against: match kept.verdict {
            Verdict::Vault => "vault",
            Verdict::Answer | Verdict::Behind => "answer",
        },
        what: kept.what,
        remembered_at: kept.remembered_at,
        certified_at: kept.certified_at,
        refused_at: kept.refused_at,
        proven: kept.evidence.is_some(),
        written_to: out.map(|path| path.display().to_string()),
    })
}

/// Verifies a file of evidence.
///
/// # Errors
/// When it proves nothing.
pub(super) fn verify(app: &App, path: &Path) -> Result<()> {
    let bytes = home::read(path)?
        .ok_or_else(|| Error::usage(format!("there is no file {}", path.display())))?;
    let trusted = trusted_key(app)?;
    let found = verify_evidence(&bytes, trusted.as_deref()).map_err(|error| {
        let reason = match error {
            EvidenceError::Format => "newer_format",
            EvidenceError::Malformed => "malformed",
            EvidenceError::OtherNetwork => "other_network",
            EvidenceError::Certificate(_) | EvidenceError::Integrity(_) => "integrity",
            EvidenceError::NoContradiction => "no_contradiction",
        };
        let message = format!("{} proves nothing: {error}", path.display());
        Error::new(Kind::Integrity, reason, message)
    })?;
    let contradiction = &found.contradiction;
    app.out.answer(&Proven {
        valid: true,
        account: found.account.to_string(),
        vault: found.vault.to_text(),
        chain: contradiction.chain.to_string(),
        before: HeadAt::of(&contradiction.before, found.before_at),
        after: HeadAt::of(&contradiction.after, found.after_at),
        root_key_known: trusted.is_some(),
        root_key: hex::encode(&found.root_key),
    })
}
