//! Buttons: plain values that become markup, for the reason `controls` gives.

use crate::parts::{Icon, icon};
use web_sys::MouseEvent;
use yew::html::IntoPropValue;
use yew::{Callback, Html, classes, html};

/// Lets a control stand as the only child of an element, too.
macro_rules! only_child {
    ($($control:ty),*) => {$(
        impl IntoPropValue<Html> for $control {
            fn into_prop_value(self) -> Html {
                self.into()
            }
        }
    )*};
}

/// How much a button asks to be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Primary,
    Plain,
    Quiet,
    Danger,
}

impl Look {
    fn class(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Plain => "plain",
            Self::Quiet => "quiet",
            Self::Danger => "danger",
        }
    }
}

/// A button. While busy it stays focusable and does nothing.
pub(crate) struct Button {
    testid: &'static str,
    label: &'static str,
    look: Look,
    icon: Option<Icon>,
    busy: bool,
    disabled: bool,
    submit: bool,
    onclick: Option<Callback<()>>,
}

/// A plain button.
pub(crate) fn button(testid: &'static str, label: &'static str) -> Button {
    Button {
        testid,
        label,
        look: Look::Plain,
        icon: None,
        busy: false,
        disabled: false,
        submit: false,
        onclick: None,
    }
}

impl Button {
    pub(crate) fn look(self, look: Look) -> Self {
        Self { look, ..self }
    }

    pub(crate) fn icon(self, icon: Icon) -> Self {
        Self {
            icon: Some(icon),
            ..self
        }
    }

    pub(crate) fn busy(self, busy: bool) -> Self {
        Self { busy, ..self }
    }

    pub(crate) fn disabled(self, disabled: bool) -> Self {
        Self { disabled, ..self }
    }

    /// Sends the form it stands in.
    pub(crate) fn submit(self) -> Self {
        Self {
            submit: true,
            ..self
        }
    }

    pub(crate) fn onclick(self, onclick: Callback<()>) -> Self {
        Self {
            onclick: Some(onclick),
            ..self
        }
    }
}

impl From<Button> for Html {
    fn from(button: Button) -> Self {
        let Button { busy, onclick, .. } = button;
        let onclick = Callback::from(move |event: MouseEvent| {
            if busy {
                event.prevent_default();
            } else if let Some(onclick) = &onclick {
                onclick.emit(());
            }
        });
        html! {
            <button
                type={if button.submit { "submit" } else { "button" }}
                class={classes!("button", button.look.class(), busy.then_some("busy"))}
                data-testid={button.testid}
                disabled={button.disabled}
                aria-busy={busy.then_some("true")}
                aria-disabled={busy.then_some("true")}
                {onclick}
            >
                { button.icon.map(icon) }
                <span>{ button.label }</span>
            </button>
        }
    }
}

pub(super) use only_child;

only_child!(Button);
