//! The keys are not in memory: what can bring them back.

use crate::app_context::use_app;
use crate::hooks::use_act;
use crate::parts::{Button, Check, Icon, Look, Mark, Problem, ProgressNote, TextArea};
use crate::screens::create::SignOut;
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
    let t = use_app().t;
    let phrase = use_state(String::new);
    let stay = use_state(|| false);
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
                <p class="brand"><Mark /><span class="brand-name">{ "Salus" }</span></p>
                <SignOut />
            </header>
            <main class="panel" id="main">
                <h1 id="title" tabindex="-1" data-testid="title">{ t.unlock_title }</h1>
                <p class="lead">{ t.unlock_lead }</p>
                if browser {
                    <Button look={Look::Primary} icon={Icon::Lock} testid="unlock-here" busy={act.is_busy()} onclick={here}>
                        { t.unlock_here }
                    </Button>
                    <p class="divider">{ t.or }</p>
                }
                <form class="stack" {onsubmit}>
                    <TextArea id="recovery-phrase" label={t.recovery_phrase} hint={t.recovery_phrase_hint}
                        value={(*phrase).clone()} rows={4} secret=true oninput={type_phrase} />
                    <p class="quiet-text" aria-live="polite">
                        if words > 0 { { crate::words::count(words as u64, t.words_one, t.words_many) } }
                    </p>
                    <Check id="stay-unlocked" label={t.stay_unlocked} hint={t.stay_unlocked_hint}
                        checked={*stay} onchange={Callback::from(move |on| stay.set(on))} />
                    if let Some(failure) = act.failure.clone() { <Problem {failure} /> }
                    <ProgressNote operation={act.busy} may_cancel=false />
                    <Button look={if browser { Look::Plain } else { Look::Primary }} submit=true
                        testid="unlock-with-phrase" busy={act.is_busy()}>{ t.unlock_with_phrase }</Button>
                </form>
            </main>
        </div>
    }
}
