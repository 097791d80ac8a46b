//! A new record, a new version, or records out of a FHIR file.

use crate::app_context::{App, go, use_app};
use crate::browser;
use crate::channel;
use crate::hooks::{use_act, use_load};
use crate::parts::{
    Icon, Look, button, check, field, head, icon, loaded, problem, progress, select, text_area,
};
use crate::route::Route;
use crate::screens::home::compartments;
use crate::screens::import::{import_done, import_offer, may_hold_records};
use crate::screens::record::view;
use crate::words;
use salus_messages::{
    AccountId, Attachment, Compartment, Draft, FileRef, ImportSummary, Inspection, Intent,
    RecordAddress, RecordKind, RecordView, Reply, Topic,
};
use wasm_bindgen::JsValue;
use web_sys::{Event, File, HtmlInputElement, SubmitEvent};
use yew::{AttrValue, Callback, Html, Properties, TargetCast, function_component, html, use_state};

pub(super) fn file_ref((index, file): (usize, &File)) -> FileRef {
    let media_type = file.type_();
    FileRef {
        index: u32::try_from(index).unwrap_or(u32::MAX),
        name: file.name(),
        media_type: if media_type.is_empty() {
            "application/octet-stream".to_owned()
        } else {
            media_type
        },
        size: bytes(file),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a browser gives file sizes as whole, positive doubles"
)]
fn bytes(file: &File) -> u64 {
    file.size() as u64
}

#[derive(Properties, PartialEq)]
pub(crate) struct Adds {
    pub(crate) patient: Option<AccountId>,
}

