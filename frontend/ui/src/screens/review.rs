//! Deciding: a request to answer, or access to give unasked.

use crate::app_context::{App, go, use_app};
use crate::hooks::{use_act, use_list, use_load};
use crate::parts::{
    Icon, Look, button, empty, field, head, icon, list, loaded, person_line, problem, progress,
    terms_complete, terms_form,
};
use crate::route::Route;
use crate::screens::home::{compartments, requests};
use crate::screens::safety::KeysOf;
use crate::words;
use salus_messages::{
    AccessRequest, Compartment, Intent, Page, Person, RecordId, Reply, RequestId, RequestStatus,
    Rights, Scope, Terms, Topic, Trust, Wish,
};
use web_sys::SubmitEvent;
use yew::{Callback, Html, Properties, function_component, html, use_state};

#[derive(Properties, PartialEq)]
pub(crate) struct Reviews {
    pub(crate) request: RequestId,
}

/// One request: who, what, until when, why.
#[function_component(Review)]
pub(crate) fn review(props: &Reviews) -> Html {
    let app = use_app();
    let t = app.t;
    let asked = use_load(Intent::IncomingRequests, &[Topic::Requests], requests);
    let folders = use_load(Intent::Compartments { patient: None }, &[], compartments);
    html! {
        <>
            <nav class="crumbs" aria-label={t.where_am_i}>
                <a href={Route::Sharing.href()} class="back">{ icon(Icon::Arrow) }{ t.nav_sharing }</a>
            </nav>
            { loaded(t, &asked, |requests| {
                match requests.iter().find(|request| request.id == props.request) {
                    Some(request) => loaded(t, &folders, |folders| html! {
                        <Decide request={request.clone()} folders={folders.clone()} />
                    }),
                    None => html! {
                        <>
                            { head(t.request_gone, Html::default(), Html::default()) }
                            { empty(Icon::Search, t.request_gone_more, Html::default()) }
                        </>
                    },
                }
            }) }
        </>
    }
}

/// The terms a request asks for, in the patient's own compartments.
fn asked_terms(request: &AccessRequest, folders: &[Compartment]) -> Terms {
    let scope = match &request.wish {
        Wish::Everything => Scope::Everything,
        Wish::Known(scope) => scope.clone(),
        Wish::Categories(wanted) => Scope::Compartments(
            folders
                .iter()
                .filter(|folder| folder.category.is_some_and(|one| wanted.contains(&one)))
                .map(|folder| folder.id.clone())
                .collect(),
        ),
    };
    Terms {
        scope,
        rights: request.rights,
        follows: false,
        purpose: request.purpose.clone(),
        days: request.days,
    }
}

/// What is asked for, in words.
pub(crate) fn wish_words(app: &App, wish: &Wish, folders: &[Compartment]) -> String {
    let t = app.t;
    match wish {
        Wish::Everything | Wish::Known(Scope::Everything) => t.scope_everything.to_owned(),
        Wish::Categories(all) => all
            .iter()
            .map(|one| words::category(t, *one))
            .collect::<Vec<_>>()
            .join(", "),
        Wish::Known(Scope::Records(ids)) => {
            words::count(ids.len() as u64, t.records_one, t.records_many)
        }
        Wish::Known(Scope::Compartments(ids)) => {
            let names: Vec<&str> = folders
                .iter()
                .filter(|folder| ids.contains(&folder.id))
                .map(|folder| folder.name.as_str())
                .collect();
            if names.len() == ids.len() {
                names.join(", ")
            } else {
                words::count(ids.len() as u64, t.compartments_one, t.compartments_many)
            }
        }
    }
}

#[derive(Properties, PartialEq)]
struct Decisions {
    request: AccessRequest,
    folders: Vec<Compartment>,
}

