//! Function bodies. Refuses what the IC refuses in them, and makes instructions that cost more
//! than a cell of wasmtime's table holds cost what they should: before each of them the code gets
//! as many `nop`s, of cost 1, as are missing. Knows nothing of the rest of a module.

use super::module::ModuleError;
use super::weights::{DEAR, DEAR_CELL};
use wasm_encoder::{CodeSection, RawSection, SectionId};
use wasmparser::{BinaryReader, CodeSectionReader, Operator};

/// The instruction that does nothing, encoded.
const NOP: u8 = 0x01;
/// Largest code section, bytes, and most instructions and most complexity of a function: the
/// replica's limits (`dfinity/ic`, `rs/embedders/src/wasm_utils/validation.rs`).
const MAX_CODE: usize = 10 << 20;
const MAX_INSTRUCTIONS: u64 = 1_000_000;
const MAX_COMPLEXITY: u64 = 1_000_000;

/// Checks a code section, `content` being its bytes without id and length, and adds it to `out`,
/// encoded anew only where something in it is too dear for the table.
pub(super) fn add(out: &mut wasm_encoder::Module, content: &[u8]) -> Result<(), ModuleError> {
    if content.len() > MAX_CODE {
        return Err(ModuleError::Unsupported(format!(
            "Wasm module code section size of {} exceeds the maximum of {MAX_CODE} bytes",
            content.len()
        )));
    }
    let mut section = CodeSection::new();
    let mut padded = false;
    for (index, body) in CodeSectionReader::new(BinaryReader::new(content, 0))?
        .into_iter()
        .enumerate()
    {
        let body = body?;
        let start = body.range().start;
        let bytes = body.as_bytes();
        let mut code = Vec::new();
        let mut copied = 0;
        let mut instructions = 0_u64;
        let mut complexity = 0_u64;
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset()?;
            refuse_changing_tables(index, &operator)?;
            instructions += 1;
            complexity += u64::from(complexity_of(&operator));
            if is_dear(&operator) {
                let offset = offset - start;
                code.extend_from_slice(bytes.get(copied..offset).unwrap_or_default());
                code.resize(code.len() + DEAR - usize::from(DEAR_CELL), NOP);
                copied = offset;
                padded = true;
            }
        }
        if instructions > MAX_INSTRUCTIONS || complexity > MAX_COMPLEXITY {
            return Err(ModuleError::Unsupported(format!(
                "Wasm module contains a function at index {index} with {instructions} instructions \
                 and complexity {complexity}; at most {MAX_INSTRUCTIONS} and {MAX_COMPLEXITY} are \
                 allowed"
            )));
        }
        code.extend_from_slice(bytes.get(copied..).unwrap_or_default());
        section.raw(&code);
    }
    if padded {
        out.section(&section);
    } else {
        out.section(&RawSection {
            id: SectionId::Code.into(),
            data: content,
        });
    }
    Ok(())
}

fn is_dear(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::MemoryGrow { .. } | Operator::DataDrop { .. } | Operator::ElemDrop { .. }
    )
}

/// Tables never change: the IC keeps none between messages.
fn refuse_changing_tables(index: usize, operator: &Operator<'_>) -> Result<(), ModuleError> {
    let name = match operator {
        Operator::TableGrow { .. } => "table.grow",
        Operator::TableSet { .. } => "table.set",
        Operator::TableFill { .. } => "table.fill",
        Operator::TableCopy { .. } => "table.copy",
        Operator::TableInit { .. } => "table.init",
        _ => return Ok(()),
    };
    Err(ModuleError::Unsupported(format!(
        "Wasm module contains unsupported instruction {name} in function at index {index}"
    )))
}

