//! `salus record amend`: the next version of a record, one's own or a patient's.

use super::add::{Receipt, check_date, parts};
use super::import::{self, to_draft};
use super::{AmendArgs, store};
use crate::arrivals;
use crate::error::{Error, Kind, Result};
use crate::session::Session;
use crate::text::line;
use salus_client::{APPEND, Descriptor, Draft, PartDraft};
use serde::Serialize;
use std::fmt;

#[derive(Serialize)]
struct Amended {
    #[serde(flatten)]
    receipt: Receipt,
    /// Whether it stands in the patient's audit trail that the record was opened.
    recorded: bool,
}

impl fmt::Display for Amended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Version {} of {}\nRecord {}",
            self.receipt.version,
            line(&self.receipt.title),
            self.receipt.record
        )?;
        if self.receipt.unfiled {
            write!(f, "\nIt waits until the patient's client files it.")?;
        }
        Ok(())
    }
}

/// Runs the command.
pub(super) async fn run(session: &Session<'_>, arguments: &AmendArgs) -> Result<()> {
    check_date(arguments.date.as_deref())?;
    let Some(patient) = &arguments.patient else {
        arrivals::file_all(session).await?;
        let item = session.unlocked.open_record(arguments.id, None).await?.item;
        let (draft, parts) = next(&item.descriptor, arguments)?;
        let receipt = store::amend(session, None, &item, &draft, &parts).await?;
        arrivals::follow(session).await;
        return session.app.out.answer(&Amended {
            receipt,
            recorded: false,
        });
    };
    let grants = session.grants_from(patient).await?;
    if !grants.iter().any(|grant| grant.grant.rights & APPEND != 0) {
        return Err(Error::new(
            Kind::NotFound,
            "not_covered",
            "this patient did not grant you to append",
        ));
    }
    let (by, opened) = session.open_granted(&grants, arguments.id, None).await?;
    session
        .app
        .out
        .remark("That you opened the record was recorded in the patient's audit trail.");
    let item = opened.item;
    let (draft, parts) = next(&item.descriptor, arguments)?;
    // The grant one reads it by, if that lets one append too.
    let grant = if by.grant.rights & APPEND != 0 {
        by.clone()
    } else {
        store::appending(grants)?
    };
    let receipt = store::amend(session, Some(&grant), &item, &draft, &parts).await?;
    session.app.out.answer(&Amended {
        receipt,
        recorded: true,
    })
}

/// What the next version says about itself: what the command line says, else what its one FHIR
/// file says, else what the version before said.
fn next(before: &Descriptor, arguments: &AmendArgs) -> Result<(Draft, Vec<PartDraft>)> {
    let mut draft = Draft {
        title: before.title.clone(),
        coding: before.coding.clone(),
        category: before.category.clone(),
        clinical_date: before.clinical_date.clone(),
        source: before.source.clone(),
    };
    let mut parts = parts(&arguments.files, true)?;
    if let [file] = arguments.files.as_slice()
        && let Some(bundle) = import::recognise(file, false)?
        && let Some(only) = bundle.only()
    {
        draft = Draft {
            category: draft.category,
            ..to_draft(only)
        };
        parts = vec![import::part(only)];
    }
    if let Some(title) = &arguments.title {
        draft.title = line(title);
    }
    if arguments.date.is_some() {
        draft.clinical_date.clone_from(&arguments.date);
    }
    Ok((draft, parts))
}
