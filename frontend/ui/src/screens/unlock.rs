//! The keys are not in memory: what can bring them back.

use crate::app_context::use_app;
use crate::hooks::use_act;
use crate::parts::{Icon, Look, button, check, mark, problem, progress, text_area};
use crate::screens::create::sign_out;
use salus_messages::{Intent, Secret, SlotKind, SlotView};
use web_sys::SubmitEvent;
use yew::{Callback, Html, Properties, function_component, html, use_state};

#[derive(Properties, PartialEq)]
pub(crate) struct Unlocks {
    pub(crate) slots: Vec<SlotView>,
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
    let here = {
        let act = act.clone();
        Callback::from(move |()| act.send(Intent::UnlockHere))
    };
    let onsubmit = {
        let (act, phrase, stay) = (act.clone(), phrase.clone(), *stay);
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            act.send(Intent::UnlockWithPhrase {
                phrase: Secret((*phrase).clone()),
                stay_unlocked: stay,
            });
        })
    };
    let type_phrase = {
        let phrase = phrase.clone();
        Callback::from(move |value| phrase.set(value))
    };
    let words = phrase.split_whitespace().count();
    html! {
        <div class="gate narrow" data-testid="unlock">
            <header class="gate-top">
                <p class="brand">{ mark() }<span class="brand-name">{ "Salus" }</span></p>
                { sign_out(t) }
            </header>
            <main class="panel" id="main">
                <h1 id="title" tabindex="-1" data-testid="title">{ t.unlock_title }</h1>
                <p class="lead">{ t.unlock_lead }</p>
                if browser {
                    { button("unlock-here", t.unlock_here).look(Look::Primary).icon(Icon::Lock).busy(act.is_busy()).onclick(here) }
                    <p class="divider">{ t.or }</p>
                }
                <form class="stack" {onsubmit}>
                    { text_area("recovery-phrase", t.recovery_phrase, &phrase, type_phrase).hint(t.recovery_phrase_hint).rows(4).secret() }
                    <p class="quiet-text" aria-live="polite">
                        if words > 0 { { crate::words::count(words as u64, t.words_one, t.words_many) } }
                    </p>
                    { check("stay-unlocked", t.stay_unlocked, *stay, Callback::from(move |on| stay.set(on))).hint(t.stay_unlocked_hint) }
                    if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
                    { progress(&app, act.busy, false) }
                    { button("unlock-with-phrase", t.unlock_with_phrase).look(if browser { Look::Plain } else { Look::Primary }).submit().busy(act.is_busy()) }
                </form>
            </main>
        </div>
    }
}
