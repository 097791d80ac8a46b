//! The identity window: ICRC-29 to find each other, ICRC-34 to ask for a delegation.
//!
//! Only the page can open a window and hear it; the key it asks a delegation for is the
//! worker's, and never comes here. Must be begun within a click, or the browser blocks
//! the window. Only messages from that very window count, and once it has said it is
//! ready, only from the origin it said so from.

use crate::browser;
use js_sys::{Array, JSON, Object, Reflect};
use salus_messages::{DelegationChain, Environment, Failure, FailureKind, SignedDelegation};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{MessageEvent, Window};

/// How often the window is asked whether it is ready, in milliseconds.
const KNOCK_EVERY: i32 = 300;
/// A window seen closed this many times in a row was closed by the person; once is not
/// enough, as a window that changes its opener policy looks closed for a moment.
const CLOSED_LIMIT: u32 = 10;

const STATUS_ID: &str = "salus-status";
const DELEGATION_ID: &str = "salus-delegation";

/// What the worker wants a delegation for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignInKey {
    /// DER.
    pub(crate) public_key: Vec<u8>,
    /// Nanoseconds.
    pub(crate) max_time_to_live: u64,
}

type Then = Box<dyn FnOnce(Result<DelegationChain, Failure>)>;

struct Ceremony {
    popup: Window,
    key: SignInKey,
    derivation_origin: Option<String>,
    /// Where the window said it was ready from.
    origin: Option<String>,
    closed: u32,
    then: Option<Then>,
    interval: Option<i32>,
    onmessage: Option<Closure<dyn FnMut(MessageEvent)>>,
    ontick: Option<Closure<dyn FnMut()>>,
}

/// A sign-in under way; give it up with [`SignIn::cancel`].
#[derive(Clone)]
pub(crate) struct SignIn(Rc<RefCell<Ceremony>>);

fn failure(kind: FailureKind, key: &str) -> Failure {
    Failure {
        kind,
        message_key: key.to_owned(),
        detail: String::new(),
    }
}

/// Opens the identity window and asks it for a delegation.
///
/// # Errors
/// When the browser does not let a window open.
pub(crate) fn begin(
    environment: &Environment,
    key: SignInKey,
    then: impl FnOnce(Result<DelegationChain, Failure>) + 'static,
) -> Result<SignIn, Failure> {
    let blocked = || failure(FailureKind::Refused, "failure-popup");
    let window = browser::window().ok_or_else(blocked)?;
    let popup = window
        .open_with_url_and_target_and_features(
            &environment.identity_provider,
            "salus-sign-in",
            "popup,width=480,height=720",
        )
        .ok()
        .flatten()
        .ok_or_else(blocked)?;
    let ceremony = SignIn(Rc::new(RefCell::new(Ceremony {
        popup,
        key,
        derivation_origin: environment.derivation_origin.clone(),
        origin: None,
        closed: 0,
        then: Some(Box::new(then)),
        interval: None,
        onmessage: None,
        ontick: None,
    })));
    ceremony.listen(&window);
    Ok(ceremony)
}

impl SignIn {
    /// Gives up and closes the window.
    pub(crate) fn cancel(&self) {
        self.finish(Err(failure(
            FailureKind::Cancelled,
            "failure-window-closed",
        )));
    }