/// A new record.
#[function_component(Add)]
pub(crate) fn add(props: &Adds) -> Html {
    let app = use_app();
    let t = app.t;
    let (lead, back) = match &props.patient {
        None => (t.add_lead, Route::Records(None)),
        Some(patient) => (t.add_for_patient_lead, Route::Patient(patient.clone())),
    };
    html! {
        <>
            { head(t.add_record, html! { <p class="lead">{ lead }</p> }, Html::default()) }
            if let Some(patient) = props.patient.clone() {
                <Editor target={Target::Patient(patient)} {back} folders={Vec::<Compartment>::new()} />
            } else {
                <AddOwn {back} />
            }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct AddOwns {
    back: Route,
}

#[function_component(AddOwn)]
fn add_own(props: &AddOwns) -> Html {
    let t = use_app().t;
    let folders = use_load(
        Intent::Compartments { patient: None },
        &[Topic::Compartments],
        compartments,
    );
    loaded(t, &folders, |folders| {
        html! {
            <Editor target={Target::Own} back={props.back.clone()} folders={folders.clone()} />
        }
    })
}

#[derive(Properties, PartialEq)]
pub(crate) struct Amends {
    pub(crate) address: RecordAddress,
}

/// A new version of a record.
#[function_component(Amend)]
pub(crate) fn amend(props: &Amends) -> Html {
    let app = use_app();
    let t = app.t;
    let open = use_load(
        Intent::OpenRecord {
            address: props.address.clone(),
            version: None,
        },
        &[],
        view,
    );
    html! {
        <>
            { head(t.amend, html! { <p class="lead">{ t.amend_lead }</p> }, Html::default()) }
            { loaded(t, &open, |record| html! {
                <Editor target={Target::Version(props.address.clone(), Box::new(record.clone()))}
                    back={Route::Record(props.address.clone(), None)} folders={Vec::<Compartment>::new()} />
            }) }
        </>
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Target {
    Own,
    Patient(AccountId),
    Version(RecordAddress, Box<RecordView>),
}

#[derive(Properties, PartialEq)]
struct Editors {
    target: Target,
    back: Route,
    folders: Vec<Compartment>,
}

#[derive(Debug, Clone, PartialEq)]
struct Form {
    title: String,
    kind: RecordKind,
    date: String,
    note: String,
    compartment: String,
    files: Vec<File>,
    keep: Vec<Attachment>,
}

fn first_form(target: &Target) -> Form {
    match target {
        Target::Version(_, record) => Form {
            title: record.summary.title.clone(),
            kind: record.summary.kind,
            date: record.summary.clinical_date.clone().unwrap_or_default(),
            note: record.note.clone(),
            compartment: String::new(),
            files: Vec::new(),
            keep: record.attachments.clone(),
        },
        _ => Form {
            title: String::new(),
            kind: RecordKind::Note,
            date: String::new(),
            note: String::new(),
            compartment: String::new(),
            files: Vec::new(),
            keep: Vec::new(),
        },
    }
}

fn intent(target: &Target, form: &Form) -> Intent {
    let draft = Draft {
        title: form.title.trim().to_owned(),
        kind: form.kind,
        clinical_date: (!form.date.is_empty()).then(|| form.date.clone()),
        note: form.note.clone(),
        files: form.files.iter().enumerate().map(file_ref).collect(),
        keep: form.keep.iter().map(|file| file.part).collect(),
    };
    let compartment = (!form.compartment.is_empty()).then(|| form.compartment.as_str().into());
    match target {
        Target::Own => Intent::AddRecord {
            patient: None,
            compartment,
            draft,
        },
        Target::Patient(patient) => Intent::AddRecord {
            patient: Some(patient.clone()),
            compartment: None,
            draft,
        },
        Target::Version(address, record) => Intent::AmendRecord {
            address: address.clone(),
            base: record.latest,
            draft,
        },
    }
}

#[function_component(Editor)]
fn editor(props: &Editors) -> Html {
    let app = use_app();
    let t = app.t;
    let form = use_state(|| first_form(&props.target));
    let offer = use_state(|| None::<Inspection>);
    let imported = use_state(|| None::<ImportSummary>);
    let save = {
        let (app, target) = (app.clone(), props.target.clone());
        use_act(Callback::from(move |(reply, _)| {
            let Reply::Stored {
                record, unfiled, ..
            } = reply
            else {
                return;
            };
            app.say(if unfiled { t.saved_unfiled } else { t.saved });
            go(&match &target {
                Target::Own => Route::Record(
                    RecordAddress {
                        patient: None,
                        record,
                    },
                    None,
                ),
                Target::Patient(patient) => Route::Patient(patient.clone()),
                Target::Version(address, _) => Route::Record(address.clone(), None),
            });
        }))
    };
    let import = {
        let imported = imported.clone();
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::Imported(summary) = reply {
                imported.set(Some(summary));
            }
        }))
    };
    if let Some(summary) = &*imported {
        return import_done(&app, summary);
    }
    let update = |change: fn(&mut Form, String)| {
        let form = form.clone();
        Callback::from(move |value: String| {
            let mut next = (*form).clone();
            change(&mut next, value);
            form.set(next);
        })
    };
    let onfiles = {
        let (form, offer, own) = (form.clone(), offer.clone(), props.target == Target::Own);
        Callback::from(move |event: Event| {
            let files = browser::files(event.target_unchecked_into::<HtmlInputElement>().files());
            offer.set(None);
            if let Some(file) = may_hold_records(&files).filter(|_| own) {
                let offer = offer.clone();
                let intent = Intent::Inspect {
                    file: file_ref((0, &file)),
                };
                channel::ask(intent, &[JsValue::from(file)], move |answer| {
                    // What cannot be looked into can still be kept as it is.
                    if let Ok((Reply::Inspected(found @ Inspection::Fhir { .. }), _)) = answer {
                        offer.set(Some(found));
                    }
                });
            }
            let mut next = (*form).clone();
            if let (true, Some(file)) = (next.title.is_empty(), files.first()) {
                next.title = stem(&file.name());
                if next.note.is_empty() {
                    next.kind = RecordKind::Document;
                }
            }
            next.files = files;
            form.set(next);
        })
    };
    let onsubmit = {
        let (form, save, target) = (form.clone(), save.clone(), props.target.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            save.go.emit((
                intent(&target, &form),
                form.files.iter().map(JsValue::from).collect(),
            ));
        })
    };
    let kinds: Vec<(AttrValue, AttrValue)> = words::KINDS
        .iter()
        .map(|(kind, value)| ((*value).into(), words::kind(t, *kind).into()))
        .collect();
    let kind_value = words::KINDS
        .iter()
        .find(|(kind, _)| *kind == form.kind)
        .map_or("other", |(_, value)| value);
    let mut folders: Vec<(AttrValue, AttrValue)> = vec![("".into(), t.compartment_best.into())];
    folders.extend(
        props
            .folders
            .iter()
            .map(|folder| (folder.id.0.clone().into(), folder.name.clone().into())),
    );
    let nothing = form.title.trim().is_empty()
        || (form.note.trim().is_empty() && form.files.is_empty() && form.keep.is_empty());
    let busy = save.is_busy() || import.is_busy();
    html! {
        <form class="stack editor panel" data-testid="editor" {onsubmit}>
            <div class="field">
                <label for="record-files">{ t.files }</label>
                <p class="hint" id="record-files-hint">{ if props.target == Target::Own { t.files_hint_own } else { t.files_hint } }</p>
                <input id="record-files" data-testid="record-files" type="file" multiple=true
                    class="file-input" aria-describedby="record-files-hint" onchange={onfiles} />
                if !form.files.is_empty() {
                    <ul class="files">{ for form.files.iter().map(|file| html! {
                        <li class="file" data-testid="chosen-file">
                            <span class="kind-icon">{ icon(Icon::Clip) }</span>
                            <span class="file-words"><span class="file-name">{ file.name() }</span>
                            <span class="quiet-text">{ words::size(bytes(file)) }</span></span>
                        </li>
                    }) }</ul>
                }
                { kept(&app, &form) }
            </div>
            if let Some(found) = &*offer {
                { import_offer(&app, found, &form.files, &import, offer.setter()) }
            } else {
                { field("record-title-input", t.record_title, &form.title, update(|form, value| form.title = value)).maxlength(200).required() }
                <div class="fields-row">
                    { select("record-kind", t.record_kind, kind_value, kinds, update(|form, value| form.kind = words::KINDS.iter()
                            .find(|(_, name)| *name == value).map_or(RecordKind::Other, |(kind, _)| *kind))) }
                    { field("record-date", t.record_date, &form.date, update(|form, value| form.date = value)).kind("date") }
                    if !props.folders.is_empty() {
                        { select("record-compartment", t.fact_compartment, form.compartment.clone(), folders, update(|form, value| form.compartment = value)) }
                    }
                </div>
                { text_area("record-note-input", t.record_note, &form.note, update(|form, value| form.note = value)).hint(t.record_note_hint).rows(8) }
                if let Some(failure) = save.failure.clone() { { problem(t, &failure) } }
                { progress(&app, save.busy, true) }
                <div class="actions">
                    { button("save-record", t.save).look(Look::Primary).submit().busy(busy).disabled(nothing) }
                    <a href={props.back.clone().href()} class="button quiet">{ t.cancel }</a>
                </div>
            }
        </form>
    }
}

