//! An unlocked account for the length of one command: opened by this machine's slot, with the names
//! of people its owner deals with. Must not know any command.

use crate::app::App;
use crate::contacts::Contacts;
use crate::error::{Error, Kind, Result};
use salus_client::{AccountId, Client, Compartment, Unlocked};
use std::cell::RefCell;
use std::path::PathBuf;

/// An unlocked account.
pub(crate) struct Session<'a> {
    /// The options and where answers go.
    pub(crate) app: &'a App,
    /// The account.
    pub(crate) unlocked: Unlocked,
    /// Its folder on this machine.
    pub(crate) folder: PathBuf,
    /// Names of people.
    pub(crate) contacts: RefCell<Contacts>,
}

impl<'a> Session<'a> {
    /// Unlocks the caller's account with this machine's slot.
    ///
    /// # Errors
    /// When the caller has no account, or this machine no way to unlock it.
    pub(crate) async fn open(app: &'a App) -> Result<Self> {
        let client = app.client().await?;
        let info = client
            .account()
            .await?
            .ok_or(salus_client::ClientError::NoAccount)?;
        let folder = app.folder(&client, info.account);
        let Some((slot, secret)) = app.secrets(&folder).slot()? else {
            return Err(locked());
        };
        let unlocked = client.unlock_with_slot(slot, &secret).await?;
        note_use(app, &unlocked).await;
        Self::of(app, unlocked)
    }

    /// An account that is unlocked already.
    ///
    /// # Errors
    /// When its folder cannot be read.
    pub(crate) fn of(app: &'a App, unlocked: Unlocked) -> Result<Self> {
        let folder = app.folder(unlocked.client(), unlocked.account());
        crate::home::private_folder(&folder)?;
        let contacts = Contacts::load(folder.join("contacts.json"))?;
        Ok(Self {
            app,
            unlocked,
            folder,
            contacts: RefCell::new(contacts),
        })
    }

    /// The client.
    pub(crate) fn client(&self) -> &Client {
        self.unlocked.client()
    }

    /// A compartment of one's own by id, name or tag.
    ///
    /// # Errors
    /// When there is none, or several of that name.
    pub(crate) fn compartment(&self, text: &str) -> Result<Compartment> {
        let all = self.unlocked.compartments()?;
        pick(all, text)
    }

    /// What someone's account is called here, or nothing.
    pub(crate) fn name_of(&self, account: AccountId) -> Option<String> {
        self.contacts.borrow().name_of(account).map(str::to_owned)
    }
}

/// Notes that the slot in use opened the account; the command goes on if the vault does not take it.
pub(crate) async fn note_use(app: &App, unlocked: &Unlocked) {
    if let Err(error) = unlocked.note_use().await {
        app.out
            .remark(format_args!("The vault did not note this unlock: {error}"));
    }
}

fn locked() -> Error {
    Error::new(
        Kind::NotFound,
        "locked",
        "this machine has no way to unlock your account yet",
    )
    .hint(crate::failure::UNLOCK)
}

fn pick(all: Vec<Compartment>, text: &str) -> Result<Compartment> {
    let wanted = text.trim().to_lowercase();
    let by_id = all.iter().position(|c| c.id.to_string() == wanted);
    let by_name = |c: &&Compartment| c.label.name.to_lowercase() == wanted;
    let by_tag = |c: &&Compartment| c.label.tag.as_deref() == Some(wanted.as_str());
    if let Some(at) = by_id {
        return all
            .into_iter()
            .nth(at)
            .ok_or_else(|| Error::not_found("no such compartment"));
    }
    let mut found: Vec<&Compartment> = all.iter().filter(by_name).collect();
    if found.is_empty() {
        found = all.iter().filter(by_tag).collect();
    }
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(
            Error::not_found(format!("there is no compartment `{text}`"))
                .candidates(all.iter().map(|c| c.label.name.clone()).collect())
                .hint("add one with `salus compartment add NAME`"),
        ),
        several => Err(Error::new(
            Kind::Usage,
            "ambiguous",
            format!("several compartments are called `{text}`"),
        )
        .candidates(
            several
                .iter()
                .map(|c| format!("{}: {}", c.label.name, c.id))
                .collect(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use salus_client::{CompartmentId, Label};

    fn compartment(n: u8, name: &str, tag: Option<&str>) -> Compartment {
        Compartment {
            id: CompartmentId([n; 16]),
            label: Label {
                name: name.into(),
                tag: tag.map(str::to_owned),
            },
            epoch: 1,
            damaged: false,
        }
    }

    #[test]
    fn compartments_go_by_id_then_name_then_tag() {
        let all = vec![
            compartment(1, "Befunde", Some("results")),
            compartment(2, "Results", None),
            compartment(3, "Dental", None),
            compartment(4, "dental", None),
        ];
        let find = |text: &str| pick(all.clone(), text).map(|c| c.id.0[0]);
        assert_eq!(find("RESULTS").unwrap(), 2);
        assert_eq!(find(" befunde").unwrap(), 1);
        assert_eq!(find(&CompartmentId([4; 16]).to_string()).unwrap(), 4);
        assert_eq!(find("dental").unwrap_err().candidates.len(), 2);
        assert_eq!(find("x").unwrap_err().kind, Kind::NotFound);
        let tagged = vec![all[0].clone()];
        assert_eq!(pick(tagged, "results").unwrap().id.0[0], 1);
    }
}
