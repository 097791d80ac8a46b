//! How far a long operation has come, said aloud only when its stage changes.

use crate::app_context::App;
use crate::channel;
use crate::parts::{Look, button};
use crate::words;
use salus_messages::Intent;
use yew::{Callback, Html, html};

/// Progress of an operation, with a button to stop it where that is possible. Nothing
/// without an operation.
pub(crate) fn progress(app: &App, operation: Option<u32>, may_cancel: bool) -> Html {
    let t = app.t;
    let Some(operation) = operation else {
        return Html::default();
    };
    let progress = app.model.progress_of(operation);
    let stage = progress.map_or(t.stage_working, |progress| words::stage(t, progress.stage));
    let known = progress.filter(|progress| progress.total > 0);
    let (max, value) = known.map_or((None, None), |progress| {
        (
            Some(progress.total.to_string()),
            Some(progress.done.to_string()),
        )
    });
    let percent = known.map(|progress| words::percent(progress.done, progress.total));
    let cancel = Callback::from(move |()| channel::notify(Intent::Cancel { operation }));
    html! {
        <div class="progress" data-testid="progress">
            <div class="progress-words">
                <span role="status" data-testid="progress-stage">{ stage }</span>
                <span class="number">{ percent }</span>
            </div>
            <progress {max} {value} aria-label={stage} />
            if may_cancel {
                { button("cancel-operation", t.stop).look(Look::Quiet).onclick(cancel) }
            }
        </div>
    }
}
