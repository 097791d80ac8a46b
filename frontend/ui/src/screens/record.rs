//! One version of a record, its files and its history.

use crate::app_context::{App, use_app};
use crate::browser;
use crate::hooks::{use_act, use_load};
use crate::parts::{
    Icon, Look, button, head, icon, kind_icon, loaded, paragraphs, problem, progress, sections,
    select,
};
use crate::route::Route;
use crate::screens::home::compartments;
use crate::words;
use salus_messages::{Attachment, Intent, RecordAddress, RecordView, Reply, Topic, VersionSummary};
use yew::{AttrValue, Callback, Html, Properties, function_component, html, use_state};

#[derive(Properties, PartialEq)]
pub(crate) struct RecordProps {
    pub(crate) address: RecordAddress,
    pub(crate) version: Option<u32>,
}

pub(crate) fn view(reply: Reply) -> Option<RecordView> {
    match reply {
        Reply::Record(record) => Some(*record),
        _ => None,
    }
}

fn history(reply: Reply) -> Option<Vec<VersionSummary>> {
    match reply {
        Reply::History(versions) => Some(versions),
        _ => None,
    }
}

/// An opened record.
#[function_component(Record)]
pub(crate) fn record(props: &RecordProps) -> Html {
    let app = use_app();
    let open = use_load(
        Intent::OpenRecord {
            address: props.address.clone(),
            version: props.version,
        },
        // Another's record is opened, and recorded, only when the person comes here.
        if props.address.patient.is_none() {
            &[Topic::Records]
        } else {
            &[]
        },
        view,
    );
    let back = match &props.address.patient {
        None => (Route::Records(None), app.t.nav_records),
        Some(patient) => (Route::Patient(patient.clone()), app.t.back_to_patient),
    };
    html! {
        <>
            <nav class="crumbs" aria-label={app.t.where_am_i}>
                <a href={back.0.href()} class="back">{ icon(Icon::Arrow) }{ back.1 }</a>
            </nav>
            { loaded(app.t, &open, |record| opened(&app, &props.address, record)) }
        </>
    }
}

fn opened(app: &App, address: &RecordAddress, record: &RecordView) -> Html {
    let t = app.t;
    let language = app.language();
    let summary = &record.summary;
    let own = address.patient.is_none();
    let newest = summary.version == record.latest;
    let actions = html! {
        <>
            if record.may_amend && newest {
                <a href={Route::Amend(address.clone()).href()} class="button plain" data-testid="amend">{ icon(Icon::Pencil) }{ t.amend }</a>
            }
            if own && !summary.unfiled {
                <a href={Route::Give(Some(address.record.clone())).href()} class="button plain" data-testid="share-record">{ icon(Icon::People) }{ t.share_record }</a>
            }
        </>
    };
    let type_label = if summary.type_label.is_empty() {
        words::kind(t, summary.kind).to_owned()
    } else {
        summary.type_label.clone()
    };
    let author = words::person(t, &summary.author.person);
    let verified = summary.author.verified;
    let date = summary
        .clinical_date
        .as_deref()
        .map(|date| words::clinical_date(language, date));
    html! {
        <article class="record" data-testid="record" data-version={summary.version.to_string()}>
            { head(summary.title.clone(), html! {
                <p class="record-kind">{ icon(kind_icon(summary.kind)) }<span>{ type_label }</span></p>
            }, actions) }
            if !newest {
                <p class="note warn" data-testid="older-version">
                    { icon(Icon::Clock) }
                    <span>{ words::fill(t.older_version, &[("n", &summary.version.to_string()), ("latest", &record.latest.to_string())]) }{ " " }
                        <a href={Route::Record(address.clone(), None).href()} data-testid="newest-version">{ t.see_newest }</a></span>
                </p>
            }
            if own && summary.unfiled { <FileInto address={address.clone()} /> }
            <dl class="facts">
                if let Some(date) = date { { fact(t.fact_date, html! { date }) } }
                { fact(t.fact_author, html! {
                    <span class={if verified { "author verified" } else { "author unverified" }}
                        data-testid="author" data-verified={verified.to_string()}>
                        { icon(if verified { Icon::Shield } else { Icon::Alert }) }
                        <span>{ author }<span class="author-note">{ if verified { t.author_verified } else { t.author_unverified } }</span></span>
                    </span>
                }) }
                if !record.compartment_name.is_empty() { { fact(t.fact_compartment, html! { &record.compartment_name }) } }
                { fact(t.fact_added, html! { words::moment(language, summary.added_at) }) }
                { fact(t.fact_version, html! {
                    words::fill(t.version_of, &[("n", &summary.version.to_string()), ("latest", &record.latest.to_string())])
                }) }
            </dl>
            if !record.note.is_empty() {
                <section class="record-note" data-testid="record-note">{ paragraphs(&record.note) }</section>
            }
            { sections(t, &record.sections) }
            if !record.attachments.is_empty() {
                <section class="part">
                    <h2>{ t.attachments }</h2>
                    <ul class="files">
                        { for record.attachments.iter().map(|file| html! {
                            <File key={file.part} address={address.clone()} version={summary.version} file={file.clone()} />
                        }) }
                    </ul>
                </section>
            }
            <History address={address.clone()} shown={summary.version} latest={record.latest} />
        </article>
    }
}

