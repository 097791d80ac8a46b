//! One execution: makes an instance over the committed heap, runs one entry point, and gathers
//! what changed. An execution that traps leaves nothing: its memory is dropped.

use super::changes::changed_pages;
use super::engine::{CanisterModule, engine};
use super::host::{Closure, Host, Mode, Trap};
use super::memory::{BackingFile, HeapSource, PAGE, set_next_heap};
use super::module::{MEMORY, START, TABLE};
use super::stable::{Run, WASM_PAGE, join};
use super::trap::{of_wasm, traced};
use super::weights;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use wasmtime::{Instance, Memory, Store, Val};

/// The value of a mutable global.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Global {
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// The bits of a 32-bit float.
    F32(u32),
    /// The bits of a 64-bit float.
    F64(u64),
    /// A vector.
    V128(u128),
}

impl Global {
    fn of(value: &Val) -> Option<Self> {
        match value {
            Val::I32(v) => Some(Self::I32(*v)),
            Val::I64(v) => Some(Self::I64(*v)),
            Val::F32(v) => Some(Self::F32(*v)),
            Val::F64(v) => Some(Self::F64(*v)),
            Val::V128(v) => Some(Self::V128(v.as_u128())),
            _ => None,
        }
    }

    /// Whether it is of a type.
    pub(crate) fn is(self, ty: wasmparser::ValType) -> bool {
        let own = match self {
            Self::I32(_) => wasmparser::ValType::I32,
            Self::I64(_) => wasmparser::ValType::I64,
            Self::F32(_) => wasmparser::ValType::F32,
            Self::F64(_) => wasmparser::ValType::F64,
            Self::V128(_) => wasmparser::ValType::V128,
        };
        own == ty
    }

    fn value(self) -> Val {
        match self {
            Self::I32(v) => Val::I32(v),
            Self::I64(v) => Val::I64(v),
            Self::F32(v) => Val::F32(v),
            Self::F64(v) => Val::F64(v),
            Self::V128(v) => Val::V128(v.into()),
        }
    }
}

