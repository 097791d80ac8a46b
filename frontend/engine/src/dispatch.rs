//! Takes the page's requests, has each carried out, and answers it exactly once. Must not know what
//! any intent does.

use crate::config::Config;
use crate::failure::Outcome;
use crate::platform::held_keys::PasskeyKey;
use crate::state::Engine;
use crate::{activity, contacts, inbox, providers, records, rounds, security, session, sharing};
use js_sys::{Array, Function, Uint8Array};
use salus_messages::{Failure, FailureKind, Intent, Message, Reply, Request};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

thread_local! {
    static ENGINE: RefCell<Option<Rc<Engine>>> = const { RefCell::new(None) };
}

/// An answer, with the files that go beside it.
pub(crate) struct Answer {
    /// What is answered.
    pub(crate) reply: Reply,
    /// `FileRef` indices point here.
    pub(crate) files: Vec<Blob>,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            files: Vec::new(),
        }
    }
}

/// One request while it is carried out.
pub(crate) struct Task {
    /// The engine.
    pub(crate) engine: Rc<Engine>,
    /// The request's id: also the name of the operation.
    pub(crate) id: u32,
    /// Files that came with it.
    pub(crate) files: Vec<Blob>,
    /// What a passkey answered, if it came with it.
    pub(crate) key: Option<PasskeyKey>,
}

/// Begins.
pub(crate) fn start(config: Config, post: Function) {
    let send = move |message: &Message, files: &[Blob]| {
        let Ok(bytes) = salus_messages::encode(message) else {
            return;
        };
        let files: Array = files.iter().map(JsValue::from).collect();
        // The page is gone when this fails; nobody is left to tell.
        let _ = post.call2(&JsValue::NULL, &Uint8Array::from(bytes.as_slice()), &files);
    };
    let engine = Rc::new(Engine::new(config, Box::new(send)));
    rounds::begin(&engine);
    session::begin(&engine);
    ENGINE.with_borrow_mut(|place| *place = Some(engine));
}

/// Takes one message.
pub(crate) fn receive(bytes: &[u8], files: &Array) {
    let Some(engine) = ENGINE.with_borrow(Clone::clone) else {
        return;
    };
    // A message that is none has no id to answer to.
    let Ok(request) = salus_messages::decode::<Request>(bytes) else {
        return;
    };
    let task = Task {
        engine,
        id: request.id,
        key: files.iter().find_map(PasskeyKey::of),
        files: files.iter().filter_map(|f| f.dyn_into().ok()).collect(),
    };
    spawn_local(async move {
        session::lock_if_idle(&task.engine).await;
        let writes = writes(&request.intent);
        let outcome = carry_out(&task, request.intent).await;
        session::lock_if_ended(&task.engine).await;
        if writes {
            task.engine.records_changed();
        }
        task.engine.cancelled.borrow_mut().remove(&task.id);
        let (result, files) = match outcome {
            Ok(answer) => (Ok(answer.reply), answer.files),
            Err(failure) => (Err(failure), Vec::new()),
        };
        let message = Message::Reply {
            id: task.id,
            result: Box::new(result),
        };
        (task.engine.post)(&message, &files);
    });
}

/// Whether an intent changes one's own records, even where it fails half-way.
const fn writes(intent: &Intent) -> bool {
    matches!(
        intent,
        Intent::AddCompartment { .. }
            | Intent::AddRecord { .. }
            | Intent::Import { .. }
            | Intent::AmendRecord { .. }
            | Intent::FileRecord { .. }
    )
}

async fn carry_out(task: &Task, intent: Intent) -> Outcome<Answer> {
    let engine = &task.engine;
    match intent {
        Intent::Hello { browser, .. } => session::hello(engine, browser).await,
        Intent::SetLanguage { .. } | Intent::Touch => {
            session::touch(engine);
            Ok(Reply::Done.into())
        }
        Intent::Cancel { operation } => {
            engine.cancelled.borrow_mut().insert(operation);
            Ok(Reply::Done.into())
        }
        Intent::PrepareSignIn
        | Intent::CompleteSignIn { .. }
        | Intent::SignOut
        | Intent::Lock
        | Intent::ProposePhrase
        | Intent::CheckPhrase { .. }
        | Intent::CreateVault { .. }
        | Intent::Unlock { .. }
        | Intent::Recover { .. }
        | Intent::UnlockHere
        | Intent::Prove { .. }
        | Intent::Ways
        | Intent::SetIdle { .. } => session::carry_out(task, intent).await,
        Intent::BeginPairing
        | Intent::JoinPairing
        | Intent::TakePairing { .. }
        | Intent::AnswerPairing { .. }
        | Intent::ApprovePairing { .. }
        | Intent::EndPairing => session::pairing::carry_out(task, intent).await,
        Intent::SetStayUnlocked { .. }
        | Intent::Security
        | Intent::RemoveSlot { .. }
        | Intent::SignOutEverywhere
        | Intent::RemoveSignIn { .. }
        | Intent::RenewKeys
        | Intent::UnfinishedRenewal
        | Intent::ReplacePhrase { .. }
        | Intent::LostDevice { .. }
        | Intent::PreparePasskey
        | Intent::AddPasskey { .. }
        | Intent::ProposePassphrase
        | Intent::AddPassphrase { .. }
        | Intent::Sheet { .. } => security::carry_out(task, intent).await,
        Intent::Compartments { .. }
        | Intent::AddCompartment { .. }
        | Intent::Records { .. }
        | Intent::OpenRecord { .. }
        | Intent::History { .. }
        | Intent::Inspect { .. }
        | Intent::AddRecord { .. }
        | Intent::Import { .. }
        | Intent::AmendRecord { .. }
        | Intent::FileRecord { .. }
        | Intent::Download { .. } => records::carry_out(task, intent).await,
        Intent::Invite { .. }
        | Intent::IncomingRequests
        | Intent::Approve { .. }
        | Intent::Deny { .. }
        | Intent::Grants
        | Intent::Give { .. }
        | Intent::Revoke { .. } => sharing::carry_out(task, intent).await,
        Intent::Activity { .. } | Intent::VerifyActivity | Intent::ExportActivity => {
            activity::carry_out(task, intent).await
        }
        Intent::SaveProof { account } => activity::save_proof(task, &account).await,
        Intent::Directory { .. }
        | Intent::RegisterProvider { .. }
        | Intent::ReadLink { .. }
        | Intent::Ask { .. }
        | Intent::OutgoingRequests
        | Intent::Patients => providers::carry_out(task, intent).await,
        Intent::Safety { .. } | Intent::Compare { .. } | Intent::AcceptKeys { .. } => {
            contacts::carry_out(task, intent).await
        }
        Intent::Inbox { .. } | Intent::MarkSeen { .. } => inbox::carry_out(task, intent).await,
    }
}

/// An intent that reached the wrong part of the engine: our own mistake.
pub(crate) fn misplaced() -> Failure {
    Failure::new(FailureKind::Internal, "an intent reached the wrong place")
}