fn fact(label: &'static str, value: Html) -> Html {
    html! { <div><dt>{ label }</dt><dd>{ value }</dd></div> }
}

#[derive(Properties, PartialEq)]
struct Files {
    address: RecordAddress,
    version: u32,
    file: Attachment,
}

#[function_component(File)]
fn file(props: &Files) -> Html {
    let app = use_app();
    let t = app.t;
    let act = use_act(Callback::from(
        |(reply, blobs): (Reply, Vec<web_sys::Blob>)| {
            if let (Reply::File(file), Some(blob)) = (reply, blobs.first()) {
                browser::save(blob, &file.name);
            }
        },
    ));
    let onclick = {
        let (act, address) = (act.clone(), props.address.clone());
        let (version, part) = (props.version, props.file.part);
        Callback::from(move |()| {
            act.send(Intent::Download {
                address: address.clone(),
                version,
                part,
            });
        })
    };
    html! {
        <li class="file" data-testid="attachment">
            <span class="kind-icon">{ icon(Icon::Clip) }</span>
            <span class="file-words">
                <span class="file-name">{ &props.file.name }</span>
                <span class="quiet-text">{ words::size(props.file.size) }</span>
            </span>
            { button("download", t.download).icon(Icon::Down).busy(act.is_busy()).onclick(onclick) }
            if act.busy.is_some() { { progress(&app, act.busy, true) } }
            if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct Histories {
    address: RecordAddress,
    shown: u32,
    latest: u32,
}

/// Earlier versions, fetched when one wants to see them.
#[function_component(History)]
fn history_of(props: &Histories) -> Html {
    let t = use_app().t;
    let open = use_state(bool::default);
    let show = {
        let open = open.clone();
        Callback::from(move |()| open.set(true))
    };
    html! {
        <section class="part">
            <h2>{ t.history }</h2>
            if *open {
                <Versions address={props.address.clone()} shown={props.shown} latest={props.latest} />
            } else {
                <p class="quiet-text">{ t.history_lead }</p>
                { button("history", t.show_history).icon(Icon::Clock).onclick(show) }
            }
        </section>
    }
}

#[function_component(Versions)]
fn versions(props: &Histories) -> Html {
    let app = use_app();
    let t = app.t;
    let load = use_load(
        Intent::History {
            address: props.address.clone(),
        },
        &[Topic::Records],
        history,
    );
    let item = |version: &VersionSummary| {
        let number = version.version.to_string();
        let target = (version.version != props.latest).then_some(version.version);
        let who = words::person(t, &version.author.person);
        html! {
            <li data-testid="version-item" data-version={number.clone()}>
                <a href={Route::Record(props.address.clone(), target).href()} class="version" aria-current={(version.version == props.shown).then_some("page")}>
                    <strong>{ words::fill(t.version_n, &[("n", &number)]) }</strong>
                    <span>{ &version.title }</span>
                    <span class="quiet-text">{ format!("{who} · {}", words::moment(app.language(), version.at)) }</span>
                </a>
            </li>
        }
    };
    loaded(t, &load, |versions| {
        html! {
            <ol class="versions" reversed=true>{ for versions.iter().map(item) }</ol>
        }
    })
}

#[derive(Properties, PartialEq)]
struct Filings {
    address: RecordAddress,
}

/// A record from the drop box: where does it go?
#[function_component(FileInto)]
fn file_into(props: &Filings) -> Html {
    let app = use_app();
    let t = app.t;
    let chosen = use_state(String::new);
    let folders = use_load(
        Intent::Compartments { patient: None },
        &[Topic::Compartments],
        compartments,
    );
    let act = {
        let app = app.clone();
        use_act(Callback::from(move |_| app.say(t.filed)))
    };
    html! {
        <section class="note" aria-labelledby="drop-box">
            <div class="stack">
                <h2 id="drop-box">{ t.unfiled_title }</h2>
                <p>{ t.unfiled_lead }</p>
                { loaded(t, &folders, |folders| {
                    let options: Vec<(AttrValue, AttrValue)> = folders
                        .iter()
                        .map(|folder| (folder.id.0.clone().into(), folder.name.clone().into()))
                        .collect();
                    let value = if chosen.is_empty() {
                        options.first().map(|(id, _)| id.to_string()).unwrap_or_default()
                    } else {
                        (*chosen).clone()
                    };
                    let onchange = {
                        let chosen = chosen.clone();
                        Callback::from(move |id| chosen.set(id))
                    };
                    let onclick = {
                        let (act, record, id) = (act.clone(), props.address.record.clone(), value.clone());
                        Callback::from(move |()| act.send(Intent::FileRecord {
                            record: record.clone(),
                            compartment: id.as_str().into(),
                        }))
                    };
                    html! {
                        <div class="inline-form">
                            { select("file-into", t.file_into, value, options, onchange) }
                            { button("file-record", t.file_record).look(Look::Primary).busy(act.is_busy()).onclick(onclick) }
                        </div>
                    }
                }) }
                if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
            </div>
        </section>
    }
}
