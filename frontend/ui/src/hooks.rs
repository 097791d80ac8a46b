//! The one way to load and the one way to act. Must not know what is loaded.

use crate::app_context::{App, use_app};
use crate::channel;
use crate::model::Action;
use crate::remote::{Loaded, Pages, Remote, Step, Turn};
use salus_messages::{Cursor, Failure, FailureKind, Intent, Page, Reply, Topic};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::Blob;
use yew::{Callback, UseStateHandle, hook, use_callback, use_effect_with, use_reducer, use_state};

/// Something loaded, and how to try again.
#[derive(Clone, PartialEq)]
pub(crate) struct Load<T> {
    pub(crate) remote: Remote<T>,
    pub(crate) retry: Callback<()>,
}

fn odd() -> Failure {
    Failure::new(FailureKind::Internal, "reply")
}

/// How often something was tried, and how to try again.
#[hook]
fn use_attempts() -> (u32, Callback<()>) {
    let attempt = use_state(u32::default);
    let now = *attempt;
    let retry = use_callback(attempt, |(), attempt| attempt.set(attempt.wrapping_add(1)));
    (now, retry)
}

/// Loads what answers `intent`, again whenever the intent or one of `topics` changes.
#[hook]
pub(crate) fn use_load<T: Clone + PartialEq + 'static>(
    intent: Intent,
    topics: &'static [Topic],
    pick: fn(Reply) -> Option<T>,
) -> Load<T> {
    let App { model, .. } = use_app();
    let state = use_reducer(Loaded::<T>::default);
    let (attempt, retry) = use_attempts();
    let deps = (intent, model.revision(topics), attempt);
    {
        let state = state.dispatcher();
        use_effect_with(deps, move |(intent, ..)| {
            let intent = intent.clone();
            state.dispatch(Step::Asked(intent.clone()));
            channel::ask(intent.clone(), &[], move |answer| {
                let answer = answer.and_then(|(reply, _)| pick(reply).ok_or_else(odd));
                state.dispatch(Step::Answered(intent, answer));
            });
        });
    }
    Load {
        remote: state.remote.clone(),
        retry,
    }
}

/// A list loaded page by page.
#[derive(Clone, PartialEq)]
pub(crate) struct List<T> {
    pub(crate) pages: Rc<Pages<T>>,
    pub(crate) more: Callback<()>,
    pub(crate) retry: Callback<()>,
}

/// The intent for the page at `cursor`.
fn at(intent: &Intent, at: Option<Cursor>) -> Intent {
    let mut intent = intent.clone();
    match &mut intent {
        Intent::Records { cursor, .. }
        | Intent::Directory { cursor, .. }
        | Intent::Activity { cursor }
        | Intent::Inbox { cursor } => *cursor = at,
        _ => {}
    }
    intent
}

/// Loads the first page of `intent`, and further ones on demand.
#[hook]
pub(crate) fn use_list<T: Clone + PartialEq + 'static>(
    intent: Intent,
    topics: &'static [Topic],
    pick: fn(Reply) -> Option<Page<T>>,
) -> List<T> {
    let App { model, .. } = use_app();
    let state = use_reducer(Pages::<T>::default);
    let (attempt, retry) = use_attempts();
    {
        let state = state.dispatcher();
        let deps = (intent.clone(), model.revision(topics), attempt);
        use_effect_with(deps, move |(intent, ..)| {
            let intent = intent.clone();
            state.dispatch(Turn::First(intent.clone()));
            channel::ask(intent.clone(), &[], move |answer| {
                let answer = answer.and_then(|(reply, _)| pick(reply).ok_or_else(odd));
                state.dispatch(Turn::Came(intent, None, answer));
            });
        });
    }
    let more = {
        let state_now = state.clone();
        Callback::from(move |()| {
            let cursor = state_now.next.clone();
            let (state, intent) = (state_now.dispatcher(), intent.clone());
            state.dispatch(Turn::Next);
            channel::ask(at(&intent, cursor.clone()), &[], move |answer| {
                let answer = answer.and_then(|(reply, _)| pick(reply).ok_or_else(odd));
                state.dispatch(Turn::Came(intent, cursor, answer));
            });
        })
    };
    List {
        pages: Rc::new((*state).clone()),
        more,
        retry,
    }
}

/// An intent under way, or why the last one failed.
#[derive(Clone, PartialEq)]
pub(crate) struct Act {
    /// Its operation's id while under way.
    pub(crate) busy: Option<u32>,
    pub(crate) failure: Option<Failure>,
    /// Starts one, with files or a key beside it, unless one is under way.
    pub(crate) go: Callback<(Intent, Vec<JsValue>)>,
}

impl Act {
    /// Starts an intent without files.
    pub(crate) fn send(&self, intent: Intent) {
        self.go.emit((intent, Vec::new()));
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.is_some()
    }
}

/// Carries out what a person decides; `done` gets the reply. What only the owner may do waits until
/// they have shown that they are.
#[hook]
pub(crate) fn use_act(done: Callback<(Reply, Vec<Blob>)>) -> Act {
    let app = use_app();
    let busy = use_state(|| None::<u32>);
    let failure = use_state(|| None::<Failure>);
    let go = {
        let going = Going {
            dispatch: app.dispatch,
            busy: busy.clone(),
            failure: failure.clone(),
            done,
        };
        Callback::from(move |(intent, files): (Intent, Vec<JsValue>)| {
            if going.busy.is_none() {
                going.start(intent, files);
            }
        })
    };
    Act {
        busy: *busy,
        failure: (*failure).clone(),
        go,
    }
}

/// What an act needs while it is under way.
#[derive(Clone)]
struct Going {
    dispatch: Callback<Action>,
    busy: UseStateHandle<Option<u32>>,
    failure: UseStateHandle<Option<Failure>>,
    done: Callback<(Reply, Vec<Blob>)>,
}

impl Going {
    fn start(&self, intent: Intent, files: Vec<JsValue>) {
        self.failure.set(None);
        let going = self.clone();
        let again = (intent.clone(), files.clone());
        let id = channel::ask(intent, &files, move |answer| {
            going.busy.set(None);
            match answer {
                Ok(reply) => going.done.emit(reply),
                Err(why) if why.kind == FailureKind::ProofNeeded => {
                    let dispatch = going.dispatch.clone();
                    let then = move |()| going.start(again.0.clone(), again.1.clone());
                    dispatch.emit(Action::ToProve(Callback::from(then)));
                }
                Err(why) => going.failure.set(Some(why)),
            }
        });
        self.busy.set(Some(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_differs_by_its_cursor_alone() {
        let first = Intent::Activity { cursor: None };
        let next = at(&first, Some("c".into()));
        assert_eq!(
            next,
            Intent::Activity {
                cursor: Some("c".into())
            }
        );
        assert_eq!(at(&next, None), first);
        assert_eq!(at(&Intent::Grants, Some("c".into())), Intent::Grants);
    }
}
