//! Passkeys: the conversation with an authenticator (WebAuthn Level 3, section 10.1.4: the PRF
//! extension). What it answers becomes a key for HKDF that cannot be read, handed to the worker. Must
//! not know what it opens.
//!
//! A salt is always sent: an authenticator without PRF, which could only say who somebody is, is told
//! apart when the passkey is made, and that passkey is not kept.

use crate::browser;
use js_sys::{Array, Function, JsString, Object, Promise, Reflect, Uint8Array};
use salus_messages::{Failure, FailureKind, PasskeyRequest, PasskeyWanted, SlotId, SlotView};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// ES256, EdDSA, RS256 (IANA COSE algorithms): what authenticators sign with does not matter here.
const ALGORITHMS: [f64; 3] = [-7.0, -8.0, -257.0];

fn no_prf() -> Failure {
    Failure {
        message_key: "failure-prf".to_owned(),
        ..FailureKind::Unsupported.into()
    }
}

/// The browser's own words for it.
fn refused(error: &JsValue) -> Failure {
    let name = text(error, "name");
    let kind = match name.as_deref() {
        Some("InvalidStateError") => FailureKind::Conflict,
        Some("NotSupportedError" | "SecurityError") => FailureKind::Unsupported,
        _ => FailureKind::Cancelled,
    };
    Failure {
        kind,
        message_key: "failure-passkey".to_owned(),
        detail: name.unwrap_or_default(),
    }
}

/// Makes one, and says with what it is to be asked from then on.
pub(crate) async fn make(wanted: &PasskeyWanted) -> Result<(PasskeyRequest, JsValue), Failure> {
    let parameters = ALGORITHMS.map(|alg| object(&[("type", key_type()), ("alg", alg.into())]));
    let user = object(&[
        ("id", random()),
        ("name", "Salus".into()),
        ("displayName", "Salus".into()),
    ]);
    let selection = object(&[
        ("residentKey", "preferred".into()),
        ("userVerification", "required".into()),
    ]);
    let asked = object(&[("eval", object(&[("first", bytes(&wanted.salt))]).into())]);
    let known: Array = wanted.known.iter().map(|id| credential(id)).collect();
    let options = object(&[
        ("rp", object(&[("name", "Salus".into())]).into()),
        ("user", user.into()),
        ("challenge", random()),
        (
            "pubKeyCredParams",
            parameters.iter().collect::<Array>().into(),
        ),
        ("excludeCredentials", known.into()),
        ("authenticatorSelection", selection.into()),
        ("extensions", object(&[("prf", asked.into())]).into()),
    ]);
    let made = converse("create", &options).await?;
    let request = PasskeyRequest {
        credential: Uint8Array::new(&get(&made, "rawId")).to_vec(),
        salt: wanted.salt.clone(),
    };
    let prf = get(&extensions(&made)?, "prf");
    if let Some(answer) = answer(&prf) {
        return Ok((request, import(answer).await?));
    }
    if !get(&prf, "enabled").is_truthy() {
        forget(&made);
        return Err(no_prf());
    }
    // Many answer only when they are asked again.
    let way = SlotView {
        kind: salus_messages::SlotKind::Passkey,
        here: true,
        label: String::new(),
        id: wanted.slot.clone(),
        passkey: Some(request.clone()),
        takes_sheet_key: false,
        last_used: None,
    };
    let (_, key) = ask(&[way]).await?;
    Ok((request, key))
}

/// Asks whichever of them is at hand.
pub(crate) async fn ask(ways: &[SlotView]) -> Result<(SlotId, JsValue), Failure> {
    let requests = || {
        let pair = |way: &SlotView| Some((way.id.clone(), way.passkey.clone()?));
        ways.iter().filter_map(pair)
    };
    let salts = Object::new();
    let allowed: Array = requests()
        .map(|(_, of)| {
            let salt = object(&[("first", bytes(&of.salt))]);
            set(&salts, &base64url(&of.credential), &salt);
            credential(&of.credential)
        })
        .collect();
    let asked = object(&[("evalByCredential", salts.into())]);
    let options = object(&[
        ("challenge", random()),
        ("allowCredentials", allowed.into()),
        ("userVerification", "required".into()),
        ("extensions", object(&[("prf", asked.into())]).into()),
    ]);
    let came = converse("get", &options).await?;
    let id = Uint8Array::new(&get(&came, "rawId")).to_vec();
    let slot = requests().find(|(_, of)| of.credential == id);
    let answer = answer(&get(&extensions(&came)?, "prf"));
    match (slot, answer) {
        (Some((slot, _)), Some(answer)) => Ok((slot, import(answer).await?)),
        _ => Err(no_prf()),
    }
}

