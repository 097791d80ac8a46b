//! A grant as a card, and the dialog that ends one.

use crate::app_context::use_app;
use crate::hooks::use_act;
use crate::parts::{Dialog, Icon, Look, button, icon, person_line, problem, progress, scope_words};
use crate::route::Route;
use crate::screens::safety::KeysOf;
use crate::words;
use salus_messages::{GrantStatus, GrantView, Intent};
use yew::{Callback, Html, Properties, function_component, html, use_state};

#[derive(Properties, PartialEq)]
pub(crate) struct Cards {
    pub(crate) grant: GrantView,
    /// Whether the person may end it.
    #[prop_or_default]
    pub(crate) own: bool,
}

/// Who, what, until when, why. `data-testid="grant-item"`.
#[function_component(GrantCard)]
pub(crate) fn grant_card(props: &Cards) -> Html {
    let app = use_app();
    let (t, language) = (app.t, app.language());
    let asking = use_state(bool::default);
    let grant = &props.grant;
    let (status, tone, name) = words::grant_status(t, grant.status);
    let live = matches!(grant.status, GrantStatus::Active | GrantStatus::Upcoming);
    let until = match grant.status {
        GrantStatus::Revoked { at } => {
            words::fill(t.ended_on, &[("date", &words::moment(language, at))])
        }
        _ => grant.until.map_or_else(
            || t.no_end.to_owned(),
            |until| words::moment(language, until),
        ),
    };
    let open = {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(true))
    };
    let close = {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(false))
    };
    html! {
        <li class="grant panel" data-testid="grant-item" data-grant={grant.id.0.clone()} data-status={name}>
            if props.own {
                <div class="grant-head">
                    { person_line(&app, &grant.other) }
                    <span class={yew::classes!("status", tone)}>{ status }</span>
                </div>
                if live { <KeysOf person={grant.other.clone()} stop={Route::Home.href()} /> }
            } else {
                <div class="grant-head"><span class={yew::classes!("status", tone)}>{ status }</span></div>
            }
            <dl class="facts">
                <div><dt>{ t.terms_what }</dt><dd data-testid="grant-scope">
                    { scope_words(t, grant) }
                    if let Some(records) = grant.records.filter(|_| live) {
                        <span class="quiet-text">{ words::count(u64::from(records), t.records_one, t.records_many) }</span>
                    }
                </dd></div>
                <div><dt>{ t.terms_rights }</dt><dd data-testid="grant-rights">{ words::rights(t, grant.rights) }</dd></div>
                <div><dt>{ t.terms_until }</dt><dd data-testid="grant-until">{ until }</dd></div>
                <div><dt>{ t.terms_why }</dt><dd data-testid="grant-purpose">{ &grant.purpose }</dd></div>
            </dl>
            if props.own && live {
                <div class="actions">
                    { button("revoke", t.revoke).look(Look::Danger).onclick(open) }
                </div>
            }
            if *asking { <Revoke grant={grant.clone()} onclose={close} /> }
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct Revokes {
    grant: GrantView,
    onclose: Callback<()>,
}

#[function_component(Revoke)]
fn revoke(props: &Revokes) -> Html {
    let app = use_app();
    let t = app.t;
    let who = words::person(t, &props.grant.other);
    let act = {
        let (app, onclose, who) = (app.clone(), props.onclose.clone(), who.clone());
        use_act(Callback::from(move |_| {
            app.say(words::fill(t.revoked, &[("who", &who)]));
            onclose.emit(());
        }))
    };
    let confirm = {
        let (act, grant) = (act.clone(), props.grant.id.clone());
        Callback::from(move |()| {
            act.send(Intent::Revoke {
                grant: grant.clone(),
            })
        })
    };
    html! {
        <Dialog testid="revoke-dialog" title={words::fill(t.revoke_title, &[("who", &who)])} onclose={props.onclose.clone()}>
            <div class="stack">
                <p>{ t.revoke_now }</p>
                <p class="note warn">{ icon(Icon::Eye) }<span>{ t.revoke_honest }</span></p>
                if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
                { progress(&app, act.busy, false) }
                <div class="actions">
                    { button("revoke-confirm", t.revoke_confirm).look(Look::Danger).busy(act.is_busy()).onclick(confirm) }
                    { button("revoke-cancel", t.revoke_cancel).look(Look::Quiet).onclick(props.onclose.clone()) }
                </div>
            </div>
        </Dialog>
    }
}
