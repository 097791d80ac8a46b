//! Who asks, who can see what, and how to invite someone.

use crate::app_context::{App, use_app};
use crate::browser;
use crate::hooks::{use_act, use_load};
use crate::parts::{
    Dialog, Icon, Look, button, empty, head, icon, loaded, problem, progress, qr_code, select,
};
use crate::route::Route;
use crate::screens::grants::GrantCard;
use crate::screens::home::requests;
use crate::words;
use salus_messages::{
    AccessRequest, GrantStatus, GrantView, Intent, Invitation, Reply, RequestStatus, Topic,
};
use yew::{AttrValue, Callback, Html, Properties, function_component, html, use_state};

pub(crate) fn grants(reply: Reply) -> Option<Vec<GrantView>> {
    match reply {
        Reply::Grants(grants) => Some(grants),
        _ => None,
    }
}

/// The patient's sharing.
#[function_component(Sharing)]
pub(crate) fn sharing() -> Html {
    let app = use_app();
    let t = app.t;
    let inviting = use_state(bool::default);
    let asked = use_load(Intent::IncomingRequests, &[Topic::Requests], requests);
    let given = use_load(Intent::Grants, &[Topic::Grants], grants);
    let open = {
        let inviting = inviting.clone();
        Callback::from(move |()| inviting.set(true))
    };
    let close = {
        let inviting = inviting.clone();
        Callback::from(move |()| inviting.set(false))
    };
    let actions = html! {
        <>
            { button("invite", t.invite).look(Look::Primary).icon(Icon::Link).onclick(open) }
            <a href={Route::Give(None).href()} class="button plain" data-testid="give-access">{ icon(Icon::Plus) }{ t.give_access }</a>
        </>
    };
    html! {
        <>
            { head(t.nav_sharing, html! { <p class="lead">{ t.sharing_lead }</p> }, actions) }
            { loaded(t, &asked, |requests| asking(&app, requests)) }
            { loaded(t, &given, |grants| standing(&app, grants)) }
            if *inviting { <Invite onclose={close} /> }
        </>
    }
}

fn asking(app: &App, requests: &[AccessRequest]) -> Html {
    let t = app.t;
    let waiting: Vec<&AccessRequest> = requests
        .iter()
        .filter(|request| request.status == RequestStatus::Waiting)
        .collect();
    if waiting.is_empty() {
        return Html::default();
    }
    html! {
        <section class="part" aria-labelledby="asking">
            <h2 id="asking">{ t.waiting_for_you }</h2>
            <ul class="calls">
                { for waiting.into_iter().map(|request| html! {
                    <li data-testid="request-item" data-request={request.id.0.clone()} data-status="waiting">
                        <a href={Route::Review(request.id.clone()).href()} class="call" data-testid="review-request">
                            <span class="call-icon">{ icon(Icon::Eye) }</span>
                            <span class="call-words">
                                <strong>{ words::fill(t.asks_you, &[("who", &words::person(t, &request.other))]) }</strong>
                                <span>{ &request.purpose }</span>
                            </span>
                            <span class="call-go">{ t.review }{ icon(Icon::Arrow) }</span>
                        </a>
                    </li>
                }) }
            </ul>
        </section>
    }
}

fn standing(app: &App, grants: &[GrantView]) -> Html {
    let t = app.t;
    let (live, past): (Vec<&GrantView>, Vec<&GrantView>) = grants
        .iter()
        .partition(|grant| matches!(grant.status, GrantStatus::Active | GrantStatus::Upcoming));
    html! {
        <>
            <section class="part" aria-labelledby="standing">
                <h2 id="standing">{ t.who_can_see }</h2>
                if live.is_empty() {
                    { empty(Icon::Lock, t.nobody_sees, html! { <p>{ t.nobody_sees_more }</p> }) }
                } else {
                    <ul class="grants">{ for live.into_iter().map(|grant| html! {
                        <GrantCard key={grant.id.0.clone()} grant={grant.clone()} own=true />
                    }) }</ul>
                }
            </section>
            if !past.is_empty() {
                <details class="part" data-testid="past-grants">
                    <summary>{ words::count(past.len() as u64, t.past_one, t.past_many) }</summary>
                    <ul class="grants">{ for past.into_iter().map(|grant| html! {
                        <GrantCard key={grant.id.0.clone()} grant={grant.clone()} own=true />
                    }) }</ul>
                </details>
            }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct Invites {
    onclose: Callback<()>,
}

#[function_component(Invite)]
fn invite(props: &Invites) -> Html {
    let app = use_app();
    let t = app.t;
    let days = use_state(|| 7u32);
    let made = use_state(|| None::<Invitation>);
    let act = {
        let made = made.clone();
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::Invitation(invitation) = reply {
                made.set(Some(invitation));
            }
        }))
    };
    let body = match &*made {
        Some(invitation) => {
            let copy = {
                let (app, link) = (app.clone(), invitation.link.clone());
                Callback::from(move |()| {
                    browser::copy(&link);
                    app.say(app.t.copied);
                })
            };
            let until = words::moment(app.language(), invitation.expires_at);
            html! {
                <div class="stack">
                    <p>{ t.invite_show }</p>
                    <div class="qr-frame">{ qr_code(&invitation.qr, t.invite_qr) }</div>
                    <div class="field">
                        <label for="invite-link">{ t.invite_link }</label>
                        <input id="invite-link" data-testid="invite-link" type="text" readonly=true value={invitation.link.clone()} />
                    </div>
                    <p class="quiet-text">{ words::fill(t.invite_until, &[("date", &until)]) }</p>
                    <div class="actions">
                        { button("invite-copy", t.copy_link).look(Look::Primary).icon(Icon::Link).onclick(copy) }
                    </div>
                </div>
            }
        }
        None => {
            let make = {
                let (act, days) = (act.clone(), *days);
                Callback::from(move |()| act.send(Intent::Invite { days }))
            };
            let choose = {
                let days = days.clone();
                Callback::from(move |value: String| days.set(value.parse().unwrap_or(7)))
            };
            let options: Vec<(AttrValue, AttrValue)> = [1u32, 7, 30]
                .into_iter()
                .map(|n| (n.to_string().into(), words::days(t, n).into()))
                .collect();
            html! {
                <div class="stack">
                    <p>{ t.invite_lead }</p>
                    { select("invite-days", t.invite_days, days.to_string(), options, choose) }
                    if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
                    { progress(&app, act.busy, false) }
                    <div class="actions">
                        { button("invite-make", t.invite_make).look(Look::Primary).busy(act.is_busy()).onclick(make) }
                    </div>
                </div>
            }
        }
    };
    html! {
        <Dialog testid="invite-dialog" title={t.invite} onclose={props.onclose.clone()}>{ body }</Dialog>
    }
}
