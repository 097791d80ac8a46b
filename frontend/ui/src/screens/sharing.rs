//! Who asks, who can see what, and how to invite someone.

use crate::app_context::{App, use_app};
use crate::browser;
use crate::hooks::{use_act, use_load};
use crate::parts::{
    Button, Dialog, Empty, Icon, Link, Look, Problem, ProgressNote, QrCode, Select, head, icon,
    loaded,
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
    let inviting = use_state(|| false);
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
            <Button look={Look::Primary} icon={Icon::Link} testid="invite" onclick={open}>{ t.invite }</Button>
            <Link to={Route::Give(None)} class="button plain" testid="give-access">{ icon(Icon::Plus) }{ t.give_access }</Link>
        </>
    };
    html! {
        <>
            { head(t.nav_sharing, html! { <p class="lead">{ t.sharing_lead }</p> }, actions) }
            { loaded(&asked, |requests| asking(&app, requests)) }
            { loaded(&given, |grants| standing(&app, grants)) }
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
                        <Link to={Route::Review(request.id.clone())} class="call" testid="review-request">
                            <span class="call-icon">{ icon(Icon::Eye) }</span>
                            <span class="call-words">
                                <strong>{ words::fill(t.asks_you, &[("who", &words::person(t, &request.other))]) }</strong>
                                <span>{ &request.purpose }</span>
                            </span>
                            <span class="call-go">{ t.review }{ icon(Icon::Arrow) }</span>
                        </Link>
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
                    <Empty icon={Icon::Lock} title={t.nobody_sees}><p>{ t.nobody_sees_more }</p></Empty>
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
                    <div class="qr-frame"><QrCode qr={invitation.qr.clone()} label={t.invite_qr} /></div>
                    <div class="field">
                        <label for="invite-link">{ t.invite_link }</label>
                        <input id="invite-link" data-testid="invite-link" type="text" readonly=true value={invitation.link.clone()} />
                    </div>
                    <p class="quiet-text">{ words::fill(t.invite_until, &[("date", &until)]) }</p>
                    <div class="actions">
                        <Button look={Look::Primary} icon={Icon::Link} testid="invite-copy" onclick={copy}>{ t.copy_link }</Button>
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
                    <Select id="invite-days" label={t.invite_days} value={days.to_string()} {options} onchange={choose} />
                    if let Some(failure) = act.failure.clone() { <Problem {failure} /> }
                    <ProgressNote operation={act.busy} may_cancel=false />
                    <div class="actions">
                        <Button look={Look::Primary} testid="invite-make" busy={act.is_busy()} onclick={make}>{ t.invite_make }</Button>
                    </div>
                </div>
            }
        }
    };
    html! {
        <Dialog testid="invite-dialog" title={t.invite} onclose={props.onclose.clone()}>{ body }</Dialog>
    }
}
