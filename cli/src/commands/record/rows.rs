//! Records as they are answered: one shape for lists, histories and receipts. Must not know how
//! they are fetched.

use crate::session::Session;
use crate::text::{self, Table};
use salus_client::{Authorship, RecordItem};
use serde::Serialize;
use std::fmt;

/// A part of a version.
#[derive(Serialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) bytes: u64,
}

/// Who wrote a version.
#[derive(Serialize)]
pub(crate) struct Author {
    pub(crate) account: String,
    pub(crate) name: Option<String>,
    /// Whether the signature verifies under keys known to be theirs.
    pub(crate) verified: bool,
    /// Whether it is the caller.
    pub(crate) own: bool,
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.own {
            return write!(f, "you");
        }
        let name = self.name.as_deref().unwrap_or(&self.account);
        let verified = if self.verified {
            "signature verified"
        } else {
            "signature NOT verified"
        };
        write!(f, "{} ({verified})", text::line(name))
    }
}

/// A version of a record.
#[derive(Serialize)]
pub(crate) struct Record {
    pub(crate) record: String,
    pub(crate) version: u32,
    pub(crate) latest: u32,
    pub(crate) title: String,
    /// Name of the compartment; absent while it waits in the drop box, or if its name is not known.
    pub(crate) compartment: Option<String>,
    pub(crate) compartment_id: Option<String>,
    /// Whether it waits in the owner's drop box.
    pub(crate) unfiled: bool,
    /// A FHIR date, as precise as it is known.
    pub(crate) clinical_date: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) code: Option<Code>,
    pub(crate) source: Option<String>,
    pub(crate) parts: Vec<Part>,
    pub(crate) author: Author,
    /// When the author signed it, milliseconds since 1970.
    pub(crate) signed_at: u64,
    /// When the vault stored it, milliseconds since 1970.
    pub(crate) stored_at: u64,
}

/// What kind of thing it is, coded.
#[derive(Serialize)]
pub(crate) struct Code {
    pub(crate) system: String,
    pub(crate) code: String,
    pub(crate) display: Option<String>,
}

impl Record {
    /// An item, with the name of its compartment as far as `name` knows it.
    pub(crate) fn of(
        session: &Session<'_>,
        item: &RecordItem,
        name: impl Fn(&salus_client::CompartmentId) -> Option<String>,
    ) -> Self {
        let descriptor = &item.descriptor;
        Self {
            record: item.record.to_string(),
            version: item.version,
            latest: item.latest,
            title: descriptor.title.clone(),
            compartment: item.compartment.as_ref().and_then(name),
            compartment_id: item.compartment.map(|id| id.to_string()),
            unfiled: item.compartment.is_none() && item.grant.is_none(),
            clinical_date: descriptor.clinical_date.clone(),
            category: descriptor.category.clone(),
            code: descriptor.coding.as_ref().map(|coding| Code {
                system: coding.system.clone(),
                code: coding.code.clone(),
                display: coding.display.clone(),
            }),
            source: descriptor.source.clone(),
            parts: descriptor
                .parts
                .iter()
                .map(|part| Part {
                    name: part.name.clone(),
                    media_type: part.media_type.clone(),
                    bytes: part.len,
                })
                .collect(),
            author: Author {
                account: item.author.account.to_string(),
                name: item
                    .author
                    .name
                    .clone()
                    .or_else(|| session.name_of(item.author.account)),
                verified: item.author.authorship != Authorship::Unknown,
                own: item.author.account == session.unlocked.account(),
            },
            signed_at: item.signed_at,
            stored_at: item.at,
        }
    }

    /// A row of a table: id, version, date, where, title, author.
    fn cells(&self) -> Vec<String> {
        let place = match &self.compartment {
            Some(name) => name.clone(),
            None if self.unfiled => "(drop box)".to_owned(),
            None => String::new(),
        };
        vec![
            self.record.clone(),
            self.version.to_string(),
            self.clinical_date
                .as_deref()
                .map(|date| date.chars().take(10).collect())
                .unwrap_or_default(),
            place,
            self.title.clone(),
            self.author.to_string(),
        ]
    }
}

/// Records, one row each.
pub(crate) fn table(records: &[Record]) -> Table {
    let mut table = Table::new(&["ID", "VERSION", "DATE", "COMPARTMENT", "TITLE", "AUTHOR"]);
    for record in records {
        table.row(record.cells());
    }
    table
}

/// A note on something left for the owner that was filed on the way.
#[derive(Serialize)]
pub(crate) struct Filed {
    pub(crate) record: String,
    pub(crate) version: u32,
    pub(crate) title: String,
    pub(crate) author: Author,
    pub(crate) compartment: String,
}
