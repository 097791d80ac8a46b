//! Everything one message changes, gathered and then committed at once: journal first, then
//! memories, tree and waiting agents. What a transaction does not commit never happened.

use super::executor::Work;
use super::ingress::{Progress, Request};
use super::load::{encode, key};
use super::loaded::{Cell, Loaded};
use super::logs::Logs;
use super::places::Places;
use super::state::{Origin, Task};
use super::tasks::due;
use super::{Core, Node};
use crate::certify::{StateTree, layout};
use crate::exec::memory::BackingFile;
use crate::exec::stable::Run;
use crate::persist::{self, Batch, PersistError};
use crate::wire::response::CallResult;
use crate::wire::value::Hash;
use candid::Principal;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// Changed pages of one file.
type FilePages = (Arc<BackingFile>, Vec<Run>);

struct Draft {
    loaded: Loaded,
    pages: Vec<FilePages>,
    logged: bool,
}

/// What one message changes.
pub(crate) struct Transaction<'n> {
    /// The node it changes.
    pub(crate) node: &'n Node,
    /// Messages between canisters to send.
    pub(crate) tasks: Vec<Task>,
    /// The number the next canister gets.
    pub(crate) next_canister: u64,
    first_canister: u64,
    drafts: BTreeMap<Principal, Option<Draft>>,
    answers: Vec<(Hash, CallResult)>,
    removals: Vec<PathBuf>,
    values: Vec<(String, Option<Vec<u8>>)>,
    begun: Option<Hash>,
    after: Vec<Box<dyn FnOnce() + Send>>,
    /// Canisters nobody else changes meanwhile.
    held: BTreeSet<Principal>,
    /// Canisters it would have to hold, but others do: it must not be committed.
    missing: BTreeSet<Principal>,
}

impl<'n> Transaction<'n> {
    /// A transaction that changes nothing yet, and holds these canisters.
    pub(crate) fn new(node: &'n Node, held: BTreeSet<Principal>) -> Self {
        let next_canister = node.numbers().next_canister;
        Self {
            node,
            tasks: Vec::new(),
            next_canister,
            first_canister: next_canister,
            drafts: BTreeMap::new(),
            answers: Vec::new(),
            removals: Vec::new(),
            values: Vec::new(),
            begun: None,
            after: Vec::new(),
            held,
            missing: BTreeSet::new(),
        }
    }

    /// The canisters it holds, and those it would have to hold.
    pub(crate) fn canisters(&self) -> (BTreeSet<Principal>, BTreeSet<Principal>) {
        (self.held.clone(), self.missing.clone())
    }

    /// Notes which request by an agent it begins.
    pub(crate) fn begins(&mut self, request: Hash) {
        self.values.push((key::waiting(&request), None));
        self.begun = Some(request);
    }

    /// Notes which message between canisters it consumes.
    pub(crate) fn ends(&mut self, task: Option<u64>) {
        self.values
            .extend(task.map(|number| (key::task(number), None)));
    }

    /// Keeps a value of the node's own.
    pub(crate) fn set(&mut self, key: &str, value: Vec<u8>) {
        self.values.push((key.to_owned(), Some(value)));
    }

    /// Does something once this is committed.
    pub(crate) fn then(&mut self, action: impl FnOnce() + Send + 'static) {
        self.after.push(Box::new(action));
    }

    /// Whether nobody else changes this canister meanwhile.
    fn holds(&mut self, id: Principal) -> bool {
        if self.held.contains(&id) {
            return true;
        }
        let claimed = self.node.plan().schedule.claim(id);
        if claimed {
            self.held.insert(id);
        } else {
            self.missing.insert(id);
        }
        claimed
    }

    /// A canister as this transaction leaves it, for changing.
    pub(crate) fn canister(&mut self, id: Principal) -> Option<&mut Loaded> {
        if !self.holds(id) {
            return None;
        }
        if !self.drafts.contains_key(&id) {
            let cell = self.node.cell(id)?;
            let mut loaded = cell
                .committed
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            loaded.pay_for_keeping(self.node.clock.canisters());
            self.create(loaded);
        }
        let draft = self.drafts.get_mut(&id)?.as_mut()?;
        Some(&mut draft.loaded)
    }

