//! The few things asked of the browser itself. Everything here does nothing where the
//! browser refuses: no place in the page depends on more than a fallback.

use crate::texts::Language;
use js_sys::{Array, Date, Function, Object, Promise, Reflect};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Blob, File, HtmlAnchorElement, HtmlElement, Url, Window};

const LANGUAGE_KEY: &str = "salus-language";

pub(crate) fn window() -> Option<Window> {
    web_sys::window()
}

pub(crate) fn hash() -> String {
    window()
        .and_then(|window| window.location().hash().ok())
        .unwrap_or_default()
}

pub(crate) fn set_hash(hash: &str) {
    if let Some(window) = window() {
        // A browser that refuses leaves the person where they are.
        let _ = window.location().set_hash(hash);
    }
}

/// What the browser says it is.
pub(crate) fn user_agent() -> String {
    window()
        .and_then(|window| window.navigator().user_agent().ok())
        .unwrap_or_default()
}

/// This site's address.
pub(crate) fn site() -> String {
    window()
        .and_then(|window| window.location().origin().ok())
        .unwrap_or_default()
}

/// Loads the document anew: this one, its worker, and what both had in memory end.
pub(crate) fn reload() {
    if let Some(window) = window() {
        let _ = window.location().reload();
    }
}

/// The language chosen before, else the browser's.
pub(crate) fn language() -> Language {
    let Some(window) = window() else {
        return Language::English;
    };
    let chosen = window
        .local_storage()
        .ok()
        .flatten()
        .and_then(|storage| storage.get_item(LANGUAGE_KEY).ok().flatten());
    let code = chosen.or_else(|| window.navigator().language());
    Language::from_code(&code.unwrap_or_default())
}

/// Remembers a language: a preference, and all that is ever kept in this storage.
pub(crate) fn keep_language(language: Language) {
    if let Some(Ok(Some(storage))) = window().map(|window| window.local_storage()) {
        let _ = storage.set_item(LANGUAGE_KEY, language.code());
    }
}

/// Title and language of the document.
pub(crate) fn set_document(title: &str, language: Language) {
    if let Some(document) = window().and_then(|window| window.document()) {
        document.set_title(title);
        if let Some(root) = document.document_element() {
            let _ = root.set_attribute("lang", language.code());
        }
    }
}

fn element(id: &str) -> Option<HtmlElement> {
    window()?.document()?.get_element_by_id(id)?.dyn_into().ok()
}

/// Puts the focus on an element, so that a screen reader speaks it.
pub(crate) fn focus(id: &str) {
    if let Some(element) = element(id) {
        let _ = element.focus();
    }
}

/// A new place begins at its top, with the focus on its title, or on all of it while the
/// title is not there yet: a screen reader says where one is, and keys scroll.
pub(crate) fn arrive() {
    if let Some(main) = element("main") {
        main.set_scroll_top(0);
    }
    focus("main");
    focus("title");
}

/// Runs `then` once, after `millis`.
pub(crate) fn after(millis: i32, then: impl FnOnce() + 'static) {
    if let Some(window) = window() {
        let closure = Closure::once_into_js(then);
        let _ = window
            .set_timeout_with_callback_and_timeout_and_arguments_0(closure.unchecked_ref(), millis);
    }
}

/// Hands a file to the browser's downloads.
pub(crate) fn save(blob: &Blob, name: &str) {
    let Some(document) = window().and_then(|window| window.document()) else {
        return;
    };
    let Ok(url) = Url::create_object_url_with_blob(blob) else {
        return;
    };
    let anchor = document
        .create_element("a")
        .ok()
        .and_then(|element| element.dyn_into::<HtmlAnchorElement>().ok());
    if let Some(anchor) = anchor {
        anchor.set_href(&url);
        anchor.set_download(name);
        anchor.click();
    }
    // The download has begun by then; the address must not outlive it for long.
    after(60_000, move || {
        let _ = Url::revoke_object_url(&url);
    });
}

/// Puts text on the clipboard.
pub(crate) fn copy(text: &str) {
    if let Some(window) = window() {
        // The promise is the browser's to keep; a refusal shows in that nothing is pasted.
        let _ = window.navigator().clipboard().write_text(text);
    }
}

pub(crate) fn print() {
    if let Some(window) = window() {
        let _ = window.print();
    }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> f64 {
    Date::now()
}

/// A date formatted for `language` with the options of `Intl.DateTimeFormat`.
pub(crate) fn format_date(millis: f64, language: Language, options: &[(&str, &str)]) -> String {
    let object = Object::new();
    for (key, value) in options {
        let _ = Reflect::set(&object, &JsValue::from(*key), &JsValue::from(*value));
    }
    Date::new(&JsValue::from_f64(millis))
        .to_locale_date_string(language.code(), &object)
        .into()
}

const DETECTOR: &str = "BarcodeDetector";

/// Whether the browser reads QR codes.
pub(crate) fn can_scan() -> bool {
    window().is_some_and(|window| Reflect::has(&window, &JsValue::from(DETECTOR)).unwrap_or(false))
}

/// Looks for a QR code in a picture, and says what it says.
pub(crate) fn scan(picture: &File, then: impl FnOnce(Option<String>) + 'static) {
    let then = Rc::new(Cell::new(Some(then)));
    let tell = move |text: Option<String>| {
        if let Some(then) = then.take() {
            then(text);
        }
    };
    let failed = {
        let tell = tell.clone();
        Closure::once_into_js(move |_: JsValue| tell(None))
    };
    let read = {
        let tell = tell.clone();
        Closure::once_into_js(move |codes: JsValue| {
            let first = Reflect::get_u32(&codes, 0).ok();
            let text = first.and_then(|code| Reflect::get(&code, &"rawValue".into()).ok());
            tell(text.and_then(|text| text.as_string()));
        })
    };
    let begin = || -> Result<(), JsValue> {
        let window = window().ok_or(JsValue::NULL)?;
        let class: Function = Reflect::get(&window, &DETECTOR.into())?.dyn_into()?;
        let formats = Object::new();
        Reflect::set(&formats, &"formats".into(), &Array::of1(&"qr_code".into()))?;
        let detector = Reflect::construct(&class, &Array::of1(&formats))?;
        let detect: Function = Reflect::get(&detector, &"detect".into())?.dyn_into()?;
        // A picture from a file is a blob, which a detector takes as it is.
        let found: Promise = detect.call1(&detector, picture)?.dyn_into()?;
        let on: Function = Reflect::get(&found, &"then".into())?.dyn_into()?;
        on.call2(&found, &read, &failed).map(drop)
    };
    if begin().is_err() {
        tell(None);
    }
}

/// A file input's files.
pub(crate) fn files(list: Option<web_sys::FileList>) -> Vec<File> {
    let Some(list) = list else {
        return Vec::new();
    };
    (0..list.length())
        .filter_map(|index| list.get(index))
        .collect()
}
