//! Opening one's records in another browser by help of one where they are open: this browser's half of
//! it, whichever that is. Must not know how code and words are shown.

use super::browser_slot::{browser_secret, keep_slot, leave, stay_no_longer, stored_slot, unleave};
use super::{lock_if_idle, opened, proof, state, touch};
use crate::dispatch::{Answer, Task, misplaced};
use crate::failure::{Outcome, from_client, from_platform, invalid};
use crate::platform::held_keys::{BrowserKey, KeyUse};
use crate::platform::timer;
use crate::qr::qr;
use crate::rounds;
use crate::state::Engine;
use crate::views::origin;
use salus_client::{Approving, ClientError, Joining, PairingCode, SlotId, Words};
use salus_messages::{FailureKind, Intent, PairingWords, Reply};
use std::cell::{Cell, RefCell};

/// How often the other side is looked for, in milliseconds.
const LOOK_MS: u32 = 1_000;
/// Looks in a row that may fail for want of a network.
const FAILURES: u32 = 10;

/// One side of a pairing.
enum Side {
    /// This browser is to be let in; the slot it will open.
    Joining(Box<Joining>, SlotId),
    /// This browser lets another in.
    Approving(Box<Approving>),
}

/// The pairing under way. While a step is taken the side is out of its place; one that was given up
/// meanwhile does not come back.
#[derive(Default)]
pub(crate) struct Pairing {
    side: RefCell<Option<Side>>,
    turn: Cell<u32>,
}

impl Pairing {
    /// Begins another, and gives the one before for it to be ended.
    fn begin(&self, side: Option<Side>) -> Option<Side> {
        self.turn.set(self.turn.get().wrapping_add(1));
        self.side.replace(side)
    }
}

impl Side {
    /// The other side is told, if it can be: it ends by itself too.
    async fn end(self) {
        let _ = match self {
            Self::Joining(joining, _) => joining.end().await,
            Self::Approving(approving) => approving.refuse().await,
        };
    }
}

/// Takes a step on the side that is under way.
async fn step<T>(engine: &Engine, take: impl AsyncFnOnce(&mut Side) -> Outcome<T>) -> Outcome<T> {
    let pairing = &engine.pairing;
    let turn = pairing.turn.get();
    let side = pairing.side.borrow_mut().take();
    let mut side = side.ok_or(FailureKind::Cancelled)?;
    let taken = take(&mut side).await;
    if pairing.turn.get() == turn {
        pairing.side.replace(Some(side));
        return taken;
    }
    side.end().await;
    Err(FailureKind::Cancelled.into())
}

/// Takes a step again and again until it gives something. It ends by itself when the pairing does.
async fn until<T>(
    task: &Task,
    look: impl AsyncFn(&mut Side) -> Result<Option<T>, ClientError>,
) -> Outcome<T> {
    let engine = &task.engine;
    let mut failed = 0;
    loop {
        if engine.cancelled.borrow().contains(&task.id) {
            return Err(FailureKind::Cancelled.into());
        }
        // Someone waits for it, unless nobody has been here for too long.
        lock_if_idle(engine).await;
        touch(engine);
        let found = step(engine, async |side| match look(side).await {
            Err(ClientError::Transport(_)) if failed < FAILURES => {
                failed += 1;
                Ok(None)
            }
            other => other.map_err(from_client),
        });
        if let Some(found) = found.await? {
            return Ok(found);
        }
        timer::wait(LOOK_MS).await.map_err(from_platform)?;
    }
}

/// Carries out the intents about pairing.
pub(crate) async fn carry_out(task: &Task, intent: Intent) -> Outcome<Answer> {
    match intent {
        Intent::BeginPairing => begin(task).await,
        Intent::JoinPairing => join(task).await,
        Intent::TakePairing { stay_unlocked } => take(task, stay_unlocked).await,
        Intent::AnswerPairing { code } => answer(task, &code).await,
        Intent::ApprovePairing { label } => approve(task, &label).await,
        Intent::EndPairing => {
            if let Some(side) = task.engine.pairing.begin(None) {
                side.end().await;
            }
            Ok(Reply::Done.into())
        }
        _ => Err(misplaced()),
    }
}