/// How much an instruction adds to the complexity of its function, as the replica counts it.
fn complexity_of(operator: &Operator<'_>) -> u32 {
    use Operator::*;
    match operator {
        Block { .. }
        | Loop { .. }
        | If { .. }
        | Br { .. }
        | BrIf { .. }
        | BrTable { .. }
        | Call { .. }
        | CallIndirect { .. }
        | MemoryGrow { .. } => 50,
        TableGet { .. } => 14,
        RefFunc { .. } => 8,
        RefIsNull => 6,
        I32TruncF32S | I32TruncF32U | I32TruncF64S | I32TruncF64U | I64ExtendI32S
        | I64ExtendI32U | I64TruncF32S | I64TruncF32U | I64TruncF64S | I64TruncF64U
        | F32ConvertI32S | F32ConvertI32U | F32ConvertI64S | F32ConvertI64U | F32DemoteF64
        | F64ConvertI32S | F64ConvertI32U | F64ConvertI64S | F64ConvertI64U => 5,
        F32Neg | F32Abs | F64Neg | F64Abs | MemoryCopy { .. } => 4,
        F32Copysign
        | F64Copysign
        | F64Eq
        | I32RemU
        | I32RemS
        | I64RemU
        | I64RemS
        | I32DivU
        | I32DivS
        | I64DivU
        | I64DivS
        | MemoryFill { .. }
        | I32Load { .. }
        | I64Load { .. }
        | F32Load { .. }
        | F64Load { .. }
        | I32Load8S { .. }
        | I32Load8U { .. }
        | I32Load16S { .. }
        | I32Load16U { .. }
        | I64Load8S { .. }
        | I64Load8U { .. }
        | I64Load16S { .. }
        | I64Load16U { .. }
        | I64Load32S { .. }
        | I64Load32U { .. }
        | I32TruncSatF32S
        | I32TruncSatF32U
        | I32TruncSatF64S
        | I32TruncSatF64U
        | I64TruncSatF32S
        | I64TruncSatF32U
        | I64TruncSatF64S
        | I64TruncSatF64U => 3,
        GlobalGet { .. }
        | I32Popcnt
        | I64Popcnt
        | Select
        | MemorySize { .. }
        | I32Store { .. }
        | I32Store16 { .. }
        | I32Store8 { .. }
        | I64Store { .. }
        | I64Store32 { .. }
        | I64Store16 { .. }
        | I64Store8 { .. }
        | F64Store { .. }
        | F32Store { .. }
        | I32Eqz
        | I32Eq
        | I32Ne
        | I32LtS
        | I32LtU
        | I32GtS
        | I32GtU
        | I32LeS
        | I32LeU
        | I32GeS
        | I32GeU
        | I64Eqz
        | I64Eq
        | I64Ne
        | I64LtS
        | I64LtU
        | I64GtS
        | I64GtU
        | I64LeS
        | I64LeU
        | I64GeS
        | I64GeU
        | F32Eq
        | F32Ne
        | F32Lt
        | F32Gt
        | F32Le
        | F32Ge
        | F64Ne
        | F64Lt
        | F64Gt
        | F64Le
        | F64Ge
        | F32Ceil
        | F64Ceil
        | F32Floor
        | F64Floor
        | F32Sqrt
        | F64Sqrt
        | F32Trunc
        | F64Trunc
        | I32ReinterpretF32
        | I64ReinterpretF64
        | F32ReinterpretI32
        | F64ReinterpretI64
        | I32WrapI64
        | I32Extend8S
        | I32Extend16S
        | I64Extend8S
        | I64Extend16S
        | I64Extend32S
        | F64PromoteF32 => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::{Parser, Payload};

    fn added(text: &str) -> Result<Vec<u8>, ModuleError> {
        let wasm = wat::parse_str(text).unwrap();
        let mut out = wasm_encoder::Module::new();
        for payload in Parser::new(0).parse_all(&wasm) {
            if let Payload::CodeSectionStart { range, .. } = payload.unwrap() {
                add(&mut out, &wasm[range])?;
            }
        }
        Ok(out.finish())
    }

    #[test]
    fn only_dear_instructions_are_padded() {
        let cheap = "(module (memory 1) (func (drop (i32.add (i32.const 1) (memory.size)))))";
        let nops = |code: &[u8]| code.iter().filter(|byte| **byte == NOP).count();
        let before = nops(&added(cheap).unwrap());
        let dear = cheap.replace("memory.size", "memory.grow (i32.const 7)");
        assert_eq!(nops(&added(&dear).unwrap()), before + 45);
    }

    #[test]
    fn changing_a_table_is_refused() {
        let text = "(module (table 1 funcref) (func \
            (table.set (i32.const 0) (ref.null func))))";
        let error = added(text).unwrap_err();
        assert!(error.to_string().contains("table.set"), "{error}");
    }
}
