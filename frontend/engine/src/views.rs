//! What the client knows, as the page shows it: ids as text, categories, kinds, people. Must not
//! fetch anything.

use crate::failure::{Outcome, invalid};
use salus_client::{
    Author as ClientAuthor, Authorship, Contact, Label, RecordItem, SlotKind as ClientSlotKind,
    Trust as ClientTrust,
};
use salus_health::Category as Filing;
use salus_messages::{
    AccountId, Author, Category, CompartmentId, Failure, FailureKind, GrantId, NewCompartment,
    Person, RecordId, RecordKind, RecordSummary, RequestId, SlotKind, Trust,
};
use wasm_bindgen::JsValue;

/// LOINC's code of a note, as `salus_health::note` writes it.
const NOTE_CODE: &str = "34109-9";

/// An account's id as text.
pub(crate) fn account(id: salus_client::AccountId) -> AccountId {
    AccountId(id.to_string())
}

/// A record's id as text.
pub(crate) fn record(id: salus_client::RecordId) -> RecordId {
    RecordId(id.to_string())
}

/// A compartment's id as text.
pub(crate) fn compartment(id: salus_client::CompartmentId) -> CompartmentId {
    CompartmentId(id.to_string())
}

/// A request's id as text.
pub(crate) fn request(id: salus_client::RequestId) -> RequestId {
    RequestId(id.to_string())
}

/// A grant's id as text.
pub(crate) fn grant(id: salus_client::GrantId) -> GrantId {
    GrantId(id.to_string())
}

/// The id a text of the page stands for.
pub(crate) fn parse<T: std::str::FromStr>(field: &str, text: &str) -> Outcome<T> {
    text.parse().map_err(|_| invalid(field))
}

/// This website's origin.
pub(crate) fn origin() -> Outcome<String> {
    let part = |of: &JsValue, name| js_sys::Reflect::get(of, &JsValue::from_str(name)).ok();
    part(&js_sys::global(), "location")
        .and_then(|location| part(&location, "origin")?.as_string())
        .ok_or_else(|| Failure::new(FailureKind::Internal, "the worker has no location"))
}

/// The kind of a slot.
pub(crate) const fn slot_kind(kind: ClientSlotKind) -> SlotKind {
    match kind {
        ClientSlotKind::Recovery => SlotKind::Recovery,
        ClientSlotKind::Browser => SlotKind::Browser,
        ClientSlotKind::Passkey => SlotKind::Passkey,
        ClientSlotKind::Passphrase => SlotKind::Passphrase,
        ClientSlotKind::File => SlotKind::File,
    }
}

/// The id of a category of the page: what a request names and a compartment is tagged with.
pub(crate) const fn category_id(category: Category) -> &'static str {
    match category {
        Category::Medications => Filing::Medications.id(),
        Category::Allergies => Filing::Allergies.id(),
        Category::Conditions => Filing::Conditions.id(),
        Category::Immunizations => Filing::Immunizations.id(),
        Category::Results => Filing::Results.id(),
        Category::Vitals => Filing::Vitals.id(),
        Category::Procedures => Filing::Procedures.id(),
        Category::Visits => Filing::Visits.id(),
        Category::Plans => Filing::Plans.id(),
        Category::Documents => Filing::Documents.id(),
        Category::Profile => Filing::Profile.id(),
    }
}

/// A health category as the page names it.
pub(crate) const fn shown(filing: Filing) -> Category {
    match filing {
        Filing::Medications => Category::Medications,
        Filing::Allergies => Category::Allergies,
        Filing::Conditions => Category::Conditions,
        Filing::Immunizations => Category::Immunizations,
        Filing::Results => Category::Results,
        Filing::Vitals => Category::Vitals,
        Filing::Procedures => Category::Procedures,
        Filing::Visits => Category::Visits,
        Filing::Plans => Category::Plans,
        Filing::Documents => Category::Documents,
        Filing::Profile => Category::Profile,
    }
}

/// Where a category is filed that has no compartment of its own: with what it is most like.
const fn akin(filing: Filing) -> Filing {
    match filing {
        Filing::Allergies => Filing::Conditions,
        Filing::Vitals => Filing::Results,
        Filing::Procedures | Filing::Plans => Filing::Visits,
        other => other,
    }
}

/// A compartment's label as it is sealed.
pub(crate) fn label(new: &NewCompartment) -> Label {
    match new.category {
        Some(category) => Label::tagged(new.name.trim(), category_id(category)),
        None => Label::named(new.name.trim()),
    }
}

/// The category a compartment's tag stands for.
pub(crate) fn category(label: &Label) -> Option<Category> {
    category_of(label.tag.as_deref()?)
}

/// The category with this id.
pub(crate) fn category_of(id: &str) -> Option<Category> {
    Filing::from_id(id).map(shown)
}

/// The compartment a record of a category is filed into: its own, or that of what it is most like, or
/// one for whatever fits nowhere else, or any.
pub(crate) fn place<'a>(
    compartments: impl IntoIterator<Item = (salus_client::CompartmentId, &'a Label)>,
    filing: Filing,
) -> Option<salus_client::CompartmentId> {
    let all: Vec<_> = compartments.into_iter().collect();
    let tagged = |wanted: &str| {
        all.iter()
            .find(|(_, label)| label.tag.as_deref() == Some(wanted))
            .map(|(id, _)| *id)
    };
    tagged(filing.id())
        .or_else(|| tagged(akin(filing).id()))
        .or_else(|| tagged(Filing::Documents.id()))
        .or_else(|| tagged(Filing::Profile.id()))
        .or_else(|| all.first().map(|(id, _)| *id))
}

