//! Names of people, as learnt from grants, requests, the directory and links: so that one can write
//! a name where a principal is wanted. A name proves nothing; keys are checked where they are used.
//! Must not know how names are learnt.

use crate::error::{Error, Kind, Result};
use crate::home;
use crate::text::line;
use salus_client::{AccountId, Principal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Someone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    /// Their account, hexadecimal.
    pub(crate) account: String,
    /// A principal of theirs, if one was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) principal: Option<String>,
    /// What they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

impl Person {
    /// Their account.
    pub(crate) fn account(&self) -> Option<AccountId> {
        self.account.parse().ok()
    }

    /// Their principal.
    pub(crate) fn principal(&self) -> Option<Principal> {
        Principal::from_text(self.principal.as_deref()?).ok()
    }

    fn described(&self) -> String {
        let name = self.name.as_deref().unwrap_or("(no name)");
        let principal = self.principal.as_deref().unwrap_or("principal unknown");
        format!("{name}: account {}, {principal}", self.account)
    }
}

/// Everyone known to one account on this machine.
#[derive(Debug)]
pub(crate) struct Contacts {
    path: Option<PathBuf>,
    people: Vec<Person>,
}

impl Contacts {
    /// Those in a file; none when there is no such file. A file that cannot be read counts as none:
    /// it is only memory of names.
    ///
    /// # Errors
    /// [`Error::file`]
    pub(crate) fn load(path: PathBuf) -> Result<Self> {
        let people = read(&path)?.unwrap_or_default();
        Ok(Self {
            path: Some(path),
            people,
        })
    }

    /// Remembers someone; what is known already and not contradicted stays.
    ///
    /// # Errors
    /// [`Error::file`]
    pub(crate) fn learn(
        &mut self,
        account: AccountId,
        principal: Option<Principal>,
        name: Option<&str>,
    ) -> Result<()> {
        let account = account.to_string();
        let principal = principal.map(|p| p.to_text());
        let name = name.map(line).filter(|name| !name.is_empty());
        if self.knows(&account, principal.as_deref(), name.as_deref()) {
            return Ok(());
        }
        // Another command may have learnt something meanwhile.
        let _held = match self.path.as_deref().and_then(Path::parent) {
            Some(folder) => Some(home::lock(folder)?),
            None => None,
        };
        self.reload()?;
        let known = self.people.iter_mut().find(|p| p.account == account);
        match known {
            Some(person) => {
                person.principal = principal.or(person.principal.take());
                person.name = name.or(person.name.take());
            }
            None => self.people.push(Person {
                account,
                principal,
                name,
            }),
        }
        self.save()
    }

    fn knows(&self, account: &str, principal: Option<&str>, name: Option<&str>) -> bool {
        self.people.iter().any(|p| {
            p.account == account
                && (principal.is_none() || p.principal.as_deref() == principal)
                && (name.is_none() || p.name.as_deref() == name)
        })
    }

    fn reload(&mut self) -> Result<()> {
        if let Some(path) = &self.path {
            self.people = read(path)?.unwrap_or_default();
        }
        Ok(())
    }

    /// What someone's account is called.
    pub(crate) fn name_of(&self, account: AccountId) -> Option<&str> {
        self.of(account)?.name.as_deref()
    }

    /// Everyone's name by account.
    pub(crate) fn names(&self) -> BTreeMap<String, String> {
        self.people
            .iter()
            .filter_map(|p| Some((p.account.clone(), p.name.clone()?)))
            .collect()
    }

    /// Someone by account.
    pub(crate) fn of(&self, account: AccountId) -> Option<&Person> {
        let account = account.to_string();
        self.people.iter().find(|p| p.account == account)
    }

    /// Someone by account, principal or name, as a person would write it.
    ///
    /// # Errors
    /// When a name means several people.
    pub(crate) fn find(&self, text: &str) -> Result<Option<&Person>> {
        let text = line(text);
        let exact = self
            .people
            .iter()
            .find(|p| p.account == text || p.principal.as_deref() == Some(text.as_str()));
        if exact.is_some() {
            return Ok(exact);
        }
        let wanted = text.to_lowercase();
        let named: Vec<&Person> = self
            .people
            .iter()
            .filter(|p| p.name.as_ref().is_some_and(|n| n.to_lowercase() == wanted))
            .collect();
        match named.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            several => Err(Error::new(
                Kind::Usage,
                "ambiguous",
                format!("`{text}` is the name of several people"),
            )
            .candidates(several.iter().map(|p| p.described()).collect())
            .hint("name the account or the principal instead")),
        }
    }

    fn save(&self) -> Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let bytes = serde_json::to_vec_pretty(&self.people).map_err(|error| {
            Error::new(
                Kind::Other,
                "contacts",
                format!("could not write contacts: {error}"),
            )
        })?;
        home::write_whole(path, &bytes)
    }
}

fn read(path: &Path) -> Result<Option<Vec<Person>>> {
    Ok(home::read(path)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(n: u8) -> AccountId {
        AccountId([n; 16])
    }

    #[test]
    fn names_are_learnt_kept_and_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("contacts.json");
        let mut contacts = Contacts::load(path.clone()).unwrap();
        let principal = Principal::self_authenticating([1]);
        contacts
            .learn(account(1), None, Some(" Dr.\nNovak\u{202e} "))
            .unwrap();
        contacts.learn(account(1), Some(principal), None).unwrap();
        let again = Contacts::load(path).unwrap();
        for text in [
            "dr. novak".to_owned(),
            account(1).to_string(),
            principal.to_text(),
        ] {
            let person = again.find(&text).unwrap().unwrap();
            assert_eq!(person.account(), Some(account(1)), "{text}");
            assert_eq!(person.principal(), Some(principal));
        }
        assert_eq!(again.name_of(account(1)), Some("Dr. Novak"));
        assert_eq!(again.find("novak").unwrap(), None);
    }

    #[test]
    fn an_ambiguous_name_lists_whom_it_could_mean() {
        let mut contacts = Contacts {
            path: None,
            people: Vec::new(),
        };
        contacts.learn(account(1), None, Some("Ana")).unwrap();
        contacts.learn(account(2), None, Some("ana")).unwrap();
        let error = contacts.find("Ana").unwrap_err();
        assert_eq!(error.reason, "ambiguous");
        assert_eq!(error.candidates.len(), 2);
        assert!(contacts.find(&account(2).to_string()).unwrap().is_some());
    }

    #[test]
    fn unreadable_contacts_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("contacts.json");
        std::fs::write(&path, b"{").unwrap();
        assert_eq!(Contacts::load(path).unwrap().find("x").unwrap(), None);
    }
}
