//! What others left in the drop box: filed on the way by whatever command unlocks the account to
//! look at it. Only with a verified author; what cannot be filed stays, and it is said why.

use crate::commands::record::rows::{Author, Filed};
use crate::error::Result;
use crate::session::Session;
use crate::text::{count, line};
use salus_client::{Authorship, ClientError, Compartment, CompartmentId, RecordItem};
use salus_health::Category;

/// Files what waits, lets the grants that follow records reach it, and says so.
///
/// # Errors
/// When the drop box cannot be read, or what it holds is not what its author signed.
pub(crate) async fn file_all(session: &Session<'_>) -> Result<Vec<Filed>> {
    let filed = file_waiting(session).await?;
    follow(session).await;
    Ok(filed)
}

/// Extends the grants that follow records to what was added to them. What cannot be done is said, and
/// tried again the next time: the records themselves are stored.
pub(crate) async fn follow(session: &Session<'_>) {
    let out = session.app.out;
    match session.unlocked.follow_records().await {
        Ok(followed) => {
            if !followed.extended.is_empty() {
                out.remark(format_args!(
                    "Later versions are granted now by {}.",
                    count(followed.extended.len(), "grant")
                ));
            }
            for grant in followed.left_behind {
                out.remark(format_args!(
                    "Grant {grant} cannot be extended to later versions; give it anew."
                ));
            }
        }
        Err(error) => out.remark(format_args!(
            "Later versions are not granted yet: {}",
            line(&error.to_string())
        )),
    }
}

async fn file_waiting(session: &Session<'_>) -> Result<Vec<Filed>> {
    let mut waiting = session.unlocked.drop_box().await?;
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    // A version can be filed only after the one before it.
    waiting.sort_by_key(|item| (item.record, item.version));
    let compartments = session.unlocked.compartments()?;
    let mut orders = Vec::new();
    let mut places = Vec::new();
    for item in &waiting {
        let title = line(&item.descriptor.title);
        if item.author.authorship == Authorship::Unknown {
            session.app.out.remark(format_args!(
                "Left in the drop box: {title}, because its author's keys are not known"
            ));
            continue;
        }
        let Some(place) = place(item, &compartments) else {
            session.app.out.remark(format_args!(
                "Left in the drop box: {title}, because you have no compartment"
            ));
            continue;
        };
        orders.push((item, place.id));
        places.push(place);
    }
    let answers = session.unlocked.adopt_all(&orders).await?;
    let mut filed = Vec::new();
    for (((item, _), place), answer) in orders.into_iter().zip(places).zip(answers) {
        let title = line(&item.descriptor.title);
        match answer {
            Ok(_) => {}
            // Another browser or command of the owner's was faster.
            Err(ClientError::NotFound(_) | ClientError::Conflict(_)) => continue,
            Err(ClientError::Invalid { reason, .. }) => {
                session
                    .app
                    .out
                    .remark(format_args!("Left in the drop box: {title}: {reason}"));
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        let author = Author {
            account: item.author.account.to_string(),
            name: item
                .author
                .name
                .clone()
                .or_else(|| session.name_of(item.author.account)),
            verified: true,
            own: item.author.account == session.unlocked.account(),
        };
        session.app.out.remark(format_args!(
            "Filed into {}: {title}, version {} by {author}",
            line(&place.label.name),
            item.version
        ));
        filed.push(Filed {
            record: item.record.to_string(),
            version: item.version,
            title: item.descriptor.title.clone(),
            author,
            compartment: place.label.name.clone(),
        });
    }
    Ok(filed)
}

/// Where its author suggests, else by its category, else among the documents, else wherever.
fn place<'c>(item: &RecordItem, compartments: &'c [Compartment]) -> Option<&'c Compartment> {
    let of_id = |id: CompartmentId| compartments.iter().find(|c| c.id == id && !c.damaged);
    item.suggested
        .and_then(of_id)
        .or_else(|| of_category(item.descriptor.category.as_deref()?, compartments))
        .or_else(|| of_category(Category::Documents.id(), compartments))
        .or_else(|| compartments.iter().find(|c| !c.damaged))
}

/// The compartment that imports of a category are filed into.
pub(crate) fn of_category<'c>(
    category: &str,
    compartments: &'c [Compartment],
) -> Option<&'c Compartment> {
    let wanted = category.to_lowercase();
    let name = Category::from_id(&wanted).map(|c| c.name().to_lowercase());
    let mut sound = compartments.iter().filter(|c| !c.damaged);
    sound
        .clone()
        .find(|c| c.label.tag.as_deref() == Some(wanted.as_str()))
        .or_else(|| {
            sound.find(|c| {
                let own = c.label.name.to_lowercase();
                own == wanted || Some(&own) == name.as_ref()
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use salus_client::Label;

    #[test]
    fn a_category_finds_its_compartment_under_any_name() {
        let compartment = |n: u8, label: Label| Compartment {
            id: CompartmentId([n; 16]),
            label,
            epoch: 1,
            damaged: false,
        };
        let all = [
            compartment(1, Label::named("results")),
            compartment(2, Label::tagged("Befunde", "results")),
            compartment(3, Label::named("Vital signs")),
        ];
        let find = |category: &str| of_category(category, &all).map(|c| c.id.0[0]);
        assert_eq!(find("results"), Some(2));
        assert_eq!(find("vitals"), Some(3));
        assert_eq!(find("plans"), None);
    }
}
