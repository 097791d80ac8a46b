//! What every component may reach: the model, the words, and how to change the model.

use crate::browser;
use crate::channel;
use crate::model::{Action, Model};
use crate::route::Route;
use crate::texts::{Language, Texts};
use salus_messages::Intent;
use std::rc::Rc;
use yew::{Callback, hook, use_context};

/// Given down by the root component.
#[derive(Clone, PartialEq)]
pub(crate) struct App {
    pub(crate) model: Rc<Model>,
    pub(crate) t: &'static Texts,
    pub(crate) dispatch: Callback<Action>,
}

impl App {
    pub(crate) fn language(&self) -> Language {
        self.model.language
    }

    pub(crate) fn say(&self, text: impl Into<String>) {
        self.dispatch.emit(Action::Say(text.into()));
    }
}

impl Default for App {
    fn default() -> Self {
        Self {
            model: Rc::new(Model::new(Language::English, Route::Home)),
            t: Language::English.texts(),
            dispatch: Callback::noop(),
        }
    }
}

/// The context; outside the root component an empty one.
#[hook]
pub(crate) fn use_app() -> App {
    use_context::<App>().unwrap_or_default()
}

/// Locks or signs out: what is shown goes at once, and the worker follows.
pub(crate) fn leave(app: &App, intent: Intent) {
    app.dispatch.emit(Action::Leave);
    let dispatch = app.dispatch.clone();
    channel::ask(intent, &[], move |_| dispatch.emit(Action::Locked));
}

/// Goes to a place.
pub(crate) fn go(route: &Route) {
    browser::set_hash(&route.href());
}
