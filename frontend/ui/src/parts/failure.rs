//! The one way in which anything that failed is shown.

use crate::app_context::use_app;
use crate::parts::{Button, Icon, Look, icon};
use crate::words;
use salus_messages::{Failure, FailureKind};
use yew::{Callback, Html, Properties, function_component, html};

/// A failure, and how to try again where that can help.
#[derive(Properties, PartialEq)]
pub(crate) struct Problems {
    pub(crate) failure: Failure,
    #[prop_or_default]
    pub(crate) retry: Option<Callback<()>>,
}

/// Shows a failure in plain words. `data-testid="problem"`, `data-kind` names the kind.
#[function_component(Problem)]
pub(crate) fn problem(props: &Problems) -> Html {
    let app = use_app();
    let failure = &props.failure;
    let (title, advice) = words::failure(app.t, failure);
    let grave = matches!(failure.kind, FailureKind::Integrity);
    let detail = (!failure.detail.is_empty()).then(|| {
        html! {
            <details class="problem-detail">
                <summary>{ app.t.problem_detail }</summary>
                <code>{ &failure.detail }</code>
            </details>
        }
    });
    let retry = props.retry.clone().map(|retry| {
        html! {
            <Button look={Look::Plain} testid="retry" onclick={retry}>{ app.t.try_again }</Button>
        }
    });
    html! {
        <div class={yew::classes!("problem", grave.then_some("grave"))} role="alert"
            data-testid="problem" data-kind={words::failure_name(&failure.kind)}>
            { icon(Icon::Alert) }
            <div class="problem-words">
                <p class="problem-title">{ title }</p>
                <p>{ advice }</p>
                { detail }
                { retry }
            </div>
        </div>
    }
}
