//! Other words in the place of the 24 that somebody may have read: the old ones are typed, new ones made and
//! written down, and only then put in force.

use crate::app_context::use_app;
use crate::hooks::use_act;
use crate::parts::{Look, NewWords, button, head, phrase_field, problem, progress};
use salus_messages::{Intent, RecoverySheet, Reply, Secret};
use web_sys::SubmitEvent;
use yew::{Callback, Html, Properties, function_component, html, use_state};

#[derive(Properties, PartialEq)]
pub(super) struct Replaces {
    pub(super) onclose: Callback<()>,
}

/// From the old words to the new ones.
#[function_component(Replacing)]
pub(super) fn replacing(props: &Replaces) -> Html {
    let app = use_app();
    let t = app.t;
    let old = use_state(String::new);
    let made = use_state(|| None::<(RecoverySheet, Vec<u8>)>);
    let checking = use_state(bool::default);
    let replace = {
        let (app, onclose) = (app.clone(), props.onclose.clone());
        use_act(Callback::from(move |_| {
            app.say(app.t.replace_done);
            onclose.emit(());
        }))
    };
    let propose = {
        let made = made.clone();
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::Phrase { ask, sheet } = reply {
                made.set(Some((sheet, ask)));
            }
        }))
    };
    // The old words are compared before anybody writes down new ones.
    let prove = {
        let propose = propose.clone();
        use_act(Callback::from(move |_| {
            propose.send(Intent::ProposePhrase);
        }))
    };
    if let Some((sheet, ask)) = &*made {
        let onright = {
            let (replace, old) = (replace.clone(), old.clone());
            Callback::from(move |()| {
                let phrase = Secret((*old).clone());
                replace.send(Intent::ReplacePhrase { phrase });
            })
        };
        let oncheck = {
            let checking = checking.clone();
            Callback::from(move |on| checking.set(on))
        };
        return html! {
            <div class="stack">
                <h1 id="title" tabindex="-1" data-testid="title">{ if *checking { t.check_title } else { t.phrase_title } }</h1>
                <NewWords sheet={sheet.clone()} ask={ask.clone()} checking={*checking} {oncheck} {onright}
                    finish={("replace-finish", t.replace_finish)} busy={replace.busy} failure={replace.failure.clone()} />
            </div>
        };
    }
    let onsubmit = {
        let (prove, old) = (prove.clone(), old.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let words = Secret((*old).clone());
            prove.send(Intent::Prove {
                proof: salus_messages::Proof::Phrase(words),
            });
        })
    };
    let type_old = {
        let old = old.clone();
        Callback::from(move |value| old.set(value))
    };
    let failure = prove.failure.clone().or_else(|| propose.failure.clone());
    let busy = prove.busy.or(propose.busy);
    html! {
        <>
            { head(t.replace_title, html! { <p class="lead">{ t.replace_lead }</p> }, Html::default()) }
            <form class="panel stack" {onsubmit}>
                { phrase_field(&app, "replace-old", &old, type_old) }
                if let Some(failure) = failure { { problem(t, &failure) } }
                { progress(&app, busy, false) }
                <div class="actions">
                    { button("replace-begin", t.replace_begin).look(Look::Primary).submit().busy(busy.is_some()) }
                    { button("replace-cancel", t.cancel).look(Look::Quiet).onclick(props.onclose.clone()) }
                </div>
            </form>
        </>
    }
}
