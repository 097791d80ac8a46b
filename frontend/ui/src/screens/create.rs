//! A new vault: a name, the recovery phrase, and proof that it was written down. Whoever has a phrase
//! already is shown the way to their own.

use crate::app_context::use_app;
use crate::browser;
use crate::hooks::use_act;
use crate::parts::{Look, NewWords, SignOut, button, check, field, mark, problem};
use crate::screens::unlock::Unlock;
use crate::words;
use salus_messages::{Intent, NewCompartment, RecoverySheet, Reply};
use web_sys::SubmitEvent;
use yew::{Callback, Html, Properties, function_component, html, use_effect_with, use_state};

#[derive(Properties, PartialEq)]
pub(crate) struct Creates {
    pub(crate) principal: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Name,
    /// There is a phrase from before.
    Known,
    Words,
    Check,
}

/// The way to a new vault.
#[function_component(Create)]
pub(crate) fn create(props: &Creates) -> Html {
    let app = use_app();
    let t = app.t;
    let stage = use_state(|| Stage::Name);
    let name = use_state(String::new);
    let stay = use_state(bool::default);
    let phrase = use_state(|| (None::<RecoverySheet>, Vec::<u8>::new()));

    {
        let stage = *stage;
        use_effect_with(stage, |_| browser::focus("title"));
    }

    let make = use_act(Callback::noop());
    let propose = {
        let (stage, phrase) = (stage.clone(), phrase.clone());
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::Phrase { ask, sheet } = reply {
                phrase.set((Some(sheet), ask));
                stage.set(Stage::Words);
            }
        }))
    };
    let create = {
        let (go, name, stay) = (make.go.clone(), name.clone(), stay.clone());
        Callback::from(move |()| {
            let compartments = words::CATEGORIES
                .into_iter()
                .map(|category| NewCompartment {
                    name: words::category(t, category).to_owned(),
                    category: Some(category),
                })
                .collect();
            let intent = Intent::CreateVault {
                display_name: name.trim().to_owned(),
                compartments,
                stay_unlocked: *stay,
            };
            go.emit((intent, Vec::new()));
        })
    };

    let body = match *stage {
        Stage::Name => {
            let go = propose.clone();
            let type_name = {
                let name = name.clone();
                Callback::from(move |value| name.set(value))
            };
            let onsubmit = Callback::from(move |event: SubmitEvent| {
                event.prevent_default();
                go.send(Intent::ProposePhrase);
            });
            let have_phrase = {
                let stage = stage.clone();
                Callback::from(move |()| stage.set(Stage::Known))
            };
            html! {
                <form class="stack" {onsubmit}>
                    <p class="lead">{ t.create_lead }</p>
                    { field("display-name", t.display_name, &name, type_name).hint(t.display_name_hint).autocomplete("given-name").maxlength(80) }
                    { check("stay-unlocked", t.stay_unlocked, *stay, Callback::from(move |on| stay.set(on))).hint(t.stay_unlocked_hint) }
                    if let Some(failure) = propose.failure.clone() { { problem(t, &failure) } }
                    { button("create-begin", t.create_begin).look(Look::Primary).submit().busy(propose.is_busy()) }
                    { button("have-phrase", t.have_phrase).look(Look::Quiet).disabled(propose.is_busy()).onclick(have_phrase) }
                </form>
            }
        }
        Stage::Known => {
            let stage = stage.clone();
            return html! { <Unlock back={Callback::from(move |()| stage.set(Stage::Name))} /> };
        }
        Stage::Words | Stage::Check => {
            let (sheet, ask) = &*phrase;
            let oncheck = {
                let stage = stage.clone();
                Callback::from(move |on| stage.set(if on { Stage::Check } else { Stage::Words }))
            };
            html! {
                if let Some(sheet) = sheet.clone() {
                    <NewWords {sheet} ask={ask.clone()} checking={*stage == Stage::Check} {oncheck} onright={create}
                        finish={("create-vault", t.create_vault)} busy={make.busy} failure={make.failure.clone()} />
                }
            }
        }
    };
    let (number, title) = match *stage {
        Stage::Name | Stage::Known => ("1", t.create_title),
        Stage::Words => ("2", t.phrase_title),
        Stage::Check => ("3", t.check_title),
    };
    html! {
        <div class="gate narrow" data-testid="create">
            <header class="gate-top">
                <p class="brand">{ mark() }<span class="brand-name">{ "Salus" }</span></p>
                <SignOut />
            </header>
            <main class="panel" id="main">
                <p class="step">{ words::fill(t.step_of, &[("n", number), ("of", "3")]) }</p>
                <h1 id="title" tabindex="-1" data-testid="title">{ title }</h1>
                { body }
            </main>
            <p class="quiet-text center">{ words::fill(t.signed_in_as, &[("who", &words::short(&props.principal))]) }</p>
        </div>
    }
}
