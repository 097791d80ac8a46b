//! What a module may declare: the interface specification's "WebAssembly module requirements",
//! with the limits it allows the IC to set. Function bodies are in `code`.

use super::module::ModuleError;
use std::collections::{BTreeMap, BTreeSet};
use wasmparser::{CompositeInnerType, FunctionSectionReader, TypeSectionReader};

/// Most functions, globals, exported custom sections and bytes in them, methods and bytes in their
/// names (interface specification).
const MAX_FUNCTIONS: u32 = 50_000;
const MAX_GLOBALS: u32 = 1_000;
const MAX_SECTIONS: usize = 16;
const MAX_SECTION_BYTES: usize = 1 << 20;
const MAX_METHODS: usize = 1_000;
const MAX_METHOD_NAMES: usize = 20_000;
/// Most elements of the one table (the replica's limit).
const MAX_TABLE: u64 = 1_000_000;

/// Entry points that are not methods.
const HOOKS: &[&str] = &[
    "canister_init",
    "canister_inspect_message",
    "canister_pre_upgrade",
    "canister_post_upgrade",
    "canister_heartbeat",
    "canister_on_low_wasm_memory",
    "canister_global_timer",
];
/// What the names of methods begin with.
const METHODS: &[&str] = &[
    "canister_update ",
    "canister_query ",
    "canister_composite_query ",
];

fn refused(what: impl std::fmt::Display) -> ModuleError {
    ModuleError::Unsupported(what.to_string())
}

fn at_most(what: &str, found: u64, allowed: u64) -> Result<(), ModuleError> {
    if found <= allowed {
        return Ok(());
    }
    Err(refused(format!(
        "Wasm module defined {found} {what} which exceeds the maximum number allowed {allowed}"
    )))
}

/// What has been seen of a module so far.
#[derive(Default)]
pub(super) struct Checks {
    /// For every type, whether it is `() -> ()`.
    types: Vec<bool>,
    /// The type of every function, imported ones first.
    functions: Vec<u32>,
    methods: BTreeSet<String>,
    method_names: usize,
    sections: BTreeSet<String>,
    section_bytes: usize,
}

impl Checks {
    /// Takes in the types.
    pub(super) fn types(&mut self, reader: TypeSectionReader<'_>) -> Result<(), ModuleError> {
        for group in reader {
            for ty in group?.types() {
                let CompositeInnerType::Func(function) = &ty.composite_type.inner else {
                    return Err(refused(
                        "garbage-collected types are not supported by the Internet Computer",
                    ));
                };
                let plain = function.params().is_empty() && function.results().is_empty();
                self.types.push(plain);
            }
        }
        Ok(())
    }

    /// Takes in an imported function.
    pub(super) fn imported(&mut self, ty: u32) {
        self.functions.push(ty);
    }

    /// Takes in the functions defined.
    pub(super) fn defined(&mut self, reader: FunctionSectionReader<'_>) -> Result<(), ModuleError> {
        at_most("functions", reader.count().into(), MAX_FUNCTIONS.into())?;
        for ty in reader {
            self.functions.push(ty?);
        }
        Ok(())
    }

    /// Checks how many globals there are.
    pub(super) fn globals(count: u32) -> Result<(), ModuleError> {
        at_most("globals", count.into(), MAX_GLOBALS.into())
    }

    /// Checks how large a table is, and how many there are.
    pub(super) fn table(count: u32, elements: u64) -> Result<(), ModuleError> {
        at_most("tables", count.into(), 1)?;
        at_most("table elements", elements, MAX_TABLE)
    }

    /// Checks an exported function.
    pub(super) fn exported(&mut self, name: &str, index: u32) -> Result<(), ModuleError> {
        let method = METHODS.iter().find_map(|prefix| name.strip_prefix(prefix));
        if let Some(method) = method {
            if !self.methods.insert(method.to_owned()) {
                return Err(refused(format!(
                    "Wasm module exports the method '{method}' more than once"
                )));
            }
            self.method_names += method.len();
            at_most("methods", self.methods.len() as u64, MAX_METHODS as u64)?;
            at_most(
                "bytes in the names of methods",
                self.method_names as u64,
                MAX_METHOD_NAMES as u64,
            )?;
        } else if !HOOKS.contains(&name) {
            if name.starts_with("canister_") {
                return Err(refused(format!(
                    "Wasm module exports '{name}', a name with the reserved prefix \"canister_\""
                )));
            }
            return Ok(());
        }
        let ty = self.functions.get(index as usize);
        match ty.and_then(|ty| self.types.get(*ty as usize)) {
            Some(true) => Ok(()),
            _ => Err(refused(format!(
                "Wasm module exports '{name}' with parameters or results, where () -> () is needed"
            ))),
        }
    }

    /// Whether a custom section is certified metadata: whether it is public, and its name.
    pub(super) fn section<'a>(
        &mut self,
        name: &'a str,
        content: &[u8],
    ) -> Result<Option<(bool, &'a str)>, ModuleError> {
        let Some(scoped) = name.strip_prefix("icp:") else {
            return Ok(None);
        };
        let (public, name) = match scoped.split_once(' ') {
            Some(("public", name)) => (true, name),
            Some(("private", name)) => (false, name),
            _ => {
                return Err(refused(format!(
                    "Wasm module has the custom section '{name}', neither public nor private"
                )));
            }
        };
        if !self.sections.insert(name.to_owned()) {
            return Err(refused(format!(
                "Wasm module has the custom section '{name}' more than once"
            )));
        }
        self.section_bytes += name.len() + content.len();
        at_most(
            "custom sections",
            self.sections.len() as u64,
            MAX_SECTIONS as u64,
        )?;
        at_most(
            "bytes in custom sections",
            self.section_bytes as u64,
            MAX_SECTION_BYTES as u64,
        )?;
        Ok(Some((public, name)))
    }

    /// Bytes in exported custom sections, their names included.
    pub(super) fn section_bytes(&self) -> usize {
        self.section_bytes
    }
}

/// The function names of a module's name section, empty where there is none.
pub(super) fn function_names(
    section: &wasmparser::CustomSectionReader<'_>,
) -> BTreeMap<u32, String> {
    let mut names = BTreeMap::new();
    let wasmparser::KnownCustom::Name(subsections) = section.as_known() else {
        return names;
    };
    // Names are for people: what cannot be read of them is left out.
    for subsection in subsections.into_iter().flatten() {
        if let wasmparser::Name::Function(functions) = subsection {
            for naming in functions.into_iter().flatten() {
                names.insert(naming.index, naming.name.to_owned());
            }
        }
    }
    names
}
