//! Records: listing, opening, writing, importing, filing and saving files. Must not know who may see
//! what beyond the grant it is given.

mod importing;
mod listing;
mod opening;
mod writing;

use crate::dispatch::{Answer, Task, misplaced};
use crate::failure::{Outcome, from_client};
use crate::session;
use crate::state::Engine;
use crate::{rounds, sharing, views};
use futures::future::try_join;
use salus_client::{AccountId, RecordItem, Unlocked};
use salus_messages::{Compartment, Intent, Reply};

/// Carries out the intents about records.
pub(crate) async fn carry_out(task: &Task, intent: Intent) -> Outcome<Answer> {
    session::renew(&task.engine).await?;
    let unlocked = task.engine.unlocked()?;
    match intent {
        Intent::Compartments { patient: None } => {
            Ok(Reply::Compartments(own(&task.engine, &unlocked).await?).into())
        }
        Intent::Compartments {
            patient: Some(patient),
        } => {
            let patient: AccountId = views::parse("patient", &patient.0)?;
            sharing::granted_compartments(&unlocked, patient).await
        }
        Intent::AddCompartment { compartment } => {
            let label = views::label(&compartment);
            let added = unlocked
                .add_compartment(&label)
                .await
                .map_err(from_client)?;
            Ok(Reply::Compartment(Compartment {
                id: views::compartment(added.id),
                name: label.name,
                category: compartment.category,
                records: 0,
                readers: 0,
            })
            .into())
        }
        Intent::Records {
            patient,
            compartment,
            search,
            cursor,
        } => listing::page(task, &unlocked, patient, compartment, &search, cursor).await,
        Intent::OpenRecord { address, version } => {
            opening::view(task, &unlocked, &address, version).await
        }
        Intent::History { address } => opening::history(&unlocked, &address).await,
        Intent::Download {
            address,
            version,
            part,
        } => opening::download(task, &unlocked, &address, version, part).await,
        Intent::Inspect { file } => importing::inspect(task, &file).await,
        Intent::AddRecord {
            patient,
            compartment,
            draft,
        } => writing::add(task, &unlocked, patient, compartment, draft).await,
        Intent::Import { file, compartment } => {
            importing::import(task, &unlocked, &file, compartment).await
        }
        Intent::AmendRecord {
            address,
            base,
            draft,
        } => {
            let answer = writing::amend(task, &unlocked, &address, base, draft).await;
            rounds::follow(&task.engine);
            answer
        }
        Intent::FileRecord {
            record,
            compartment,
        } => {
            let record: salus_client::RecordId = views::parse("record", &record.0)?;
            let place = views::parse("compartment", &compartment.0)?;
            let waiting = unlocked.drop_box().await.map_err(from_client)?;
            let item = waiting
                .into_iter()
                .find(|i| i.record == record)
                .ok_or(salus_messages::FailureKind::NotFound)?;
            let stored = unlocked.adopt(&item, place).await.map_err(from_client)?;
            rounds::follow(&task.engine);
            Ok(writing::stored(stored).into())
        }
        _ => Err(misplaced()),
    }
}

/// One's own compartments, with how much is in them and how many may read them.
async fn own(engine: &Engine, unlocked: &Unlocked) -> Outcome<Vec<Compartment>> {
    let (all, readers) = try_join(engine.own_records(unlocked), sharing::readers(unlocked)).await?;
    let count = |of: fn(&RecordItem) -> Option<salus_client::CompartmentId>, id| {
        u32::try_from(all.iter().filter(|i| of(i) == Some(id)).count()).unwrap_or(u32::MAX)
    };
    let compartments = unlocked.compartments().map_err(from_client)?;
    Ok(compartments
        .iter()
        .map(|c| Compartment {
            id: views::compartment(c.id),
            name: c.label.name.clone(),
            category: views::category(&c.label),
            records: count(|i| i.compartment, c.id),
            readers: readers.count(c.id),
        })
        .collect())
}
