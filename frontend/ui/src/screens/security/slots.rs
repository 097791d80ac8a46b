//! Ways to unlock: what there is, adding this browser, ending one.

use super::AskSheet;
use super::adding::{AddPasskey, AddPassphrase};
use crate::app_context::use_app;
use crate::hooks::use_act;
use crate::parts::{Dialog, Icon, Look, button, field, icon, problem, progress};
use crate::{browser, words};
use salus_messages::{Intent, RecoverySheet, SlotKind, SlotView};
use web_sys::SubmitEvent;
use yew::{Callback, Html, Properties, UseStateHandle, function_component, html, use_state};

#[derive(Properties, PartialEq)]
pub(super) struct Listed {
    pub(super) slots: Vec<SlotView>,
    pub(super) onsheet: Callback<RecoverySheet>,
    /// Where the words may be replaced.
    #[prop_or_default]
    pub(super) onreplace: Option<Callback<()>>,
}

/// What is asked over the list.
#[derive(Debug, Clone, PartialEq)]
enum Asking {
    Nothing,
    Stay,
    Passkey,
    Passphrase,
    Remove(SlotView),
    Everywhere,
    Sheet,
}

fn ask(asking: &UseStateHandle<Asking>, what: Asking) -> Callback<()> {
    let asking = asking.clone();
    Callback::from(move |()| asking.set(what.clone()))
}

/// The list, and what can be done with it.
#[function_component(Slots)]
pub(super) fn slots(props: &Listed) -> Html {
    let app = use_app();
    let t = app.t;
    let asking = use_state(|| Asking::Nothing);
    let here = props.slots.iter().any(|slot| slot.here);
    let elsewhere = props
        .slots
        .iter()
        .any(|s| !s.here && matches!(s.kind, SlotKind::Browser | SlotKind::File));
    let row = |slot: &SlotView| {
        let name = words::slot_name(t, slot);
        html! {
            <li class="slot" data-testid="slot" data-slot={slot.id.0.clone()} data-here={slot.here.to_string()}>
                { icon(Icon::Key) }
                <span class="slot-words grow">
                    <span data-testid="slot-name">{ &name }</span>
                    if name != words::slot(t, slot.kind) { <span class="quiet-text">{ words::slot(t, slot.kind) }</span> }
                    if let Some(at) = slot.last_used { <span class="quiet-text" data-testid="last-used">{ words::fill(t.last_used, &[("date", &words::moment(app.language(), at))]) }</span> }
                    if slot.here { <span class="badge">{ t.this_browser }</span> }
                </span>
                if slot.kind == SlotKind::Recovery {
                    <span class="slot-acts">
                        { button("sheet", t.sheet_print).look(Look::Quiet).onclick(ask(&asking, Asking::Sheet)) }
                        if let Some(replace) = props.onreplace.clone() { { button("words-replace", t.replace).look(Look::Quiet).onclick(replace) } }
                    </span>
                } else {
                    { button("slot-remove", t.remove).look(Look::Quiet).onclick(ask(&asking, Asking::Remove(slot.clone()))) }
                }
            </li>
        }
    };
    let close = ask(&asking, Asking::Nothing);
    html! {
        <section class="panel stack" aria-labelledby="unlocking">
            <h2 id="unlocking">{ t.unlocking }</h2>
            if props.slots.len() == 1 {
                <p class="note warn" data-testid="second-way">{ icon(Icon::Alert) }<span>{ t.second_way_lead }</span></p>
            }
            <ul class="slots">{ for props.slots.iter().map(row) }</ul>
            <div class="actions">
                { button("passkey-add", t.passkey_add).icon(Icon::Key).onclick(ask(&asking, Asking::Passkey)) }
                { button("passphrase-add", t.passphrase_add).onclick(ask(&asking, Asking::Passphrase)) }
                if !here {
                    { button("stay-unlocked", t.stay_unlocked).icon(Icon::Key).onclick(ask(&asking, Asking::Stay)) }
                }
                if elsewhere {
                    { button("sign-out-everywhere", t.everywhere).onclick(ask(&asking, Asking::Everywhere)) }
                }
            </div>
            {
                match (*asking).clone() {
                    Asking::Nothing => Html::default(),
                    Asking::Stay => html! { <Stay onclose={close} /> },
                    Asking::Passkey => html! { <AddPasskey onclose={close} /> },
                    Asking::Passphrase => html! { <AddPassphrase onclose={close} /> },
                    Asking::Remove(slot) => html! { <Remove slot={Some(slot)} onclose={close} /> },
                    Asking::Everywhere => html! { <Remove slot={None::<SlotView>} onclose={close} /> },
                    Asking::Sheet => html! { <AskSheet onsheet={props.onsheet.clone()} onclose={close} /> },
                }
            }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct Stays {
    onclose: Callback<()>,
}

/// Names this browser and keeps it unlocked.
#[function_component(Stay)]
fn stay(props: &Stays) -> Html {
    let app = use_app();
    let t = app.t;
    let label = use_state(|| words::browser_name(t, &browser::user_agent()));
    let act = use_act(props.onclose.reform(|_| ()));
    let onsubmit = {
        let (act, label) = (act.clone(), label.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            act.send(Intent::SetStayUnlocked {
                label: Some((*label).clone()),
            });
        })
    };
    let type_label = {
        let label = label.clone();
        Callback::from(move |value| label.set(value))
    };
    html! {
        <Dialog testid="stay-dialog" title={t.stay_unlocked} onclose={props.onclose.clone()}>
            <form class="stack" {onsubmit}>
                <p>{ t.stay_unlocked_hint }</p>
                { field("stay-label", t.stay_label, &label, type_label).hint(t.stay_label_hint).maxlength(60) }
                if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
                { progress(&app, act.busy, false) }
                <div class="actions">
                    { button("stay-confirm", t.stay_unlocked).look(Look::Primary).submit().busy(act.is_busy()) }
                    { button("stay-cancel", t.cancel).look(Look::Quiet).onclick(props.onclose.clone()) }
                </div>
            </form>
        </Dialog>
    }
}

#[derive(Properties, PartialEq)]
struct Removes {
    /// `None`: all that are elsewhere.
    slot: Option<SlotView>,
    onclose: Callback<()>,
}

/// Ends one way to unlock, or all that are elsewhere.
#[function_component(Remove)]
fn remove(props: &Removes) -> Html {
    let app = use_app();
    let t = app.t;
    let (title, words, intent) = match &props.slot {
        None => (
            t.everywhere_title.to_owned(),
            t.everywhere_lead,
            Intent::SignOutEverywhere,
        ),
        Some(slot) => {
            let name = words::slot_name(t, slot);
            let title = words::fill(t.remove_title, &[("what", &name)]);
            if slot.here {
                let intent = Intent::SetStayUnlocked { label: None };
                (title, t.remove_here, intent)
            } else {
                let slot = slot.id.clone();
                (title, t.remove_lead, Intent::RemoveSlot { slot })
            }
        }
    };
    let act = use_act(props.onclose.reform(|_| ()));
    let confirm = {
        let act = act.clone();
        Callback::from(move |()| act.send(intent.clone()))
    };
    html! {
        <Dialog testid="remove-dialog" {title} onclose={props.onclose.clone()}>
            <div class="stack">
                <p>{ words }</p>
                if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
                { progress(&app, act.busy, false) }
                <div class="actions">
                    { button("remove-confirm", t.remove).look(Look::Danger).busy(act.is_busy()).onclick(confirm) }
                    { button("remove-cancel", t.cancel).look(Look::Quiet).onclick(props.onclose.clone()) }
                </div>
            </div>
        </Dialog>
    }
}
