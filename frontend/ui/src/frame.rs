//! What stands around every screen: the two sides, the navigation, short messages.

use crate::app_context::{App, leave, use_app};
use crate::browser;
use crate::model::{Action, Said};
use crate::parts::{Icon, Locking, Prove, icon, mark};
use crate::route::{Route, Side};
use salus_messages::Intent;
use yew::{Callback, Html, Properties, function_component, html, use_effect_with};

/// How long a short message stays, in milliseconds.
const SAID_FOR: i32 = 8_000;

#[derive(Properties, PartialEq)]
pub(crate) struct Frames {
    pub(crate) children: Html,
}

/// Header, navigation and the screen between them.
#[function_component(Frame)]
pub(crate) fn frame(props: &Frames) -> Html {
    let app = use_app();
    let t = app.t;
    let unread = app.model.unread;
    let bell_label = crate::words::count(u64::from(unread), t.unread_one, t.unread_many);
    let skip = Callback::from(|event: web_sys::MouseEvent| {
        // The address after # is the page's own: jump without changing it.
        event.prevent_default();
        browser::focus("main");
    });
    use_effect_with((), |()| browser::arrive());
    let lock = {
        let app = app.clone();
        Callback::from(move |_: web_sys::MouseEvent| leave(&app, Intent::Lock))
    };
    html! {
        <div class={yew::classes!("frame", match app.model.side {
            Side::Health => "health",
            Side::Practice => "practice",
        })}>
            <a class="skip" href="#main" onclick={skip}>{ t.skip }</a>
            <header class="top">
                <a href={start(app.model.side).href()} class="brand" aria-label={t.brand_label}>
                    { mark() }<span class="brand-name">{ "Salus" }</span>
                </a>
                <nav class="sides" aria-label={t.sides_label}>
                    { side(&app, Side::Health, t.my_health, "side-health") }
                    { side(&app, Side::Practice, t.my_practice, "side-practice") }
                </nav>
                <div class="top-actions">
                    <a href={Route::Inbox.href()} class="button quiet square bell" data-testid="nav-inbox" aria-label={bell_label} aria-current={(app.model.route == Route::Inbox).then_some("page")}>
                        { icon(Icon::Bell) }
                        if unread > 0 {
                            <span class="count" data-testid="unread" aria-hidden="true">{ unread.min(99) }</span>
                        }
                    </a>
                    <a href={Route::Account.href()} class="button quiet square" data-testid="nav-account" aria-label={t.nav_account} aria-current={(app.model.route == Route::Account).then_some("page")}>
                        { icon(Icon::Person) }
                    </a>
                    <button type="button" class="button quiet square" data-testid="lock" aria-label={t.lock_now} onclick={lock}>
                        { icon(Icon::Lock) }
                    </button>
                </div>
            </header>
            <nav class="places" aria-label={t.places_label}>
                <ul>{ for places(&app) }</ul>
            </nav>
            <main id="main" tabindex="-1" class="screen">
                { props.children.clone() }
            </main>
            <Says />
            if let Some(then) = app.model.to_prove.clone() { <Prove {then} /> }
            if let Some(seconds) = app.model.locking_in { <Locking {seconds} /> }
        </div>
    }
}

fn start(side: Side) -> Route {
    match side {
        Side::Health => Route::Home,
        Side::Practice => Route::Patients,
    }
}

fn side(app: &App, side: Side, label: &'static str, testid: &'static str) -> Html {
    html! {
        <a href={start(side).href()} class="side" aria-current={(app.model.side == side).then_some("page")} data-testid={testid}>{ label }</a>
    }
}

fn places(app: &App) -> Vec<Html> {
    let t = app.t;
    let all: Vec<(Route, Icon, &'static str, &'static str)> = match app.model.side {
        Side::Health => vec![
            (Route::Home, Icon::Home, t.nav_home, "nav-home"),
            (
                Route::Records(None),
                Icon::Folder,
                t.nav_records,
                "nav-records",
            ),
            (Route::Sharing, Icon::People, t.nav_sharing, "nav-sharing"),
            (Route::Activity, Icon::Clock, t.nav_activity, "nav-activity"),
        ],
        Side::Practice => vec![
            (
                Route::Patients,
                Icon::People,
                t.nav_patients,
                "nav-patients",
            ),
            (Route::Ask(String::new()), Icon::Send, t.nav_ask, "nav-ask"),
            (Route::Outgoing, Icon::List, t.nav_outgoing, "nav-outgoing"),
        ],
    };
    let root = app.model.route.root();
    all.into_iter()
        .map(|(route, sign, label, testid)| {
            let current = route == root;
            html! {
                <li>
                    <a href={route.href()} class="place" aria-current={(current).then_some("page")} data-testid={testid}>
                        { icon(sign) }<span>{ label }</span>
                    </a>
                </li>
            }
        })
        .collect()
}

/// Short messages that something was done, spoken politely.
#[function_component(Says)]
fn says() -> Html {
    let app = use_app();
    html! {
        <div class="says" role="status" aria-live="polite" data-testid="said">
            { for app.model.said.iter().map(|said| html! { <Message key={said.id} said={said.clone()} /> }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct Messages {
    said: Said,
}

#[function_component(Message)]
fn message(props: &Messages) -> Html {
    let app = use_app();
    let id = props.said.id;
    {
        let dispatch = app.dispatch.clone();
        use_effect_with((), move |()| {
            browser::after(SAID_FOR, move || dispatch.emit(Action::Dismiss(id)));
        });
    }
    html! { <p class="said">{ icon(Icon::Check) }{ &props.said.text }</p> }
}
