//! One execution: makes an instance over the committed heap, runs one entry point, and gathers
//! what changed. An execution that traps leaves nothing: its memory is dropped.

use super::changes::changed_pages;
use super::engine::{CanisterModule, engine};
use super::host::{Closure, Host, Mode, Trap};
use super::memory::{BackingFile, HeapSource, PAGE, set_next_heap};
use super::module::{MEMORY, START, TABLE};
use super::stable::{Run, join};
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
    /// The committed heap and its globals.
    Committed(HeapSource, &'a [Global]),
}

/// Runs `entry`. With `keep`, the changes to the heap are gathered.
pub(crate) fn run(
    module: &CanisterModule,
    heap: Heap<'_>,
    host: Host,
    entry: Entry<'_>,
    keep: bool,
) -> Result<Finished, Trap> {
    let engine = engine().map_err(|e| Trap::Node(e.to_string()))?;
    let limit = host.limit;
    let mut store = Store::new(engine, host);
    let outcome = execute(module, heap, &mut store, entry, keep, limit);
    let left = store.get_fuel().unwrap_or(0);
    let outcome = outcome.map_err(|error| trap(&error, limit));
    Ok(Finished {
        host: store.into_data(),
        outcome,
        instructions: limit.saturating_sub(left),
    })
}

fn trap(error: &wasmtime::Error, limit: u64) -> Trap {
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return trap.clone();
    }
    match error.downcast_ref::<wasmtime::Trap>() {
        Some(wasmtime::Trap::OutOfFuel) => Trap::Instructions(limit),
        Some(trap) => Trap::Wasm(trap.to_string()),
        None => Trap::Node(format!("{error:#}")),
    }
}

fn execute(
    module: &CanisterModule,
    heap: Heap<'_>,
    store: &mut Store<Host>,
    entry: Entry<'_>,
    keep: bool,
    limit: u64,
) -> wasmtime::Result<Option<HeapChange>> {
    store.set_fuel(limit)?;
    let (source, globals) = match &heap {
        Heap::Fresh(source) => (source, None),
        Heap::Committed(source, globals) => (source, Some(*globals)),
    };
    set_next_heap(source.clone());
    let instance = module.code.instantiate(&mut *store)?;
    let memory = instance.get_memory(&mut *store, MEMORY);
    store.data_mut().memory = memory;
    match globals {
        None => begin(module, &instance, memory, store)?,
        Some(globals) => restore(module, &instance, globals, store)?,
    }
    enter(module, &instance, store, entry)?;
    if !keep {
        return Ok(None);
    }
    let globals = capture(module, &instance, store)?;
    let file = Arc::clone(&source.file);
    let (len, runs) = match memory {
        None => (0, Vec::new()),
        Some(memory) => {
            let data = memory.data(&*store);
            (data.len(), gather(data, &file)?)
        }
    };
    Ok(Some(HeapChange {
        file,
        len,
        runs,
        globals,
    }))
}

/// What a first instance needs: active data segments and the start function.
fn begin(
    module: &CanisterModule,
    instance: &Instance,
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
                .ok_or_else(|| Trap::Wasm("a callback is not in the function table".into()))?;
            function
                .typed::<u32, ()>(&*store)
                .map_err(|_| Trap::Wasm("a callback has another type".into()))?
                .call(&mut *store, closure.env)
        }
    }
}

/// Copies the changed pages out, neighbours joined.
fn gather(data: &[u8], file: &BackingFile) -> std::io::Result<Vec<Run>> {
    let changed = changed_pages(data, file)?;
    let mut runs = Vec::new();
    for (first, count) in join(changed.into_iter().map(|page| page as u64)) {
        let start = first as usize * PAGE;
        let end = start + count as usize * PAGE;
        let bytes = data.get(start..end).unwrap_or_default().to_vec();
        runs.push((start as u64, bytes));
    }
    Ok(runs)
}
