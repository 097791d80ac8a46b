//! Making every key anew, and going on with it.

use crate::app_context::use_app;
use crate::hooks::{use_act, use_load};
use crate::parts::{Icon, Look, button, icon, problem, progress};
use crate::remote::Remote;
use crate::texts::Texts;
use crate::words;
use salus_messages::{FailureKind, Intent, Renewed, Reply, Topic};
use yew::{Callback, Html, function_component, html, use_state};

const TOPICS: &[Topic] = &[Topic::Security];

fn pick(reply: Reply) -> Option<bool> {
    match reply {
        Reply::Unfinished(unfinished) => Some(unfinished),
        _ => None,
    }
}

/// What it came to, in words.
pub(super) fn renewed(t: &'static Texts, done: &Renewed) -> Html {
    html! {
        <div class="note" role="status" data-testid="renewed" data-versions={done.versions.to_string()}>
            { icon(Icon::Check) }
            <div>
                <p>{ t.renew_done }</p>
                if done.left_behind > 0 {
                    <p>{ words::count(u64::from(done.left_behind), t.renew_left_one, t.renew_left_many) }</p>
                }
                if done.unreadable > 0 {
                    <p>{ words::count(u64::from(done.unreadable), t.renew_unreadable_one, t.renew_unreadable_many) }</p>
                }
            </div>
        </div>
    }
}

/// Begins it or goes on with it.
#[function_component(Renewing)]
pub(super) fn renewing() -> Html {
    let app = use_app();
    let t = app.t;
    let load = use_load(Intent::UnfinishedRenewal, TOPICS, pick);
    let done = use_state(|| None::<Renewed>);
    let act = {
        let done = done.clone();
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::Renewed(came) = reply {
                done.set(Some(came));
            }
        }))
    };
    let stopped = act
        .failure
        .as_ref()
        .is_some_and(|f| f.kind == FailureKind::Cancelled);
    let unfinished = stopped || matches!(load.remote, Remote::Ready(true));
    let begin = {
        let act = act.clone();
        Callback::from(move |()| act.send(Intent::RenewKeys))
    };
    let failure = act.failure.clone().filter(|_| !stopped);
    html! {
        <section class="panel stack" aria-labelledby="renewing" data-unfinished={unfinished.to_string()}>
            <h2 id="renewing">{ t.renew_title }</h2>
            <p class="quiet-text">{ t.renew_lead }</p>
            if unfinished && !act.is_busy() {
                <p class="note warn" data-testid="renew-unfinished">{ icon(Icon::Alert) }<span>{ t.renew_unfinished }</span></p>
            }
            if let Some(done) = done.filter(|_| !act.is_busy() && !unfinished) { { renewed(t, &done) } }
            if let Some(failure) = failure { { problem(t, &failure) } }
            { progress(&app, act.busy, true) }
            <div class="actions">
                { button("renew", if unfinished { t.renew_go_on } else { t.renew_begin }).look(if unfinished { Look::Primary } else { Look::Plain }).busy(act.is_busy()).onclick(begin) }
            </div>
        </section>
    }
}
