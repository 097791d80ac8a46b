//! Opening one's records on another device by help of one where they are open: both devices' halves. Both
//! show the same words, and both ask.

use crate::app_context::{App, go, use_app};
use crate::browser;
use crate::channel;
use crate::hooks::{Act, use_act};
use crate::parts::{
    Icon, Look, SignOut, button, check, field, head, icon, mark, problem, progress, qr_code,
};
use crate::route::Route;
use crate::words;
use salus_messages::{Intent, PairingCode, PairingWords, Reply};
use web_sys::SubmitEvent;
use yew::{
    Callback, Html, Properties, UseStateHandle, function_component, hook, html, use_effect_with,
    use_state,
};

/// How far one device has come.
#[derive(Clone, PartialEq)]
enum Stage {
    Begin,
    /// The new device shows its code.
    Code(PairingCode),
    Words(PairingWords),
    /// A person saw other words, or none.
    Differed,
}

/// Gives up whatever is under way once the place is left: what has come to its end is not touched.
#[hook]
fn use_end() {
    use_effect_with((), |()| || channel::notify(Intent::EndPairing));
}

fn differed(stage: &UseStateHandle<Stage>) -> Callback<()> {
    let stage = stage.clone();
    Callback::from(move |()| {
        channel::notify(Intent::EndPairing);
        stage.set(Stage::Differed);
    })
}

/// The words, and whether they are the same.
fn compare(
    app: &App,
    shown: &PairingWords,
    act: &Act,
    same: Callback<()>,
    differ: Callback<()>,
) -> Html {
    let t = app.t;
    html! {
        <div class="stack" data-testid="pair-words">
            <h2>{ t.pair_compare_title }</h2>
            <ol class="pair-words" lang="en">{ for shown.words.iter().map(|word| html! { <li data-testid="pair-word">{ word }</li> }) }</ol>
            <p>{ t.pair_compare_lead }</p>
            if let Some(principal) = &shown.joins {
                <p class="quiet-text" data-testid="pair-joins">{ words::fill(t.pair_joins, &[("who", &words::short(principal))]) }</p>
            }
            if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
            { progress(app, act.busy, false) }
            <div class="actions">
                { button("pair-same", t.pair_same).look(Look::Primary).icon(Icon::Key).busy(act.is_busy()).onclick(same) }
                { button("pair-differ", t.pair_differ).disabled(act.is_busy()).onclick(differ) }
            </div>
        </div>
    }
}

fn ended(app: &App, again: Callback<()>) -> Html {
    let t = app.t;
    html! {
        <div class="stack" role="alert" data-testid="pair-ended">
            <h2>{ t.pair_ended_title }</h2>
            <p>{ t.pair_ended_lead }</p>
            <div class="actions">{ button("pair-again", t.pair_again).onclick(again) }</div>
        </div>
    }
}

/// The new device: signed in, its records not open.
#[function_component(Join)]
pub(crate) fn join() -> Html {
    let app = use_app();
    let t = app.t;
    let stage = use_state(|| Stage::Begin);
    // Who lets a device in means to use it again; it is said what that is worth, and can be declined.
    let stay = use_state(|| true);
    use_end();
    let take = use_act(Callback::from(|_| go(&Route::Home)));
    let wait = {
        let stage = stage.clone();
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::PairingWords(shown) = reply {
                stage.set(Stage::Words(shown));
            }
        }))
    };
    let begin = {
        let (stage, wait) = (stage.clone(), wait.clone());
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::PairingCode(code) = reply {
                stage.set(Stage::Code(code));
                wait.send(Intent::JoinPairing);
            }
        }))
    };
    {
        let begin = begin.clone();
        use_effect_with((), move |()| {
            browser::focus("title");
            begin.send(Intent::BeginPairing);
        });
    }
    let again = {
        let (stage, begin) = (stage.clone(), begin.clone());
        Callback::from(move |()| {
            stage.set(Stage::Begin);
            begin.send(Intent::BeginPairing);
        })
    };
    let failure = [&begin, &wait].iter().find_map(|act| act.failure.clone());
    let body = match (&*stage, failure) {
        (Stage::Differed, _) => ended(&app, again),
        (Stage::Words(shown), _) => {
            let same = {
                let (take, stay) = (take.clone(), stay.clone());
                Callback::from(move |()| {
                    let stay_unlocked = *stay;
                    take.send(Intent::TakePairing { stay_unlocked });
                })
            };
            let choose = {
                let stay = stay.clone();
                Callback::from(move |on| stay.set(on))
            };
            html! {
                <>
                    { check("pair-stay", t.stay_unlocked, *stay, choose).hint(t.stay_unlocked_hint) }
                    { compare(&app, shown, &take, same, differed(&stage)) }
                    if take.is_busy() { <p role="status">{ t.pair_take_waiting }</p> }
                    if take.failure.is_some() { <div class="actions">{ button("pair-again", t.pair_again).onclick(again) }</div> }
                </>
            }
        }
        (_, Some(failure)) => html! { { problem(t, &failure).retry(again) } },
        (Stage::Code(code), None) => code_shown(&app, code),
        (Stage::Begin, None) => html! { { progress(&app, begin.busy, false) } },
    };
    html! {
        <div class="gate narrow" data-testid="pair-join">
            <header class="gate-top">
                <p class="brand">{ mark() }<span class="brand-name">{ "Salus" }</span></p>
                <SignOut />
            </header>
            <main class="panel" id="main">
                <h1 id="title" tabindex="-1" data-testid="title">{ t.pair_join_title }</h1>
                { body }
                <a href={Route::Home.href()} class="back" data-testid="pair-back">{ t.pair_back }</a>
            </main>
        </div>
    }
}

