//! Before signing in: what Salus is, and the way in.

use crate::app_context::{App, use_app};
use crate::browser;
use crate::hooks::{use_act, use_load};
use crate::model::Action;
use crate::parts::{Icon, Look, button, icon, mark, problem, progress};
use crate::remote::Remote;
use crate::route::Route;
use crate::sign_in::{self, SignIn, SignInKey};
use crate::texts::Language;
use crate::{channel, words};
use salus_messages::{Environment, Failure, Intent, Reply};
use web_sys::MouseEvent;
use yew::{Callback, Html, Properties, function_component, html, use_mut_ref, use_state};

#[derive(Properties, PartialEq)]
pub(crate) struct Welcomes {
    pub(crate) environment: Environment,
}

fn key(reply: Reply) -> Option<SignInKey> {
    match reply {
        Reply::SignInKey {
            public_key,
            max_time_to_live,
        } => Some(SignInKey {
            public_key,
            max_time_to_live,
        }),
        _ => None,
    }
}

/// The way in.
#[function_component(Welcome)]
pub(crate) fn welcome(props: &Welcomes) -> Html {
    let app = use_app();
    let t = app.t;
    let prepared = use_load(Intent::PrepareSignIn, &[], key);
    let ceremony = use_mut_ref(|| None::<SignIn>);
    let waiting = use_state(bool::default);
    let failure = use_state(|| None::<Failure>);
    let complete = use_act(Callback::noop());

    let ready = match &prepared.remote {
        Remote::Ready(key) => Some(key.clone()),
        _ => None,
    };
    let enter = {
        let (ceremony, waiting, failure) = (ceremony.clone(), waiting.clone(), failure.clone());
        let (environment, key, go) = (
            props.environment.clone(),
            ready.clone(),
            complete.go.clone(),
        );
        Callback::from(move |()| {
            let Some(key) = key.clone() else { return };
            failure.set(None);
            let (waiting_then, failure_then, go) = (waiting.clone(), failure.clone(), go.clone());
            let begun = sign_in::begin(&environment, key, move |answer| {
                waiting_then.set(false);
                match answer {
                    Ok(chain) => go.emit((Intent::CompleteSignIn { chain }, Vec::new())),
                    Err(why) => failure_then.set(Some(why)),
                }
            });
            match begun {
                Ok(begun) => {
                    *ceremony.borrow_mut() = Some(begun);
                    waiting.set(true);
                }
                Err(why) => failure.set(Some(why)),
            }
        })
    };
    let cancel = Callback::from(move |()| {
        let begun = ceremony.borrow_mut().take();
        if let Some(begun) = begun {
            begun.cancel();
        }
    });
    let trouble = match &prepared.remote {
        Remote::Failed(why) => Some((why.clone(), Some(prepared.retry.clone()))),
        _ => (*failure)
            .clone()
            .or_else(|| complete.failure.clone())
            .map(|why| (why, None)),
    };
    let asked = matches!(&app.model.route, Route::Ask(link) if !link.is_empty());
    html! {
        <div class="gate" data-testid="welcome">
            <header class="gate-top">
                <p class="brand">{ mark() }<span class="brand-name">{ "Salus" }</span></p>
                { languages(&app) }
            </header>
            <main class="gate-main" id="main">
                <div class="gate-words">
                    <h1 id="title" tabindex="-1" data-testid="title">{ t.welcome_title }</h1>
                    <p class="lead">{ t.welcome_lead }</p>
                    if asked { <p class="note" data-testid="ask-first">{ t.welcome_asked }</p> }
                    if *waiting {
                        <div class="stack" data-testid="sign-in-waiting">
                            <p role="status">{ t.sign_in_waiting }</p>
                            { button("sign-in-cancel", t.cancel).onclick(cancel) }
                        </div>
                    } else if complete.is_busy() {
                        { progress(&app, complete.busy, false) }
                    } else {
                        { button("sign-in", t.sign_in).look(Look::Primary).icon(Icon::Key).disabled(ready.is_none()).onclick(enter) }
                        <p class="quiet-text">{ t.sign_in_hint }</p>
                    }
                    if let Some((why, retry)) = trouble { { problem(t, &why).retry(retry) } }
                </div>
                <ul class="promises">
                    { promise(Icon::Lock, t.promise_keys, t.promise_keys_more) }
                    { promise(Icon::People, t.promise_decide, t.promise_decide_more) }
                    { promise(Icon::Clock, t.promise_recorded, t.promise_recorded_more) }
                </ul>
            </main>
            if props.environment.network != "ic" {
                <p class="network" data-testid="network">
                    { words::fill(t.network, &[("network", &props.environment.network)]) }
                </p>
            }
        </div>
    }
}

fn promise(sign: Icon, title: &'static str, more: &'static str) -> Html {
    html! {
        <li class="promise">
            <span class="promise-icon">{ icon(sign) }</span>
            <div><p class="promise-title">{ title }</p><p>{ more }</p></div>
        </li>
    }
}

/// A button per language other than the one spoken.
pub(crate) fn languages(app: &App) -> Html {
    let button = |language: Language| {
        let dispatch = app.dispatch.clone();
        let onclick = Callback::from(move |_: MouseEvent| {
            browser::keep_language(language);
            channel::notify(Intent::SetLanguage {
                language: language.code().to_owned(),
            });
            dispatch.emit(Action::Speak(language));
        });
        html! {
            <button type="button" class="button quiet" data-testid="language" lang={language.code()} {onclick}>
                { language.name() }
            </button>
        }
    };
    let others = Language::ALL
        .into_iter()
        .filter(|language| *language != app.language());
    html! { <>{ for others.map(button) }</> }
}
