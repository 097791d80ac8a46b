//! Takes a canister's Wasm apart: checks what it imports and exports, and re-encodes it so that
//! memory, table, mutable globals and start function can be reached and active data segments are
//! ours to place. Knows nothing of execution.

use super::checks::{self, Checks};
use super::code;
use super::run::Global;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use wasm_encoder::{DataSection, ExportKind, ExportSection, RawSection};
use wasmparser::{DataKind, ExternalKind, Operator, Parser, Payload, TypeRef, ValType};

/// Names under which the re-encoded module exports what the host needs.
pub(crate) const MEMORY: &str = "localnet memory";
/// The function table.
pub(crate) const TABLE: &str = "localnet table";
/// The start function.
pub(crate) const START: &str = "localnet start";
/// Largest module after decompression (interface specification), bytes.
const MAX_WASM: u64 = 100 << 20;

/// Why a module cannot be installed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModuleError {
    /// Not WebAssembly.
    #[error("not a valid Wasm module: {0}")]
    Parse(#[from] wasmparser::BinaryReaderError),
    /// Compressed content that cannot be read.
    #[error("not a valid gzip stream, or more than 100 MiB")]
    Gzip,
    /// Something the IC or this node does not have.
    #[error("{0}")]
    Unsupported(String),
    /// The compiler refuses it.
    #[error("not a valid Wasm module: {0}")]
    Compile(String),
}

/// A custom section `icp:public NAME` or `icp:private NAME`.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    /// Who may read it: everyone, or the controllers.
    pub(crate) public: bool,
    /// Its bytes.
    pub(crate) content: Vec<u8>,
}

/// A global that a snapshot lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    /// A mutable one, of this type: its value is state.
    Mutable(ValType),
    /// An exported constant.
    Constant(Global),
}

/// What was learnt about a module.
#[derive(Debug, Default)]
pub(crate) struct Anatomy {
    /// Exported functions by name.
    pub(crate) functions: BTreeSet<String>,
    /// Export names of the mutable globals, in index order.
    pub(crate) globals: Vec<String>,
    /// The globals a snapshot lists: either exported or mutable, in index order. Exported constants
    /// that are computed are left out.
    pub(crate) listed: Vec<Listed>,
    /// What to write where when the module is installed.
    pub(crate) data: Vec<(u64, Vec<u8>)>,
    /// Certified metadata.
    pub(crate) metadata: BTreeMap<String, Metadata>,
    /// Bytes in exported custom sections, their names included.
    pub(crate) custom_bytes: usize,
    /// Names of functions by index, when the module tells them.
    pub(crate) names: BTreeMap<u32, String>,
    /// Whether it has a memory at all.
    pub(crate) has_memory: bool,
    /// Whether it has a start function.
    pub(crate) has_start: bool,
}

impl Anatomy {
    /// What a snapshot lists, from the values of the mutable globals.
    pub(crate) fn list_globals(&self, mutable: &[Global]) -> Vec<Global> {
        let mut mutable = mutable.iter().copied();
        let value = |listed: &Listed| match listed {
            Listed::Mutable(_) => mutable.next(),
            Listed::Constant(value) => Some(*value),
        };
        self.listed.iter().filter_map(value).collect()
    }

    /// The values of the mutable globals from what a snapshot lists; none if that does not fit.
    pub(crate) fn mutable_globals(&self, listed: &[Global]) -> Option<Vec<Global>> {
        if listed.len() != self.listed.len() {
            return None;
        }
        let mut mutable = Vec::with_capacity(self.globals.len());
        for (wanted, value) in self.listed.iter().zip(listed) {
            match wanted {
                Listed::Mutable(ty) if value.is(*ty) => mutable.push(*value),
                Listed::Constant(constant) if value == constant => {}
                _ => return None,
            }
        }
        Some(mutable)
    }
}

/// Undoes gzip when the bytes are gzip.
pub(crate) fn decompress(bytes: &[u8]) -> Result<Vec<u8>, ModuleError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes.to_vec());
    }
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes)
        .take(MAX_WASM + 1)
        .read_to_end(&mut out)
        .map_err(|_| ModuleError::Gzip)?;
    if out.len() as u64 > MAX_WASM {
        return Err(ModuleError::Gzip);
    }
    Ok(out)
}

#[derive(Default)]
struct Rewriter {
    anatomy: Anatomy,
    checks: Checks,
    exports: ExportSection,
    exports_written: bool,
    start: Option<u32>,
    tables: u32,
    memories: u32,
    globals: u32,
    /// Globals that are listed whatever is exported, and constants that are if they are exported.
    candidates: BTreeMap<u32, Listed>,
    exported: BTreeSet<u32>,
}

