//! Inputs, each with its label, hint and error tied together.
//!
//! Plain values that become markup, not components: they hold no state, and a component
//! of its own would cost every page load two kilobytes apiece.

use crate::parts::button::only_child;
use web_sys::{Event, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement, InputEvent};
use yew::html::IntoPropValue;
use yew::{AttrValue, Callback, Html, TargetCast, html};

/// What every input has: an id, unique on the screen, which is also its test id.
struct Frame {
    id: AttrValue,
    label: AttrValue,
    hint: &'static str,
    error: String,
}

fn frame(id: impl Into<AttrValue>, label: impl Into<AttrValue>) -> Frame {
    Frame {
        id: id.into(),
        label: label.into(),
        hint: "",
        error: String::new(),
    }
}

impl Frame {
    fn described(&self) -> Option<String> {
        let id = &self.id;
        match (self.error.is_empty(), self.hint.is_empty()) {
            (true, true) => None,
            (true, false) => Some(format!("{id}-hint")),
            (false, true) => Some(format!("{id}-error")),
            (false, false) => Some(format!("{id}-error {id}-hint")),
        }
    }

    fn invalid(&self) -> Option<&'static str> {
        (!self.error.is_empty()).then_some("true")
    }

    fn notes(&self) -> Html {
        let id = &self.id;
        html! {
            <>
                if !self.hint.is_empty() {
                    <p class="hint" id={format!("{id}-hint")}>{ self.hint }</p>
                }
                if !self.error.is_empty() {
                    <p class="field-error" id={format!("{id}-error")} data-testid={format!("{id}-error")}>{ &self.error }</p>
                }
            </>
        }
    }

    /// Label, notes and input, one under the other.
    fn above(&self, input: Html) -> Html {
        html! {
            <div class="field">
                <label for={self.id.clone()}>{ &self.label }</label>
                { self.notes() }
                { input }
            </div>
        }
    }

    /// Input first, label and notes beside it.
    fn beside(&self, input: Html) -> Html {
        html! {
            <div class="check">
                { input }
                <div>
                    <label for={self.id.clone()}>{ &self.label }</label>
                    { self.notes() }
                </div>
            </div>
        }
    }
}

/// A line of text.
pub(crate) struct Field {
    frame: Frame,
    value: AttrValue,
    oninput: Callback<String>,
    kind: &'static str,
    suggestions: Vec<&'static str>,
    autocomplete: &'static str,
    required: bool,
    maxlength: Option<u32>,
}

/// A line of text, and who hears of what is typed.
pub(crate) fn field(
    id: impl Into<AttrValue>,
    label: impl Into<AttrValue>,
    value: &str,
    oninput: Callback<String>,
) -> Field {
    Field {
        frame: frame(id, label),
        value: value.to_owned().into(),
        oninput,
        kind: "text",
        suggestions: Vec::new(),
        autocomplete: "off",
        required: false,
        maxlength: None,
    }
}

impl Field {
    pub(crate) fn hint(mut self, hint: &'static str) -> Self {
        self.frame.hint = hint;
        self
    }

    pub(crate) fn error(mut self, error: String) -> Self {
        self.frame.error = error;
        self
    }

    pub(crate) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// Suggestions; the person may write anything else.
    pub(crate) fn suggestions(self, suggestions: Vec<&'static str>) -> Self {
        Self {
            suggestions,
            ..self
        }
    }

    pub(crate) fn autocomplete(self, autocomplete: &'static str) -> Self {
        Self {
            autocomplete,
            ..self
        }
    }

    pub(crate) fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    pub(crate) fn maxlength(self, length: u32) -> Self {
        Self {
            maxlength: Some(length),
            ..self
        }
    }
}

impl From<Field> for Html {
    fn from(field: Field) -> Self {
        let oninput = field
            .oninput
            .reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value());
        let id = &field.frame.id;
        let list = (!field.suggestions.is_empty()).then(|| format!("{id}-list"));
        let suggestions = list.clone().map(|id| {
            html! {
                <datalist {id}>
                    { for field.suggestions.iter().map(|word| html! { <option value={*word} /> }) }
                </datalist>
            }
        });
        field.frame.above(html! {
            <>
                <input
                    id={id.clone()}
                    data-testid={id.clone()}
                    type={field.kind}
                    value={field.value}
                    autocomplete={field.autocomplete}
                    autocapitalize={(field.autocomplete == "off").then_some("none")}
                    spellcheck="false"
                    required={field.required}
                    maxlength={field.maxlength.map(|length| length.to_string())}
                    {list}
                    aria-invalid={field.frame.invalid()}
                    aria-describedby={field.frame.described()}
                    {oninput}
                />
                { suggestions }
            </>
        })
    }
}