    fn listen(&self, window: &Window) {
        let hears = self.clone();
        let onmessage = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            hears.hear(&event);
        });
        let ticks = self.clone();
        let ontick = Closure::<dyn FnMut()>::new(move || ticks.tick());
        let _ =
            window.add_event_listener_with_callback("message", onmessage.as_ref().unchecked_ref());
        let interval = window.set_interval_with_callback_and_timeout_and_arguments_0(
            ontick.as_ref().unchecked_ref(),
            KNOCK_EVERY,
        );
        let mut ceremony = self.0.borrow_mut();
        ceremony.interval = interval.ok();
        ceremony.onmessage = Some(onmessage);
        ceremony.ontick = Some(ontick);
    }

    fn tick(&self) {
        let given_up = {
            let mut ceremony = self.0.borrow_mut();
            if ceremony.popup.closed().unwrap_or(true) {
                ceremony.closed += 1;
            } else {
                ceremony.closed = 0;
            }
            if ceremony.origin.is_none() {
                // To any origin: it holds nothing, and the provider may have redirected.
                let knock = call(STATUS_ID, "icrc29_status", None);
                let _ = ceremony.popup.post_message(&knock, "*");
            }
            ceremony.closed >= CLOSED_LIMIT
        };
        if given_up {
            self.cancel();
        }
    }

    fn hear(&self, event: &MessageEvent) {
        let mut ceremony = self.0.borrow_mut();
        let from_popup = event
            .source()
            .is_some_and(|source| Object::is(&source, &ceremony.popup));
        if !from_popup {
            return;
        }
        let data = event.data();
        let id = text(&data, "id").unwrap_or_default();
        match ceremony.origin.clone() {
            None if id == STATUS_ID && text(&data, "result").as_deref() == Some("ready") => {
                let origin = event.origin();
                let _ = ceremony.popup.post_message(&ceremony.request(), &origin);
                ceremony.origin = Some(origin);
            }
            Some(origin) if id == DELEGATION_ID && event.origin() == origin => {
                let answer = chain(&get(&data, "result")).ok_or_else(|| refusal(&data));
                drop(ceremony);
                self.finish(answer);
            }
            _ => {}
        }
    }

    fn finish(&self, answer: Result<DelegationChain, Failure>) {
        let (then, onmessage, ontick) = {
            let mut ceremony = self.0.borrow_mut();
            let onmessage = ceremony.onmessage.take();
            if let (Some(window), Some(closure)) = (browser::window(), &onmessage) {
                if let Some(interval) = ceremony.interval.take() {
                    window.clear_interval_with_handle(interval);
                }
                let _ = window.remove_event_listener_with_callback(
                    "message",
                    closure.as_ref().unchecked_ref(),
                );
            }
            let _ = ceremony.popup.close();
            (ceremony.then.take(), onmessage, ceremony.ontick.take())
        };
        // One of these closures may be running now: let it return first.
        browser::after(0, move || drop((onmessage, ontick)));
        if let Some(then) = then {
            then(answer);
        }
    }
}

impl Ceremony {
    fn request(&self) -> JsValue {
        let params = Object::new();
        set(&params, "publicKey", &base64(&self.key.public_key).into());
        set(
            &params,
            "maxTimeToLive",
            &self.key.max_time_to_live.to_string().into(),
        );
        if let Some(origin) = &self.derivation_origin {
            set(&params, "icrc95DerivationOrigin", &origin.as_str().into());
        }
        call(DELEGATION_ID, "icrc34_delegation", Some(params))
    }
}

fn call(id: &str, method: &str, params: Option<Object>) -> JsValue {
    let message = Object::new();
    set(&message, "jsonrpc", &"2.0".into());
    set(&message, "id", &id.into());
    set(&message, "method", &method.into());
    if let Some(params) = params {
        set(&message, "params", &params);
    }
    message.into()
}

fn refusal(data: &JsValue) -> Failure {
    let error = get(data, "error");
    let detail = text(&error, "message")
        .or_else(|| JSON::stringify(&error).ok().map(String::from))
        .unwrap_or_default();
    Failure::new(FailureKind::Refused, detail)
}

fn chain(result: &JsValue) -> Option<DelegationChain> {
    let list: Array = get(result, "signerDelegation").dyn_into().ok()?;
    let delegations = list
        .iter()
        .map(|item| signed(&item))
        .collect::<Option<Vec<_>>>()?;
    Some(DelegationChain {
        public_key: unbase64(&text(result, "publicKey")?)?,
        delegations,
    })
}

fn signed(item: &JsValue) -> Option<SignedDelegation> {
    let delegation = get(item, "delegation");
    let targets = match get(&delegation, "targets").dyn_into::<Array>() {
        Ok(list) => Some(
            list.iter()
                .map(|target| target.as_string())
                .collect::<Option<Vec<_>>>()?,
        ),
        Err(_) => None,
    };
    Some(SignedDelegation {
        pubkey: unbase64(&text(&delegation, "pubkey")?)?,
        expiration: text(&delegation, "expiration")?.parse().ok()?,
        targets,
        signature: unbase64(&text(item, "signature")?)?,
    })
}

fn set(object: &Object, key: &str, value: &JsValue) {
    // Setting a field of an object made here cannot fail.
    let _ = Reflect::set(object, &key.into(), value);
}

fn get(value: &JsValue, key: &str) -> JsValue {
    Reflect::get(value, &key.into()).unwrap_or(JsValue::UNDEFINED)
}

fn text(value: &JsValue, key: &str) -> Option<String> {
    get(value, key).as_string()
}

fn base64(bytes: &[u8]) -> String {
    let latin: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    browser::window()
        .and_then(|window| window.btoa(&latin).ok())
        .unwrap_or_default()
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    let latin = browser::window()?.atob(text).ok()?;
    latin
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect()
}
