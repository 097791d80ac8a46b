//! "I lost a device": its ways to unlock end, its sign-ins if its owner says so, and every key that it may
//! have had is made anew.

use super::renewing::renewed;
use crate::app_context::use_app;
use crate::hooks::use_act;
use crate::parts::{Dialog, Icon, Look, button, check, icon, problem, progress};
use crate::words;
use salus_messages::{
    FailureKind, Intent, Renewed, Reply, SecurityView, SignInView, SlotId, SlotKind, SlotView,
};
use yew::{Callback, Html, Properties, UseStateHandle, function_component, html, use_state};

#[derive(Properties, PartialEq)]
pub(super) struct Losts {
    pub(super) view: SecurityView,
}

/// Offers it.
#[function_component(Lost)]
pub(super) fn lost(props: &Losts) -> Html {
    let t = use_app().t;
    let open = use_state(bool::default);
    let set = |to: bool| {
        let open = open.clone();
        Callback::from(move |()| open.set(to))
    };
    html! {
        <section class="panel stack" aria-labelledby="lost">
            <h2 id="lost">{ t.device_title }</h2>
            <p class="quiet-text">{ t.device_lead }</p>
            <div class="actions">
                { button("lost", t.device_begin).look(Look::Danger).onclick(set(true)) }
            </div>
            if *open { <Losing view={props.view.clone()} onclose={set(false)} /> }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct Losings {
    view: SecurityView,
    onclose: Callback<()>,
}

/// Takes a thing into the list, or out of it.
fn toggle<T: Clone + PartialEq + 'static>(list: &UseStateHandle<Vec<T>>, of: &T) -> Callback<bool> {
    let (list, of) = (list.clone(), of.clone());
    Callback::from(move |on: bool| {
        let mut next: Vec<T> = list.iter().filter(|one| **one != of).cloned().collect();
        next.extend(on.then(|| of.clone()));
        list.set(next);
    })
}

#[function_component(Losing)]
fn losing(props: &Losings) -> Html {
    let app = use_app();
    let t = app.t;
    // As it was when this was opened: what is lost goes from the account's list on the way.
    let view = use_state(|| props.view.clone());
    let slots = use_state(Vec::<SlotId>::new);
    let sign_ins = use_state(Vec::<String>::new);
    let done = use_state(|| None::<Renewed>);
    let act = {
        let done = done.clone();
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::Renewed(came) = reply {
                done.set(Some(came));
            }
        }))
    };
    let slot_row = |of: &SlotView| {
        let id = format!("lost-{}", of.id);
        let name = words::slot_name(t, of);
        html! { { check(id, name, slots.contains(&of.id), toggle(&slots, &of.id)) } }
    };
    let sign_in_row = |of: &SignInView| {
        let label = words::fill(t.device_sign_in, &[("who", &words::short(&of.principal))]);
        let id = format!("lost-sign-in-{}", of.principal);
        html! { { check(id, label, sign_ins.contains(&of.principal), toggle(&sign_ins, &of.principal)) } }
    };
    let confirm = {
        let (act, slots, sign_ins) = (act.clone(), slots.clone(), sign_ins.clone());
        Callback::from(move |()| {
            act.send(Intent::LostDevice {
                slots: (*slots).clone(),
                sign_ins: (*sign_ins).clone(),
            });
        })
    };
    let stopped = act
        .failure
        .as_ref()
        .is_some_and(|f| f.kind == FailureKind::Cancelled);
    html! {
        <Dialog testid="lost-dialog" title={t.device_title} onclose={props.onclose.clone()}>
            if let Some(done) = &*done {
                <div class="stack">
                    { renewed(t, done) }
                    <p class="note">{ icon(Icon::Eye) }<span>{ t.device_honest }</span></p>
                    <div class="actions">{ button("lost-done", t.close).look(Look::Primary).onclick(props.onclose.clone()) }</div>
                </div>
            } else {
                <div class="stack">
                    <fieldset class="choices" disabled={act.is_busy()}>
                        <legend>{ t.device_which }</legend>
                        { for view.slots.iter().filter(|s| !s.here && s.kind != SlotKind::Recovery).map(slot_row) }
                        { for view.sign_ins.iter().filter(|s| !s.here).map(sign_in_row) }
                    </fieldset>
                    if view.slots.iter().any(|s| s.kind == SlotKind::Passkey) {
                        <p class="quiet-text">{ t.device_passkeys }</p>
                    }
                    <p class="quiet-text">{ t.device_then }</p>
                    if stopped {
                        <p class="note warn">{ icon(Icon::Alert) }<span>{ t.renew_unfinished }</span></p>
                    } else if let Some(failure) = act.failure.clone() {
                        { problem(t, &failure) }
                    }
                    { progress(&app, act.busy, true) }
                    <div class="actions">
                        { button("lost-confirm", if stopped { t.renew_go_on } else { t.device_confirm }).look(Look::Danger).busy(act.is_busy()).onclick(confirm) }
                        { button("lost-cancel", t.cancel).look(Look::Quiet).disabled(act.is_busy()).onclick(props.onclose.clone()) }
                    </div>
                </div>
            }
        </Dialog>
    }
}
