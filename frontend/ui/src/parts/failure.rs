//! The one way in which anything that failed is shown.

use crate::parts::contradiction::Contradicted;
use crate::parts::{Icon, button, icon};
use crate::texts::Texts;
use crate::words;
use salus_messages::{Failure, FailureKind};
use yew::html::IntoPropValue;
use yew::{Callback, Html, html};

/// A failure in plain words. `data-testid="problem"`, `data-kind` names the kind.
pub(crate) struct Problem<'a> {
    t: &'static Texts,
    failure: &'a Failure,
    retry: Option<Callback<()>>,
}

/// Shows a failure.
pub(crate) fn problem<'a>(t: &'static Texts, failure: &'a Failure) -> Problem<'a> {
    Problem {
        t,
        failure,
        retry: None,
    }
}

impl Problem<'_> {
    /// With a button to try again, where that can help.
    pub(crate) fn retry(self, retry: impl Into<Option<Callback<()>>>) -> Self {
        Self {
            retry: retry.into(),
            ..self
        }
    }
}

impl From<Problem<'_>> for Html {
    fn from(problem: Problem<'_>) -> Self {
        let Problem { t, failure, retry } = problem;
        let (title, advice) = words::failure(t, failure);
        let grave = matches!(
            failure.kind,
            FailureKind::Integrity
                | FailureKind::KeysChanged
                | FailureKind::NotTheSame
                | FailureKind::TakenOver
                | FailureKind::Contradicted(_)
        );
        html! {
            <div class={if grave { "problem grave" } else { "problem" }} role="alert"
                data-testid="problem" data-kind={words::failure_name(&failure.kind)}>
                { icon(Icon::Alert) }
                <div class="problem-words">
                    <p class="problem-title">{ title }</p>
                    <p>{ advice }</p>
                    if let FailureKind::Contradicted(what) = &failure.kind { <Contradicted what={(**what).clone()} /> }
                    if !failure.detail.is_empty() {
                        <details class="problem-detail">
                            <summary>{ t.problem_detail }</summary>
                            <code>{ &failure.detail }</code>
                        </details>
                    }
                    if let Some(retry) = retry {
                        { button("retry", t.try_again).onclick(retry) }
                    }
                </div>
            </div>
        }
    }
}

impl IntoPropValue<Html> for Problem<'_> {
    fn into_prop_value(self) -> Html {
        self.into()
    }
}
