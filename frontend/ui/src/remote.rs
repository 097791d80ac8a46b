//! The one shape of something that is loaded, and of a list loaded page by page.
//! Pure: must not know who loads it.

use salus_messages::{Cursor, Failure, Intent, Page};
use std::rc::Rc;
use yew::Reducible;

/// Something that comes from the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Remote<T> {
    Loading,
    Ready(T),
    Failed(Failure),
}

/// A [`Remote`] and the intent it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loaded<T> {
    pub(crate) intent: Option<Intent>,
    pub(crate) remote: Remote<T>,
}

/// What happens to a [`Loaded`].
pub(crate) enum Step<T> {
    /// Asked. What was there for the same intent stays in sight meanwhile.
    Asked(Intent),
    /// Answered. An answer to an intent given up since is dropped.
    Answered(Intent, Result<T, Failure>),
}

impl<T> Default for Loaded<T> {
    fn default() -> Self {
        Self {
            intent: None,
            remote: Remote::Loading,
        }
    }
}

impl<T: Clone> Reducible for Loaded<T> {
    type Action = Step<T>;

    fn reduce(self: Rc<Self>, step: Step<T>) -> Rc<Self> {
        match step {
            Step::Asked(intent) => {
                let stays = self.intent.as_ref() == Some(&intent)
                    && matches!(self.remote, Remote::Ready(_));
                if stays {
                    return self;
                }
                Rc::new(Self {
                    intent: Some(intent),
                    remote: Remote::Loading,
                })
            }
            Step::Answered(intent, _) if self.intent.as_ref() != Some(&intent) => self,
            Step::Answered(intent, result) => Rc::new(Self {
                intent: Some(intent),
                remote: match result {
                    Ok(value) => Remote::Ready(value),
                    Err(failure) => Remote::Failed(failure),
                },
            }),
        }
    }
}

/// A list of which some pages are here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pages<T> {
    pub(crate) intent: Option<Intent>,
    pub(crate) items: Remote<Rc<Vec<T>>>,
    pub(crate) next: Option<Cursor>,
    pub(crate) total: Option<u32>,
    /// Whether a further page is on its way, or failed to come.
    pub(crate) more: More,
}

/// The state of a list's further page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum More {
    Idle,
    Loading,
    Failed(Failure),
}

/// What happens to a [`Pages`].
pub(crate) enum Turn<T> {
    /// The first page was asked for.
    First(Intent),
    /// The next one was.
    Next,
    /// A page came: the first when the cursor is `None`, else what follows it.
    Came(Intent, Option<Cursor>, Result<Page<T>, Failure>),
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self {
            intent: None,
            items: Remote::Loading,
            next: None,
            total: None,
            more: More::Idle,
        }
    }
}

impl<T: Clone> Reducible for Pages<T> {
    type Action = Turn<T>;

    fn reduce(self: Rc<Self>, turn: Turn<T>) -> Rc<Self> {
        match turn {
            Turn::First(intent) => {
                let same = self.intent.as_ref() == Some(&intent);
                if same && matches!(self.items, Remote::Ready(_)) {
                    return self;
                }
                Rc::new(Self {
                    intent: Some(intent),
                    ..Self::default()
                })
            }
            Turn::Next => Rc::new(Self {
                more: More::Loading,
                ..(*self).clone()
            }),
            Turn::Came(intent, ..) if self.intent.as_ref() != Some(&intent) => self,
            Turn::Came(intent, None, Ok(page)) => Rc::new(Self {
                intent: Some(intent),
                items: Remote::Ready(Rc::new(page.items)),
                next: page.next,
                total: page.total,
                more: More::Idle,
            }),
            Turn::Came(intent, None, Err(failure)) => Rc::new(Self {
                intent: Some(intent),
                items: Remote::Failed(failure),
                ..Self::default()
            }),
            // A page that follows a cursor we no longer stand at would leave a hole.
            Turn::Came(_, cursor, _) if self.next != cursor => self,
            Turn::Came(_, Some(_), Ok(page)) => {
                let mut items = match &self.items {
                    Remote::Ready(items) => (**items).clone(),
                    _ => Vec::new(),
                };
                items.extend(page.items);
                Rc::new(Self {
                    intent: self.intent.clone(),
                    items: Remote::Ready(Rc::new(items)),
                    next: page.next,
                    total: page.total.or(self.total),
                    more: More::Idle,
                })
            }
            Turn::Came(_, Some(_), Err(failure)) => Rc::new(Self {
                more: More::Failed(failure),
                ..(*self).clone()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use salus_messages::FailureKind;

    fn run<R: Reducible>(state: R, actions: Vec<R::Action>) -> Rc<R> {
        actions
            .into_iter()
            .fold(Rc::new(state), |state, action| state.reduce(action))
    }

    #[test]
    fn what_is_shown_stays_while_the_same_is_loaded_again() {
        let state = run(
            Loaded::default(),
            vec![
                Step::Asked(Intent::Grants),
                Step::Answered(Intent::Grants, Ok(1)),
                Step::Asked(Intent::Grants),
            ],
        );
        assert_eq!(state.remote, Remote::Ready(1));
    }

    #[test]
    fn another_intent_starts_afresh_and_late_answers_are_dropped() {
        let state = run(
            Loaded::default(),
            vec![
                Step::Asked(Intent::Grants),
                Step::Asked(Intent::Patients),
                Step::Answered(Intent::Grants, Ok(1)),
            ],
        );
        assert_eq!(state.remote, Remote::Loading);
    }

    #[test]
    fn a_failure_takes_the_place_of_what_was_there() {
        let failure = Failure::from(FailureKind::Network);
        let state = run(
            Loaded::default(),
            vec![
                Step::Asked(Intent::Grants),
                Step::Answered(Intent::Grants, Ok(1)),
                Step::Answered(Intent::Grants, Err(failure.clone())),
            ],
        );
        assert_eq!(state.remote, Remote::Failed(failure));
    }

    fn page(items: &[u8], next: Option<&str>) -> Page<u8> {
        Page {
            items: items.to_vec(),
            next: next.map(Into::into),
            total: Some(4),
        }
    }

    fn inbox() -> Intent {
        Intent::Inbox { cursor: None }
    }

    #[test]
    fn pages_are_appended_in_order_and_only_once() {
        let state = run(
            Pages::default(),
            vec![
                Turn::First(inbox()),
                Turn::Came(inbox(), None, Ok(page(&[1, 2], Some("b")))),
                Turn::Next,
                Turn::Came(inbox(), Some("b".into()), Ok(page(&[3, 4], None))),
                Turn::Came(inbox(), Some("b".into()), Ok(page(&[3, 4], None))),
            ],
        );
        assert_eq!(state.items, Remote::Ready(Rc::new(vec![1, 2, 3, 4])));
        assert_eq!(state.next, None);
        assert_eq!(state.more, More::Idle);
    }

    #[test]
    fn a_further_page_that_fails_leaves_the_list() {
        let failure = Failure::from(FailureKind::Network);
        let state = run(
            Pages::default(),
            vec![
                Turn::First(inbox()),
                Turn::Came(inbox(), None, Ok(page(&[1], Some("b")))),
                Turn::Next,
                Turn::Came(inbox(), Some("b".into()), Err(failure.clone())),
            ],
        );
        assert_eq!(state.items, Remote::Ready(Rc::new(vec![1])));
        assert_eq!(state.more, More::Failed(failure));
        assert_eq!(state.next, Some("b".into()));
    }
}
