//! What access is about, as written on the command line: `all`, `compartment:NAME-or-ID`,
//! `record:ID`; and the rights over it. Names are resolved later, where there is a session.

use crate::error::{Error, Result};
use salus_types::RecordId;
use std::str::FromStr;

/// One `--scope`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ScopeArg {
    /// Everything, compartments to come included.
    All,
    /// A compartment by name or id.
    Compartment(String),
    /// A single record.
    Record(RecordId),
}

impl FromStr for ScopeArg {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "all" {
            return Ok(Self::All);
        }
        match text.split_once(':') {
            Some(("compartment", name)) if !name.trim().is_empty() => {
                Ok(Self::Compartment(name.trim().to_owned()))
            }
            Some(("record", id)) => id
                .parse()
                .map(Self::Record)
                .map_err(|error| Error::usage(format!("`{id}` is not a record's id: {error}"))),
            _ => Err(Error::usage(format!(
                "`{text}` is not a scope: write all, compartment:NAME or record:ID"
            ))),
        }
    }
}

/// All `--scope` of a command together: of one sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Everything.
    All,
    /// Compartments by names or ids, as written.
    Compartments(Vec<String>),
    /// Single records.
    Records(Vec<RecordId>),
}

/// Joins the scopes of a command.
///
/// # Errors
/// Of several sorts, or none.
pub(crate) fn join(scopes: &[ScopeArg]) -> Result<Wanted> {
    let mut names = Vec::new();
    let mut records = Vec::new();
    let mut all = false;
    for scope in scopes {
        match scope {
            ScopeArg::All => all = true,
            ScopeArg::Compartment(name) => {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            ScopeArg::Record(id) => {
                if !records.contains(id) {
                    records.push(*id);
                }
            }
        }
    }
    match (all, names.is_empty(), records.is_empty()) {
        (true, true, true) => Ok(Wanted::All),
        (false, false, true) => Ok(Wanted::Compartments(names)),
        (false, true, false) => Ok(Wanted::Records(records)),
        (false, true, true) => Err(Error::usage("name a scope: --scope all, for example")),
        _ => Err(Error::usage(
            "scopes of several sorts: name everything, compartments, or single records",
        )),
    }
}

/// What may be done: `read`, `append`, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RightsArg {
    /// List, open, fetch.
    pub(crate) read: bool,
    /// Leave new versions in the drop box.
    pub(crate) append: bool,
}

impl FromStr for RightsArg {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut rights = Self {
            read: false,
            append: false,
        };
        for word in text.split(',') {
            match word.trim() {
                "read" => rights.read = true,
                "append" => rights.append = true,
                other => {
                    return Err(Error::usage(format!(
                        "`{other}` is not a right: write read, append or read,append"
                    )));
                }
            }
        }
        Ok(rights)
    }
}

impl RightsArg {
    /// As the words of the command line.
    pub(crate) fn words(self) -> Vec<&'static str> {
        let mut words = Vec::new();
        if self.read {
            words.push("read");
        }
        if self.append {
            words.push("append");
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00112233445566778899aabbccddeeff";

    #[test]
    fn scopes_as_written() {
        assert_eq!("all".parse::<ScopeArg>().unwrap(), ScopeArg::All);
        assert_eq!(
            "compartment:Vital signs".parse::<ScopeArg>().unwrap(),
            ScopeArg::Compartment("Vital signs".into())
        );
        assert_eq!(
            format!("record:{ID}").parse::<ScopeArg>().unwrap(),
            ScopeArg::Record(ID.parse().unwrap())
        );
        for wrong in [
            "",
            "everything",
            "record:1",
            "compartment:",
            "compartment: ",
            "x:y",
        ] {
            assert!(wrong.parse::<ScopeArg>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn scopes_join_only_with_their_kind() {
        let a = ScopeArg::Compartment("a".into());
        let b = ScopeArg::Compartment("b".into());
        assert_eq!(
            join(&[a.clone(), b, a.clone()]).unwrap(),
            Wanted::Compartments(vec!["a".into(), "b".into()])
        );
        assert_eq!(join(&[ScopeArg::All]).unwrap(), Wanted::All);
        assert!(join(&[]).is_err());
        assert!(join(&[a.clone(), ScopeArg::All]).is_err());
        assert!(join(&[a, ScopeArg::Record(ID.parse().unwrap())]).is_err());
    }

    #[test]
    fn rights_as_written() {
        let both: RightsArg = "read,append".parse().unwrap();
        assert_eq!(both.words(), ["read", "append"]);
        let append: RightsArg = "append".parse().unwrap();
        assert_eq!(append.words(), ["append"]);
        for wrong in ["", "write", "read,", "READ"] {
            assert!(wrong.parse::<RightsArg>().is_err(), "{wrong:?}");
        }
    }
}
