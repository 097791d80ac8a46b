//! A canister together with its open files and compiled code, and how others look at it while it
//! changes. What is kept of it is in `state`.

use crate::exec::engine::CanisterModule;
use crate::exec::memory::{BackingFile, HeapSource};
use crate::exec::stable::{StableView, WASM_PAGE};
use crate::node::counts::QueryCounts;
use crate::node::logs::Logs;
use crate::node::places::Places;
use crate::node::state::Canister;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A canister with its files and code.
#[derive(Clone)]
pub(crate) struct Loaded {
    /// What is kept.
    pub(crate) state: Canister,
    /// Its code.
    pub(crate) module: Option<Arc<CanisterModule>>,
    /// Its heap, when there is code.
    pub(crate) heap: Option<Arc<BackingFile>>,
    /// Its stable memory.
    pub(crate) stable: Arc<BackingFile>,
    /// Its logs.
    pub(crate) logs: Arc<Logs>,
    /// Queries answered.
    pub(crate) queries: Arc<QueryCounts>,
    looking: Option<Looking>,
}

impl Loaded {
    /// Opens the files of what is kept.
    pub(crate) fn open(
        dir: &Path,
        state: Canister,
        module: Option<Arc<CanisterModule>>,
    ) -> std::io::Result<Self> {
        let places = Places::new(dir, state.id);
        let queries = QueryCounts::from(state.queries);
        std::fs::create_dir_all(&places.dir)?;
        let stable = BackingFile::open(
            &places.stable(state.stable.generation),
            state.stable.pages * WASM_PAGE,
        )?;
        let heap = match module {
            None => None,
            Some(_) => Some(BackingFile::open(
                &places.heap(state.heap.generation),
                state.heap.len,
            )?),
        };
        Ok(Self {
            state,
            module,
            heap,
            stable,
            logs: Arc::default(),
            queries: Arc::new(queries),
            looking: None,
        })
    }

    /// Whether its code exports a function of this name.
    pub(crate) fn exports(&self, name: &str) -> bool {
        let module = self.module.as_ref();
        module.is_some_and(|module| module.exports(name))
    }

    /// The committed heap, when there is code.
    pub(crate) fn heap_source(&self) -> Option<HeapSource> {
        if let Some(looking) = &self.looking {
            return looking.heap.clone();
        }
        let file = Arc::clone(self.heap.as_ref()?);
        let len = usize::try_from(self.state.heap.len).ok()?;
        HeapSource::committed(file, len).ok()
    }

    /// A view of the committed stable memory.
    pub(crate) fn stable_view(&self) -> StableView {
        let made = self.looking.as_ref().and_then(|looking| {
            let mut view = looking
                .stable
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            view.take()
        });
        if let Some(view) = made {
            return view;
        }
        StableView::new(Arc::clone(&self.stable), self.state.stable.pages)
    }
}

/// A canister others may look at. A commit takes the write lock, but only to put its pages and
/// what it changed in their places.
pub(crate) struct Cell {
    /// What is committed.
    pub(crate) committed: RwLock<Loaded>,
}

impl Cell {
    /// The canister as it is now, with views of its memories that later commits do not change.
    pub(crate) fn look(&self) -> Loaded {
        let committed = self
            .committed
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let mut loaded = committed.clone();
        let mut stable = committed.stable_view();
        // Without a view there is nothing to run on.
        let opened = stable.open();
        loaded.looking = Some(Looking {
            heap: opened.ok().and_then(|()| committed.heap_source()),
            stable: Arc::new(Mutex::new(Some(stable))),
        });
        loaded
    }
}

/// Views made while nothing could be committed.
#[derive(Clone)]
struct Looking {
    heap: Option<HeapSource>,
    stable: Arc<Mutex<Option<StableView>>>,
}
