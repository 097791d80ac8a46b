//! Buttons, links and inputs, each with its label, hint and error tied together.

use crate::parts::{Icon, icon};
use crate::route::Route;
use web_sys::{
    Event, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement, InputEvent, MouseEvent,
};
use yew::{AttrValue, Callback, Html, Properties, TargetCast, classes, function_component, html};

/// How much a button asks to be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Look {
    Primary,
    #[default]
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

#[derive(Properties, PartialEq)]
pub(crate) struct Buttons {
    #[prop_or_default]
    pub(crate) look: Look,
    pub(crate) testid: AttrValue,
    #[prop_or_default]
    pub(crate) icon: Option<Icon>,
    #[prop_or_default]
    pub(crate) busy: bool,
    #[prop_or_default]
    pub(crate) disabled: bool,
    /// Sends the form it stands in.
    #[prop_or_default]
    pub(crate) submit: bool,
    #[prop_or_default]
    pub(crate) onclick: Callback<()>,
    pub(crate) children: Html,
}

/// A button. While busy it stays focusable and does nothing.
#[function_component(Button)]
pub(crate) fn button(props: &Buttons) -> Html {
    let (busy, onclick) = (props.busy, props.onclick.clone());
    let onclick = Callback::from(move |event: MouseEvent| {
        if busy {
            event.prevent_default();
        } else {
            onclick.emit(());
        }
    });
    html! {
        <button
            type={if props.submit { "submit" } else { "button" }}
            class={classes!("button", props.look.class(), props.busy.then_some("busy"))}
            data-testid={props.testid.clone()}
            disabled={props.disabled}
            aria-busy={props.busy.then_some("true")}
            aria-disabled={props.busy.then_some("true")}
            {onclick}
        >
            { props.icon.map(icon) }
            <span>{ props.children.clone() }</span>
        </button>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct Links {
    pub(crate) to: Route,
    #[prop_or_default]
    pub(crate) class: AttrValue,
    #[prop_or_default]
    pub(crate) testid: Option<AttrValue>,
    #[prop_or_default]
    pub(crate) current: bool,
    #[prop_or_default]
    pub(crate) label: Option<AttrValue>,
    pub(crate) children: Html,
}

/// A link to a place of the page.
#[function_component(Link)]
pub(crate) fn link(props: &Links) -> Html {
    html! {
        <a
            class={classes!(props.class.to_string())}
            href={props.to.href()}
            data-testid={props.testid.clone()}
            aria-current={props.current.then_some("page")}
            aria-label={props.label.clone()}
        >
            { props.children.clone() }
        </a>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct Fields {
    /// Unique on the screen; also the test id.
    pub(crate) id: AttrValue,
    pub(crate) label: AttrValue,
    #[prop_or_default]
    pub(crate) hint: AttrValue,
    #[prop_or_default]
    pub(crate) error: AttrValue,
    pub(crate) value: AttrValue,
    #[prop_or(AttrValue::Static("text"))]
    pub(crate) kind: AttrValue,
    /// Suggestions; the person may write anything else.
    #[prop_or_default]
    pub(crate) suggestions: Vec<AttrValue>,
    #[prop_or(AttrValue::Static("off"))]
    pub(crate) autocomplete: AttrValue,
    #[prop_or_default]
    pub(crate) required: bool,
    #[prop_or_default]
    pub(crate) maxlength: Option<u32>,
    pub(crate) oninput: Callback<String>,
}

fn described(id: &str, hint: &str, error: &str) -> Option<String> {
    let mut ids = Vec::new();
    if !error.is_empty() {
        ids.push(format!("{id}-error"));
    }
    if !hint.is_empty() {
        ids.push(format!("{id}-hint"));
    }
    (!ids.is_empty()).then(|| ids.join(" "))
}

fn notes(id: &str, hint: &AttrValue, error: &AttrValue) -> Html {
    html! {
        <>
            if !hint.is_empty() {
                <p class="hint" id={format!("{id}-hint")}>{ hint }</p>
            }
            if !error.is_empty() {
                <p class="field-error" id={format!("{id}-error")} data-testid={format!("{id}-error")}>{ error }</p>
            }
        </>
    }
}

/// A line of text.
#[function_component(Field)]
pub(crate) fn field(props: &Fields) -> Html {
    let oninput = props
        .oninput
        .reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value());
    let suggestions = (!props.suggestions.is_empty()).then(|| format!("{}-list", props.id));
    html! {
        <div class="field">
            <label for={props.id.clone()}>{ &props.label }</label>
            { notes(&props.id, &props.hint, &props.error) }
            <input
                id={props.id.clone()}
                data-testid={props.id.clone()}
                type={props.kind.clone()}
                value={props.value.clone()}
                autocomplete={props.autocomplete.clone()}
                autocapitalize={(props.autocomplete == "off").then_some("none")}
                spellcheck="false"
                required={props.required}
                maxlength={props.maxlength.map(|length| length.to_string())}
                list={suggestions.clone()}
                aria-invalid={(!props.error.is_empty()).then_some("true")}
                aria-describedby={described(&props.id, &props.hint, &props.error)}
                {oninput}
            />
            if let Some(id) = suggestions {
                <datalist {id}>
                    { for props.suggestions.iter().map(|word| html! { <option value={word.clone()} /> }) }
                </datalist>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct TextAreas {
    pub(crate) id: AttrValue,
    pub(crate) label: AttrValue,
    #[prop_or_default]
    pub(crate) hint: AttrValue,
    #[prop_or_default]
    pub(crate) error: AttrValue,
    pub(crate) value: AttrValue,
    #[prop_or(4)]
    pub(crate) rows: u32,
    /// Words of a recovery phrase: no correction, no capitals.
    #[prop_or_default]
    pub(crate) secret: bool,
    pub(crate) oninput: Callback<String>,
}

/// Several lines of text.
#[function_component(TextArea)]
pub(crate) fn text_area(props: &TextAreas) -> Html {
    let oninput = props
        .oninput
        .reform(|event: InputEvent| event.target_unchecked_into::<HtmlTextAreaElement>().value());
    html! {
        <div class="field">
            <label for={props.id.clone()}>{ &props.label }</label>
            { notes(&props.id, &props.hint, &props.error) }
            <textarea
                id={props.id.clone()}
                data-testid={props.id.clone()}
                rows={props.rows.to_string()}
                value={props.value.clone()}
                autocomplete="off"
                autocapitalize={props.secret.then_some("none")}
                spellcheck={props.secret.then_some("false")}
                aria-invalid={(!props.error.is_empty()).then_some("true")}
                aria-describedby={described(&props.id, &props.hint, &props.error)}
                {oninput}
            />
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct Checks {
    pub(crate) id: AttrValue,
    pub(crate) label: AttrValue,
    #[prop_or_default]
    pub(crate) hint: AttrValue,
    pub(crate) checked: bool,
    pub(crate) onchange: Callback<bool>,
}

/// A box to tick.
#[function_component(Check)]
pub(crate) fn check(props: &Checks) -> Html {
    let onchange = props
        .onchange
        .reform(|event: Event| event.target_unchecked_into::<HtmlInputElement>().checked());
    html! {
        <div class="check">
            <input id={props.id.clone()} data-testid={props.id.clone()} type="checkbox"
                checked={props.checked} {onchange}
                aria-describedby={described(&props.id, &props.hint, "")} />
            <div>
                <label for={props.id.clone()}>{ &props.label }</label>
                { notes(&props.id, &props.hint, &AttrValue::default()) }
            </div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct Choices {
    pub(crate) id: AttrValue,
    /// The name of the group it is one of.
    pub(crate) group: AttrValue,
    pub(crate) label: AttrValue,
    #[prop_or_default]
    pub(crate) hint: AttrValue,
    pub(crate) chosen: bool,
    pub(crate) onchoose: Callback<()>,
}

/// One of several.
#[function_component(Choice)]
pub(crate) fn choice(props: &Choices) -> Html {
    let onchange = props.onchoose.reform(|_: Event| ());
    html! {
        <div class="check">
            <input id={props.id.clone()} data-testid={props.id.clone()} type="radio"
                name={props.group.clone()} checked={props.chosen} {onchange}
                aria-describedby={described(&props.id, &props.hint, "")} />
            <div>
                <label for={props.id.clone()}>{ &props.label }</label>
                { notes(&props.id, &props.hint, &AttrValue::default()) }
            </div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct Selects {
    pub(crate) id: AttrValue,
    pub(crate) label: AttrValue,
    #[prop_or_default]
    pub(crate) hint: AttrValue,
    pub(crate) value: AttrValue,
    /// Values and what they are called.
    pub(crate) options: Vec<(AttrValue, AttrValue)>,
    pub(crate) onchange: Callback<String>,
}

/// One of a list.
#[function_component(Select)]
pub(crate) fn select(props: &Selects) -> Html {
    let onchange = props
        .onchange
        .reform(|event: Event| event.target_unchecked_into::<HtmlSelectElement>().value());
    html! {
        <div class="field">
            <label for={props.id.clone()}>{ &props.label }</label>
            { notes(&props.id, &props.hint, &AttrValue::default()) }
            <select id={props.id.clone()} data-testid={props.id.clone()} {onchange}
                aria-describedby={described(&props.id, &props.hint, "")}>
                { for props.options.iter().map(|(value, label)| html! {
                    <option value={value.clone()} selected={*value == props.value}>{ label }</option>
                }) }
            </select>
        </div>
    }
}