/// Re-encodes a module. `known` tells which functions of `ic0` exist.
pub(crate) fn dissect(
    wasm: &[u8],
    known: impl Fn(&str) -> bool,
) -> Result<(Vec<u8>, Anatomy), ModuleError> {
    let mut out = wasm_encoder::Module::new();
    let mut r = Rewriter::default();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if comes_after_exports(&payload) {
            r.write_exports(&mut out);
        }
        let raw = payload.as_section();
        match payload {
            Payload::ExportSection(_)
            | Payload::StartSection { .. }
            | Payload::CustomSection(_) => {}
            Payload::CodeSectionStart { ref range, .. } => {
                code::add(&mut out, wasm.get(range.clone()).unwrap_or_default())?;
            }
            Payload::DataSection(ref reader) => {
                let section = r.data(reader.clone())?;
                out.section(&section);
            }
            _ => {
                if let Some((id, range)) = raw {
                    let data = wasm.get(range).unwrap_or_default();
                    out.section(&RawSection { id, data });
                }
            }
        }
        r.learn(payload, &known)?;
    }
    r.write_exports(&mut out);
    r.anatomy.custom_bytes = r.checks.section_bytes();
    let exported = r.exported;
    let candidates = r
        .candidates
        .into_iter()
        .filter(|(index, listed)| matches!(listed, Listed::Mutable(_)) || exported.contains(index));
    r.anatomy.listed = candidates.map(|(_, listed)| listed).collect();
    Ok((out.finish(), r.anatomy))
}