/// Several lines of text.
pub(crate) struct TextArea {
    frame: Frame,
    value: AttrValue,
    oninput: Callback<String>,
    rows: u32,
    secret: bool,
}

/// Several lines of text, and who hears of what is typed.
pub(crate) fn text_area(
    id: &'static str,
    label: &'static str,
    value: &str,
    oninput: Callback<String>,
) -> TextArea {
    TextArea {
        frame: frame(id, label),
        value: value.to_owned().into(),
        oninput,
        rows: 4,
        secret: false,
    }
}

impl TextArea {
    pub(crate) fn hint(mut self, hint: &'static str) -> Self {
        self.frame.hint = hint;
        self
    }

    pub(crate) fn rows(self, rows: u32) -> Self {
        Self { rows, ..self }
    }

    /// Words of a recovery phrase, or a link: no correction, no capitals.
    pub(crate) fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }
}

impl From<TextArea> for Html {
    fn from(area: TextArea) -> Self {
        let oninput = area.oninput.reform(|event: InputEvent| {
            event.target_unchecked_into::<HtmlTextAreaElement>().value()
        });
        let id = &area.frame.id;
        area.frame.above(html! {
            <textarea
                id={id.clone()}
                data-testid={id.clone()}
                rows={area.rows.to_string()}
                value={area.value}
                autocomplete="off"
                autocapitalize={area.secret.then_some("none")}
                spellcheck={area.secret.then_some("false")}
                aria-describedby={area.frame.described()}
                {oninput}
            />
        })
    }
}

/// A box to tick, or one of several to choose.
pub(crate) struct Check {
    frame: Frame,
    kind: &'static str,
    group: Option<&'static str>,
    checked: bool,
    onchange: Callback<bool>,
}

/// A box to tick.
pub(crate) fn check(
    id: impl Into<AttrValue>,
    label: impl Into<AttrValue>,
    checked: bool,
    onchange: Callback<bool>,
) -> Check {
    Check {
        frame: frame(id, label),
        kind: "checkbox",
        group: None,
        checked,
        onchange,
    }
}

/// One of several, by the name of the group.
pub(crate) fn choice(
    id: impl Into<AttrValue>,
    group: &'static str,
    label: impl Into<AttrValue>,
    chosen: bool,
    onchoose: Callback<()>,
) -> Check {
    Check {
        kind: "radio",
        group: Some(group),
        ..check(id, label, chosen, onchoose.reform(|_| ()))
    }
}

impl Check {
    pub(crate) fn hint(mut self, hint: &'static str) -> Self {
        self.frame.hint = hint;
        self
    }
}

impl From<Check> for Html {
    fn from(check: Check) -> Self {
        let onchange = check
            .onchange
            .reform(|event: Event| event.target_unchecked_into::<HtmlInputElement>().checked());
        let id = &check.frame.id;
        check.frame.beside(html! {
            <input
                id={id.clone()}
                data-testid={id.clone()}
                type={check.kind}
                name={check.group}
                checked={check.checked}
                aria-describedby={check.frame.described()}
                {onchange}
            />
        })
    }
}

/// One of a list.
pub(crate) struct Select {
    frame: Frame,
    value: AttrValue,
    options: Vec<(AttrValue, AttrValue)>,
    onchange: Callback<String>,
}

/// One of a list of values and what they are called.
pub(crate) fn select(
    id: &'static str,
    label: &'static str,
    value: impl Into<AttrValue>,
    options: Vec<(AttrValue, AttrValue)>,
    onchange: Callback<String>,
) -> Select {
    Select {
        frame: frame(id, label),
        value: value.into(),
        options,
        onchange,
    }
}

impl Select {
    pub(crate) fn hint(mut self, hint: &'static str) -> Self {
        self.frame.hint = hint;
        self
    }
}

impl From<Select> for Html {
    fn from(select: Select) -> Self {
        let onchange = select
            .onchange
            .reform(|event: Event| event.target_unchecked_into::<HtmlSelectElement>().value());
        let id = &select.frame.id;
        select.frame.above(html! {
            <select id={id.clone()} data-testid={id.clone()}
                aria-describedby={select.frame.described()} {onchange}>
                { for select.options.iter().map(|(value, label)| html! {
                    <option value={value.clone()} selected={*value == select.value}>{ label }</option>
                }) }
            </select>
        })
    }
}

only_child!(Field, TextArea, Check, Select);
