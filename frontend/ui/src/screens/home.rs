//! "My health": what waits for an answer, where things are, what is new.

use crate::app_context::{App, use_app};
use crate::hooks::{use_list, use_load};
use crate::parts::{Icon, empty, head, icon, list, loaded, record_list};
use crate::route::Route;
use crate::words;
use salus_messages::{
    AccessRequest, Category, Compartment, Intent, Page, RecordSummary, Reply, RequestStatus, Topic,
};
use yew::{Html, function_component, html};

pub(crate) fn compartments(reply: Reply) -> Option<Vec<Compartment>> {
    match reply {
        Reply::Compartments(compartments) => Some(compartments),
        _ => None,
    }
}

pub(crate) fn requests(reply: Reply) -> Option<Vec<AccessRequest>> {
    match reply {
        Reply::Requests(requests) => Some(requests),
        _ => None,
    }
}

pub(crate) fn records(reply: Reply) -> Option<Page<RecordSummary>> {
    match reply {
        Reply::Records(page) => Some(page),
        _ => None,
    }
}

const RECENT: usize = 5;

/// The first screen of the patient's side.
#[function_component(Home)]
pub(crate) fn home() -> Html {
    let app = use_app();
    let t = app.t;
    let waiting = use_load(Intent::IncomingRequests, &[Topic::Requests], requests);
    let folders = use_load(
        Intent::Compartments { patient: None },
        &[Topic::Compartments, Topic::Records],
        compartments,
    );
    let recent = use_list(
        Intent::Records {
            patient: None,
            compartment: None,
            search: String::new(),
            cursor: None,
        },
        &[Topic::Records],
        records,
    );
    let name = app
        .model
        .account()
        .map(|account| account.display_name.clone());
    let greeting = match name.as_deref() {
        None | Some("") => t.greeting.to_owned(),
        Some(name) => words::fill(t.greeting_name, &[("name", name)]),
    };
    let add = html! {
        <a href={Route::Add(None).href()} class="button primary" data-testid="add-record">{ icon(Icon::Plus) }{ t.add_record }</a>
    };
    html! {
        <div data-testid="greeting">
            { head(greeting, html! {
                <p class="lead promise-line" data-testid="promise">{ icon(Icon::Lock) }<span>{ t.promise_line }</span></p>
            }, add) }
            { loaded(t, &waiting, |requests| waiting_requests(&app, requests)) }
            if app.model.renewal_left {
                <a href={Route::Security.href()} class="call" data-testid="renewal-left">
                    <span class="call-icon">{ icon(Icon::Alert) }</span>
                    <span class="call-words">
                        <strong>{ t.renew_title }</strong>
                        <span>{ t.renew_unfinished }</span>
                    </span>
                    <span class="call-go">{ t.renew_go_on }{ icon(Icon::Arrow) }</span>
                </a>
            }
            if app.model.account().is_some_and(|account| account.only_words) {
                <a href={Route::Security.href()} class="call" data-testid="second-way">
                    <span class="call-icon">{ icon(Icon::Key) }</span>
                    <span class="call-words">
                        <strong>{ t.second_way }</strong>
                        <span>{ t.second_way_lead }</span>
                    </span>
                    <span class="call-go">{ t.security_open }{ icon(Icon::Arrow) }</span>
                </a>
            }
            <section class="part" aria-labelledby="folders">
                <h2 id="folders">{ t.compartments }</h2>
                { loaded(t, &folders, |all| html! {
                    <ul class="cards">{ for all.iter().map(|one| card(&app, one)) }</ul>
                }) }
            </section>
            <section class="part" aria-labelledby="recent">
                <div class="part-head">
                    <h2 id="recent">{ t.recent }</h2>
                    <a href={Route::Records(None).href()} class="more-link">{ t.all_records }{ icon(Icon::Arrow) }</a>
                </div>
                { list_recent(&app, &recent) }
            </section>
        </div>
    }
}

