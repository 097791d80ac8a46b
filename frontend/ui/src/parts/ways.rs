//! The ways in besides the words: a passkey at hand, this browser's passphrase. Must not know what
//! they are asked for.

use crate::app_context::use_app;
use crate::parts::{Icon, Look, button, text_area};
use crate::passkey;
use salus_messages::{Failure, Proof, Secret, SlotKind, SlotView};
use wasm_bindgen::JsValue;
use web_sys::SubmitEvent;
use yew::platform::spawn_local;
use yew::{Callback, Html, Properties, function_component, html, use_state};

#[derive(Properties, PartialEq)]
pub(crate) struct Way {
    pub(crate) ways: Vec<SlotView>,
    /// Whether what follows is under way.
    pub(crate) busy: bool,
    /// What was brought, and the key that goes beside it.
    pub(crate) onbring: Callback<(Proof, Vec<JsValue>)>,
    pub(crate) onfailure: Callback<Option<Failure>>,
}

/// Those that there are; nothing where there are none.
#[function_component(Ways)]
pub(crate) fn ways(props: &Way) -> Html {
    let t = use_app().t;
    let (words, key) = (use_state(String::new), use_state(String::new));
    let asking = use_state(bool::default);
    let passkeys: Vec<SlotView> = props
        .ways
        .iter()
        .filter(|way| way.passkey.is_some())
        .cloned()
        .collect();
    let has = |sheet: bool| {
        let takes = |way: &SlotView| way.takes_sheet_key == sheet;
        let passphrase = |way: &&SlotView| way.kind == SlotKind::Passphrase;
        props.ways.iter().filter(passphrase).any(takes)
    };
    let (here, anywhere) = (has(false), has(true));
    let by_passkey = {
        let (passkeys, asking) = (passkeys.clone(), asking.clone());
        let (onbring, onfailure) = (props.onbring.clone(), props.onfailure.clone());
        Callback::from(move |()| {
            let (passkeys, asking) = (passkeys.clone(), asking.clone());
            let (onbring, onfailure) = (onbring.clone(), onfailure.clone());
            onfailure.emit(None);
            asking.set(true);
            spawn_local(async move {
                let came = passkey::ask(&passkeys).await;
                asking.set(false);
                match came {
                    Ok((slot, key)) => onbring.emit((Proof::Passkey { slot }, vec![key])),
                    Err(failure) => onfailure.emit(Some(failure)),
                }
            });
        })
    };
    let onsubmit = {
        let (words, key) = (words.clone(), key.clone());
        let (onbring, onfailure) = (props.onbring.clone(), props.onfailure.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            onfailure.emit(None);
            let passphrase = Secret((*words).clone());
            // Without a key it is one of this browser's.
            let typed = Some(key.trim()).filter(|key| !key.is_empty());
            let sheet_key = typed.map(|key| Secret(key.to_owned()));
            let proof = Proof::Passphrase {
                passphrase,
                sheet_key,
            };
            onbring.emit((proof, Vec::new()));
        })
    };
    let type_words = {
        let words = words.clone();
        Callback::from(move |value| words.set(value))
    };
    let type_key = {
        let key = key.clone();
        Callback::from(move |value| key.set(value))
    };
    let hint = match (here, anywhere) {
        (true, true) => t.sheet_key_optional,
        _ => t.sheet_key_hint,
    };
    let busy = props.busy || *asking;
    html! {
        <>
            if !passkeys.is_empty() {
                { button("by-passkey", t.by_passkey).look(Look::Primary).icon(Icon::Key).busy(busy).onclick(by_passkey) }
                <p class="divider">{ t.or }</p>
            }
            if here || anywhere {
                <form class="stack" {onsubmit}>
                    { text_area("passphrase", t.passphrase, &words, type_words).hint(t.passphrase_hint).rows(2).secret() }
                    if anywhere {
                        { text_area("sheet-key", t.sheet_key, &key, type_key).hint(hint).rows(1).secret() }
                    }
                    { button("by-passphrase", t.by_passphrase).look(if passkeys.is_empty() { Look::Primary } else { Look::Plain }).submit().busy(busy) }
                </form>
                <p class="divider">{ t.or }</p>
            }
        </>
    }
}