fn comes_after_exports(payload: &Payload<'_>) -> bool {
    matches!(
        payload,
        Payload::ElementSection(_)
            | Payload::DataCountSection { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::DataSection(_)
            | Payload::End(_)
    )
}

impl Rewriter {
    fn learn(
        &mut self,
        payload: Payload<'_>,
        known: &impl Fn(&str) -> bool,
    ) -> Result<(), ModuleError> {
        match payload {
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    let import = import?;
                    let (module, name) = (import.module, import.name);
                    if !matches!(import.ty, TypeRef::Func(_)) || module != "ic0" || !known(name) {
                        return Err(ModuleError::Unsupported(format!(
                            "Wasm module has an invalid import section. Module imports \
                             '{name}' from '{module}', which this node does not provide"
                        )));
                    }
                    if let TypeRef::Func(ty) = import.ty {
                        self.checks.imported(ty);
                    }
                }
            }
            Payload::TypeSection(reader) => self.checks.types(reader)?,
            Payload::FunctionSection(reader) => self.checks.defined(reader)?,
            Payload::TableSection(reader) => {
                self.tables = reader.count();
                for table in reader {
                    Checks::table(self.tables, table?.ty.initial)?;
                }
            }
            Payload::MemorySection(reader) => {
                self.memories = reader.count();
                for memory in reader {
                    let memory = memory?;
                    if memory.memory64 || memory.shared || memory.page_size_log2.is_some() {
                        return Err(unsupported("64-bit, shared or custom-page memories"));
                    }
                }
                if self.memories > 1 {
                    return Err(unsupported("more than one memory"));
                }
            }
            Payload::GlobalSection(reader) => {
                Checks::globals(reader.count())?;
                for global in reader {
                    let global = global?;
                    if matches!(global.ty.content_type, ValType::Ref(_)) {
                        return Err(unsupported("globals that hold references"));
                    }
                    if global.ty.mutable {
                        let name = format!("localnet global {}", self.globals);
                        self.exports.export(&name, ExportKind::Global, self.globals);
                        self.anatomy.globals.push(name);
                        let listed = Listed::Mutable(global.ty.content_type);
                        self.candidates.insert(self.globals, listed);
                    } else if let Some(value) = constant(&global.init_expr)? {
                        self.candidates
                            .insert(self.globals, Listed::Constant(value));
                    }
                    self.globals += 1;
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export?;
                    let kind = match export.kind {
                        ExternalKind::Func => {
                            self.checks.exported(export.name, export.index)?;
                            self.anatomy.functions.insert(export.name.to_owned());
                            ExportKind::Func
                        }
                        ExternalKind::Table => ExportKind::Table,
                        ExternalKind::Memory => ExportKind::Memory,
                        ExternalKind::Global => {
                            self.exported.insert(export.index);
                            ExportKind::Global
                        }
                        _ => return Err(unsupported("exports of this kind")),
                    };
                    self.exports.export(export.name, kind, export.index);
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::CustomSection(section) => {
                if section.name() == "name" {
                    self.anatomy.names = checks::function_names(&section);
                }
                let checked = self.checks.section(section.name(), section.data())?;
                let Some((public, name)) = checked else {
                    return Ok(());
                };
                let content = section.data().to_vec();
                self.anatomy
                    .metadata
                    .insert(name.to_owned(), Metadata { public, content });
            }
            _ => {}
        }
        Ok(())
    }

    fn write_exports(&mut self, out: &mut wasm_encoder::Module) {
        if std::mem::replace(&mut self.exports_written, true) {
            return;
        }
        if self.memories > 0 {
            self.exports.export(MEMORY, ExportKind::Memory, 0);
            self.anatomy.has_memory = true;
        }
        if self.tables > 0 {
            self.exports.export(TABLE, ExportKind::Table, 0);
        }
        if let Some(start) = self.start {
            self.exports.export(START, ExportKind::Func, start);
            self.anatomy.has_start = true;
        }
        out.section(&self.exports);
    }

    /// Keeps passive segments; empties active ones, remembering what they place.
    fn data(
        &mut self,
        reader: wasmparser::DataSectionReader<'_>,
    ) -> Result<DataSection, ModuleError> {
        let mut section = DataSection::new();
        for segment in reader {
            let segment = segment?;
            match segment.kind {
                DataKind::Passive => section.passive(segment.data.iter().copied()),
                DataKind::Active { offset_expr, .. } => {
                    let mut operators = offset_expr.get_operators_reader();
                    let offset = match operators.read()? {
                        Operator::I32Const { value } => u64::from(value.cast_unsigned()),
                        _ => return Err(unsupported("data segments at computed places")),
                    };
                    self.anatomy.data.push((offset, segment.data.to_vec()));
                    section.passive([])
                }
            };
        }
        Ok(section)
    }
}

/// The value of a constant expression that is one instruction.
fn constant(expression: &wasmparser::ConstExpr<'_>) -> Result<Option<Global>, ModuleError> {
    let mut operators = expression.get_operators_reader();
    let value = match operators.read()? {
        Operator::I32Const { value } => Global::I32(value),
        Operator::I64Const { value } => Global::I64(value),
        Operator::F32Const { value } => Global::F32(value.bits()),
        Operator::F64Const { value } => Global::F64(value.bits()),
        Operator::V128Const { value } => Global::V128(u128::from_le_bytes(*value.bytes())),
        _ => return Ok(None),
    };
    Ok(matches!(operators.read()?, Operator::End).then_some(value))
}

fn unsupported(what: &str) -> ModuleError {
    ModuleError::Unsupported(format!("{what} are not supported by this node"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dissect_text(text: &str) -> Result<(Vec<u8>, Anatomy), ModuleError> {
        dissect(&wat::parse_str(text).unwrap(), |name| name == "time")
    }

    #[test]
    fn an_unknown_import_is_named() {
        let error = dissect_text(r#"(module (import "ic0" "tiem" (func)))"#).unwrap_err();
        assert!(error.to_string().contains("'tiem'"), "{error}");
        let error = dissect_text(r#"(module (import "env" "time" (func)))"#).unwrap_err();
        assert!(error.to_string().contains("'env'"), "{error}");
    }

    #[test]
    fn a_module_without_exports_gets_them() {
        let (wasm, anatomy) = dissect_text(
            r#"(module (memory 1) (global (mut i32) (i32.const 3)) (func $s) (start $s)
                (table 1 funcref) (elem (i32.const 0) $s) (data (i32.const 8) "hi"))"#,
        )
        .unwrap();
        wasmparser::validate(&wasm).unwrap();
        assert_eq!(anatomy.globals.len(), 1);
        assert_eq!(anatomy.listed, [Listed::Mutable(ValType::I32)]);
        assert!(anatomy.has_start && anatomy.has_memory);
        assert_eq!(anatomy.data, [(8, b"hi".to_vec())]);
    }

    #[test]
    fn globals_are_listed_when_they_are_exported_or_mutable() {
        let (_, anatomy) = dissect_text(
            r#"(module (global i32 (i32.const 1)) (global (export "base") i32 (i32.const 2))
                (global (mut i64) (i64.const 3)) (global (export "end") f64 (f64.const 4)))"#,
        )
        .unwrap();
        let end = Global::F64(4_f64.to_bits());
        let listed = [Global::I32(2), Global::I64(7), end];
        assert_eq!(anatomy.list_globals(&[Global::I64(7)]), listed);
        assert_eq!(anatomy.mutable_globals(&listed), Some(vec![Global::I64(7)]));
        for wrong in [
            vec![Global::I32(3), Global::I64(7), end],
            vec![Global::I32(2), Global::I32(7), end],
            vec![Global::I64(7)],
        ] {
            assert_eq!(anatomy.mutable_globals(&wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_method_of_two_kinds_is_refused() {
        let error = dissect_text(
            r#"(module (func (export "canister_update x")) (func (export "canister_query x")))"#,
        )
        .unwrap_err();
        assert!(error.to_string().contains("'x'"), "{error}");
    }
}
