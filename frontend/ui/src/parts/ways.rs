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
    let words = use_state(String::new);
    let asking = use_state(bool::default);
    let passkeys: Vec<SlotView> = props
        .ways
        .iter()
        .filter(|way| way.passkey.is_some())
        .cloned()
        .collect();
    let passphrase = props
        .ways
        .iter()
        .find(|way| way.kind == SlotKind::Passphrase)
        .map(|way| way.id.clone());
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
        let (words, slot) = (words.clone(), passphrase.clone());
        let (onbring, onfailure) = (props.onbring.clone(), props.onfailure.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            onfailure.emit(None);
            if let Some(slot) = slot.clone() {
                let passphrase = Secret((*words).clone());
                onbring.emit((Proof::Passphrase { slot, passphrase }, Vec::new()));
            }
        })
    };
    let type_words = {
        let words = words.clone();
        Callback::from(move |value| words.set(value))
    };
    let busy = props.busy || *asking;
    html! {
        <>
            if !passkeys.is_empty() {
                { button("by-passkey", t.by_passkey).look(Look::Primary).icon(Icon::Key).busy(busy).onclick(by_passkey) }
                <p class="divider">{ t.or }</p>
            }
            if passphrase.is_some() {
                <form class="stack" {onsubmit}>
                    { text_area("passphrase", t.passphrase, &words, type_words).hint(t.passphrase_hint).rows(2).secret() }
                    { button("by-passphrase", t.by_passphrase).look(if passkeys.is_empty() { Look::Primary } else { Look::Plain }).submit().busy(busy) }
                </form>
                <p class="divider">{ t.or }</p>
            }
        </>
    }
}
