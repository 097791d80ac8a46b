//! Everything one message changes, gathered and then committed at once: journal first, then
//! memories, tree and waiting agents. What a transaction does not commit never happened.

use super::executor::Queue;
use super::ingress::{Progress, Request};
use super::load::{encode, key};
use super::state::{Cell, Loaded, Origin, Task};
use super::{Core, Node};
use crate::certify::{StateTree, layout};
use crate::exec::memory::BackingFile;
use crate::exec::stable::Run;
use crate::persist::{self, Batch, PersistError};
use crate::wire::response::CallResult;
use crate::wire::value::Hash;
use candid::Principal;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// Changed pages of one file.
type FilePages = (Arc<BackingFile>, Vec<Run>);

struct Draft {
    loaded: Loaded,
    pages: Vec<FilePages>,
}

/// What one message changes.
pub(crate) struct Transaction<'n> {
    /// The node it changes.
    pub(crate) node: &'n Node,
    /// Messages between canisters to send.
    pub(crate) tasks: Vec<Task>,
    /// The number the next canister gets.
    pub(crate) next_canister: u64,
    drafts: BTreeMap<Principal, Option<Draft>>,
    answers: Vec<(Hash, CallResult)>,
    removals: Vec<PathBuf>,
}

impl<'n> Transaction<'n> {
    /// A transaction that changes nothing yet.
    pub(crate) fn new(node: &'n Node, next_canister: u64) -> Self {
        Self {
            node,
            tasks: Vec::new(),
            next_canister,
            drafts: BTreeMap::new(),
            answers: Vec::new(),
            removals: Vec::new(),
        }
    }

    /// A canister as this transaction leaves it, for changing.
    pub(crate) fn canister(&mut self, id: Principal) -> Option<&mut Loaded> {
        if !self.drafts.contains_key(&id) {
            let cell = self.node.cell(id)?;
            let loaded = cell
                .committed
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
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
        let pages = Vec::new();
        self.drafts
            .insert(loaded.state.id, Some(Draft { loaded, pages }));
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

    /// Commits everything; `queue` gets the messages to send.
    pub(crate) fn commit(mut self, queue: &mut Queue) -> Result<(), PersistError> {
        let mut values = Vec::new();
        let mut pages = Vec::new();
        for (id, draft) in &mut self.drafts {
            let name = format!("{}{id}", key::CANISTER);
            match draft {
                None => values.push((name, None)),
                Some(draft) => {
                    values.push((name, Some(encode(&draft.loaded.state))));
                    pages.append(&mut draft.pages);
                }
            }
        }
        let queue_changed =
            queue.changed || !self.tasks.is_empty() || queue.next_canister != self.next_canister;
        queue.next_canister = self.next_canister;
        queue.tasks.extend(self.tasks.drain(..));
        if queue_changed {
            values.push((key::QUEUE.into(), Some(encode(queue))));
            queue.changed = false;
        }
        self.add_answers(&mut values);
        let batch = Batch { values, pages };
        self.node.store().commit(&batch)?;
        self.publish(&batch.pages)?;
        self.node.store().tidy()?;
        for path in self.removals {
            // A file that stays is swept at the next start.
            let _ = if path.is_dir() {
                std::fs::remove_dir_all(path)
            } else {
                std::fs::remove_file(path)
            };
        }
        Ok(())
    }

    fn add_answers(&self, values: &mut Vec<(String, Option<Vec<u8>>)>) {
        if self.answers.is_empty() {
            return;
        }
        let name = |id: &Hash| format!("{}{}", key::INGRESS, hex::encode(id));
        let mut core = self.node.core();
        let Core { tree, ingress, .. } = &mut *core;
        for (id, result) in &self.answers {
            if let Some(request) = ingress.get(id) {
                let request = Request {
                    progress: Progress::Answered(result.clone().into()),
                    ..request.clone()
                };
                values.push((name(id), Some(encode(&request))));
            }
        }
        for (id, request) in ingress.prune(tree, super::Clock::wire()) {
            values.push((name(&id), request.map(|request| encode(&request))));
        }
    }

    /// Makes the commit visible: memories under their canister's lock, then tree and answers.
    fn publish(&mut self, pages: &[FilePages]) -> Result<(), PersistError> {
        for (id, draft) in std::mem::take(&mut self.drafts) {
            let cell = self.node.cell(id);
            match (draft, cell) {
                (None, _) => {
                    let mut core = self.node.core();
                    core.canisters.remove(&id);
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
                    let of_this = |file: &Arc<BackingFile>| {
                        Arc::ptr_eq(file, &draft.loaded.stable)
                            || draft
                                .loaded
                                .heap
                                .as_ref()
                                .is_some_and(|heap| Arc::ptr_eq(file, heap))
                    };
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
        for (id, result) in std::mem::take(&mut self.answers) {
            ingress.answer(tree, &id, result);
        }
        Ok(())
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
            certified_data: &loaded.state.certified_data,
            module,
        },
    );
}
