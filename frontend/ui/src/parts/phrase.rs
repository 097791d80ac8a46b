//! The 24 words, typed, or taken from the code on the sheet. Must not know what they open.

use crate::app_context::App;
use crate::browser;
use crate::parts::text_area;
use web_sys::{Event, HtmlInputElement};
use yew::{Callback, Html, TargetCast, html};

const WORDS: usize = 24;

/// Where the words are typed, or the sheet's code is scanned where the browser reads such codes.
pub(crate) fn phrase_field(
    app: &App,
    id: &'static str,
    phrase: &str,
    oninput: Callback<String>,
) -> Html {
    let t = app.t;
    let found = {
        let (app, oninput) = (app.clone(), oninput.clone());
        Callback::from(move |text: String| match words_of(&text) {
            Some(words) => oninput.emit(words),
            None => app.say(app.t.phrase_scan_none),
        })
    };
    html! {
        <>
            { text_area(id, t.recovery_phrase, phrase, oninput).hint(t.recovery_phrase_hint).rows(4).secret() }
            { scan(app, format!("{id}-scan"), t.phrase_scan, t.phrase_scan_none, found) }
        </>
    }
}

/// The words in the sheet's code, as they are typed. Whether they open anything is not known here.
fn words_of(code: &str) -> Option<String> {
    let words: Vec<String> = code
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    let plain = |word: &String| word.bytes().all(|byte| byte.is_ascii_lowercase());
    (words.len() == WORDS && words.iter().all(plain)).then(|| words.join(" "))
}

/// A picture of a code, where the browser reads such codes.
pub(crate) fn scan(
    app: &App,
    id: impl Into<String>,
    label: &'static str,
    none: &'static str,
    found: Callback<String>,
) -> Html {
    if !browser::can_scan() {
        return Html::default();
    }
    let id = id.into();
    let onchange = {
        let app = app.clone();
        Callback::from(move |event: Event| {
            let Some(input) = event.target_dyn_into::<HtmlInputElement>() else {
                return;
            };
            for file in browser::files(input.files()).into_iter().take(1) {
                let (app, found) = (app.clone(), found.clone());
                browser::scan(&file, move |text| match text {
                    Some(text) => found.emit(text),
                    None => app.say(none),
                });
            }
            input.set_value("");
        })
    };
    html! {
        <div class="field">
            <label for={id.clone()}>{ label }</label>
            <input id={id.clone()} data-testid={id} type="file" accept="image/*" capture="environment"
                class="file-input" {onchange} />
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_a_sheet_gives_its_words_as_they_are_typed() {
        let printed = ["ABANDON"; 23].join(" ") + " ART";
        let words = words_of(&printed).unwrap_or_default();
        assert_eq!(words.split(' ').count(), WORDS);
        assert!(words.starts_with("abandon abandon ") && words.ends_with(" art"));
    }

    #[test]
    fn other_codes_give_no_words() {
        for other in [
            String::new(),
            "https://example.org/#/ask/v.p.f.c".to_owned(),
            ["abandon"; 23].join(" "),
            ["abandon"; 25].join(" "),
            ["abandon"; 23].join(" ") + " art!",
        ] {
            assert_eq!(words_of(&other), None, "{other}");
        }
    }
}