    /// Whether there is a canister of this id.
    pub(crate) fn exists(&mut self, id: Principal) -> bool {
        self.canister(id).is_some()
    }

    /// Adds a canister.
    pub(crate) fn create(&mut self, loaded: Loaded) {
        let draft = Draft {
            pages: Vec::new(),
            logged: false,
            loaded,
        };
        self.drafts.insert(draft.loaded.state.id, Some(draft));
    }

    /// Changes a canister's logs.
    pub(crate) fn logs(&mut self, id: Principal, change: impl FnOnce(&mut Logs)) {
        if self.canister(id).is_some()
            && let Some(Some(draft)) = self.drafts.get_mut(&id)
        {
            change(Arc::make_mut(&mut draft.loaded.logs));
            draft.logged = true;
        }
    }

    /// Removes a canister.
    pub(crate) fn delete(&mut self, id: Principal) {
        self.drafts.insert(id, None);
    }

    /// Writes pages of one of a canister's files when this commits.
    pub(crate) fn write(&mut self, id: Principal, file: &Arc<BackingFile>, runs: Vec<Run>) {
        if let Some(Some(draft)) = self.drafts.get_mut(&id)
            && !runs.is_empty()
        {
            draft.pages.push((Arc::clone(file), runs));
        }
    }

    /// Takes back every change: only that the message was begun and ends stays.
    pub(crate) fn abandon(&mut self) {
        self.tasks.clear();
        self.next_canister = self.first_canister;
        self.drafts.clear();
        self.answers.clear();
        self.removals.clear();
    }

    /// Removes a file or folder after this commits.
    pub(crate) fn remove_later(&mut self, path: PathBuf) {
        self.removals.push(path);
    }

    /// Answers whoever waits for a call.
    pub(crate) fn respond(&mut self, origin: &Origin, result: CallResult, refund: u128) {
        match origin {
            Origin::Ingress(id) => self.answers.push((*id, result)),
            Origin::Canister { id, callback } => self.tasks.push(Task::Response {
                to: *id,
                callback: *callback,
                result: result.into(),
                refund: super::state::Cycles(refund),
            }),
            Origin::System => {}
        }
    }

    /// Commits everything.
    pub(crate) fn commit(mut self) -> Result<(), PersistError> {
        let node = self.node;
        let mut values = std::mem::take(&mut self.values);
        let mut pages = Vec::new();
        for (id, draft) in &mut self.drafts {
            let name = format!("{}{id}", key::CANISTER);
            let logs = format!("{}{id}", key::LOGS);
            match draft {
                None => {
                    values.push((name, None));
                    values.push((logs, None));
                    values.push((format!("{}{id}", key::DELETED), Some(encode(id))));
                }
                Some(draft) => {
                    draft.loaded.state.queries = draft.loaded.queries.total();
                    values.push((name, Some(encode(&draft.loaded.state))));
                    if draft.logged {
                        values.push((logs, Some(encode(&*draft.loaded.logs))));
                    }
                    pages.append(&mut draft.pages);
                }
            }
        }
        // Whoever holds the numbers commits: one after another.
        let mut numbers = node.numbers();
        if self.next_canister != self.first_canister {
            numbers.next_canister = self.next_canister;
            values.push((key::NUMBERS.into(), Some(encode(&*numbers))));
        }
        let mut tasks = Vec::new();
        for task in std::mem::take(&mut self.tasks) {
            numbers.next_task += 1;
            values.push((key::task(numbers.next_task), Some(encode(&task))));
            tasks.push((numbers.next_task, task));
        }
        self.add_requests(&mut values);
        let batch = Batch { values, pages };
        node.store().commit(&batch)?;
        let timers = match self.publish(&batch.pages) {
            Ok(timers) => timers,
            Err(error) => {
                // The journal has it, memories do not.
                node.store().give_up();
                return Err(error);
            }
        };
        if let Err(error) = node.store().tidy() {
            eprintln!("localnet: the journal could not be folded: {error}");
        }
        let mut plan = node.plan();
        for (id, due) in timers {
            plan.schedule.set_timer(id, due);
        }
        for (number, task) in tasks {
            plan.schedule
                .add(Work::lane_of(&task), Work::Task(number, task));
        }
        drop(plan);
        drop(numbers);
        for path in self.removals {
            // A file that stays is swept at the next start.
            let _ = if path.is_dir() {
                std::fs::remove_dir_all(path)
            } else {
                std::fs::remove_file(path)
            };
        }
        for action in self.after {
            action();
        }
        Ok(())
    }