/// Where execution begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry<'a> {
    /// An exported function that must be there.
    Method(&'a str),
    /// An exported function that need not be there.
    Hook(&'a str),
    /// A callback.
    Callback(Closure),
}

/// A heap after an execution that did not trap.
#[derive(Debug)]
pub(crate) struct HeapChange {
    /// The file it was mapped from.
    pub(crate) file: Arc<BackingFile>,
    /// Its new size, bytes.
    pub(crate) len: usize,
    /// What was written.
    pub(crate) runs: Vec<Run>,
    /// Its mutable globals.
    pub(crate) globals: Vec<Global>,
}

/// What became of an execution.
pub(crate) struct Finished {
    /// The host with its effects and stable memory; worthless after a trap, but for the cycles.
    pub(crate) host: Host,
    /// The heap to commit, or why not.
    pub(crate) outcome: Result<Option<HeapChange>, Trap>,
    /// Instructions spent.
    pub(crate) instructions: u64,
}

/// Where the heap comes from.
pub(crate) enum Heap<'a> {
    /// A first instance: data segments are placed and the start function runs.
    Fresh(HeapSource),
    /// A first instance over a heap that is kept: only the start function runs.
    Kept(HeapSource),
    /// The committed heap and its globals.
    Committed(HeapSource, &'a [Global]),
    /// A heap that an execution changed and nobody committed.
    Changed(HeapSource, &'a HeapChange),
}

/// Runs `entry`. With `keep`, the changes to the heap are gathered.
pub(crate) fn run(
    module: &CanisterModule,
    heap: Heap<'_>,
    mut host: Host,
    entry: Entry<'_>,
    keep: bool,
) -> Result<Finished, Trap> {
    let engine = engine().map_err(|e| Trap::Node(e.to_string()))?;
    let (limit, mode) = (host.limit, host.mode);
    host.stable.begin(mode.stable_pages());
    let mut store = Store::new(engine, host);
    store.limiter(|host| host);
    let file = match &heap {
        Heap::Fresh(source)
        | Heap::Kept(source)
        | Heap::Committed(source, _)
        | Heap::Changed(source, _) => Arc::clone(&source.file),
    };
    let outcome = execute(module, heap, &mut store, entry, keep, limit);
    let outcome = outcome.map_err(|error| trap(module, &error, limit));
    let changed = if mode.keeps_changes() || keep {
        changes(&store, &file)?
    } else {
        Vec::new()
    };
    let charge = match mode.keeps_changes() {
        true => weights::DIRTY_PAGE.saturating_mul(changed.len() as u64),
        false => 0,
    };
    let left = store.get_fuel().unwrap_or(0).saturating_sub(charge);
    let outcome =
        outcome.map(|globals| globals.map(|globals| gather(&store, file, &changed, globals)));
    Ok(Finished {
        host: store.into_data(),
        outcome,
        instructions: limit.saturating_sub(left),
    })
}

fn trap(module: &CanisterModule, error: &wasmtime::Error, limit: u64) -> Trap {
    let name = |index| {
        let name = module.anatomy.names.get(&index)?;
        Some(match rustc_demangle::try_demangle(name) {
            Ok(demangled) => format!("{demangled:#}"),
            Err(_) => name.clone(),
        })
    };
    let trap = match (error.downcast_ref::<Trap>(), error.downcast_ref()) {
        (Some(trap), _) => trap.clone(),
        (None, Some(trap)) => of_wasm(*trap, limit),
        (None, None) => Trap::Node(format!("{error:#}")),
    };
    traced(trap, error.downcast_ref(), name)
}

/// The globals afterwards, when they are to be kept.
fn execute(
    module: &CanisterModule,
    heap: Heap<'_>,
    store: &mut Store<Host>,
    entry: Entry<'_>,
    keep: bool,
    limit: u64,
) -> wasmtime::Result<Option<Vec<Global>>> {
    store.set_fuel(limit)?;
    let kept = matches!(heap, Heap::Kept(_));
    let (source, globals, len, runs) = match heap {
        Heap::Fresh(source) | Heap::Kept(source) => (source, None, 0, None),
        Heap::Committed(source, globals) => (source, Some(globals), 0, None),
        Heap::Changed(source, change) => {
            let globals = change.globals.as_slice();
            (source, Some(globals), change.len, Some(&change.runs))
        }
    };
    set_next_heap(source);
    let instance = module.code.instantiate(&mut *store)?;
    let memory = instance.get_memory(&mut *store, MEMORY);
    store.data_mut().memory = memory;
    if let (Some(memory), Some(runs)) = (memory, runs) {
        let grown = len.saturating_sub(memory.data_size(&*store)) / WASM_PAGE as usize;
        memory.grow(&mut *store, grown as u64)?;
        for (offset, bytes) in runs {
            memory.write(&mut *store, usize::try_from(*offset)?, bytes)?;
        }
    }
    if let (Some(memory), None) = (memory, globals) {
        let bytes = memory.data_size(&*store) as u64;
        store.data_mut().take_up(bytes)?;
    }
    store.data_mut().running = true;
    match globals {
        None => {
            if !kept {
                place(module, memory, store)?;
            }
            start(module, &instance, store)?;
        }
        Some(globals) => restore(module, &instance, globals, store)?,
    }
    enter(module, &instance, store, entry)?;
    if keep {
        Ok(Some(capture(module, &instance, store)?))
    } else {
        Ok(None)
    }
}

/// Places active data segments.
fn place(
    module: &CanisterModule,
    memory: Option<Memory>,
    store: &mut Store<Host>,
) -> wasmtime::Result<()> {
    if let Some(memory) = memory {
        for (offset, bytes) in &module.anatomy.data {
            let offset = usize::try_from(*offset)?;
            memory
                .write(&mut *store, offset, bytes)
                .map_err(|_| Trap::Wasm("a data segment does not fit the memory".into()))?;
        }
    }
    Ok(())
}

/// Runs the start function.
fn start(
    module: &CanisterModule,
    instance: &Instance,
    store: &mut Store<Host>,
) -> wasmtime::Result<()> {
    if module.anatomy.has_start {
        let mode = std::mem::replace(&mut store.data_mut().mode, Mode::START);
        instance
            .get_typed_func::<(), ()>(&mut *store, START)?
            .call(&mut *store, ())?;
        store.data_mut().mode = mode;
    }
    Ok(())
}

fn restore(
    module: &CanisterModule,
    instance: &Instance,
    values: &[Global],
    store: &mut Store<Host>,
) -> wasmtime::Result<()> {
    for (name, value) in module.anatomy.globals.iter().zip(values) {
        if let Some(global) = instance.get_global(&mut *store, name) {
            global.set(&mut *store, value.value())?;
        }
    }
    Ok(())
}

fn capture(
    module: &CanisterModule,
    instance: &Instance,
    store: &mut Store<Host>,
) -> wasmtime::Result<Vec<Global>> {
    let mut values = Vec::with_capacity(module.anatomy.globals.len());
    for name in &module.anatomy.globals {
        let value = instance
            .get_global(&mut *store, name)
            .and_then(|global| Global::of(&global.get(&mut *store)))
            .ok_or_else(|| Trap::Node(format!("{name} cannot be kept")))?;
        values.push(value);
    }
    Ok(values)
}

fn enter(
    module: &CanisterModule,
    instance: &Instance,
    store: &mut Store<Host>,
    entry: Entry<'_>,
) -> wasmtime::Result<()> {
    match entry {
        Entry::Hook(name) if !module.exports(name) => Ok(()),
        Entry::Hook(name) | Entry::Method(name) => {
            if !module.exports(name) {
                return Err(Trap::MethodNotFound(format!("function '{name}'")).into());
            }
            instance
                .get_typed_func::<(), ()>(&mut *store, name)
                .map_err(|_| Trap::Contract(format!("'{name}' takes or returns values")))?
                .call(&mut *store, ())
        }
        Entry::Callback(closure) => {
            let function = instance
                .get_table(&mut *store, TABLE)
                .and_then(|table| table.get(&mut *store, closure.fun.into()))
                .and_then(|element| element.unwrap_func().copied())
                .ok_or(Trap::FunctionNotFound(closure.fun))?;
            function
                .typed::<u32, ()>(&*store)
                .map_err(|_| of_wasm(wasmtime::Trap::BadSignature, 0))?
                .call(&mut *store, closure.env)
        }
    }
}

/// The pages of the heap that were written.
fn changes(store: &Store<Host>, file: &BackingFile) -> Result<Vec<usize>, Trap> {
    match store.data().memory {
        None => Ok(Vec::new()),
        Some(memory) => {
            changed_pages(memory.data(store), file).map_err(|e| Trap::Node(e.to_string()))
        }
    }
}

/// Copies the changed pages out, neighbours joined.
fn gather(
    store: &Store<Host>,
    file: Arc<BackingFile>,
    changed: &[usize],
    globals: Vec<Global>,
) -> HeapChange {
    let data = store
        .data()
        .memory
        .map_or(&[][..], |memory| memory.data(store));
    let mut runs = Vec::new();
    for (first, count) in join(changed.iter().map(|page| *page as u64)) {
        let start = first as usize * PAGE;
        let end = start + count as usize * PAGE;
        let bytes = data.get(start..end).unwrap_or_default().to_vec();
        runs.push((start as u64, bytes));
    }
    HeapChange {
        file,
        len: data.len(),
        runs,
        globals,
    }
}
