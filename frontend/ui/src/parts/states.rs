//! Loading, emptiness, and the head of a screen: each in one shape everywhere.

use crate::hooks::{List, Load};
use crate::parts::{Icon, button, icon, problem};
use crate::remote::{More, Remote};
use crate::texts::Texts;
use yew::{AttrValue, Html, html};

fn waiting(t: &'static Texts) -> Html {
    html! {
        <div class="waiting" role="status" data-testid="loading">
            <span class="visually-hidden">{ t.loading }</span>
            <span class="waiting-line" aria-hidden="true"></span>
            <span class="waiting-line" aria-hidden="true"></span>
            <span class="waiting-line short" aria-hidden="true"></span>
        </div>
    }
}

/// What is loaded, or that it is not yet, or why not.
pub(crate) fn loaded<T>(t: &'static Texts, load: &Load<T>, show: impl FnOnce(&T) -> Html) -> Html {
    match &load.remote {
        Remote::Loading => waiting(t),
        Remote::Ready(value) => show(value),
        Remote::Failed(failure) => problem(t, failure).retry(load.retry.clone()).into(),
    }
}

/// The same for a list, with a button for what follows.
pub(crate) fn list<T>(t: &'static Texts, list: &List<T>, show: impl FnOnce(&[T]) -> Html) -> Html {
    let pages = &list.pages;
    match &pages.items {
        Remote::Loading => waiting(t),
        Remote::Failed(failure) => problem(t, failure).retry(list.retry.clone()).into(),
        Remote::Ready(items) => {
            let shown = show(items);
            let further = pages.next.is_some().then(|| {
                let more = button("show-more", t.show_more)
                    .busy(pages.more == More::Loading)
                    .onclick(list.more.clone());
                further(t, &pages.more, more.into())
            });
            html! { <>{ shown }{ further }</> }
        }
    }
}

fn further(t: &'static Texts, more: &More, button: Html) -> Html {
    html! {
        <div class="further">
            if let More::Failed(failure) = more { { problem(t, failure) } }
            { button }
        </div>
    }
}

/// Nothing here, kindly said, and what to do about it.
pub(crate) fn empty(sign: Icon, title: &'static str, more: Html) -> Html {
    html! {
        <div class="empty" data-testid="empty">
            <span class="empty-icon">{ icon(sign) }</span>
            <p class="empty-title">{ title }</p>
            { more }
        </div>
    }
}

/// A screen's title, a sentence under it, and what can be done here. The title gets the
/// focus when one comes here, so that screen readers say where one is.
pub(crate) fn head(title: impl Into<AttrValue>, lead: Html, actions: Html) -> Html {
    let title: AttrValue = title.into();
    html! {
        <header class="head">
            <div class="head-words">
                <h1 id="title" tabindex="-1" data-testid="title">{ title }</h1>
                { lead }
            </div>
            <div class="head-actions">{ actions }</div>
        </header>
    }
}
