//! Whether it is really them: what two people compare, and what to do when someone's keys changed.
//! Must not know what is shared with them.

use crate::app_context::{App, use_app};
use crate::browser;
use crate::hooks::{use_act, use_load};
use crate::parts::{Icon, Look, button, field, icon, loaded, problem, progress, qr_code, scan};
use crate::words;
use salus_messages::{AccountId, Intent, KeyChange, Person, Reply, SafetyView, Topic, Trust};
use web_sys::SubmitEvent;
use yew::{Callback, Html, Properties, function_component, html, use_state};

const TOPICS: &[Topic] = &[Topic::Requests, Topic::Patients];

fn safety(reply: Reply) -> Option<SafetyView> {
    match reply {
        Reply::Safety(view) => Some(view),
        _ => None,
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct Keys {
    pub(crate) person: Person,
    /// Hears of someone whose keys were compared or accepted.
    #[prop_or_default]
    pub(crate) onknown: Callback<Person>,
    /// Where one goes who does not accept changed keys.
    pub(crate) stop: String,
}

/// A panel that blocks when keys changed, else the way to comparing them.
#[function_component(KeysOf)]
pub(crate) fn keys_of(props: &Keys) -> Html {
    let t = use_app().t;
    let open = use_state(bool::default);
    let Some(account) = props.person.account.clone() else {
        return Html::default();
    };
    let changed = props.person.trust == Trust::Changed;
    if !changed && !*open {
        let onclick = {
            let open = open.clone();
            Callback::from(move |()| open.set(true))
        };
        return html! {
            <div class="actions">
                { button("safety-open", t.safety_check).look(Look::Quiet).icon(Icon::Shield).onclick(onclick) }
            </div>
        };
    }
    html! {
        <Looked {account} onknown={props.onknown.clone()} stop={props.stop.clone()} />
    }
}

#[derive(Properties, PartialEq)]
struct Looks {
    account: AccountId,
    onknown: Callback<Person>,
    stop: String,
}

#[function_component(Looked)]
fn looked(props: &Looks) -> Html {
    let t = use_app().t;
    let with = props.account.clone();
    let seen = use_load(Intent::Safety { with }, TOPICS, safety);
    loaded(t, &seen, |view| {
        let (view, onknown) = (view.clone(), props.onknown.clone());
        match view.change {
            Some(change) => html! {
                <Changed {view} {change} {onknown} stop={props.stop.clone()} />
            },
            None => html! { <Compare {view} {onknown} /> },
        }
    })
}

#[derive(Properties, PartialEq)]
struct Changes {
    view: SafetyView,
    change: KeyChange,
    onknown: Callback<Person>,
    stop: String,
}

#[function_component(Changed)]
fn changed(props: &Changes) -> Html {
    let app = use_app();
    let t = app.t;
    let who = words::person(t, &props.view.person);
    let (text, accept, name) = words::key_change(t, props.change);
    let act = {
        let (app, who, onknown) = (app.clone(), who.clone(), props.onknown.clone());
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::Safety(view) = reply {
                app.say(words::fill(app.t.changed_accepted, &[("who", &who)]));
                onknown.emit(view.person);
            }
        }))
    };
    let onaccept = {
        let (act, of) = (act.clone(), props.view.person.account.clone());
        let keys = props.view.keys.clone();
        Callback::from(move |()| {
            if let Some(of) = of.clone() {
                let keys = keys.clone();
                act.send(Intent::AcceptKeys { of, keys });
            }
        })
    };
    html! {
        <div class="problem grave" role="alert" data-testid="keys-changed" data-change={name}>
            { icon(Icon::Alert) }
            <div class="problem-words">
                <p class="problem-title">{ words::fill(t.changed_title, &[("who", &who)]) }</p>
                <p>{ words::fill(text, &[("who", &who)]) }</p>
                <p>{ t.changed_blocked }</p>
                <p><strong>{ t.changed_ask }</strong></p>
                if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
                { progress(&app, act.busy, false) }
                <div class="actions">
                    <a href={props.stop.clone()} class="button primary" data-testid="keys-stop">{ t.changed_stop }</a>
                    { button("keys-accept", accept).look(Look::Danger).busy(act.is_busy()).onclick(onaccept) }
                </div>
            </div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct Comparing {
    view: SafetyView,
    onknown: Callback<Person>,
}

#[function_component(Compare)]
fn compare(props: &Comparing) -> Html {
    let app = use_app();
    let t = app.t;
    let typed = use_state(String::new);
    let view = &props.view;
    let who = words::person(t, &view.person);
    let act = {
        let (onknown, typed) = (props.onknown.clone(), typed.clone());
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::Safety(view) = reply {
                typed.set(String::new());
                onknown.emit(view.person);
            }
        }))
    };
    let send = {
        let (act, with) = (act.clone(), view.person.account.clone());
        Callback::from(move |shown: String| {
            if let Some(with) = with.clone() {
                act.send(Intent::Compare { with, shown });
            }
        })
    };
    let onsubmit = {
        let (send, typed) = (send.clone(), typed.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            send.emit((*typed).clone());
        })
    };
    let oninput = {
        let typed = typed.clone();
        Callback::from(move |value| typed.set(value))
    };
    html! {
        <section class="panel stack" aria-labelledby="safety-title" data-testid="safety-panel">
            <h2 id="safety-title">{ t.safety_check }</h2>
            if view.person.trust == Trust::Verified {
                <p class="note" role="status" data-testid="safety-verified">
                    { icon(Icon::Shield) }<span>{ words::fill(t.safety_same, &[("who", &who)]) }</span>
                </p>
            }
            <p>{ t.safety_how }</p>
            <p class="safety" data-testid="safety-together">{ &view.number }</p>
            <div class="qr-frame">{ qr_code(&view.qr, t.safety_qr) }</div>
            { own_code(&app, &view.code) }
            <form class="stack" {onsubmit}>
                { field("safety-shown", t.safety_shown, &typed, oninput).hint(t.safety_shown_hint) }
                { scan(&app, "safety-scan", t.safety_scan, t.safety_no_code, send) }
                if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
                { progress(&app, act.busy, false) }
                <div class="actions">
                    { button("safety-compare", t.safety_match).look(Look::Primary).submit().busy(act.is_busy()).disabled(typed.trim().is_empty()) }
                </div>
            </form>
        </section>
    }
}

fn own_code(app: &App, code: &str) -> Html {
    let t = app.t;
    let copy = {
        let (app, code) = (app.clone(), code.to_owned());
        Callback::from(move |()| {
            browser::copy(&code);
            app.say(app.t.copied);
        })
    };
    html! {
        <div class="field">
            <label for="safety-code">{ t.safety_code }</label>
            <input id="safety-code" data-testid="safety-code" type="text" readonly=true value={code.to_owned()} />
            <div class="actions">
                { button("safety-copy", t.safety_copy).look(Look::Quiet).icon(Icon::Link).onclick(copy) }
            </div>
        </div>
    }
}
