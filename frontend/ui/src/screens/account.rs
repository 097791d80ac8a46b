//! The person's account: safety number, language, leaving, and the way to who can open it.

use crate::app_context::{leave, use_app};
use crate::hooks::use_act;
use crate::parts::{Icon, SignOut, button, head, icon, problem, select};
use crate::route::Route;
use crate::screens::welcome::languages;
use crate::words;
use salus_messages::{IDLE_MINUTES, Intent};
use yew::{Callback, Html, function_component, html};

/// Settings of the account.
#[function_component(Account)]
pub(crate) fn account() -> Html {
    let app = use_app();
    let t = app.t;
    let idle = use_act(Callback::noop());
    let Some(account) = app.model.account().cloned() else {
        return Html::default();
    };
    let title = if account.display_name.is_empty() {
        t.nav_account.to_owned()
    } else {
        account.display_name.clone()
    };
    let onidle = {
        let idle = idle.clone();
        Callback::from(move |minutes: String| {
            if let Ok(minutes) = minutes.parse() {
                idle.send(Intent::SetIdle { minutes });
            }
        })
    };
    let minutes = |n: u32| {
        let words = words::count(u64::from(n), t.minutes_one, t.minutes_many);
        (n.to_string().into(), words.into())
    };
    let lock = {
        let app = app.clone();
        Callback::from(move |()| leave(&app, Intent::Lock))
    };
    html! {
        <>
            { head(title, html! { <p class="lead" data-testid="account-name">{ t.account_lead }</p> }, Html::default()) }
            <div class="columns">
                <section class="panel stack" aria-labelledby="unlocking">
                    <h2 id="unlocking">{ t.security_title }</h2>
                    <p class="quiet-text">{ t.security_lead }</p>
                    <div class="actions">
                        <a href={Route::Security.href()} class="button plain" data-testid="security">{ icon(Icon::Key) }{ t.security_open }</a>
                    </div>
                    { select("idle-minutes", t.idle_label, account.idle_minutes.to_string(), IDLE_MINUTES.into_iter().map(minutes).collect(), onidle).hint(t.idle_hint) }
                    if let Some(failure) = idle.failure.clone() { { problem(t, &failure) } }
                    <p><a href={Route::Pair(String::new()).href()} data-testid="pair-let-in">{ t.pair_let_in }</a></p>
                    <div class="actions">
                        { button("lock-now", t.lock_now).icon(Icon::Lock).onclick(lock) }
                        <SignOut />
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