async fn converse(method: &str, public_key: &Object) -> Result<JsValue, Failure> {
    let navigator = browser::window().map(|window| JsValue::from(window.navigator()));
    let credentials = get(&navigator.unwrap_or_default(), "credentials");
    let function: Function = get(&credentials, method)
        .dyn_into()
        .map_err(|_| Failure::from(FailureKind::Unsupported))?;
    let options = object(&[("publicKey", public_key.into())]);
    resolved(function.call1(&credentials, &options)).await
}

async fn resolved(begun: Result<JsValue, JsValue>) -> Result<JsValue, Failure> {
    let promise: Promise = begun.map_err(|e| refused(&e))?.unchecked_into();
    JsFuture::from(promise).await.map_err(|e| refused(&e))
}

fn extensions(credential: &JsValue) -> Result<JsValue, Failure> {
    let function: Function = get(credential, "getClientExtensionResults")
        .dyn_into()
        .map_err(|_| no_prf())?;
    function.call0(credential).map_err(|e| refused(&e))
}

/// What the authenticator made of the salt.
fn answer(prf: &JsValue) -> Option<JsValue> {
    let first = get(&get(prf, "results"), "first");
    first.is_object().then_some(first)
}

/// The answer as a key, and no longer as bytes.
async fn import(answer: JsValue) -> Result<JsValue, Failure> {
    let crypto = browser::window().map(|window| get(&window, "crypto"));
    let subtle = get(&crypto.unwrap_or_default(), "subtle");
    let function: Function = get(&subtle, "importKey")
        .dyn_into()
        .map_err(|_| Failure::from(FailureKind::Unsupported))?;
    let uses = Array::of1(&"deriveBits".into());
    let arguments = Array::of5(
        &"raw".into(),
        &answer,
        &"HKDF".into(),
        &JsValue::FALSE,
        &uses,
    );
    let key = resolved(function.apply(&subtle, &arguments)).await;
    Uint8Array::new(&answer).fill(0, 0, u32::MAX);
    key
}

/// Tells the authenticator that a passkey is not kept, where that can be said.
fn forget(credential: &JsValue) {
    let Some(window) = browser::window() else {
        return;
    };
    let class = get(&window, "PublicKeyCredential");
    if let Ok(function) = get(&class, "signalUnknownCredential").dyn_into::<Function>() {
        let host = window.location().hostname().unwrap_or_default();
        let which = object(&[
            ("rpId", host.into()),
            ("credentialId", get(credential, "id")),
        ]);
        // Nothing depends on it.
        let _ = function.call1(&class, &which);
    }
}

fn credential(id: &[u8]) -> JsValue {
    object(&[("type", key_type()), ("id", bytes(id))]).into()
}

fn key_type() -> JsValue {
    "public-key".into()
}

fn bytes(from: &[u8]) -> JsValue {
    Uint8Array::from(from).into()
}

/// 32 random bytes: a challenge that nobody verifies, or a name that means nothing.
fn random() -> JsValue {
    let array = Uint8Array::new_with_length(32);
    if let Some(crypto) = browser::window().map(|window| get(&window, "crypto"))
        && let Ok(function) = get(&crypto, "getRandomValues").dyn_into::<Function>()
    {
        let _ = function.call1(&crypto, &array);
    }
    array.into()
}

/// As `evalByCredential` names credentials.
fn base64url(bytes: &[u8]) -> String {
    let latin: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let text = browser::window().and_then(|window| window.btoa(&latin).ok());
    text.unwrap_or_default()
        .replace('+', "-")
        .replace('/', "_")
        .replace('=', "")
}

fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        set(&object, name, value);
    }
    object
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // Setting a field of an object made here cannot fail.
    let _ = Reflect::set(object, &JsString::from(name), value);
}

fn get(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &JsString::from(name)).unwrap_or(JsValue::UNDEFINED)
}

fn text(value: &JsValue, name: &str) -> Option<String> {
    get(value, name).as_string()
}