fn stem(name: &str) -> String {
    name.rsplit_once('.')
        .map_or(name, |(stem, _)| stem)
        .replace('_', " ")
}

/// Files of the version before, each of which may stay or go.
fn kept(app: &App, form: &yew::UseStateHandle<Form>) -> Html {
    let first = form.keep.clone();
    let item = |file: &Attachment| {
        let (form, file) = (form.clone(), file.clone());
        let label = words::fill(app.t.keep_file, &[("name", &file.name)]);
        let id = format!("keep-{}", file.part);
        let onchange = Callback::from(move |_: bool| {
            let mut next = (*form).clone();
            next.keep.retain(|other| *other != file);
            form.set(next);
        });
        html! { { check(id, label, true, onchange) } }
    };
    html! { <>{ for first.iter().map(item) }</> }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        Form {
            title: " Blood count ".to_owned(),
            note: "fine".to_owned(),
            ..first_form(&Target::Own)
        }
    }

    #[test]
    fn a_draft_without_a_date_or_a_place_says_so() {
        let Intent::AddRecord {
            patient,
            compartment,
            draft,
        } = intent(&Target::Own, &form())
        else {
            panic!("a new record is added");
        };
        assert_eq!((patient, compartment), (None, None));
        assert_eq!(draft.title, "Blood count");
        assert_eq!(draft.clinical_date, None);
    }

    #[test]
    fn a_record_for_a_patient_never_names_a_compartment() {
        let form = Form {
            compartment: "c".to_owned(),
            ..form()
        };
        let Intent::AddRecord {
            patient,
            compartment,
            ..
        } = intent(&Target::Patient("p".into()), &form)
        else {
            panic!("a new record is added");
        };
        assert_eq!((patient, compartment), (Some("p".into()), None));
    }

    #[test]
    fn titles_come_from_file_names() {
        assert_eq!(stem("blood_count.2024.pdf"), "blood count.2024");
        assert_eq!(stem("scan"), "scan");
    }
}
