//! A passphrase and the sheet it goes with. Must not assert anything.

use super::Person;
use salus_client::{Passphrase, SecondSecret, SheetKey, SlotId};

const WORDS: &str = "correct horse battery staple";

/// The key on a recovery sheet.
pub fn sheet() -> SecondSecret {
    SecondSecret::Sheet(SheetKey::parse(&SheetKey::from_bytes([9; 16]).to_text()).unwrap())
}

/// A passphrase someone chose.
pub fn passphrase() -> Passphrase {
    Passphrase::choose(WORDS).unwrap()
}

/// Adds the passphrase, which takes the sheet's key.
pub async fn with_sheet(person: &Person) -> SlotId {
    let client = person.own.client();
    let made = client.passphrase_slot(
        person.own.account(),
        None,
        &passphrase(),
        &sheet(),
        "on the sheet",
    );
    let made = made.unwrap();
    person.own.add_slot(&made).await.unwrap();
    made.id
}
