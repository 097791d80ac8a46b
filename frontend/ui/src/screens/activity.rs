//! The audit trail in plain words, and the button that really checks it.

use crate::app_context::{App, use_app};
use crate::browser;
use crate::hooks::{use_act, use_list};
use crate::parts::{Icon, Look, button, empty, head, icon, list, problem, progress};
use crate::words;
use salus_messages::{AuditEntry, AuditKind, Intent, Page, Reply, Topic, Verification};
use web_sys::Blob;
use yew::{Callback, Html, Properties, function_component, html, use_state};

fn activity(reply: Reply) -> Option<Page<AuditEntry>> {
    match reply {
        Reply::Activity(page) => Some(page),
        _ => None,
    }
}

/// The patient's audit trail.
#[function_component(Activity)]
pub(crate) fn activity_screen() -> Html {
    let app = use_app();
    let t = app.t;
    let entries = use_list(
        Intent::Activity { cursor: None },
        &[Topic::Activity],
        activity,
    );
    html! {
        <>
            { head(t.nav_activity, html! { <p class="lead">{ t.activity_lead }</p> }, Html::default()) }
            <Verify />
            { list(t, &entries, |entries| if entries.is_empty() {
                html! { { empty(Icon::Clock, t.no_activity, Html::default()) } }
            } else {
                days(&app, entries)
            }) }
        </>
    }
}

fn days(app: &App, entries: &[AuditEntry]) -> Html {
    let language = app.language();
    let mut groups: Vec<(String, Vec<&AuditEntry>)> = Vec::new();
    for entry in entries {
        let day = words::day(language, entry.at);
        match groups.last_mut() {
            Some((last, group)) if *last == day => group.push(entry),
            _ => groups.push((day, vec![entry])),
        }
    }
    html! {
        <>{ for groups.into_iter().map(|(day, group)| html! {
            <section class="day">
                <h2 class="day-head">{ day }</h2>
                <ol class="entries">{ for group.into_iter().map(|entry| line(app, entry)) }</ol>
            </section>
        }) }</>
    }
}

fn sign(kind: AuditKind) -> (Icon, &'static str) {
    match kind {
        AuditKind::RecordsListed => (Icon::List, "seen"),
        AuditKind::RecordOpened => (Icon::Eye, "seen"),
        AuditKind::Refused => (Icon::Alert, "refused"),
        AuditKind::GrantGiven | AuditKind::RequestApproved | AuditKind::Invited => {
            (Icon::People, "given")
        }
        AuditKind::GrantRevoked | AuditKind::RequestDenied => (Icon::Cross, "ended"),
        AuditKind::AccessAsked => (Icon::Send, "asked"),
        AuditKind::RecordAdded
        | AuditKind::RecordAmended
        | AuditKind::RecordFiled
        | AuditKind::RecordErased => (Icon::Note, "written"),
        AuditKind::CompartmentAdded => (Icon::Folder, "written"),
        _ => (Icon::Key, "system"),
    }
}

fn line(app: &App, entry: &AuditEntry) -> Html {
    let t = app.t;
    let (text, name) = words::audit(t, entry);
    let (sign, tone) = sign(entry.kind);
    html! {
        <li class={yew::classes!("entry", tone)} data-testid="audit-entry" data-kind={name}
            data-sequence={entry.sequence.to_string()}>
            <span class="entry-icon">{ icon(sign) }</span>
            <div class="entry-words">
                <p><strong>{ words::actor(t, &entry.actor) }</strong>{ " " }{ text }</p>
                if !entry.subject.is_empty() { <p class="entry-subject">{ &entry.subject }</p> }
            </div>
            <span class="entry-when quiet-text">
                { words::time(app.language(), entry.at) }
                <span class="entry-number">{ format!("#{}", entry.sequence) }</span>
            </span>
        </li>
    }
}

#[function_component(Verify)]
fn verify() -> Html {
    let app = use_app();
    let t = app.t;
    let found = use_state(|| None::<Verification>);
    let check = {
        let found = found.clone();
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::Verified(verification) = reply {
                found.set(Some(verification));
            }
        }))
    };
    let export = use_act(Callback::from(|(reply, blobs): (Reply, Vec<Blob>)| {
        if let (Reply::File(file), Some(blob)) = (reply, blobs.first()) {
            browser::save(blob, &file.name);
        }
    }));
    let onverify = {
        let (check, found) = (check.clone(), found.clone());
        Callback::from(move |()| {
            found.set(None);
            check.send(Intent::VerifyActivity);
        })
    };
    let onexport = {
        let export = export.clone();
        Callback::from(move |()| export.send(Intent::ExportActivity))
    };
    let failure = check.failure.clone().or_else(|| export.failure.clone());
    html! {
        <section class="panel verify" aria-labelledby="verify-title">
            <div class="verify-words">
                <h2 id="verify-title">{ t.verify_title }</h2>
                <p>{ t.verify_lead }</p>
            </div>
            <div class="actions">
                { button("verify", t.verify).look(Look::Primary).icon(Icon::Shield).busy(check.is_busy()).onclick(onverify) }
                { button("export", t.export).icon(Icon::Down).busy(export.is_busy()).onclick(onexport) }
            </div>
            { progress(&app, check.busy.or(export.busy), true) }
            <div role="status">
                if let Some(verification) = &*found { <Outcome verification={verification.clone()} /> }
            </div>
            if let Some(failure) = failure { { problem(t, &failure) } }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct Outcomes {
    verification: Verification,
}

#[function_component(Outcome)]
fn outcome(props: &Outcomes) -> Html {
    let app = use_app();
    let t = app.t;
    let found = &props.verification;
    let (good, title, more, name) = match &found.defect {
        None => (
            true,
            t.verified_title.to_owned(),
            words::count(found.entries, t.verified_one, t.verified_many),
            "ok",
        ),
        Some(defect) => {
            let (text, name) = words::defect(t, defect);
            (false, t.defect_title.to_owned(), text, name)
        }
    };
    let certified = found
        .certified_at
        .map(|at| words::moment(app.language(), at));
    html! {
        <div class={yew::classes!("outcome", if good { "good" } else { "bad" })} data-testid="verification" data-outcome={name}>
            <span class="outcome-icon">{ icon(if good { Icon::Shield } else { Icon::Alert }) }</span>
            <div>
                <p class="outcome-title">{ title }</p>
                <p>{ more }</p>
                <dl class="facts">
                    <div><dt>{ t.verified_entries }</dt><dd class="number" data-testid="verified-entries">{ found.entries }</dd></div>
                    if let Some(certified) = certified {
                        <div><dt>{ t.verified_at }</dt><dd data-testid="verified-at">{ certified }</dd></div>
                    }
                    <div class="wide"><dt>{ t.verified_head }</dt><dd><code data-testid="verified-head">{ &found.head }</code></dd></div>
                </dl>
                if !good { <p>{ t.defect_advice }</p> }
            </div>
        </div>
    }
}
