//! A new vault: a name, the recovery phrase, and proof that it was written down. Whoever has a phrase
//! already is shown the way to their own.

use crate::app_context::use_app;
use crate::browser;
use crate::hooks::use_act;
use crate::parts::{
    Icon, Look, SignOut, button, check, field, icon, mark, problem, progress, recovery_sheet,
};
use crate::screens::unlock::Unlock;
use crate::words;
use salus_messages::{Intent, NewCompartment, RecoverySheet, Reply, Secret};
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
    let typed = use_state(Vec::<String>::new);
    let right = use_state(Vec::<bool>::new);

    {
        let stage = *stage;
        use_effect_with(stage, |_| browser::focus("title"));
    }

    let make = use_act(Callback::noop());
    let propose = {
        let (stage, phrase, typed) = (stage.clone(), phrase.clone(), typed.clone());
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::Phrase { ask, sheet } = reply {
                typed.set(vec![String::new(); ask.len()]);
                phrase.set((Some(sheet), ask));
                stage.set(Stage::Words);
            }
        }))
    };
    let checking = {
        let (right, go) = (right.clone(), make.go.clone());
        let (name, stay) = (name.clone(), stay.clone());
        use_act(Callback::from(move |(reply, _)| {
            let Reply::PhraseChecked { right: answer } = reply else {
                return;
            };
            if answer.iter().all(|ok| *ok) {
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
            }
            right.set(answer);
        }))
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
        Stage::Words => {
            let (sheet, _) = &*phrase;
            let stage = stage.clone();
            html! {
                <div class="stack">
                    <p class="lead">{ t.phrase_lead }</p>
                    if let Some(sheet) = sheet { { recovery_sheet(t, sheet) } }
                    <p class="note warn">{ icon(Icon::Alert) }<span>{ t.phrase_warning }</span></p>
                    <div class="actions">
                        { button("phrase-written", t.phrase_written).look(Look::Primary).onclick(Callback::from(move |()| stage.set(Stage::Check))) }
                        { button("phrase-print", t.phrase_print).onclick(Callback::from(|()| browser::print())) }
                    </div>
                </div>
            }
        }
        Stage::Check => {
            let (_, ask) = &*phrase;
            let (answers, go) = (typed.clone(), checking.clone());
            let onsubmit = Callback::from(move |event: SubmitEvent| {
                event.prevent_default();
                let words = answers
                    .iter()
                    .map(|word| Secret(word.trim().to_ascii_lowercase()))
                    .collect();
                go.send(Intent::CheckPhrase { words });
            });
            let field = |(index, place): (usize, &u8)| {
                let number = (u32::from(*place) + 1).to_string();
                let typed_now = typed.clone();
                let oninput = Callback::from(move |value: String| {
                    let mut all = (*typed_now).clone();
                    if let Some(slot) = all.get_mut(index) {
                        *slot = value;
                    }
                    typed_now.set(all);
                });
                let error = match right.get(index) {
                    Some(false) => words::fill(t.word_wrong, &[("n", &number)]),
                    _ => String::new(),
                };
                html! {
                    { field(format!("check-word-{number}"), words::fill(t.word_n, &[("n", &number)]), &typed.get(index).cloned().unwrap_or_default(), oninput).error(error).required() }
                }
            };
            let stage = stage.clone();
            let failure = checking.failure.clone().or_else(|| make.failure.clone());
            let busy = checking.is_busy() || make.is_busy();
            html! {
                <form class="stack" {onsubmit}>
                    <p class="lead">{ t.check_lead }</p>
                    <div class="fields-row">{ for ask.iter().enumerate().map(field) }</div>
                    if let Some(failure) = failure { { problem(t, &failure) } }
                    { progress(&app, make.busy, false) }
                    <div class="actions">
                        { button("create-vault", t.create_vault).look(Look::Primary).submit().busy(busy) }
                        { button("phrase-back", t.phrase_back).look(Look::Quiet).disabled(busy).onclick(Callback::from(move |()| stage.set(Stage::Words))) }
                    </div>
                </form>
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
