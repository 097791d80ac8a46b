//! Requests by agents: which were seen, how they ended, and who waits for that.

use crate::certify::{StateTree, layout};
use crate::node::executor::Submission;
use crate::node::state::StoredResult;
use crate::wire::response::CallResult;
use crate::wire::value::Hash;
use candid::Principal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Answers are kept this long after their request's expiry, ns.
const KEEP_NS: u64 = 5 * 60 * 1_000_000_000;
/// Replies kept at most, bytes; older ones are forgotten first and read "done".
const KEEP_BYTES: usize = 256 << 20;

/// How far a request has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Progress {
    /// Waiting.
    Received,
    /// Begun, and waiting for other canisters.
    Processing,
    /// Ended.
    Answered(StoredResult),
    /// Ended, and the answer is forgotten.
    Done,
}

/// A request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Who asked, and so may ask for the answer.
    pub(crate) sender: Principal,
    /// The canister called; none in what an earlier version stored.
    #[serde(default)]
    pub(crate) canister: Option<Principal>,
    /// The effective canister id it came with; none in what an earlier version stored.
    #[serde(default)]
    pub(crate) effective: Option<Principal>,
    /// When it expires, ns.
    pub(crate) expiry: u64,
    /// How far it has come.
    pub(crate) progress: Progress,
}

/// All requests that are remembered.
#[derive(Default)]
pub(crate) struct Ingress {
    requests: HashMap<Hash, Request>,
    by_expiry: BTreeSet<(u64, Hash)>,
    waiting: BTreeMap<Hash, Vec<oneshot::Sender<()>>>,
    /// What was asked by requests that were not begun.
    asked: HashMap<Hash, Arc<Submission>>,
    bytes: usize,
}

impl Ingress {
    /// A request, when it is remembered.
    pub(crate) fn get(&self, id: &Hash) -> Option<&Request> {
        self.requests.get(id)
    }

    /// How a request ended, when it has and is not forgotten.
    pub(crate) fn answer_of(&self, id: &Hash) -> Option<CallResult> {
        match &self.requests.get(id)?.progress {
            Progress::Answered(result) => Some(result.clone().into()),
            _ => None,
        }
    }

    /// Begins a request; false when it is known already.
    pub(crate) fn begin(&mut self, tree: &mut StateTree, submission: &Arc<Submission>) -> bool {
        let id = submission.id;
        if self.requests.contains_key(&id) {
            return false;
        }
        layout::set_pending(tree, &id, "received");
        self.asked.insert(id, Arc::clone(submission));
        self.by_expiry.insert((submission.expiry, id));
        self.requests.insert(
            id,
            Request {
                sender: submission.sender,
                canister: Some(submission.canister),
                effective: Some(submission.effective),
                expiry: submission.expiry,
                progress: Progress::Received,
            },
        );
        true
    }

    /// What a request that was not begun asks.
    pub(crate) fn asked(&self, id: &Hash) -> Option<Arc<Submission>> {
        self.asked.get(id).cloned()
    }

    /// Notes that a request was begun and has not ended.
    pub(crate) fn process(&mut self, tree: &mut StateTree, id: &Hash) {
        self.asked.remove(id);
        if let Some(request) = self.requests.get_mut(id) {
            request.progress = Progress::Processing;
            layout::set_pending(tree, id, "processing");
        }
    }

    /// Puts a remembered request back after a restart.
    pub(crate) fn restore(&mut self, tree: &mut StateTree, id: Hash, request: Request) {
        match &request.progress {
            Progress::Answered(result) => {
                let result = CallResult::from(result.clone());
                self.bytes += result.as_ref().map_or(0, Vec::len);
                layout::set_answer(tree, &id, &result);
            }
            Progress::Received => layout::set_pending(tree, &id, "received"),
            Progress::Processing => layout::set_pending(tree, &id, "processing"),
            Progress::Done => layout::set_done(tree, &id),
        }
        self.by_expiry.insert((request.expiry, id));
        self.requests.insert(id, request);
    }

    /// Ends a request.
    pub(crate) fn answer(&mut self, tree: &mut StateTree, id: &Hash, result: CallResult) {
        self.asked.remove(id);
        layout::set_answer(tree, id, &result);
        self.bytes += result.as_ref().map_or(0, Vec::len);
        if let Some(request) = self.requests.get_mut(id) {
            request.progress = Progress::Answered(result.into());
        }
        for waiter in self.waiting.remove(id).unwrap_or_default() {
            let _ = waiter.send(());
        }
    }

    /// Resolves when the request has ended, at once when it has or is unknown.
    pub(crate) fn wait(&mut self, id: &Hash) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        if self.is_pending(id) {
            self.waiting.entry(*id).or_default().push(sender);
        } else {
            let _ = sender.send(());
        }
        receiver
    }

    /// Whether a request is known and has not ended.
    pub(crate) fn is_pending(&self, id: &Hash) -> bool {
        matches!(
            self.requests.get(id).map(|request| &request.progress),
            Some(Progress::Received | Progress::Processing)
        )
    }

    /// Forgets what is old at `now` (ns), and answers beyond the limit; what was forgotten
    /// entirely, and what is now "done".
    pub(crate) fn prune(&mut self, tree: &mut StateTree, now: u64) -> Vec<(Hash, Option<Request>)> {
        let old: Vec<(u64, Hash)> = self
            .by_expiry
            .iter()
            .take_while(|(expiry, _)| expiry.saturating_add(KEEP_NS) < now)
            .filter(|(_, id)| !self.is_pending(id))
            .copied()
            .collect();
        let mut forgotten = Vec::new();
        for (expiry, id) in old {
            self.by_expiry.remove(&(expiry, id));
            self.bytes -= self.requests.remove(&id).map_or(0, |r| reply_len(&r));
            layout::remove_request(tree, &id);
            forgotten.push((id, None));
        }
        if self.bytes > KEEP_BYTES {
            let oldest: Vec<Hash> = self.by_expiry.iter().map(|(_, id)| *id).collect();
            for id in oldest {
                if self.bytes <= KEEP_BYTES / 2 {
                    break;
                }
                if let Some(request) = self.requests.get_mut(&id)
                    && matches!(request.progress, Progress::Answered(_))
                {
                    self.bytes -= reply_len(request);
                    request.progress = Progress::Done;
                    layout::set_done(tree, &id);
                    forgotten.push((id, Some(request.clone())));
                }
            }
        }
        forgotten
    }
}

fn reply_len(request: &Request) -> usize {
    match &request.progress {
        Progress::Answered(StoredResult::Reply(reply)) => reply.len(),
        _ => 0,
    }
}
