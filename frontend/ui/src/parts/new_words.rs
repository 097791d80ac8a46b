//! New recovery words: shown as a sheet, then typed in part to see that they were written down. Must not know
//! what they are for.

use crate::app_context::use_app;
use crate::browser;
use crate::hooks::use_act;
use crate::parts::{Icon, Look, button, field, icon, problem, progress, recovery_sheet};
use crate::words;
use salus_messages::{Failure, Intent, RecoverySheet, Reply, Secret};
use web_sys::SubmitEvent;
use yew::{Callback, Html, Properties, function_component, html, use_state};

#[derive(Properties, PartialEq)]
pub(crate) struct News {
    pub(crate) sheet: RecoverySheet,
    /// Places of the words to be typed, from 0.
    pub(crate) ask: Vec<u8>,
    /// Whether they are asked for, or still shown.
    pub(crate) checking: bool,
    pub(crate) oncheck: Callback<bool>,
    /// They were typed as they are.
    pub(crate) onright: Callback<()>,
    /// What comes of it then: the button's `data-testid` and its words.
    pub(crate) finish: (&'static str, &'static str),
    /// What came of it is under way.
    pub(crate) busy: Option<u32>,
    /// Or failed.
    pub(crate) failure: Option<Failure>,
}

/// Shows them, and checks.
#[function_component(NewWords)]
pub(crate) fn new_words(props: &News) -> Html {
    let app = use_app();
    let t = app.t;
    let typed = use_state(|| vec![String::new(); props.ask.len()]);
    let right = use_state(Vec::<bool>::new);
    let checking = {
        let (right, onright) = (right.clone(), props.onright.clone());
        use_act(Callback::from(move |(reply, _)| {
            let Reply::PhraseChecked { right: answer } = reply else {
                return;
            };
            if answer.iter().all(|ok| *ok) {
                onright.emit(());
            }
            right.set(answer);
        }))
    };
    let check = |on: bool| {
        let oncheck = props.oncheck.clone();
        Callback::from(move |()| oncheck.emit(on))
    };
    if !props.checking {
        return html! {
            <div class="stack">
                <p class="lead">{ t.phrase_lead }</p>
                { recovery_sheet(t, &props.sheet) }
                <p class="note warn">{ icon(Icon::Alert) }<span>{ t.phrase_warning }</span></p>
                <div class="actions">
                    { button("phrase-written", t.phrase_written).look(Look::Primary).onclick(check(true)) }
                    { button("phrase-print", t.phrase_print).onclick(Callback::from(|()| browser::print())) }
                </div>
            </div>
        };
    }
    let onsubmit = {
        let (answers, go) = (typed.clone(), checking.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let words = answers
                .iter()
                .map(|word| Secret(word.trim().to_ascii_lowercase()))
                .collect();
            go.send(Intent::CheckPhrase { words });
        })
    };
    let row = |(index, place): (usize, &u8)| {
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
    let failure = checking.failure.clone().or_else(|| props.failure.clone());
    let busy = checking.is_busy() || props.busy.is_some();
    let (id, finish) = props.finish;
    html! {
        <form class="stack" {onsubmit}>
            <p class="lead">{ t.check_lead }</p>
            <div class="fields-row">{ for props.ask.iter().enumerate().map(row) }</div>
            if let Some(failure) = failure { { problem(t, &failure) } }
            { progress(&app, props.busy, false) }
            <div class="actions">
                { button(id, finish).look(Look::Primary).submit().busy(busy) }
                { button("phrase-back", t.phrase_back).look(Look::Quiet).disabled(busy).onclick(check(false)) }
            </div>
        </form>
    }
}
