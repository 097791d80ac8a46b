//! Compartments: the patient's categories, with names that only keys open. Must not know what is
//! filed in them.

use super::Unlocked;
use super::create::make_compartment;
use crate::error::{ClientError, Result};
use crate::keys::Keys;
use salus_crypto::{note, random_id};
use salus_protocol::ledger::Change;
use salus_types::{CompartmentId, GrantId};

/// Separates a compartment's name from its tag: U+001F, which nobody types.
const SEPARATOR: char = '\u{1f}';

/// What is sealed about a compartment: `name`, or `name` U+001F `tag`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// The person's name for it.
    pub name: String,
    /// What programs know it by, for instance the category imports are filed under.
    pub tag: Option<String>,
}

impl Label {
    /// A name alone.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            tag: None,
        }
    }

    /// A name and a tag.
    pub fn tagged(name: impl Into<String>, tag: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            tag: Some(tag.into()),
        }
    }

    /// As it is sealed.
    pub fn to_text(&self) -> String {
        let name = self.name.replace(SEPARATOR, " ");
        match &self.tag {
            Some(tag) => format!("{name}{SEPARATOR}{tag}"),
            None => name,
        }
    }

    /// From what was sealed.
    pub fn from_text(text: &str) -> Self {
        match text.split_once(SEPARATOR) {
            Some((name, tag)) => Self::tagged(name, tag),
            None => Self::named(text),
        }
    }
}

/// A compartment of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compartment {
    /// Which.
    pub id: CompartmentId,
    /// Its name and tag.
    pub label: Label,
    /// Its current epoch, from 1.
    pub epoch: u32,
    /// Its name or its newest key does not open: whoever made it did not have the account master
    /// key. Nothing can be filed there.
    pub damaged: bool,
}

/// What adding a compartment led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// The compartment.
    pub id: CompartmentId,
    /// Grants in force over everything that did not get its key: their grantees' keys changed and wait to
    /// be accepted, or the grant cannot be made anew. They read nothing in it until they are given again.
    pub left_behind: Vec<GrantId>,
}

impl Unlocked {
    /// The account's compartments, by name.
    ///
    /// # Errors
    /// [`ClientError::Locked`].
    pub fn compartments(&self) -> Result<Vec<Compartment>> {
        self.with(|keys| {
            let mut out = Vec::new();
            for (id, state) in &keys.ledger.state.compartments {
                let label = self.label(keys, id);
                out.push(Compartment {
                    id: *id,
                    damaged: label.is_err() || keys.newest_epoch(id).is_err(),
                    label: label.unwrap_or_else(|_| Label::named("")),
                    epoch: u32::try_from(state.epochs.len()).unwrap_or(u32::MAX),
                });
            }
            out.sort_by(|a, b| (&a.label, a.id).cmp(&(&b.label, b.id)));
            Ok(out)
        })
    }

    pub(crate) fn label(&self, keys: &Keys, id: &CompartmentId) -> Result<Label> {
        let state = keys
            .ledger
            .state
            .compartments
            .get(id)
            .ok_or(ClientError::NotFound("compartment"))?;
        let text =
            keys.open_note(|amk| note::open_compartment_name(amk, self.scope(), *id, &state.name))?;
        Ok(Label::from_text(&text))
    }

    /// Adds a compartment. Whoever was granted everything gets its key too, but for those that are named.
    ///
    /// # Errors
    /// [`ClientError::Invalid`] for an empty name, and whatever an append may give.
    pub async fn add_compartment(&self, label: &Label) -> Result<Added> {
        if label.name.trim().is_empty() {
            return Err(ClientError::Invalid {
                field: "name",
                reason: "empty",
            });
        }
        let id = CompartmentId(random_id()?);
        loop {
            let (remaining, left_behind) = self.grants_over_everything().await?;
            let made = self
                .try_append(|keys| {
                    let (compartment, key) = make_compartment(self.scope(), id, label, &keys.amk)?;
                    let (reissues, grants) =
                        self.reissue_all(keys, &remaining, &[(key, label.to_text())], None)?;
                    let change = Change::AddCompartment {
                        compartment,
                        reissues,
                    };
                    Ok((change, grants))
                })
                .await?;
            if let super::Appended::Done = made {
                return Ok(Added { id, left_behind });
            }
        }
    }

    /// Gives a compartment another name or tag.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] and whatever an append may give.
    pub async fn rename_compartment(&self, id: CompartmentId, label: &Label) -> Result<()> {
        self.append(|keys| {
            keys.epochs(&id)?;
            let name = note::seal_compartment_name(&keys.amk, self.scope(), id, &label.to_text())?;
            let change = Change::RenameCompartment {
                compartment: id,
                name,
            };
            Ok((change, Vec::new()))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_survive_sealing_and_names_cannot_forge_tags() {
        for label in [
            Label::named("Results"),
            Label::tagged("Befunde", "results"),
            Label::tagged("", "x"),
        ] {
            assert_eq!(Label::from_text(&label.to_text()), label);
        }
        let sly = Label::named("a\u{1f}results");
        assert_eq!(Label::from_text(&sly.to_text()).tag, None);
    }
}
