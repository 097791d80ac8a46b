//! Loading, emptiness, and the head of a screen: each in one shape everywhere.

use crate::app_context::use_app;
use crate::hooks::{List, Load};
use crate::parts::{Button, Icon, Look, Problem, icon};
use crate::remote::{More, Remote};
use yew::{AttrValue, Html, Properties, function_component, html};

#[function_component(Waiting)]
fn waiting() -> Html {
    let app = use_app();
    html! {
        <div class="waiting" role="status" data-testid="loading">
            <span class="visually-hidden">{ app.t.loading }</span>
            <span class="waiting-line" aria-hidden="true"></span>
            <span class="waiting-line" aria-hidden="true"></span>
            <span class="waiting-line short" aria-hidden="true"></span>
        </div>
    }
}

/// What is loaded, or that it is not yet, or why not.
pub(crate) fn loaded<T>(load: &Load<T>, show: impl FnOnce(&T) -> Html) -> Html {
    match &load.remote {
        Remote::Loading => html! { <Waiting /> },
        Remote::Ready(value) => show(value),
        Remote::Failed(failure) => {
            html! { <Problem failure={failure.clone()} retry={load.retry.clone()} /> }
        }
    }
}

/// The same for a list, with a button for what follows.
pub(crate) fn list<T>(list: &List<T>, show: impl FnOnce(&[T]) -> Html) -> Html {
    match &list.pages.items {
        Remote::Loading => html! { <Waiting /> },
        Remote::Failed(failure) => {
            html! { <Problem failure={failure.clone()} retry={list.retry.clone()} /> }
        }
        Remote::Ready(items) => html! {
            <>
                { show(items) }
                <Further
                    any={list.pages.next.is_some()}
                    more={list.pages.more.clone()}
                    onmore={list.more.clone()}
                />
            </>
        },
    }
}

#[derive(Properties, PartialEq)]
struct Furthers {
    any: bool,
    more: More,
    onmore: yew::Callback<()>,
}

#[function_component(Further)]
fn further(props: &Furthers) -> Html {
    let app = use_app();
    if !props.any {
        return Html::default();
    }
    let failure = match &props.more {
        More::Failed(failure) => Some(html! { <Problem failure={failure.clone()} /> }),
        _ => None,
    };
    html! {
        <div class="further">
            { failure }
            <Button look={Look::Plain} testid="show-more" busy={props.more == More::Loading}
                onclick={props.onmore.clone()}>{ app.t.show_more }</Button>
        </div>
    }
}

/// Nothing here, and what to do about it.
#[derive(Properties, PartialEq)]
pub(crate) struct Empties {
    pub(crate) icon: Icon,
    pub(crate) title: AttrValue,
    #[prop_or_default]
    pub(crate) children: Html,
}

/// Says that there is nothing, kindly.
#[function_component(Empty)]
pub(crate) fn empty(props: &Empties) -> Html {
    html! {
        <div class="empty" data-testid="empty">
            <span class="empty-icon">{ icon(props.icon) }</span>
            <p class="empty-title">{ &props.title }</p>
            { props.children.clone() }
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
