//! Sign-ins that may call for the account: what there is, how another joins, ending one.

use crate::app_context::use_app;
use crate::browser;
use crate::hooks::use_act;
use crate::parts::{Dialog, Icon, Look, button, icon, problem, progress};
use crate::words;
use salus_messages::{Intent, SignInView};
use yew::{Callback, Html, Properties, function_component, html, use_state};

#[derive(Properties, PartialEq)]
pub(super) struct Listed {
    pub(super) sign_ins: Vec<SignInView>,
}

/// The list, and what can be done with it.
#[function_component(SignIns)]
pub(super) fn sign_ins(props: &Listed) -> Html {
    let app = use_app();
    let t = app.t;
    let removing = use_state(|| None::<String>);
    let adding = use_state(bool::default);
    let row = |sign_in: &SignInView| {
        let remove = {
            let (removing, principal) = (removing.clone(), sign_in.principal.clone());
            Callback::from(move |()| removing.set(Some(principal.clone())))
        };
        html! {
            <li class="slot" data-testid="sign-in-item" data-principal={sign_in.principal.clone()} data-here={sign_in.here.to_string()}>
                { icon(Icon::Person) }
                <span class="slot-words grow">
                    <code>{ words::short(&sign_in.principal) }</code>
                    if sign_in.here { <span class="badge">{ t.this_sign_in }</span> }
                </span>
                if !sign_in.here {
                    { button("sign-in-remove", t.remove).look(Look::Quiet).onclick(remove) }
                }
            </li>
        }
    };
    let add = {
        let adding = adding.clone();
        Callback::from(move |()| adding.set(!*adding))
    };
    let copy = {
        let app = app.clone();
        Callback::from(move |()| {
            browser::copy(&browser::site());
            app.say(app.t.copied);
        })
    };
    let close = {
        let removing = removing.clone();
        Callback::from(move |()| removing.set(None))
    };
    html! {
        <section class="panel stack" aria-labelledby="sign-ins">
            <h2 id="sign-ins">{ t.sign_ins }</h2>
            <p class="quiet-text">{ t.sign_ins_lead }</p>
            <ul class="slots">{ for props.sign_ins.iter().map(row) }</ul>
            <div class="actions">
                { button("sign-in-add", t.sign_in_add).onclick(add) }
            </div>
            if *adding {
                <div class="note" data-testid="sign-in-how">
                    { icon(Icon::Person) }
                    <div class="stack">
                        <p>{ t.sign_in_how }</p>
                        <p><code data-testid="site">{ browser::site() }</code></p>
                        <div class="actions">{ button("site-copy", t.copy).onclick(copy) }</div>
                    </div>
                </div>
            }
            if let Some(principal) = (*removing).clone() { <Remove {principal} onclose={close} /> }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct Removes {
    principal: String,
    onclose: Callback<()>,
}

#[function_component(Remove)]
fn remove(props: &Removes) -> Html {
    let app = use_app();
    let t = app.t;
    let act = use_act(props.onclose.reform(|_| ()));
    let confirm = {
        let (act, principal) = (act.clone(), props.principal.clone());
        Callback::from(move |()| {
            act.send(Intent::RemoveSignIn {
                principal: principal.clone(),
            });
        })
    };
    let title = words::fill(t.remove_title, &[("what", &words::short(&props.principal))]);
    html! {
        <Dialog testid="remove-sign-in-dialog" {title} onclose={props.onclose.clone()}>
            <div class="stack">
                <p>{ t.sign_in_remove_lead }</p>
                if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
                { progress(&app, act.busy, false) }
                <div class="actions">
                    { button("sign-in-remove-confirm", t.remove).look(Look::Danger).busy(act.is_busy()).onclick(confirm) }
                    { button("sign-in-remove-cancel", t.cancel).look(Look::Quiet).onclick(props.onclose.clone()) }
                </div>
            </div>
        </Dialog>
    }
}
