//! After the records were taken back from somebody else: what that somebody may have left, to be looked
//! through in one place. Must not know how they were taken back.

use super::renewing::Renewing;
use super::sign_ins::SignIns;
use super::slots::Slots;
use super::{TOPICS, pick};
use crate::app_context::{go, use_app};
use crate::hooks::use_load;
use crate::parts::{Icon, head, icon, loaded};
use crate::route::Route;
use crate::screens::grants::GrantCard;
use crate::screens::sharing::grants;
use crate::words;
use salus_messages::{GrantStatus, GrantView, Intent, SecurityView, Topic};
use yew::{Callback, Html, function_component, html};

/// People with access, the newest first; ways to unlock; sign-ins; and then every key anew.
#[function_component(TakenBack)]
pub(crate) fn taken_back() -> Html {
    let app = use_app();
    let t = app.t;
    let security = use_load(Intent::Security, TOPICS, pick);
    let given = use_load(Intent::Grants, &[Topic::Grants], grants);
    // Words are not shown here: the sheet has a place of its own.
    let onsheet = Callback::from(|_| go(&Route::Security));
    html! {
        <div class="stack" data-testid="taken-back">
            { head(t.taken_back_title, html! { <p class="lead">{ t.taken_back_lead }</p> }, Html::default()) }
            <section class="part" aria-labelledby="taken-people">
                <h2 id="taken-people">{ t.who_can_see }</h2>
                <p class="quiet-text">{ t.taken_back_people }</p>
                { loaded(t, &given, |grants: &Vec<GrantView>| {
                    let mut live: Vec<&GrantView> = grants
                        .iter()
                        .filter(|grant| matches!(grant.status, GrantStatus::Active | GrantStatus::Upcoming))
                        .collect();
                    live.sort_by_key(|grant| std::cmp::Reverse(grant.from));
                    html! {
                        if live.is_empty() {
                            <p class="note" data-testid="taken-nobody">{ icon(Icon::Lock) }<span>{ t.nobody_sees }</span></p>
                        } else {
                            <ul class="grants">{ for live.into_iter().map(|grant| html! {
                                <>
                                    <li class="quiet-text">{ words::fill(t.given_since, &[("date", &words::moment(app.language(), grant.from))]) }</li>
                                    <GrantCard key={grant.id.0.clone()} grant={grant.clone()} own=true />
                                </>
                            }) }</ul>
                        }
                    }
                }) }
            </section>
            { loaded(t, &security, |view: &SecurityView| html! {
                <div class="columns">
                    <SignIns sign_ins={view.sign_ins.clone()} />
                    <Slots slots={view.slots.clone()} onsheet={onsheet.clone()} />
                    <Renewing />
                </div>
            }) }
            <p><a href={Route::Home.href()} class="button plain" data-testid="taken-done">{ t.taken_back_done }</a></p>
        </div>
    }
}
