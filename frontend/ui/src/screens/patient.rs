//! One patient of this provider: what was granted, and, once they chose to list it,
//! the records. Listing and opening are written into the patient's audit trail.

use crate::app_context::{App, use_app};
use crate::hooks::{use_list, use_load};
use crate::model::Action;
use crate::parts::{Icon, Look, button, empty, head, icon, list, loaded, record_list, trust_note};
use crate::route::Route;
use crate::screens::grants::GrantCard;
use crate::screens::home::records;
use crate::screens::practice::patients;
use crate::screens::safety::KeysOf;
use crate::words;
use salus_messages::{AccountId, Intent, PatientView, Topic};
use yew::{Callback, Html, Properties, function_component, html};

#[derive(Properties, PartialEq)]
pub(crate) struct PatientProps {
    pub(crate) patient: AccountId,
}

/// A patient.
#[function_component(Patient)]
pub(crate) fn patient(props: &PatientProps) -> Html {
    let app = use_app();
    let t = app.t;
    let all = use_load(Intent::Patients, &[Topic::Patients], patients);
    html! {
        <>
            <nav class="crumbs" aria-label={t.where_am_i}>
                <a href={Route::Patients.href()} class="back">{ icon(Icon::Arrow) }{ t.nav_patients }</a>
            </nav>
            { loaded(t, &all, |all| match all.iter().find(|one| one.account == props.patient) {
                Some(one) => shown(&app, one),
                None => html! {
                    <>
                        { head(t.patient_gone, Html::default(), Html::default()) }
                        { empty(Icon::Lock, t.patient_gone_more, Html::default()) }
                    </>
                },
            }) }
        </>
    }
}

fn shown(app: &App, one: &PatientView) -> Html {
    let t = app.t;
    let name = words::person(t, &one.person);
    let listed = app.model.has_listed(&one.account);
    let actions = html! {
        if one.may_append {
            <a href={Route::Add(Some(one.account.clone())).href()} class="button primary" data-testid="write-note">
                { icon(Icon::Pencil) }{ t.write_note }
            </a>
        }
    };
    let show = {
        let (dispatch, account) = (app.dispatch.clone(), one.account.clone());
        Callback::from(move |()| dispatch.emit(Action::Listed(account.clone())))
    };
    html! {
        <div data-testid="patient">
            { head(name.clone(), html! { { trust_note(app, &one.person) } }, actions) }
            <KeysOf person={one.person.clone()} stop={Route::Patients.href()} />
            if listed {
                <Granted patient={one.account.clone()} />
            } else if one.active {
                <section class="panel stack gate-list">
                    <p class="note">{ icon(Icon::Eye) }<span>{ words::fill(t.listing_recorded, &[("who", &name)]) }</span></p>
                    <div class="actions">
                        { button("list-records", t.list_records).look(Look::Primary).icon(Icon::List).onclick(show) }
                    </div>
                </section>
            }
            <section class="part" aria-labelledby="granted">
                <h2 id="granted">{ t.what_you_may }</h2>
                <ul class="grants">{ for one.grants.iter().map(|grant| html! {
                    <GrantCard key={grant.id.0.clone()} grant={grant.clone()} />
                }) }</ul>
            </section>
        </div>
    }
}

#[function_component(Granted)]
fn granted(props: &PatientProps) -> Html {
    let app = use_app();
    let t = app.t;
    // No topics: listing again is a release again, so only the person asks for it.
    let all = use_list(
        Intent::Records {
            patient: Some(props.patient.clone()),
            compartment: None,
            search: String::new(),
            cursor: None,
        },
        &[],
        records,
    );
    html! {
        <section class="part" aria-labelledby="their-records">
            <h2 id="their-records">{ t.nav_records }</h2>
            <p class="quiet-text">{ t.opening_recorded }</p>
            { list(t, &all, |items| if items.is_empty() {
                html! { { empty(Icon::Folder, t.no_granted_records, Html::default()) } }
            } else {
                html! { { record_list(&app, items, Some(&props.patient)) } }
            }) }
        </section>
    }
}
