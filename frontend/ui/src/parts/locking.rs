//! The two questions about who sits here: whether anybody does, and whether it is the owner.

use crate::app_context::use_app;
use crate::channel;
use crate::hooks::use_act;
use crate::model::Action;
use crate::parts::{Dialog, Look, button, problem, progress, text_area};
use crate::words::count;
use salus_messages::{Intent, Proof, Secret};
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
    let onsubmit = {
        let (act, phrase) = (act.clone(), phrase.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            act.send(Intent::Prove {
                proof: Proof::Phrase(Secret((*phrase).clone())),
            });
        })
    };
    let type_phrase = {
        let phrase = phrase.clone();
        Callback::from(move |value| phrase.set(value))
    };
    html! {
        <Dialog testid="prove" title={t.prove_title} onclose={close.clone()}>
            <form class="stack" {onsubmit}>
                <p class="lead">{ t.prove_lead }</p>
                { text_area("prove-phrase", t.recovery_phrase, &phrase, type_phrase).hint(t.recovery_phrase_hint).rows(4).secret() }
                if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
                { progress(&app, act.busy, false) }
                <div class="actions">
                    { button("prove-send", t.prove_send).look(Look::Primary).submit().busy(act.is_busy()) }
                    { button("prove-cancel", t.cancel).look(Look::Quiet).onclick(close) }
                </div>
            </form>
        </Dialog>
    }
}
