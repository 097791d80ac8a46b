//! Scopes and rights between the command line, the client and what is shown: names of one's own
//! compartments become ids, ids become names.

use crate::arrivals::of_category;
use crate::error::{Error, Kind, Result};
use crate::session::Session;
use crate::text::line;
use crate::wish::{RightsArg, Wanted};
use salus_client::{
    APPEND, Authorship, Compartment, CompartmentId, READ, RecordId, Scope, VersionRef, Wish,
};
use salus_health::Category;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// A right's bits.
pub(crate) const fn bits(rights: RightsArg) -> u8 {
    (if rights.read { READ } else { 0 }) | (if rights.append { APPEND } else { 0 })
}

/// The words for rights' bits.
pub(crate) fn words(rights: u8) -> Vec<&'static str> {
    RightsArg {
        read: rights & READ != 0,
        append: rights & APPEND != 0,
    }
    .words()
}

/// A scope as it is answered.
#[derive(Clone, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum ShownScope {
    /// Everything.
    All,
    /// Categories by id, as a stranger asks for them.
    Categories {
        /// Their ids or names.
        categories: Vec<String>,
    },
    /// Compartments.
    Compartments {
        /// Which.
        compartments: Vec<ShownCompartment>,
    },
    /// Single records.
    Records {
        /// Which.
        records: Vec<ShownVersion>,
    },
}

/// A compartment as far as its name is known.
#[derive(Clone, Serialize)]
pub(crate) struct ShownCompartment {
    id: String,
    name: Option<String>,
}

/// A version of a record; a wish names none.
#[derive(Clone, Serialize)]
pub(crate) struct ShownVersion {
    record: String,
    version: Option<u32>,
}

impl ShownScope {
    /// Of a grant.
    pub(crate) fn of(scope: &Scope, name: impl Fn(&CompartmentId) -> Option<String>) -> Self {
        match scope {
            Scope::Everything => Self::All,
            Scope::Compartments(ids) => Self::compartments(ids, name),
            Scope::Records(versions) => Self::Records {
                records: versions
                    .iter()
                    .map(|at| ShownVersion {
                        record: at.record.to_string(),
                        version: Some(at.version),
                    })
                    .collect(),
            },
        }
    }

    /// Of a request.
    pub(crate) fn of_wish(wish: &Wish, name: impl Fn(&CompartmentId) -> Option<String>) -> Self {
        match wish {
            Wish::Everything => Self::All,
            Wish::Categories(categories) => Self::Categories {
                categories: categories.clone(),
            },
            Wish::Compartments(ids) => Self::compartments(ids, name),
            Wish::Records(ids) => Self::Records {
                records: ids
                    .iter()
                    .map(|id| ShownVersion {
                        record: id.to_string(),
                        version: None,
                    })
                    .collect(),
            },
        }
    }

    fn compartments(
        ids: &[CompartmentId],
        name: impl Fn(&CompartmentId) -> Option<String>,
    ) -> Self {
        Self::Compartments {
            compartments: ids
                .iter()
                .map(|id| ShownCompartment {
                    id: id.to_string(),
                    name: name(id),
                })
                .collect(),
        }
    }
}

impl fmt::Display for ShownScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = match self {
            Self::All => return write!(f, "everything"),
            Self::Categories { categories } => categories
                .iter()
                .map(|c| Category::from_id(c).map_or_else(|| line(c), |c| c.name().to_owned()))
                .collect(),
            Self::Compartments { compartments } => compartments
                .iter()
                .map(|c| line(c.name.as_ref().unwrap_or(&c.id)))
                .collect(),
            Self::Records { records } => {
                let each: BTreeSet<&String> = records.iter().map(|r| &r.record).collect();
                each.iter().map(|id| format!("record {id}")).collect()
            }
        };
        write!(f, "{}", words.join(", "))
    }
}

impl Session<'_> {
    /// What one's own scope on the command line means.
    ///
    /// # Errors
    /// When a compartment or record is not there.
    pub(crate) async fn scope(&self, wanted: &Wanted) -> Result<Scope> {
        match wanted {
            Wanted::All => Ok(Scope::Everything),
            Wanted::Compartments(names) => {
                let ids: Result<Vec<CompartmentId>> = names
                    .iter()
                    .map(|name| self.compartment(name).map(|c| c.id))
                    .collect();
                Ok(compartments(ids?))
            }
            Wanted::Records(ids) => self.versions(ids).await,
        }
    }

    /// What a requester's wish means among one's own compartments and records.
    ///
    /// # Errors
    /// When something of it is not there.
    pub(crate) async fn granting(&self, wish: &Wish) -> Result<Scope> {
        match wish {
            Wish::Everything => Ok(Scope::Everything),
            Wish::Compartments(ids) => {
                let own = self.unlocked.compartments()?;
                for id in ids {
                    if !own.iter().any(|c| c.id == *id) {
                        return Err(narrow(&own, &id.to_string()));
                    }
                }
                Ok(compartments(ids.clone()))
            }
            Wish::Categories(categories) => {
                let own = self.unlocked.compartments()?;
                let ids: Result<Vec<CompartmentId>> = categories
                    .iter()
                    .map(|category| {
                        of_category(category, &own)
                            .map(|c| c.id)
                            .ok_or_else(|| narrow(&own, category))
                    })
                    .collect();
                Ok(compartments(ids?))
            }
            Wish::Records(ids) => self.versions(ids).await,
        }
    }

    /// The newest versions of one's own records.
    async fn versions(&self, ids: &[RecordId]) -> Result<Scope> {
        let mut versions = Vec::new();
        for id in ids {
            let newest = self.unlocked.open_record(*id, None).await?.item;
            if newest.author.authorship == Authorship::Unknown {
                self.app.out.remark(format_args!(
                    "The author of {} is not verified.",
                    line(&newest.descriptor.title)
                ));
            }
            versions.push(VersionRef {
                record: newest.record,
                version: newest.version,
            });
        }
        versions.sort_unstable();
        versions.dedup();
        Ok(Scope::Records(versions))
    }
}

fn compartments(mut ids: Vec<CompartmentId>) -> Scope {
    ids.sort_unstable();
    ids.dedup();
    Scope::Compartments(ids)
}

fn narrow(own: &[Compartment], what: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "no_compartment",
        format!("you have no compartment for `{}`", line(what)),
    )
    .candidates(own.iter().map(|c| c.label.name.clone()).collect())
    .hint("approve with --scope to say what you grant instead")
}
