//! How far a long operation has come, said aloud only when its stage changes.

use crate::app_context::use_app;
use crate::channel;
use crate::parts::{Button, Look};
use crate::words;
use salus_messages::Intent;
use yew::{Callback, Html, Properties, function_component, html};

#[derive(Properties, PartialEq)]
pub(crate) struct Progresses {
    /// The operation; nothing is shown without one.
    pub(crate) operation: Option<u32>,
    #[prop_or(true)]
    pub(crate) may_cancel: bool,
}

/// Progress of an operation, and a button to stop it.
#[function_component(ProgressNote)]
pub(crate) fn progress_note(props: &Progresses) -> Html {
    let app = use_app();
    let Some(operation) = props.operation else {
        return Html::default();
    };
    let progress = app.model.progress.get(&operation).copied();
    let stage = progress.map_or(app.t.stage_working, |progress| {
        words::stage(app.t, progress.stage)
    });
    let known = progress.filter(|progress| progress.total > 0);
    let bar = match known {
        Some(progress) => html! {
            <progress max={progress.total.to_string()} value={progress.done.to_string()} aria-label={stage} />
        },
        None => html! { <progress aria-label={stage} /> },
    };
    let percent = known.map(|progress| words::percent(progress.done, progress.total));
    let cancel = Callback::from(move |()| channel::notify(Intent::Cancel { operation }));
    html! {
        <div class="progress" data-testid="progress">
            <div class="progress-words">
                <span role="status" data-testid="progress-stage">{ stage }</span>
                <span class="number">{ percent }</span>
            </div>
            { bar }
            if props.may_cancel {
                <Button look={Look::Quiet} testid="cancel-operation" onclick={cancel}>{ app.t.stop }</Button>
            }
        </div>
    }
}
