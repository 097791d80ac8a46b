//! What this device remembers and what it was shown instead, and the proof of it to keep. Must not know
//! how it is proven.

use crate::app_context::{App, use_app};
use crate::browser;
use crate::hooks::use_act;
use crate::parts::{Icon, button};
use crate::words;
use salus_messages::{Contradiction, Intent, Reply};
use web_sys::Blob;
use yew::{Callback, Html, Properties, function_component, html};

#[derive(Properties, PartialEq)]
pub(crate) struct Contradictions {
    pub(crate) what: Contradiction,
}

/// Both in figures; where it is proven, with the file.
#[function_component(Contradicted)]
pub(crate) fn contradicted(props: &Contradictions) -> Html {
    let app = use_app();
    let t = app.t;
    let what = &props.what;
    let act = use_act(Callback::from(|(reply, blobs): (Reply, Vec<Blob>)| {
        if let (Reply::File(file), Some(blob)) = (reply, blobs.first()) {
            browser::save(blob, &file.name);
        }
    }));
    let onclick = {
        let (act, account) = (act.clone(), what.account.clone());
        Callback::from(move |()| {
            act.send(Intent::SaveProof {
                account: account.clone(),
            });
        })
    };
    let failed = act.failure.as_ref().map(|f| words::failure(t, f).0);
    html! {
        <>
            <dl class="facts" data-testid="contradiction">
                <div class="wide"><dt>{ t.contradiction_about }</dt><dd>{ words::remembered(t, what.of) }</dd></div>
                { side(&app, t.contradiction_known, what.known, what.known_at) }
                { side(&app, t.contradiction_shown, what.shown, what.shown_at) }
            </dl>
            if what.proven {
                { button("save-proof", t.save_proof).icon(Icon::Down).busy(act.is_busy()).onclick(onclick) }
                <p class="quiet-text">{ t.save_proof_hint }</p>
            }
            if let Some(failed) = failed { <p role="alert">{ failed }</p> }
        </>
    }
}

fn side(app: &App, title: &'static str, entries: Option<u64>, at: Option<u64>) -> Html {
    let t = app.t;
    let count = entries.map(|n| words::count(n, t.entries_one, t.entries_many));
    let when = at.map(|at| {
        let date = words::moment(app.language(), at);
        words::fill(t.contradiction_at, &[("date", &date)])
    });
    if count.is_none() && when.is_none() {
        return Html::default();
    }
    let text: Vec<String> = count.into_iter().chain(when).collect();
    html! { <div><dt>{ title }</dt><dd>{ text.join(", ") }</dd></div> }
}
