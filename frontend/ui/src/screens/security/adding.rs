//! Adding a passkey or a passphrase as a way to unlock.

use crate::app_context::use_app;
use crate::browser;
use crate::hooks::use_act;
use crate::parts::{Dialog, Icon, Look, button, check, field, icon, problem, progress, text_area};
use crate::{passkey, words};
use salus_messages::{Failure, FailureKind, Intent, PasskeyWanted, Reply, Secret};
use web_sys::SubmitEvent;
use yew::platform::spawn_local;
use yew::{
    Callback, Html, Properties, function_component, html, use_effect_with, use_mut_ref, use_state,
};

#[derive(Properties, PartialEq)]
pub(super) struct Adds {
    pub(super) onclose: Callback<()>,
}

/// Asks the worker what it is to be made with, then the authenticator.
#[function_component(AddPasskey)]
pub(super) fn add_passkey(props: &Adds) -> Html {
    let app = use_app();
    let t = app.t;
    let wanted = use_state(|| None::<PasskeyWanted>);
    let label = use_state(|| words::browser_name(t, &browser::user_agent()));
    let refused = use_state(|| None::<Failure>);
    let making = use_state(bool::default);
    // Made, and not yet a way to unlock.
    let made = use_mut_ref(|| None::<Vec<u8>>);
    let prepare = {
        let wanted = wanted.clone();
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::PasskeyWanted(came) = reply {
                wanted.set(Some(came));
            }
        }))
    };
    let add = use_act(props.onclose.reform(|_| ()));
    {
        let prepare = prepare.clone();
        use_effect_with((), move |()| prepare.send(Intent::PreparePasskey));
    }
    {
        let made = made.clone();
        use_effect_with(add.failure.clone(), move |failure| {
            // Where no answer came, it may have been added.
            let sure = failure
                .as_ref()
                .is_some_and(|f| f.kind != FailureKind::Network);
            if let Some(credential) = made.borrow_mut().take_if(|_| sure) {
                passkey::forget(&credential);
            }
        });
    }
    let onsubmit = {
        let (wanted, label, add) = (wanted.clone(), label.clone(), add.clone());
        let (refused, making) = (refused.clone(), making.clone());
        let made = made.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let Some(wanted) = (*wanted).clone() else {
                return;
            };
            let (label, add) = ((*label).clone(), add.clone());
            let (refused, making) = (refused.clone(), making.clone());
            let made = made.clone();
            refused.set(None);
            making.set(true);
            spawn_local(async move {
                let came = passkey::make(&wanted).await;
                making.set(false);
                match came {
                    Ok((passkey, key)) => {
                        made.replace(Some(passkey.credential.clone()));
                        let slot = wanted.slot;
                        let intent = Intent::AddPasskey {
                            slot,
                            passkey,
                            label,
                        };
                        add.go.emit((intent, vec![key]));
                    }
                    Err(failure) => refused.set(Some(failure)),
                }
            });
        })
    };
    let type_label = {
        let label = label.clone();
        Callback::from(move |value| label.set(value))
    };
    let failure = (*refused)
        .clone()
        .or_else(|| add.failure.clone())
        .or_else(|| prepare.failure.clone());
    let busy = *making || add.is_busy() || prepare.is_busy();
    html! {
        <Dialog testid="passkey-dialog" title={t.passkey_add} onclose={props.onclose.clone()}>
            <form class="stack" {onsubmit}>
                <p>{ t.passkey_lead }</p>
                { field("passkey-label", t.stay_label, &label, type_label).hint(t.stay_label_hint).maxlength(60) }
                if let Some(failure) = failure { { problem(t, &failure) } }
                { progress(&app, add.busy.or(prepare.busy), false) }
                <div class="actions">
                    { button("passkey-make", t.passkey_make).look(Look::Primary).icon(Icon::Key).submit().busy(busy).disabled(wanted.is_none()) }
                    { button("passkey-cancel", t.cancel).look(Look::Quiet).onclick(props.onclose.clone()) }
                </div>
            </form>
        </Dialog>
    }
}

/// Shows words that nobody guesses, to be kept or replaced by others.
#[function_component(AddPassphrase)]
pub(super) fn add_passphrase(props: &Adds) -> Html {
    let app = use_app();
    let t = app.t;
    let (text, key) = (use_state(String::new), use_state(|| None::<Secret>));
    let anywhere = use_state(bool::default);
    let propose = {
        let (text, key) = (text.clone(), key.clone());
        use_act(Callback::from(move |(reply, _)| {
            if let Reply::Passphrase(proposed) = reply {
                text.set(proposed.passphrase.0);
                key.set(Some(proposed.sheet_key));
            }
        }))
    };
    let add = use_act(props.onclose.reform(|_| ()));
    {
        let propose = propose.clone();
        use_effect_with((), move |()| propose.send(Intent::ProposePassphrase));
    }
    let onsubmit = {
        let (text, add) = (text.clone(), add.clone());
        let (key, anywhere) = (key.clone(), anywhere.clone());
        let label = t.passphrase_anywhere_label;
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let sheet_key = (*key).clone().filter(|_| *anywhere);
            let label = sheet_key.as_ref().map_or("", |_| label).to_owned();
            add.send(Intent::AddPassphrase {
                passphrase: Secret((*text).clone()),
                sheet_key,
                label,
            });
        })
    };
    let type_text = {
        let text = text.clone();
        Callback::from(move |value| text.set(value))
    };
    let choose = {
        let anywhere = anywhere.clone();
        Callback::from(move |on| anywhere.set(on))
    };
    let failure = add.failure.clone().or_else(|| propose.failure.clone());
    html! {
        <Dialog testid="passphrase-dialog" title={t.passphrase_add} onclose={props.onclose.clone()}>
            <form class="stack" {onsubmit}>
                <p>{ if *anywhere { t.passphrase_anywhere_lead } else { t.passphrase_lead } }</p>
                { text_area("passphrase-new", t.passphrase, &text, type_text).hint(t.passphrase_new_hint).rows(2).secret() }
                { check("passphrase-anywhere", t.passphrase_anywhere, *anywhere, choose).hint(t.passphrase_anywhere_hint) }
                if let Some(key) = (*key).clone().filter(|_| *anywhere) {
                    <p>{ t.sheet_key_lead }</p>
                    <p class="pair-code" data-testid="sheet-key-new" translate="no">{ key.0 }</p>
                }
                <p class="note">{ icon(Icon::Alert) }<span>{ t.passphrase_honest }</span></p>
                if let Some(failure) = failure { { problem(t, &failure) } }
                { progress(&app, add.busy, false) }
                <div class="actions">
                    { button("passphrase-keep", t.passphrase_keep).look(Look::Primary).submit().busy(add.is_busy()) }
                    { button("passphrase-cancel", t.cancel).look(Look::Quiet).onclick(props.onclose.clone()) }
                </div>
            </form>
        </Dialog>
    }
}
