//! Comparing keys with someone, and using theirs after they changed. Must not know what is shared with
//! them.

use crate::dispatch::{Answer, Task, misplaced};
use crate::failure::{Outcome, from_client};
use crate::people::People;
use crate::qr::qr;
use crate::{session, views};
use salus_client::{Comparison, Contact, KeyChange as Change, Trust, Unlocked};
use salus_messages::{AccountId, FailureKind, Intent, KeyChange, Reply, SafetyView};

/// What the text of a safety code has and digits have not.
const CODE_MARK: char = ':';

/// Carries out the intents about other people's keys.
pub(crate) async fn carry_out(task: &Task, intent: Intent) -> Outcome<Answer> {
    session::renew(&task.engine).await?;
    let unlocked = task.engine.unlocked()?;
    match intent {
        Intent::Safety { with } => {
            let contact = person(&unlocked, &with).await?;
            shown(&unlocked, &contact).await
        }
        Intent::Compare { with, shown: text } => {
            let contact = person(&unlocked, &with).await?;
            let comparison = if text.contains(CODE_MARK) {
                Comparison::Code(&text)
            } else {
                Comparison::Number(&text)
            };
            let verified = unlocked.verify_contact(&contact, comparison).await;
            shown(&unlocked, &verified.map_err(from_client)?).await
        }
        Intent::AcceptKeys { of, keys } => {
            session::proof_needed(&task.engine)?;
            let contact = person(&unlocked, &of).await?;
            if fingerprint(&contact) != keys {
                return Err(FailureKind::Conflict.into());
            }
            let accepted = unlocked.accept_key_change(&contact).await;
            shown(&unlocked, &accepted.map_err(from_client)?).await
        }
        _ => Err(misplaced()),
    }
}

async fn person(unlocked: &Unlocked, account: &AccountId) -> Outcome<Contact> {
    let account = views::parse("account", &account.0)?;
    unlocked.person(account).await.map_err(from_client)
}

/// The keys in force, and with them all before.
fn fingerprint(contact: &Contact) -> String {
    contact.chain.head().hash.to_string()
}

async fn shown(unlocked: &Unlocked, contact: &Contact) -> Outcome<Answer> {
    let name = People::of(unlocked).await.find(contact.account).name;
    let code = unlocked.safety_code_for(contact);
    Ok(Reply::Safety(SafetyView {
        person: views::named(contact, Some(&name)),
        change: match contact.trust {
            Trust::Changed(Change::Recovered) => Some(KeyChange::Recovered),
            Trust::Changed(Change::Diverged) => Some(KeyChange::Diverged),
            Trust::Changed(Change::OtherAccount) => Some(KeyChange::OtherAccount),
            _ => None,
        },
        keys: fingerprint(contact),
        number: unlocked.safety_number_with(contact),
        qr: qr(&code)?,
        code,
    })
    .into())
}
