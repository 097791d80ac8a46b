//! The person's account: ways to unlock, safety number, language, leaving.

use crate::app_context::use_app;
use crate::channel;
use crate::hooks::use_act;
use crate::parts::{Icon, Look, button, check, head, icon, problem, progress};
use crate::screens::welcome::languages;
use crate::words;
use salus_messages::{Intent, SlotKind, SlotView};
use yew::{Callback, Html, function_component, html};

/// Settings of the account.
#[function_component(Account)]
pub(crate) fn account() -> Html {
    let app = use_app();
    let t = app.t;
    let stay = use_act(Callback::noop());
    let Some(account) = app.model.account().cloned() else {
        return Html::default();
    };
    let slot = |slot: &SlotView| {
        html! {
            <li class="slot" data-testid="slot">
                { icon(Icon::Key) }
                <span class="slot-words">
                    <span>{ words::slot(t, slot.kind) }</span>
                    if !slot.label.is_empty() { <span class="quiet-text">{ &slot.label }</span> }
                    if slot.added_at > 0 { <span class="quiet-text">{ words::day(app.language(), slot.added_at) }</span> }
                    if slot.here && slot.kind == SlotKind::Browser { <span class="badge">{ t.this_browser }</span> }
                </span>
            </li>
        }
    };
    let title = if account.display_name.is_empty() {
        t.nav_account.to_owned()
    } else {
        account.display_name.clone()
    };
    let onstay = {
        let stay = stay.clone();
        Callback::from(move |on| stay.send(Intent::SetStayUnlocked { on }))
    };
    html! {
        <>
            { head(title, html! { <p class="lead" data-testid="account-name">{ t.account_lead }</p> }, Html::default()) }
            <div class="columns">
                <section class="panel stack" aria-labelledby="unlocking">
                    <h2 id="unlocking">{ t.unlocking }</h2>
                    <ul class="slots">{ for account.slots.iter().map(slot) }</ul>
                    { check("stay-unlocked", t.stay_unlocked, account.stays_unlocked, onstay).hint(t.stay_unlocked_hint) }
                    { progress(&app, stay.busy, false) }
                    if let Some(failure) = stay.failure.clone() { { problem(t, &failure) } }
                    <div class="actions">
                        { button("lock-now", t.lock_now).icon(Icon::Lock).onclick(Callback::from(|()| channel::notify(Intent::Lock))) }
                        { button("sign-out", t.sign_out).look(Look::Quiet).onclick(Callback::from(|()| channel::notify(Intent::SignOut))) }
                    </div>
                </section>
                <section class="panel stack" aria-labelledby="safety">
                    <h2 id="safety">{ t.safety_number }</h2>
                    <p class="quiet-text">{ t.safety_lead }</p>
                    <p class="safety" data-testid="safety-number">{ &account.safety_number }</p>
                    <dl class="facts">
                        <div class="wide"><dt>{ t.principal }</dt><dd><code data-testid="principal">{ &account.principal }</code></dd></div>
                        if let Some(provider) = &account.provider {
                            <div class="wide"><dt>{ t.published_as }</dt><dd>{ format!("{} · {}", provider.name, provider.specialty) }</dd></div>
                        }
                    </dl>
                </section>
                <section class="panel stack" aria-labelledby="language-head">
                    <h2 id="language-head">{ t.language }</h2>
                    <div class="actions">{ languages(&app) }</div>
                </section>
            </div>
        </>
    }
}
