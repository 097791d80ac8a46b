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

/// Where a passkey that is to be made does not come about.
const NOT_MADE: &str = "failure-passkey-not-made";

fn said(kind: FailureKind, message_key: &str, detail: String) -> Failure {
    Failure {
        kind,
        message_key: message_key.to_owned(),
        detail,
    }
}

fn no_prf() -> Failure {
    said(FailureKind::Unsupported, "failure-prf", String::new())
}

/// Why the browser or the person said no. `message_key` is for what was asked of them.
fn refused(message_key: &str, error: &JsValue) -> Failure {
    let name = text(error, "name");
    let kind = match name.as_deref() {
        Some("InvalidStateError") => FailureKind::Conflict,
        Some("NotSupportedError" | "SecurityError") => FailureKind::Unsupported,
        _ => FailureKind::Cancelled,
    };
    said(kind, message_key, name.unwrap_or_default())
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
    let made = converse("create", NOT_MADE, &options).await?;
    let request = PasskeyRequest {
        credential: Uint8Array::new(&get(&made, "rawId")).to_vec(),
        salt: wanted.salt.clone(),
    };
    let key = first_answer(&wanted.slot, &request, &made).await;
    if key.is_err() {
        forget(&request.credential);
    }
    key.map(|key| (request, key))
}

/// The key of a passkey that was just made.
async fn first_answer(
    slot: &SlotId,
    request: &PasskeyRequest,
    made: &JsValue,
) -> Result<JsValue, Failure> {
    let prf = get(&extensions(made), "prf");
    if let Some(answer) = answer(&prf) {
        return import(answer).await;
    }
    if !get(&prf, "enabled").is_truthy() {
        return Err(no_prf());
    }
    // Many answer only when they are asked again.
    let way = SlotView {
        kind: salus_messages::SlotKind::Passkey,
        here: true,
        label: String::new(),
        id: slot.clone(),
        passkey: Some(request.clone()),
        takes_sheet_key: false,
        last_used: None,
    };
    let (_, key) = asked(&[way], NOT_MADE).await?.ok_or_else(no_prf)?;
    Ok(key)
}

/// Asks whichever of them is at hand.
pub(crate) async fn ask(ways: &[SlotView]) -> Result<(SlotId, JsValue), Failure> {
    let closed = || {
        let key = "failure-passkey-closed";
        said(FailureKind::WrongSecret, key, String::new())
    };
    asked(ways, "failure-passkey").await?.ok_or_else(closed)
}

/// None where one answers that is none of them, or without a key.
async fn asked(ways: &[SlotView], message_key: &str) -> Result<Option<(SlotId, JsValue)>, Failure> {
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
    let came = converse("get", message_key, &options).await?;
    let id = Uint8Array::new(&get(&came, "rawId")).to_vec();
    let slot = requests().find(|(_, of)| of.credential == id);
    let answer = answer(&get(&extensions(&came), "prf"));
    match (slot, answer) {
        (Some((slot, _)), Some(answer)) => Ok(Some((slot, import(answer).await?))),
        _ => Ok(None),
    }
}

async fn converse(
    method: &str,
    message_key: &str,
    public_key: &Object,
) -> Result<JsValue, Failure> {
    let navigator = browser::window().map(|window| JsValue::from(window.navigator()));
    let credentials = get(&navigator.unwrap_or_default(), "credentials");
    let function: Function = get(&credentials, method)
        .dyn_into()
        .map_err(|_| Failure::from(FailureKind::Unsupported))?;
    let options = object(&[("publicKey", public_key.into())]);
    resolved(message_key, function.call1(&credentials, &options)).await
}

async fn resolved(message_key: &str, begun: Result<JsValue, JsValue>) -> Result<JsValue, Failure> {
    let promise: Promise = begun
        .map_err(|e| refused(message_key, &e))?
        .unchecked_into();
    JsFuture::from(promise)
        .await
        .map_err(|e| refused(message_key, &e))
}

/// What extensions answered; undefined where the browser has none.
fn extensions(credential: &JsValue) -> JsValue {
    let function = get(credential, "getClientExtensionResults").dyn_into::<Function>();
    let answered = function.ok().and_then(|f| f.call0(credential).ok());
    answered.unwrap_or_default()
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
    let key = resolved("", function.apply(&subtle, &arguments)).await;
    Uint8Array::new(&answer).fill(0, 0, u32::MAX);
    key
}

/// Tells the authenticator that a passkey is not kept, where that can be said.
pub(crate) fn forget(credential: &[u8]) {
    let Some(window) = browser::window() else {
        return;
    };
    let class = get(&window, "PublicKeyCredential");
    if let Ok(function) = get(&class, "signalUnknownCredential").dyn_into::<Function>() {
        let host = window.location().hostname().unwrap_or_default();
        let which = object(&[
            ("rpId", host.into()),
            ("credentialId", base64url(credential).into()),
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
