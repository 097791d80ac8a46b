//! The two questions about who sits here: whether anybody does, and whether it is the owner.

use crate::app_context::use_app;
use crate::channel;
use crate::hooks::{use_act, use_load};
use crate::model::Action;
use crate::parts::{Dialog, Look, Ways, button, phrase_field, problem, progress};
use crate::remote::Remote;
use crate::words::count;
use salus_messages::{Failure, Intent, Proof, Reply, Secret, SlotView};
use web_sys::SubmitEvent;
use yew::{Callback, Html, Properties, function_component, html, use_state};

#[derive(Properties, PartialEq)]
pub(crate) struct Lockings {
    pub(crate) seconds: u32,
}

/// Warns before the idle lock strikes. Any key or touch is an answer.
#[function_component(Locking)]
pub(crate) fn locking(props: &Lockings) -> Html {
    let t = use_app().t;
    let stay = Callback::from(|()| channel::notify(Intent::Touch));
    html! {
        <Dialog testid="locking" title={t.locking_title} onclose={stay.clone()}>
            <div class="stack">
                <p data-testid="locking-seconds">{ count(u64::from(props.seconds), t.locking_one, t.locking_many) }</p>
                <div class="actions">
                    { button("locking-stay", t.locking_stay).look(Look::Primary).onclick(stay) }
                </div>
            </div>
        </Dialog>
    }
}

fn pick(reply: Reply) -> Option<Vec<SlotView>> {
    match reply {
        Reply::Ways(ways) => Some(ways),
        _ => None,
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct Proves {
    /// What is done once it is shown.
    pub(crate) then: Callback<()>,
}

/// Asks for what only the owner has, and goes on with what they wanted to do.
#[function_component(Prove)]
pub(crate) fn prove(props: &Proves) -> Html {
    let app = use_app();
    let t = app.t;
    let phrase = use_state(String::new);
    let close = app.dispatch.reform(|()| Action::Proved);
    let act = {
        let (close, then) = (close.clone(), props.then.clone());
        use_act(Callback::from(move |_| {
            close.emit(());
            then.emit(());
        }))
    };
    // The words are always a way, also while the others are looked for.
    let ways = match use_load(Intent::Ways, &[], pick).remote {
        Remote::Ready(ways) => ways,
        _ => Vec::new(),
    };
    let refused = use_state(|| None::<Failure>);
    let onfailure = {
        let refused = refused.clone();
        Callback::from(move |failure| refused.set(failure))
    };
    let onbring = {
        let act = act.clone();
        Callback::from(move |(proof, beside)| act.go.emit((Intent::Prove { proof }, beside)))
    };
    let onsubmit = {
        let (phrase, onbring) = (phrase.clone(), onbring.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let words = Secret((*phrase).clone());
            onbring.emit((Proof::Phrase(words), Vec::new()));
        })
    };
    let type_phrase = {
        let phrase = phrase.clone();
        Callback::from(move |value| phrase.set(value))
    };
    html! {
        <Dialog testid="prove" title={t.prove_title} onclose={close.clone()}>
            <div class="stack">
            <p class="lead">{ t.prove_lead }</p>
            <Ways ways={ways} busy={act.is_busy()} {onbring} {onfailure} />
            <form class="stack" {onsubmit}>
                { phrase_field(&app, "prove-phrase", &phrase, type_phrase) }
                if let Some(failure) = (*refused).clone().or_else(|| act.failure.clone()) { { problem(t, &failure) } }
                { progress(&app, act.busy, false) }
                <div class="actions">
                    { button("prove-send", t.prove_send).look(Look::Primary).submit().busy(act.is_busy()) }
                    { button("prove-cancel", t.cancel).look(Look::Quiet).onclick(close) }
                </div>
            </form>
            </div>
        </Dialog>
    }
}
