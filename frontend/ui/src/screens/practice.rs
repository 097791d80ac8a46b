//! "My practice": patients who granted something, requests that were made, and the
//! profile that patients see.

use crate::app_context::{App, use_app};
use crate::hooks::{use_act, use_load};
use crate::parts::{
    Icon, Look, button, empty, field, head, icon, loaded, person_line, problem, progress,
};
use crate::route::Route;
use crate::screens::home::requests;
use crate::screens::review::wish_words;
use crate::words;
use salus_messages::{AccessRequest, Intent, PatientView, Reply, Topic};
use web_sys::SubmitEvent;
use yew::{Callback, Html, function_component, html, use_state};

pub(crate) fn patients(reply: Reply) -> Option<Vec<PatientView>> {
    match reply {
        Reply::Patients(patients) => Some(patients),
        _ => None,
    }
}

/// The first screen of the provider's side.
#[function_component(Patients)]
pub(crate) fn patients_screen() -> Html {
    let app = use_app();
    let t = app.t;
    let all = use_load(
        Intent::Patients,
        &[Topic::Patients, Topic::Requests],
        patients,
    );
    let registered = app
        .model
        .account()
        .is_some_and(|account| account.provider.is_some());
    let actions = html! {
        <a href={Route::Ask(String::new()).href()} class="button primary">{ icon(Icon::Send) }{ t.nav_ask }</a>
    };
    html! {
        <>
            { head(t.nav_patients, html! { <p class="lead">{ t.patients_lead }</p> }, actions) }
            if !registered { <Register /> }
            { loaded(t, &all, |patients| if patients.is_empty() {
                html! { { empty(Icon::People, t.no_patients, html! { <p>{ t.no_patients_more }</p> }) } }
            } else {
                html! { <ul class="cards wide-cards">{ for patients.iter().map(|one| patient(&app, one)) }</ul> }
            }) }
        </>
    }
}

fn patient(app: &App, one: &PatientView) -> Html {
    let t = app.t;
    let until = match (one.active, one.until) {
        (false, _) => t.access_over.to_owned(),
        (true, None) => t.no_end.to_owned(),
        (true, Some(until)) => {
            words::fill(t.until, &[("date", &words::day(app.language(), until))])
        }
    };
    html! {
        <li data-testid="patient-item" data-account={one.account.0.clone()} data-active={one.active.to_string()}>
            <a href={Route::Patient(one.account.clone()).href()} class={if one.active { "card" } else { "card past" }}>
                { person_line(app, &one.person) }
                <span class={yew::classes!("card-note", one.active.then_some("shared"))}>
                    { icon(if one.active { Icon::Eye } else { Icon::Lock }) }{ until }
                </span>
            </a>
        </li>
    }
}

/// Name and specialty for the directory.
#[function_component(Register)]
pub(crate) fn register() -> Html {
    let app = use_app();
    let t = app.t;
    let name = use_state(String::new);
    let specialty = use_state(String::new);
    let act = {
        let app = app.clone();
        use_act(Callback::from(move |_| app.say(t.registered)))
    };
    let onsubmit = {
        let (act, name, specialty) = (act.clone(), name.clone(), specialty.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            act.send(Intent::RegisterProvider {
                name: name.trim().to_owned(),
                specialty: specialty.trim().to_owned(),
            });
        })
    };
    let empty = name.trim().is_empty() || specialty.trim().is_empty();
    let set = |state: &yew::UseStateHandle<String>| {
        let state = state.clone();
        Callback::from(move |value| state.set(value))
    };
    html! {
        <form class="panel stack" data-testid="register" {onsubmit}>
            <h2>{ t.register_title }</h2>
            <p>{ t.register_lead }</p>
            <div class="fields-row">
                { field("provider-name", t.provider_name, &name, set(&name)).hint(t.provider_name_hint).maxlength(100).required() }
                { field("provider-specialty", t.provider_specialty, &specialty, set(&specialty)).hint(t.provider_specialty_hint).maxlength(100).required() }
            </div>
            if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
            { progress(&app, act.busy, false) }
            <div class="actions">
                { button("register-provider", t.register).look(Look::Primary).submit().busy(act.is_busy()).disabled(empty) }
            </div>
        </form>
    }
}

/// Requests this person made, and their answers.
#[function_component(Outgoing)]
pub(crate) fn outgoing() -> Html {
    let app = use_app();
    let t = app.t;
    let made = use_load(Intent::OutgoingRequests, &[Topic::Requests], requests);
    let item = |request: &AccessRequest| {
        let (status, tone, name) = words::request_status(t, request.status);
        html! {
            <li class="panel grant" data-testid="outgoing-item" data-request={request.id.0.clone()} data-status={name}>
                <div class="grant-head">
                    { person_line(&app, &request.other) }
                    <span class={yew::classes!("status", tone)}>{ status }</span>
                </div>
                <dl class="facts">
                    <div><dt>{ t.terms_what }</dt><dd>{ wish_words(&app, &request.wish, &[]) }</dd></div>
                    <div><dt>{ t.terms_rights }</dt><dd>{ words::rights(t, request.rights) }</dd></div>
                    <div><dt>{ t.ask_days }</dt><dd>{ words::days(t, request.days) }</dd></div>
                    <div><dt>{ t.terms_why }</dt><dd>{ &request.purpose }</dd></div>
                    <div><dt>{ t.asked_on }</dt><dd>{ words::moment(app.language(), request.asked_at) }</dd></div>
                </dl>
            </li>
        }
    };
    html! {
        <>
            { head(t.nav_outgoing, html! { <p class="lead">{ t.outgoing_lead }</p> }, Html::default()) }
            { loaded(t, &made, |requests| if requests.is_empty() {
                html! { { empty(Icon::Send, t.no_outgoing, html! { <a href={Route::Ask(String::new()).href()} class="button primary">{ t.nav_ask }</a> }) } }
            } else {
                html! { <ul class="grants">{ for requests.iter().map(item) }</ul> }
            }) }
        </>
    }
}