fn list_recent(app: &App, recent: &crate::hooks::List<RecordSummary>) -> Html {
    use crate::remote::Remote;
    // The further-page button belongs to the records screen; here the first few do.
    match &recent.pages.items {
        Remote::Ready(items) if items.is_empty() => html! {
            { empty(Icon::Folder, app.t.no_records, html! { <p>{ app.t.no_records_more }</p> }) }
        },
        Remote::Ready(items) => html! {
            { record_list(app, &items.iter().take(RECENT).cloned().collect::<Vec<_>>(), None) }
        },
        _ => list(app.t, recent, |_| Html::default()),
    }
}

fn waiting_requests(app: &App, requests: &[AccessRequest]) -> Html {
    let t = app.t;
    let item = |request: &AccessRequest| {
        html! {
            <li>
                <a href={Route::Review(request.id.clone()).href()} class="call" data-testid="waiting-request">
                    <span class="call-icon">{ icon(Icon::Eye) }</span>
                    <span class="call-words">
                        <strong>{ words::fill(t.asks_you, &[("who", &words::person(t, &request.other))]) }</strong>
                        <span>{ &request.purpose }</span>
                    </span>
                    <span class="call-go">{ t.review }{ icon(Icon::Arrow) }</span>
                </a>
            </li>
        }
    };
    let open: Vec<Html> = requests
        .iter()
        .filter(|request| request.status == RequestStatus::Waiting)
        .map(item)
        .collect();
    if open.is_empty() {
        return Html::default();
    }
    html! { <ul class="calls" aria-label={t.waiting_for_you}>{ for open }</ul> }
}

pub(crate) fn category_icon(category: Option<Category>) -> Icon {
    match category {
        Some(Category::Medications) => Icon::Pill,
        Some(Category::Allergies) => Icon::Alert,
        Some(Category::Conditions) => Icon::Steth,
        Some(Category::Immunizations) => Icon::Syringe,
        Some(Category::Results) => Icon::Flask,
        Some(Category::Vitals) => Icon::Heart,
        Some(Category::Procedures) => Icon::Shield,
        Some(Category::Visits) => Icon::Calendar,
        Some(Category::Plans) => Icon::List,
        Some(Category::Documents) => Icon::Clip,
        Some(Category::Profile) => Icon::Person,
        // One's own: whatever it is about, it looks like none of these.
        None => Icon::Folder,
    }
}

fn card(app: &App, compartment: &Compartment) -> Html {
    let t = app.t;
    let readers = match compartment.readers {
        0 => t.only_you.to_owned(),
        n => words::count(u64::from(n), t.readers_one, t.readers_many),
    };
    html! {
        <li data-testid="compartment-card" data-compartment={compartment.id.0.clone()}>
            <a href={Route::Records(Some(compartment.id.clone())).href()} class="card">
                <span class="card-icon">{ icon(category_icon(compartment.category)) }</span>
                <span class="card-title">{ &compartment.name }</span>
                <span class="quiet-text">
                    { words::count(u64::from(compartment.records), t.records_one, t.records_many) }
                </span>
                <span class={yew::classes!("card-note", (compartment.readers > 0).then_some("shared"))}>
                    { icon(if compartment.readers == 0 { Icon::Lock } else { Icon::Eye }) }{ readers }
                </span>
            </a>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    #[test]
    fn every_category_has_a_name_and_a_look_of_its_own() {
        for language in Language::ALL {
            let mut names: Vec<_> = words::CATEGORIES
                .iter()
                .map(|one| words::category(language.texts(), *one))
                .collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), words::CATEGORIES.len(), "{names:?}");
        }
        let looks: Vec<Icon> = words::CATEGORIES
            .iter()
            .map(|one| category_icon(Some(*one)))
            .collect();
        for (n, look) in looks.iter().enumerate() {
            assert!(!looks[..n].contains(look), "{look:?} twice");
            assert_ne!(*look, category_icon(None), "one's own is neutral");
        }
    }
}