async fn begin(task: &Task) -> Outcome<Answer> {
    let engine = &task.engine;
    if let Some(before) = engine.pairing.begin(None) {
        before.end().await;
    }
    let slot = SlotId(salus_client::random_id().map_err(|e| from_client(e.into()))?);
    let joining = engine
        .client()?
        .pairing_begin()
        .await
        .map_err(from_client)?;
    let code = joining.code().to_string();
    let link = format!("{}/#/pair/{code}", origin()?);
    let reply = Reply::PairingCode(salus_messages::PairingCode {
        qr: qr(&link)?,
        code,
        link,
        expires_at: joining.expires(),
    });
    engine
        .pairing
        .begin(Some(Side::Joining(Box::new(joining), slot)));
    Ok(reply.into())
}

async fn join(task: &Task) -> Outcome<Answer> {
    let engine = &task.engine;
    let account = until(task, async |side| match side {
        Side::Joining(joining, _) => joining.answered().await,
        Side::Approving(_) => Err(ClientError::Cancelled),
    });
    let account = account.await?;
    let store = engine.store().await?;
    step(engine, async |side| {
        let Side::Joining(joining, slot) = side else {
            return Err(FailureKind::Cancelled.into());
        };
        let key = BrowserKey::find_or_make(&store, KeyUse::Slot)
            .await
            .map_err(from_platform)?;
        let vault = engine.client()?.vault();
        let secret = browser_secret(&key, vault, account, *slot).await?;
        // Let in and closed before it was taken, it would stay for ever.
        leave(&store, (account, *slot)).await?;
        joining.offer(*slot, secret).await.map_err(from_client)
    })
    .await?;
    let words = until(task, async |side| match side {
        Side::Joining(joining, _) => joining.words().await,
        Side::Approving(_) => Err(ClientError::Cancelled),
    });
    Ok(shown(words.await?, None))
}

fn shown(words: Words, joins: Option<String>) -> Answer {
    let words = words.list().iter().map(|word| (*word).to_owned());
    Reply::PairingWords(PairingWords {
        words: words.collect(),
        joins,
    })
    .into()
}

async fn take(task: &Task, stay_unlocked: bool) -> Outcome<Answer> {
    let engine = &task.engine;
    let unlocked = until(task, async |side| match side {
        Side::Joining(joining, slot) => {
            let unlocked = joining.unlocked().await?;
            Ok(unlocked.map(|unlocked| (unlocked, *slot)))
        }
        Side::Approving(_) => Err(ClientError::Cancelled),
    });
    let (unlocked, slot) = unlocked.await?;
    engine.pairing.begin(None);
    let store = engine.store().await?;
    let account = unlocked.account();
    if let Some(before) = stored_slot(&store).await? {
        leave(&store, before).await?;
    }
    keep_slot(&store, account, slot).await?;
    unleave(&store, (account, slot)).await?;
    engine.unlocked.replace(Some(unlocked));
    if !stay_unlocked {
        stay_no_longer(engine, &store).await?;
    }
    opened(engine, &store).await?;
    rounds::soon(engine);
    Ok(Reply::Session(state(engine).await?).into())
}

async fn answer(task: &Task, code: &str) -> Outcome<Answer> {
    let engine = &task.engine;
    let code: PairingCode = code.parse().map_err(|_| invalid("code"))?;
    let unlocked = engine.unlocked()?;
    proof::needed(engine)?;
    if let Some(before) = engine.pairing.begin(None) {
        before.end().await;
    }
    let approving = unlocked.pairing_answer(code).await.map_err(from_client)?;
    engine
        .pairing
        .begin(Some(Side::Approving(Box::new(approving))));
    let words = until(task, async |side| match side {
        Side::Approving(approving) => {
            let words = approving.words().await?;
            let joins = approving.principal().filter(|_| approving.joins());
            Ok(words.map(|words| (words, joins)))
        }
        Side::Joining(..) => Err(ClientError::Cancelled),
    });
    let (words, joins) = words.await?;
    Ok(shown(words, joins.map(|principal| principal.to_text())))
}

async fn approve(task: &Task, label: &str) -> Outcome<Answer> {
    let engine = &task.engine;
    step(engine, async |side| match side {
        Side::Approving(approving) => approving.approve(label.trim()).await.map_err(from_client),
        Side::Joining(..) => Err(FailureKind::Cancelled.into()),
    })
    .await?;
    engine.pairing.begin(None);
    Ok(Reply::Session(state(engine).await?).into())
}
