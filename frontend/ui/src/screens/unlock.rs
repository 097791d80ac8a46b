//! The keys are not in memory: what can bring them back. Also the way in for whoever signs in anew, but
//! wrote the words down before.

use crate::app_context::{go, use_app};
use crate::hooks::use_act;
use crate::parts::{
    Icon, Look, SignOut, Ways, button, check, mark, phrase_field, problem, progress,
};
use crate::route::Route;
use salus_messages::{Failure, FailureKind, Intent, Proof, Secret, SlotKind, SlotView};
use web_sys::SubmitEvent;
use yew::{Callback, Html, Properties, function_component, html, use_state};

const WORDS: usize = 24;

#[derive(Properties, PartialEq)]
pub(crate) struct Unlocks {
    #[prop_or_default]
    pub(crate) slots: Vec<SlotView>,
    /// Present when this sign-in has no records yet and is to join those the words open: the way back.
    #[prop_or_default]
    pub(crate) back: Option<Callback<()>>,
}

/// Unlocks by this browser or by the recovery phrase.
#[function_component(Unlock)]
pub(crate) fn unlock(props: &Unlocks) -> Html {
    let app = use_app();
    let t = app.t;
    let phrase = use_state(String::new);
    let stay = use_state(bool::default);
    let act = use_act(Callback::noop());
    let browser = props
        .slots
        .iter()
        .any(|slot| slot.kind == SlotKind::Browser && slot.here);
    let others = props.slots.len() > 1;
    let refused = use_state(|| None::<Failure>);
    let onfailure = {
        let refused = refused.clone();
        Callback::from(move |failure| refused.set(failure))
    };
    let onbring = {
        let (act, stay) = (act.clone(), *stay);
        Callback::from(move |(with, beside)| {
            let intent = Intent::Unlock {
                with,
                stay_unlocked: stay,
            };
            act.go.emit((intent, beside));
        })
    };
    let here = {
        let act = act.clone();
        Callback::from(move |()| act.send(Intent::UnlockHere))
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
    let words = phrase.split_whitespace().count();
    let joins = props.back.is_some();
    let failure = (*refused).clone().or_else(|| act.failure.clone());
    let taken_over = failure
        .as_ref()
        .is_some_and(|f| f.kind == FailureKind::TakenOver);
    let (title, lead) = if joins {
        (t.join_title, t.join_lead)
    } else {
        (t.unlock_title, t.unlock_lead)
    };
    html! {
        <div class="gate narrow" data-testid={if joins { "join" } else { "unlock" }}>
            <header class="gate-top">
                <p class="brand">{ mark() }<span class="brand-name">{ "Salus" }</span></p>
                <SignOut />
            </header>
            <main class="panel" id="main">
                <h1 id="title" tabindex="-1" data-testid="title">{ title }</h1>
                <p class="lead">{ lead }</p>
                if matches!(app.model.route, Route::Pair(_)) { <p class="note" data-testid="pair-first">{ t.pair_first }</p> }
                if browser {
                    { button("unlock-here", t.unlock_here).look(Look::Primary).icon(Icon::Lock).busy(act.is_busy()).onclick(here) }
                    <p class="divider">{ t.or }</p>
                }
                <Ways ways={props.slots.clone()} busy={act.is_busy()} {onbring} {onfailure} />
                <form class="stack" {onsubmit}>
                    { phrase_field(&app, "recovery-phrase", &phrase, type_phrase) }
                    <p class="quiet-text" aria-live="polite">
                        if words > 0 { { crate::words::count(words as u64, t.words_one, t.words_many) } }
                    </p>
                    { check("stay-unlocked", t.stay_unlocked, *stay, Callback::from(move |on| stay.set(on))).hint(t.stay_unlocked_hint) }
                    if let Some(failure) = failure { { problem(t, &failure) } }
                    if taken_over { <TakeBack phrase={(*phrase).clone()} busy={act.is_busy()} /> }
                    { progress(&app, act.busy, false) }
                    { button("unlock-with-phrase", t.unlock_with_phrase).look(if others { Look::Plain } else { Look::Primary }).submit().busy(act.is_busy()) }
                    <a href={Route::Pair(String::new()).href()} data-testid="pair-from-other">{ t.pair_from_other }</a>
                    if let Some(back) = props.back.clone() {
                        { button("join-back", t.join_back).look(Look::Quiet).disabled(act.is_busy()).onclick(back) }
                    }
                </form>
            </main>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct TakesBack {
    phrase: String,
    busy: bool,
}

/// Takes the records back from somebody who replaced their keys. Only the words can.
#[function_component(TakeBack)]
fn take_back(props: &TakesBack) -> Html {
    let app = use_app();
    let t = app.t;
    let act = use_act(Callback::from(|_| go(&Route::TakenBack)));
    let typed = props.phrase.split_whitespace().count() == WORDS;
    let onclick = {
        let (act, phrase) = (act.clone(), Secret(props.phrase.clone()));
        Callback::from(move |()| {
            act.send(Intent::Recover {
                phrase: phrase.clone(),
            });
        })
    };
    html! {
        <>
            if !typed { <p class="note" data-testid="take-back-first">{ t.take_back_first }</p> }
            if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
            { progress(&app, act.busy, false) }
            { button("take-back", t.take_back).look(Look::Primary).busy(act.is_busy() || props.busy).disabled(!typed).onclick(onclick) }
        </>
    }
}