/// The health category a kind of record belongs to.
pub(crate) const fn filing(kind: RecordKind) -> Filing {
    match kind {
        RecordKind::Condition => Filing::Conditions,
        RecordKind::Allergy => Filing::Allergies,
        RecordKind::Medication => Filing::Medications,
        RecordKind::Immunization => Filing::Immunizations,
        RecordKind::Laboratory | RecordKind::Imaging => Filing::Results,
        RecordKind::Vitals => Filing::Vitals,
        RecordKind::Procedure => Filing::Procedures,
        RecordKind::Encounter => Filing::Visits,
        RecordKind::CarePlan => Filing::Plans,
        RecordKind::Demographics => Filing::Profile,
        RecordKind::Note | RecordKind::Document | RecordKind::Other => Filing::Documents,
    }
}

fn kind(item: &RecordItem) -> RecordKind {
    let descriptor = &item.descriptor;
    let coded = |code: &str| descriptor.coding.as_ref().is_some_and(|c| c.code == code);
    match descriptor.category.as_deref().and_then(Filing::from_id) {
        Some(Filing::Conditions) => RecordKind::Condition,
        Some(Filing::Allergies) => RecordKind::Allergy,
        Some(Filing::Medications) => RecordKind::Medication,
        Some(Filing::Immunizations) => RecordKind::Immunization,
        Some(Filing::Results) => RecordKind::Laboratory,
        Some(Filing::Vitals) => RecordKind::Vitals,
        Some(Filing::Procedures) => RecordKind::Procedure,
        Some(Filing::Visits) => RecordKind::Encounter,
        Some(Filing::Plans) => RecordKind::CarePlan,
        Some(Filing::Profile) => RecordKind::Demographics,
        Some(Filing::Documents) if coded(NOTE_CODE) => RecordKind::Note,
        Some(Filing::Documents) => RecordKind::Document,
        None => RecordKind::Other,
    }
}

/// Someone of whom only the account is known.
pub(crate) fn stranger(id: salus_client::AccountId) -> Person {
    Person {
        account: Some(account(id)),
        principal: String::new(),
        name: String::new(),
        specialty: String::new(),
        trust: Trust::Unknown,
        attestation: None,
    }
}

/// Someone whose keys were checked.
pub(crate) fn person(contact: &Contact) -> Person {
    let entry = contact.directory.as_ref();
    Person {
        name: entry.map(|d| d.name.clone()).unwrap_or_default(),
        specialty: entry.map(|d| d.specialty.clone()).unwrap_or_default(),
        trust: match contact.trust {
            ClientTrust::Verified => Trust::Verified,
            ClientTrust::Pinned => Trust::Pinned,
            ClientTrust::Certified => Trust::Certified,
            ClientTrust::FirstSeen => Trust::Unknown,
            ClientTrust::Changed(_) => Trust::Changed,
        },
        ..stranger(contact.account)
    }
}

/// Someone whose keys were checked, by their published name or else the one they or we gave.
pub(crate) fn named(contact: &Contact, name: Option<&str>) -> Person {
    let mut person = person(contact);
    if person.name.is_empty() {
        person.name = name.unwrap_or_default().to_owned();
    }
    person
}

/// Someone seen before, in a list perhaps, but never dealt with: nobody should read that as knowing
/// them.
pub(crate) fn not_dealt_with(person: &mut Person) {
    if person.trust == Trust::Pinned {
        person.trust = Trust::Certified;
    }
}

/// Who wrote a version.
pub(crate) fn author(author: &ClientAuthor) -> Author {
    let own = author.authorship == Authorship::Own;
    Author {
        person: Person {
            name: author.name.clone().unwrap_or_default(),
            trust: if own { Trust::Own } else { Trust::Pinned },
            ..stranger(author.account)
        },
        verified: author.authorship != Authorship::Unknown,
    }
}

/// A record in a list.
pub(crate) fn summary(item: &RecordItem) -> RecordSummary {
    let descriptor = &item.descriptor;
    let kind = kind(item);
    let contents = usize::from(has_content(item));
    RecordSummary {
        id: record(item.record),
        compartment: item.compartment.map(compartment),
        title: descriptor.title.clone(),
        kind,
        type_label: descriptor
            .coding
            .as_ref()
            .and_then(|c| c.display.clone())
            .filter(|d| *d != descriptor.title)
            .unwrap_or_default(),
        clinical_date: descriptor.clinical_date.clone(),
        added_at: item.at,
        author: author(&item.author),
        version: item.version,
        attachments: u32::try_from(descriptor.parts.len().saturating_sub(contents))
            .unwrap_or(u32::MAX),
        unfiled: item.compartment.is_none(),
    }
}

/// Whether the first part is what the record says, rather than a file attached to it.
pub(crate) fn has_content(item: &RecordItem) -> bool {
    item.descriptor
        .parts
        .first()
        .is_some_and(|p| p.media_type == salus_health::FHIR_JSON)
}