fn code_shown(app: &App, code: &PairingCode) -> Html {
    let t = app.t;
    let until = words::time(app.language(), code.expires_at);
    html! {
        <div class="stack">
            <p class="lead">{ t.pair_join_lead }</p>
            <div class="qr-frame">{ qr_code(&code.qr, t.pair_qr) }</div>
            <p class="pair-code" data-testid="pair-code">{ &code.code }</p>
            <p class="quiet-text">{ words::fill(t.pair_until, &[("time", &until)]) }</p>
            <p role="status">{ t.pair_waiting }</p>
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct Approves {
    /// As an address brought it; may be empty.
    pub(crate) code: String,
}

/// The device where the records are open.
#[function_component(Approve)]
pub(crate) fn approve(props: &Approves) -> Html {
    let app = use_app();
    let t = app.t;
    let stage = use_state(|| Stage::Begin);
    let (code, label) = (use_state(|| props.code.clone()), use_state(String::new));
    use_end();
    let answer = {
        let stage = stage.clone();
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::PairingWords(shown) = reply {
                stage.set(Stage::Words(shown));
            }
        }))
    };
    let add = {
        let app = app.clone();
        use_act(Callback::from(move |_| {
            app.say(app.t.pair_added);
            go(&Route::Security);
        }))
    };
    let onsubmit = {
        let (answer, code) = (answer.clone(), code.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            answer.send(Intent::AnswerPairing {
                code: code.trim().to_owned(),
            });
        })
    };
    let again = {
        let (stage, code) = (stage.clone(), code.clone());
        Callback::from(move |()| {
            code.set(String::new());
            stage.set(Stage::Begin);
        })
    };
    let typed = |place: &UseStateHandle<String>| {
        let place = place.clone();
        Callback::from(move |value| place.set(value))
    };
    let body = match &*stage {
        Stage::Differed => ended(&app, again),
        Stage::Words(shown) => {
            let same = {
                let (add, label) = (add.clone(), label.clone());
                Callback::from(move |()| {
                    add.send(Intent::ApprovePairing {
                        label: label.trim().to_owned(),
                    });
                })
            };
            compare(&app, shown, &add, same, differed(&stage))
        }
        Stage::Begin | Stage::Code(_) => html! {
            <form class="stack" {onsubmit}>
                { field("pair-code-input", t.pair_type_code, &code, typed(&code)).hint(t.pair_type_code_hint) }
                { field("pair-label", t.pair_label, &label, typed(&label)).hint(t.pair_label_hint).maxlength(60) }
                if let Some(failure) = answer.failure.clone() { { problem(t, &failure) } }
                if answer.is_busy() { <p role="status">{ t.pair_waiting }</p> }
                { progress(&app, answer.busy, false) }
                <div class="actions">
                    { button("pair-answer", t.pair_answer).look(Look::Primary).submit().busy(answer.is_busy()).disabled(code.trim().is_empty()) }
                </div>
            </form>
        },
    };
    html! {
        <>
            { head(t.pair_let_in, html! { <p class="lead">{ t.pair_type_lead }</p> }, Html::default()) }
            <section class="panel stack" data-testid="pair-approve">{ body }</section>
            <p class="part"><a href={Route::Account.href()} class="back">{ icon(Icon::Key) }{ t.nav_account }</a></p>
        </>
    }
}
