//! The way to the worker and back. Must not know what is shown.
//!
//! One page has one worker, so this is the page's one piece of shared state outside
//! components.

use crate::model::{Action, touched};
use js_sys::{Array, Function, Uint8Array};
use salus_messages::{
    Event, Failure, FailureKind, Intent, Message, Reply, Request, decode, encode,
};
use std::cell::{Cell, RefCell};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Blob;
use yew::Callback;

/// An answer and the files beside it.
pub(crate) type Answer = Result<(Reply, Vec<Blob>), Failure>;

type Waiting = Box<dyn FnOnce(Answer)>;

thread_local! {
    static POST: RefCell<Option<Function>> = const { RefCell::new(None) };
    static NEXT: Cell<u32> = const { Cell::new(1) };
    static WAITING: RefCell<Vec<(u32, Intent, Waiting)>> = const { RefCell::new(Vec::new()) };
    static TELL: RefCell<Option<Callback<Action>>> = const { RefCell::new(None) };
}

/// How messages leave; called once, before anything is asked.
pub(crate) fn connect(post: Function) {
    POST.set(Some(post));
}

/// Who hears of what concerns the whole page.
pub(crate) fn listen(tell: Callback<Action>) {
    TELL.set(Some(tell));
}

fn tell(action: Action) {
    // Cloned out, so that whoever is told may ask again at once.
    let told = TELL.with_borrow(Clone::clone);
    if let Some(told) = told {
        told.emit(action);
    }
}

/// Asks, with files or a key beside it; `then` gets the one answer. The id names the operation for progress and cancel.
pub(crate) fn ask(intent: Intent, beside: &[JsValue], then: impl FnOnce(Answer) + 'static) -> u32 {
    ask_boxed(intent, beside, Box::new(then))
}

fn ask_boxed(intent: Intent, beside: &[JsValue], then: Waiting) -> u32 {
    let id = NEXT.get();
    NEXT.set(id.wrapping_add(1));
    let request = Request {
        id,
        intent: intent.clone(),
    };
    WAITING.with_borrow_mut(|waiting| waiting.push((id, intent, then)));
    if send(&request, beside).is_none() {
        answer(id, Err(Failure::new(FailureKind::Internal, "post")));
    }
    id
}

/// Asks where the answer does not matter.
pub(crate) fn notify(intent: Intent) {
    ask(intent, &[], |_| {});
}

fn send(request: &Request, beside: &[JsValue]) -> Option<()> {
    let bytes = encode(request).ok()?;
    let post = POST.with_borrow(Clone::clone)?;
    let list: Array = beside.iter().collect();
    post.call2(
        &JsValue::UNDEFINED,
        &Uint8Array::from(bytes.as_slice()),
        &list,
    )
    .ok()?;
    Some(())
}

/// Something came from the worker.
pub(crate) fn hear(bytes: &Uint8Array, files: &Array) {
    match decode::<Message>(&bytes.to_vec()) {
        Ok(Message::Reply { id, result }) => {
            let blobs = files
                .iter()
                .filter_map(|file| file.dyn_into().ok())
                .collect();
            answer(id, result.map(|reply| (reply, blobs)));
        }
        Ok(Message::Event(event)) => tell(match event {
            Event::Progress {
                operation,
                stage,
                done,
                total,
            } => Action::Progress(operation, crate::model::Progress { stage, done, total }),
            Event::Locked => Action::Locked,
            Event::RenewalLeft => Action::RenewalLeft(true),
            Event::LockingIn(seconds) => Action::LockingIn(seconds),
            Event::Unread(unread) => Action::Unread(unread),
            Event::Changed(topics) => Action::Changed(topics),
        }),
        Err(_) => fail_all(&Failure::new(FailureKind::Internal, "message")),
    }
}

fn answer(id: u32, result: Answer) {
    let found = WAITING.with_borrow_mut(|waiting| {
        let place = waiting.iter().position(|(other, ..)| *other == id)?;
        Some(waiting.swap_remove(place))
    });
    let Some((_, intent, then)) = found else {
        return;
    };
    tell(Action::Ended(id));
    match &result {
        Ok((Reply::Session(session), _)) => tell(Action::Session(session.clone())),
        Ok((Reply::Renewed(_), _)) => tell(Action::RenewalLeft(false)),
        Ok((Reply::Security(view), _)) => tell(Action::Ways(view.slots.clone())),
        _ => {}
    }
    let topics = touched(&intent);
    if result.is_ok() && !topics.is_empty() {
        tell(Action::Changed(topics.to_vec()));
    }
    then(result);
}

/// The worker is gone: whoever waits is told, and whoever asks from now on.
pub(crate) fn lose(failure: &Failure) {
    POST.set(None);
    fail_all(failure);
    tell(Action::StartFailed(failure.clone()));
}

fn fail_all(failure: &Failure) {
    let ids: Vec<u32> = WAITING.with_borrow(|waiting| waiting.iter().map(|(id, ..)| *id).collect());
    for id in ids {
        answer(id, Err(failure.clone()));
    }
}