#[function_component(Decide)]
fn decide(props: &Decisions) -> Html {
    let app = use_app();
    let t = app.t;
    let request = &props.request;
    let terms = use_state(|| asked_terms(request, &props.folders));
    let who = words::person(t, &request.other);
    let approve = {
        let (app, who) = (app.clone(), who.clone());
        use_act(Callback::from(move |_| {
            app.say(words::fill(t.approved, &[("who", &who)]));
            go(&Route::Sharing);
        }))
    };
    let deny = {
        let app = app.clone();
        use_act(Callback::from(move |_| {
            app.say(t.denied);
            go(&Route::Sharing);
        }))
    };
    let changed = request.other.trust == Trust::Changed;
    let waiting = request.status == RequestStatus::Waiting;
    let onsubmit = {
        let (approve, terms, id) = (approve.clone(), terms.clone(), request.id.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            approve.send(Intent::Approve {
                request: id.clone(),
                terms: (*terms).clone(),
            });
        })
    };
    let ondeny = {
        let (deny, id) = (deny.clone(), request.id.clone());
        Callback::from(move |()| {
            deny.send(Intent::Deny {
                request: id.clone(),
            })
        })
    };
    let complete = terms_complete(&terms);
    let busy = approve.is_busy() || deny.is_busy();
    let failure = approve.failure.clone().or_else(|| deny.failure.clone());
    let onchange = {
        let terms = terms.clone();
        Callback::from(move |next| terms.set(next))
    };
    let (status, tone, name) = words::request_status(t, request.status);
    html! {
        <div data-testid="request" data-status={name}>
            { head(words::fill(t.asks_title, &[("who", &who)]), html! { <p class="lead">{ t.asks_lead }</p> }, Html::default()) }
            <section class="panel asked" aria-label={t.asks_lead}>
                <div class="ask-part" data-testid="request-who"><h2>{ t.ask_who }</h2><div>
                    { person_line(&app, &request.other) }
                    if request.invited { <p class="quiet-text">{ t.invited_by_you }</p> }
                </div></div>
                <div class="ask-part" data-testid="request-what"><h2>{ t.terms_what }</h2><div>
                    <p>{ wish_words(&app, &request.wish, &props.folders) }</p>
                    <p class="quiet-text">{ words::rights(t, request.rights) }</p>
                </div></div>
                <div class="ask-part" data-testid="request-until"><h2>{ t.terms_until }</h2><div>
                    <p>{ words::fill(t.for_days, &[("days", &words::days(t, request.days))]) }</p>
                </div></div>
                <div class="ask-part" data-testid="request-why"><h2>{ t.terms_why }</h2><div><p>{ &request.purpose }</p></div></div>
            </section>
            if waiting {
                <div class="part"><KeysOf person={request.other.clone()} stop={Route::Sharing.href()} /></div>
                <form class="part panel" {onsubmit}>
                    <h2>{ t.your_answer }</h2>
                    <p class="quiet-text">{ t.your_answer_lead }</p>
                    { terms_form(t, &terms, &props.folders, false, &onchange) }
                    <p class="note">{ icon(Icon::Eye) }<span>{ t.approve_honest }</span></p>
                    if let Some(failure) = failure { { problem(t, &failure) } }
                    { progress(&app, approve.busy.or(deny.busy), false) }
                    <div class="actions">
                        { button("approve", t.approve).look(Look::Primary).submit().busy(busy).disabled(!complete || changed) }
                        { button("deny", t.deny).busy(busy).onclick(ondeny) }
                    </div>
                </form>
            } else {
                <p class={yew::classes!("status", tone)}>{ status }</p>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct Gives {
    pub(crate) record: Option<RecordId>,
}

fn directory(reply: Reply) -> Option<Page<Person>> {
    match reply {
        Reply::Directory(page) => Some(page),
        _ => None,
    }
}

/// Access for someone of the directory.
#[function_component(Give)]
pub(crate) fn give(props: &Gives) -> Html {
    let app = use_app();
    let t = app.t;
    let search = use_state(String::new);
    let chosen = use_state(|| None::<Person>);
    let found = use_list(
        Intent::Directory {
            search: search.trim().to_owned(),
            cursor: None,
        },
        &[],
        directory,
    );
    let folders = use_load(Intent::Compartments { patient: None }, &[], compartments);
    let lead = if props.record.is_some() {
        t.give_record_lead
    } else {
        t.give_lead
    };
    let oninput = {
        let search = search.clone();
        Callback::from(move |value| search.set(value))
    };
    let onknown = {
        let chosen = chosen.clone();
        Callback::from(move |person| chosen.set(Some(person)))
    };
    let item = |person: &Person| {
        let onclick = {
            let (chosen, person) = (chosen.clone(), person.clone());
            Callback::from(move |()| chosen.set(Some(person.clone())))
        };
        let account = person.account.clone().map(|account| account.0);
        html! {
            <li class="pick" data-testid="directory-item" data-account={account}>
                { person_line(&app, person) }
                { button("choose-provider", t.choose).onclick(onclick) }
            </li>
        }
    };
    html! {
        <>
            <nav class="crumbs" aria-label={t.where_am_i}>
                <a href={Route::Sharing.href()} class="back">{ icon(Icon::Arrow) }{ t.nav_sharing }</a>
            </nav>
            { head(t.give_access, html! { <p class="lead">{ lead }</p> }, Html::default()) }
            if let Some(person) = &*chosen {
                { loaded(t, &folders, |folders| html! {
                    <GiveTerms person={person.clone()} folders={folders.clone()} record={props.record.clone()}
                        onknown={onknown.clone()} />
                }) }
            } else {
                <div class="search" role="search">
                    { field("directory-search", t.directory_search, &search, oninput).kind("search") }
                </div>
                { list(t, &found, |people| if people.is_empty() {
                    html! { { empty(Icon::People, t.directory_empty, html! { <p>{ t.directory_empty_more }</p> }) } }
                } else {
                    html! { <ul class="picks">{ for people.iter().map(item) }</ul> }
                }) }
            }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct GiveTermsProps {
    person: Person,
    folders: Vec<Compartment>,
    record: Option<RecordId>,
    onknown: Callback<Person>,
}

#[function_component(GiveTerms)]
fn give_terms(props: &GiveTermsProps) -> Html {
    let app = use_app();
    let t = app.t;
    let terms = use_state(|| Terms {
        scope: match &props.record {
            Some(record) => Scope::Records(vec![record.clone()]),
            None => Scope::Compartments(Vec::new()),
        },
        rights: Rights {
            read: true,
            append: false,
        },
        follows: false,
        purpose: String::new(),
        days: 30,
    });
    let who = words::person(t, &props.person);
    let act = {
        let (app, who) = (app.clone(), who.clone());
        use_act(Callback::from(move |_| {
            app.say(words::fill(t.approved, &[("who", &who)]));
            go(&Route::Sharing);
        }))
    };
    let onsubmit = {
        let (act, terms, to) = (act.clone(), terms.clone(), props.person.account.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if let Some(to) = to.clone() {
                act.send(Intent::Give {
                    to,
                    terms: (*terms).clone(),
                });
            }
        })
    };
    let complete = terms_complete(&terms) && props.person.account.is_some();
    let changed = props.person.trust == Trust::Changed;
    let onchange = {
        let terms = terms.clone();
        Callback::from(move |next| terms.set(next))
    };
    html! {
        <>
        <section class="stack panel">
            { person_line(&app, &props.person) }
            <KeysOf person={props.person.clone()} onknown={props.onknown.clone()} stop={Route::Sharing.href()} />
        </section>
        <form class="part panel" {onsubmit}>
            { terms_form(t, &terms, &props.folders, true, &onchange) }
            <p class="note">{ icon(Icon::Eye) }<span>{ t.approve_honest }</span></p>
            if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
            { progress(&app, act.busy, false) }
            <div class="actions">
                { button("give", t.give_access).look(Look::Primary).submit().busy(act.is_busy()).disabled(!complete || changed) }
                <a href={Route::Sharing.href()} class="button quiet">{ t.cancel }</a>
            </div>
        </form>
        </>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use salus_messages::Category;

    fn folder(id: &str, category: Option<Category>) -> Compartment {
        Compartment {
            id: id.into(),
            name: id.to_owned(),
            category,
            records: 0,
            readers: 0,
        }
    }

    #[test]
    fn a_wish_by_category_becomes_the_patients_own_compartments() {
        let request = AccessRequest {
            id: "q".into(),
            other: Person {
                account: None,
                principal: String::new(),
                name: String::new(),
                specialty: String::new(),
                trust: Trust::Certified,
                attestation: None,
            },
            wish: Wish::Categories(vec![Category::Medications, Category::Results]),
            rights: Rights {
                read: true,
                append: true,
            },
            purpose: "Treatment".to_owned(),
            days: 30,
            asked_at: 0,
            expires_at: None,
            status: RequestStatus::Waiting,
            invited: true,
        };
        let folders = [
            folder("private", None),
            folder("pills", Some(Category::Medications)),
            folder("visits", Some(Category::Visits)),
        ];
        let terms = asked_terms(&request, &folders);
        assert_eq!(terms.scope, Scope::Compartments(vec!["pills".into()]));
        assert_eq!((terms.days, terms.purpose.as_str()), (30, "Treatment"));
    }
}