    fn add_requests(&self, values: &mut Vec<(String, Option<Vec<u8>>)>) {
        if self.answers.is_empty() && self.begun.is_none() {
            return;
        }
        let mut core = self.node.core();
        let Core { tree, ingress, .. } = &mut *core;
        if let Some(id) = self.begun
            && let Some(request) = ingress.get(&id)
        {
            let request = Request {
                progress: Progress::Processing,
                ..request.clone()
            };
            values.push((key::ingress(&id), Some(encode(&request))));
        }
        for (id, result) in &self.answers {
            if let Some(request) = ingress.get(id) {
                let request = Request {
                    progress: Progress::Answered(result.clone().into()),
                    ..request.clone()
                };
                values.push((key::ingress(id), Some(encode(&request))));
            }
        }
        for (id, request) in ingress.prune(tree, super::Clock::wire()) {
            values.push((key::ingress(&id), request.map(|request| encode(&request))));
        }
    }

    /// Makes the commit visible: memories under their canister's lock, then tree and answers.
    /// When canisters are to be looked at next.
    fn publish(
        &mut self,
        pages: &[FilePages],
    ) -> Result<Vec<(Principal, Option<u64>)>, PersistError> {
        let mut timers = Vec::new();
        for (id, draft) in std::mem::take(&mut self.drafts) {
            timers.push((id, draft.as_ref().and_then(|draft| due(&draft.loaded))));
            let cell = self.node.cell(id);
            match (draft, cell) {
                (None, _) => {
                    let mut core = self.node.core();
                    core.canisters.remove(&id);
                    core.deleted.insert(id);
                    layout::remove_canister(&mut core.tree, id);
                }
                (Some(draft), None) => {
                    persist::apply(pages)?;
                    let mut core = self.node.core();
                    show(&mut core.tree, &draft.loaded);
                    let committed = RwLock::new(draft.loaded);
                    core.canisters.insert(id, Arc::new(Cell { committed }));
                }
                (Some(draft), Some(cell)) => {
                    let mut committed = cell
                        .committed
                        .write()
                        .unwrap_or_else(PoisonError::into_inner);
                    let folder = Places::new(&self.node.dir, id).dir;
                    let of_this = |file: &Arc<BackingFile>| file.path().starts_with(&folder);
                    for part in pages.iter().filter(|(file, _)| of_this(file)) {
                        persist::apply(std::slice::from_ref(part))?;
                    }
                    show(&mut self.node.core().tree, &draft.loaded);
                    *committed = draft.loaded;
                }
            }
        }
        let mut core = self.node.core();
        let Core { tree, ingress, .. } = &mut *core;
        if let Some(id) = self.begun {
            ingress.process(tree, &id);
        }
        for (id, result) in std::mem::take(&mut self.answers) {
            ingress.answer(tree, &id, result);
        }
        Ok(timers)
    }
}

/// Shows a canister in the state tree.
pub(crate) fn show(tree: &mut StateTree, loaded: &Loaded) {
    let module = loaded.module.as_ref().map(|module| {
        let sections = module.anatomy.metadata.iter();
        (
            module.hash,
            sections
                .map(|(name, section)| (name.as_str(), section))
                .collect(),
        )
    });
    layout::set_canister(
        tree,
        &layout::Shown {
            id: loaded.state.id,
            controllers: &loaded.state.controllers,
            created: loaded.state.history.created,
            deployed: loaded.state.history.deployed,
            certified_data: &loaded.state.certified_data,
            module,
        },
    );
}
