//! The root: starts the conversation with the worker, and shows the place one is at.

use crate::app_context::App;
use crate::browser;
use crate::channel;
use crate::frame::Frame;
use crate::model::{Action, Boot, Model};
use crate::parts::{mark, problem};
use crate::route::Route;
use crate::screens;
use crate::texts::Language;
use crate::words;
use salus_messages::{Failure, FailureKind, Intent, Reply, SessionState, VERSION};
use std::rc::Rc;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::Event;
use yew::{
    Callback, ContextProvider, Html, function_component, html, use_effect_with, use_reducer,
};

/// How often at most the worker is told of a sign of life, in milliseconds.
const TOUCH_EVERY: f64 = 1_000.0;

/// The page.
#[function_component(Root)]
pub(crate) fn root() -> Html {
    let model = use_reducer(|| Model::new(browser::language(), Route::parse(&browser::hash())));
    let dispatch: Callback<Action> = {
        let dispatcher = model.dispatcher();
        Callback::from(move |action| dispatcher.dispatch(action))
    };
    {
        let (dispatch, language) = (dispatch.clone(), model.language);
        use_effect_with((), move |()| {
            channel::listen(dispatch.clone());
            follow_address(dispatch.clone());
            follow_activity();
            greet(dispatch, language);
        });
    }
    let app = App {
        model: Rc::new((*model).clone()),
        t: model.language.texts(),
        dispatch,
    };
    {
        let title = screens::title(&app);
        use_effect_with((title, model.language), |(title, language)| {
            browser::set_document(title, *language);
        });
    }
    use_effect_with(model.route.clone(), |_| {
        browser::arrive();
    });
    use_effect_with(model.boot == Boot::Left, |left| {
        // The screen is empty by now. A fresh document and a fresh worker have nothing in memory.
        if *left {
            browser::reload();
        }
    });
    html! {
        <ContextProvider<App> context={app.clone()}>
            { view(&app) }
        </ContextProvider<App>>
    }
}

fn view(app: &App) -> Html {
    match &app.model.boot {
        Boot::Starting | Boot::Leaving | Boot::Left => html! {
            <div class="splash" role="status" data-testid="starting">
                { mark() }
                <p class="visually-hidden">{ app.t.loading }</p>
            </div>
        },
        Boot::Failed(failure) => html! {
            <main class="splash" id="main">
                { mark() }
                { problem(app.t, &failure.clone()) }
            </main>
        },
        Boot::Ready(environment, session) => match session {
            SessionState::SignedOut => {
                html! { <screens::Welcome environment={environment.clone()} /> }
            }
            SessionState::NoVault { .. } | SessionState::Locked { .. } if joins(app) => {
                html! { <screens::Join /> }
            }
            SessionState::NoVault { principal } => {
                html! { <screens::Create principal={principal.clone()} /> }
            }
            SessionState::Locked { slots, .. } => {
                html! { <screens::Unlock slots={slots.clone()} /> }
            }
            SessionState::Unlocked(_) => html! {
                <Frame>{ screens::place(app.t, &app.model.route) }</Frame>
            },
        },
    }
}

/// Whether one asked to be let in by another device.
fn joins(app: &App) -> bool {
    matches!(&app.model.route, Route::Pair(code) if code.is_empty())
}

fn greet(dispatch: Callback<Action>, language: Language) {
    let hello = Intent::Hello {
        version: VERSION,
        language: language.code().to_owned(),
        browser: words::browser_name(language.texts(), &browser::user_agent()),
    };
    channel::ask(hello, &[], move |answer| {
        dispatch.emit(match answer {
            Ok((
                Reply::Hello {
                    version: VERSION,
                    environment,
                    session,
                },
                _,
            )) => Action::Started(environment, session),
            Ok(_) => Action::StartFailed(start_failure("version")),
            // These have more to say than that it did not start.
            Err(failure)
                if matches!(
                    failure.kind,
                    FailureKind::TakenOver | FailureKind::Behind | FailureKind::Contradicted(_)
                ) =>
            {
                Action::StartFailed(failure)
            }
            Err(failure) => Action::StartFailed(Failure {
                message_key: "failure-start".to_owned(),
                ..failure
            }),
        });
    });
}

/// Why the page cannot begin.
pub(crate) fn start_failure(detail: &str) -> Failure {
    Failure {
        kind: FailureKind::Internal,
        message_key: "failure-start".to_owned(),
        detail: detail.to_owned(),
    }
}

/// Tells of every new address.
fn follow_address(dispatch: Callback<Action>) {
    let closure = Closure::<dyn FnMut(Event)>::new(move |_| {
        dispatch.emit(Action::Went(Route::parse(&browser::hash())));
    });
    if let Some(window) = browser::window() {
        let _ =
            window.add_event_listener_with_callback("hashchange", closure.as_ref().unchecked_ref());
    }
    // The root lives as long as the page does.
    closure.forget();
}

/// Tells the worker now and then that someone is there, so that it does not lock.
fn follow_activity() {
    let mut last = browser::now();
    let closure = Closure::<dyn FnMut(Event)>::new(move |_| {
        let now = browser::now();
        if now - last > TOUCH_EVERY {
            last = now;
            channel::notify(Intent::Touch);
        }
    });
    if let Some(window) = browser::window() {
        for event in ["pointerdown", "keydown", "scroll", "visibilitychange"] {
            // On the way down: what scrolls within the page tells nobody above it.
            let _ = window.add_event_listener_with_callback_and_bool(
                event,
                closure.as_ref().unchecked_ref(),
                true,
            );
        }
    }
    closure.forget();
}
