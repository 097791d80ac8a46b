//! Requests by agents: which were seen, how they ended, and who waits for that.

use crate::certify::{StateTree, layout};
use crate::node::state::StoredResult;
use crate::wire::response::CallResult;
use crate::wire::value::Hash;
use candid::Principal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tokio::sync::oneshot;

/// Answers are kept this long after their request's expiry, ns.
const KEEP_NS: u64 = 5 * 60 * 1_000_000_000;
/// Replies kept at most, bytes; older ones are forgotten first and read "done".
const KEEP_BYTES: usize = 256 << 20;

/// How far a request has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Progress {
    /// Waiting or being worked on.
    Pending,
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
            Progress::Pending | Progress::Done => None,
        }
    }

    /// Begins a request; false when it is known already.
    pub(crate) fn begin(
        &mut self,
        tree: &mut StateTree,
        id: Hash,
        sender: Principal,
        expiry: u64,
    ) -> bool {
        if self.requests.contains_key(&id) {
            return false;
        }
        layout::set_pending(tree, &id, "received");
        self.by_expiry.insert((expiry, id));
        self.requests.insert(
            id,
            Request {
                sender,
                expiry,
                progress: Progress::Pending,
            },
        );
        true
    }

    /// Puts a remembered request back after a restart.
    pub(crate) fn restore(&mut self, tree: &mut StateTree, id: Hash, request: Request) {
        if let Progress::Answered(result) = &request.progress {
            let result = CallResult::from(result.clone());
            self.bytes += result.as_ref().map_or(0, Vec::len);
            layout::set_answer(tree, &id, &result);
        } else {
            layout::set_done(tree, &id);
        }
        self.by_expiry.insert((request.expiry, id));
        self.requests.insert(id, request);
    }

    /// Ends a request.
    pub(crate) fn answer(&mut self, tree: &mut StateTree, id: &Hash, result: CallResult) {
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
        match self.requests.get(id).map(|request| &request.progress) {
            Some(Progress::Pending) => self.waiting.entry(*id).or_default().push(sender),
            _ => {
                let _ = sender.send(());
            }
        }
        receiver
    }

    /// Forgets what is old at `now` (ns), and answers beyond the limit; what was forgotten
    /// entirely, and what is now "done".
    pub(crate) fn prune(&mut self, tree: &mut StateTree, now: u64) -> Vec<(Hash, Option<Request>)> {
        let mut forgotten = Vec::new();
        while let Some((expiry, id)) = self.by_expiry.first().copied() {
            let pending = matches!(
                self.requests.get(&id).map(|r| &r.progress),
                Some(Progress::Pending)
            );
            if expiry.saturating_add(KEEP_NS) >= now || pending {
                break;
            }
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
