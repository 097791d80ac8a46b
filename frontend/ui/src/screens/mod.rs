//! A module per place. Must not know the worker beyond `hooks`.

mod account;
mod activity;
mod ask;
mod create;
mod editor;
mod grants;
mod home;
mod import;
mod inbox;
mod pair;
mod patient;
mod practice;
mod record;
mod records;
mod review;
mod safety;
mod security;
mod sharing;
mod unlock;
mod welcome;

pub(crate) use create::Create;
pub(crate) use pair::Join;
pub(crate) use unlock::Unlock;
pub(crate) use welcome::Welcome;

use crate::app_context::App;
use crate::model::Boot;
use crate::parts::{Icon, empty, head};
use crate::route::Route;
use crate::texts::Texts;
use salus_messages::SessionState;
use yew::{Html, html};

/// The screen of a place.
pub(crate) fn place(t: &'static Texts, route: &Route) -> Html {
    match route.clone() {
        Route::Home => html! { <home::Home /> },
        Route::Records(compartment) => html! { <records::Records {compartment} /> },
        Route::Record(address, version) => html! { <record::Record {address} {version} /> },
        Route::Add(patient) => html! { <editor::Add {patient} /> },
        Route::Amend(address) => html! { <editor::Amend {address} /> },
        Route::Sharing => html! { <sharing::Sharing /> },
        Route::Review(request) => html! { <review::Review {request} /> },
        Route::Give(record) => html! { <review::Give {record} /> },
        Route::Activity => html! { <activity::Activity /> },
        Route::Inbox => html! { <inbox::Inbox /> },
        Route::Account => html! { <account::Account /> },
        Route::Pair(code) => html! { <pair::Approve {code} /> },
        Route::Security => html! { <security::Security /> },
        Route::TakenBack => html! { <security::TakenBack /> },
        Route::Patients => html! { <practice::Patients /> },
        Route::Patient(patient) => html! { <patient::Patient {patient} /> },
        Route::Outgoing => html! { <practice::Outgoing /> },
        Route::Ask(link) => html! { <ask::Ask {link} /> },
        Route::Lost => lost(t),
    }
}

/// The document's title at the place one is at; never anything of a record.
pub(crate) fn title(app: &App) -> String {
    let t = app.t;
    let name = match &app.model.boot {
        Boot::Ready(_, SessionState::Unlocked(_)) => match app.model.route.root() {
            Route::Home => t.nav_home,
            Route::Records(_) | Route::Record(..) | Route::Add(_) | Route::Amend(_) => {
                t.nav_records
            }
            Route::Sharing | Route::Review(_) | Route::Give(_) => t.nav_sharing,
            Route::Activity => t.nav_activity,
            Route::Inbox => t.nav_inbox,
            Route::Account | Route::Pair(_) | Route::Security | Route::TakenBack => t.nav_account,
            Route::Patients | Route::Patient(_) => t.nav_patients,
            Route::Outgoing => t.nav_outgoing,
            Route::Ask(_) => t.nav_ask,
            Route::Lost => t.lost_title,
        },
        Boot::Ready(_, SessionState::NoVault { .. }) => t.create_title,
        Boot::Ready(_, SessionState::Locked { .. }) => t.unlock_title,
        _ => return "Salus".to_owned(),
    };
    format!("{name} · Salus")
}

fn lost(t: &'static Texts) -> Html {
    html! {
        <>
            { head(t.lost_title, Html::default(), Html::default()) }
            { empty(Icon::Search, t.lost_lead, html! { <a href={Route::Home.href()} class="button primary">{ t.nav_home }</a> }) }
        </>
    }
}
