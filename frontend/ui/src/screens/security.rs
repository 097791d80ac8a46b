//! Who and what can open this person's records, and how to end it.

mod adding;
mod lost;
mod renewing;
mod replacing;
mod sign_ins;
mod slots;
mod taken_back;

pub(crate) use taken_back::TakenBack;

use crate::app_context::use_app;
use crate::browser;
use crate::hooks::{use_act, use_load};
use crate::parts::{
    Dialog, Look, button, head, loaded, phrase_field, problem, progress, recovery_sheet,
};
use salus_messages::{Intent, RecoverySheet, Reply, Secret, SecurityView, Topic};
use web_sys::SubmitEvent;
use yew::{Callback, Html, Properties, function_component, html, use_state};

const TOPICS: &[Topic] = &[Topic::Security];

fn pick(reply: Reply) -> Option<SecurityView> {
    match reply {
        Reply::Security(view) => Some(view),
        _ => None,
    }
}

/// Ways to unlock, sign-ins, and what to do when one is lost.
#[function_component(Security)]
pub(crate) fn security() -> Html {
    let app = use_app();
    let t = app.t;
    let load = use_load(Intent::Security, TOPICS, pick);
    let sheet = use_state(|| None::<RecoverySheet>);
    let replacing = use_state(bool::default);
    let onsheet = {
        let sheet = sheet.clone();
        Callback::from(move |made: RecoverySheet| sheet.set(Some(made)))
    };
    if let Some(shown) = &*sheet {
        let sheet = sheet.clone();
        // Alone on the page, so that nothing else is printed.
        return html! {
            <div class="stack">
                { recovery_sheet(t, shown) }
                <div class="actions">
                    { button("sheet-print", t.phrase_print).look(Look::Primary).onclick(Callback::from(|()| browser::print())) }
                    { button("sheet-done", t.sheet_done).onclick(Callback::from(move |()| sheet.set(None))) }
                </div>
            </div>
        };
    }
    let replace = |on: bool| {
        let replacing = replacing.clone();
        Callback::from(move |()| replacing.set(on))
    };
    if *replacing {
        return html! { <replacing::Replacing onclose={replace(false)} /> };
    }
    html! {
        <>
            { head(t.security_title, html! { <p class="lead">{ t.security_lead }</p> }, Html::default()) }
            { loaded(t, &load, |view: &SecurityView| html! {
                <div class="columns">
                    <slots::Slots slots={view.slots.clone()} {onsheet} onreplace={replace(true)} />
                    <sign_ins::SignIns sign_ins={view.sign_ins.clone()} />
                    <lost::Lost view={view.clone()} />
                    <renewing::Renewing />
                </div>
            }) }
        </>
    }
}

#[derive(Properties, PartialEq)]
pub(super) struct Asks {
    pub(super) onsheet: Callback<RecoverySheet>,
    pub(super) onclose: Callback<()>,
}

/// Asks for the words that are to be printed: whoever has them loses nothing by seeing them.
#[function_component(AskSheet)]
pub(super) fn ask_sheet(props: &Asks) -> Html {
    let app = use_app();
    let t = app.t;
    let phrase = use_state(String::new);
    let act = {
        let (onsheet, onclose) = (props.onsheet.clone(), props.onclose.clone());
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::Sheet(sheet) = reply {
                onclose.emit(());
                onsheet.emit(sheet);
            }
        }))
    };
    let onsubmit = {
        let (act, phrase) = (act.clone(), phrase.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            act.send(Intent::Sheet {
                phrase: Secret((*phrase).clone()),
            });
        })
    };
    let type_phrase = {
        let phrase = phrase.clone();
        Callback::from(move |value| phrase.set(value))
    };
    html! {
        <Dialog testid="sheet-dialog" title={t.sheet_title} onclose={props.onclose.clone()}>
            <form class="stack" {onsubmit}>
                <p class="lead">{ t.sheet_ask }</p>
                { phrase_field(&app, "sheet-phrase", &phrase, type_phrase) }
                if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
                { progress(&app, act.busy, false) }
                <div class="actions">
                    { button("sheet-make", t.sheet_make).look(Look::Primary).submit().busy(act.is_busy()) }
                    { button("sheet-cancel", t.cancel).look(Look::Quiet).onclick(props.onclose.clone()) }
                </div>
            </form>
        </Dialog>
    }
}
