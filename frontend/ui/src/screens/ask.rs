//! Asking a patient for access, by the link or code they handed over.

use crate::app_context::{go, use_app};
use crate::hooks::{use_act, use_load};
use crate::parts::{
    Icon, Look, Wanted, button, head, icon, loaded, person_line, problem, progress, text_area,
    wanted_complete, wish_form,
};
use crate::route::Route;
use crate::screens::practice::Register;
use crate::screens::safety::KeysOf;
use salus_messages::{Category, Intent, LinkView, Person, Reply, Rights, Trust, Wish};
use web_sys::SubmitEvent;
use yew::{Callback, Html, Properties, function_component, html, use_state};

#[derive(Properties, PartialEq)]
pub(crate) struct Asks {
    /// Empty: not pasted yet.
    pub(crate) link: String,
}

fn link(reply: Reply) -> Option<LinkView> {
    match reply {
        Reply::Link(link) => Some(link),
        _ => None,
    }
}

/// What follows `#/ask/` in a pasted link; the text itself when there is no such part.
fn link_part(pasted: &str) -> String {
    let pasted = pasted.trim();
    pasted
        .split_once("#/ask/")
        .map_or(pasted, |(_, part)| part)
        .to_owned()
}

/// Asks for access.
#[function_component(Ask)]
pub(crate) fn ask(props: &Asks) -> Html {
    let app = use_app();
    let t = app.t;
    let registered = app
        .model
        .account()
        .is_some_and(|account| account.provider.is_some());
    let body = if !registered {
        html! { <Register /> }
    } else if props.link.is_empty() {
        html! { <Paste /> }
    } else {
        html! { <Read link={props.link.clone()} /> }
    };
    html! {
        <>
            { head(t.nav_ask, html! { <p class="lead">{ t.ask_lead }</p> }, Html::default()) }
            { body }
        </>
    }
}

#[function_component(Paste)]
fn paste() -> Html {
    let t = use_app().t;
    let pasted = use_state(String::new);
    let onsubmit = {
        let pasted = pasted.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            go(&Route::Ask(link_part(&pasted)));
        })
    };
    let empty = pasted.trim().is_empty();
    let oninput = {
        let pasted = pasted.clone();
        Callback::from(move |value| pasted.set(value))
    };
    html! {
        <form class="panel stack" {onsubmit}>
            { text_area("patient-link", t.patient_link, &pasted, oninput).hint(t.patient_link_hint).rows(3).secret() }
            <div class="actions">
                { button("read-link", t.read_link).look(Look::Primary).submit().disabled(empty) }
            </div>
        </form>
    }
}

#[derive(Properties, PartialEq)]
struct Reads {
    link: String,
}

#[function_component(Read)]
fn read(props: &Reads) -> Html {
    let t = use_app().t;
    let read = use_load(
        Intent::ReadLink {
            text: props.link.clone(),
        },
        &[],
        link,
    );
    html! {
        <>
            { loaded(t, &read, |link| html! { <AskForm link={link.clone()} /> }) }
            <p class="part"><a href={Route::Ask(String::new()).href()} class="back">{ icon(Icon::Link) }{ t.other_link }</a></p>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct AskForms {
    link: LinkView,
}

#[function_component(AskForm)]
fn ask_form(props: &AskForms) -> Html {
    let app = use_app();
    let t = app.t;
    let asked = use_state(bool::default);
    let wanted = use_state(|| Wanted {
        wish: Wish::Categories(vec![
            Category::Medications,
            Category::Allergies,
            Category::Conditions,
        ]),
        rights: Rights {
            read: true,
            append: false,
        },
        purpose: String::new(),
        days: 30,
    });
    let act = {
        let asked = asked.clone();
        use_act(Callback::from(move |_| asked.set(true)))
    };
    // Reading the link again is not possible once it was used.
    let changed = use_state(|| props.link.patient.trust == Trust::Changed);
    let onknown = {
        let changed = changed.clone();
        Callback::from(move |person: Person| changed.set(person.trust == Trust::Changed))
    };
    if *asked {
        return html! {
            <section class="panel stack" role="status" data-testid="asked">
                <h2>{ t.asked_title }</h2>
                <p>{ t.asked_lead }</p>
                <a href={Route::Outgoing.href()} class="button primary">{ t.nav_outgoing }</a>
            </section>
        };
    }
    let onsubmit = {
        let (act, wanted, link) = (act.clone(), wanted.clone(), props.link.link.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            act.send(Intent::Ask {
                link: link.clone(),
                wish: wanted.wish.clone(),
                rights: wanted.rights,
                purpose: wanted.purpose.trim().to_owned(),
                days: wanted.days,
            });
        })
    };
    let complete = wanted_complete(&wanted);
    let onchange = {
        let wanted = wanted.clone();
        Callback::from(move |next| wanted.set(next))
    };
    html! {
        <>
        if *changed { <KeysOf person={props.link.patient.clone()} {onknown} stop={Route::Patients.href()} /> }
        <form class="panel stack" data-testid="ask-form" {onsubmit}>
            <div class="stack" data-testid="link-view">
                { person_line(&app, &props.link.patient) }
                <dl class="facts"><div class="wide"><dt>{ t.safety_number }</dt>
                    <dd><span class="safety" data-testid="safety-number">{ &props.link.safety_number }</span>
                    <span class="quiet-text">{ t.safety_compare }</span></dd></div></dl>
            </div>
            { wish_form(t, &wanted, &onchange) }
            if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
            { progress(&app, act.busy, false) }
            <div class="actions">
                { button("send-request", t.send_request).look(Look::Primary).submit().icon(Icon::Send).busy(act.is_busy()).disabled(!complete || *changed) }
            </div>
        </form>
        </>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_address_and_its_part_are_the_same_link() {
        assert_eq!(
            link_part(" http://x.localhost:1/#/ask/v.p.f.c\n"),
            "v.p.f.c"
        );
        assert_eq!(link_part("v.p.f.c"), "v.p.f.c");
    }
}
