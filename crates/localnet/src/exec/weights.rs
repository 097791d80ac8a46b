//! What instructions and system calls cost.
//!
//! The numbers are the ones DFINITY publishes for 32-bit memories (`instruction_to_cost` and
//! `system_api_complexity::overhead` in the replica's sources). They are uncalibrated here:
//! nobody has compared totals with a replica yet. Cells are bytes, so the published 300 for
//! growing and dropping is capped at 255.

use wasmtime::OperatorCost;

/// Fixed part of an ordinary system call.
pub(crate) const CALL: u64 = 500;
/// `call_new`.
pub(crate) const CALL_NEW: u64 = 1_500;
/// `call_perform`.
pub(crate) const CALL_PERFORM: u64 = 5_000;
/// `debug_print`.
pub(crate) const DEBUG_PRINT: u64 = 100;
/// `is_controller`.
pub(crate) const IS_CONTROLLER: u64 = 1_000;
/// `performance_counter`.
pub(crate) const PERFORMANCE_COUNTER: u64 = 200;
/// `stable64_read`, `stable64_write` and `stable64_size`.
pub(crate) const STABLE: u64 = 20;
/// `stable64_grow`.
pub(crate) const STABLE_GROW: u64 = 100;
/// A stable page written for the first time in a message.
pub(crate) const STABLE_DIRTY_PAGE: u64 = 1_000;

/// The table wasmtime charges fuel by.
pub(crate) fn operator_cost() -> OperatorCost {
    let mut c = OperatorCost::new();
    for cell in [
        &mut c.I32DivS,
        &mut c.I32DivU,
        &mut c.I32RemS,
        &mut c.I32RemU,
        &mut c.I64DivS,
        &mut c.I64DivU,
        &mut c.I64RemS,
        &mut c.I64RemU,
        &mut c.CallIndirect,
    ] {
        *cell = 10;
    }
    for cell in [
        &mut c.F32Add,
        &mut c.F32Sub,
        &mut c.F32Mul,
        &mut c.F32Ceil,
        &mut c.F32Floor,
        &mut c.F32Trunc,
        &mut c.F32Nearest,
        &mut c.F64Add,
        &mut c.F64Sub,
        &mut c.F64Mul,
        &mut c.F64Ceil,
        &mut c.F64Floor,
        &mut c.F64Trunc,
        &mut c.F64Nearest,
        &mut c.F32Copysign,
        &mut c.GlobalGet,
        &mut c.GlobalSet,
        &mut c.If,
        &mut c.Br,
        &mut c.BrIf,
        &mut c.BrTable,
    ] {
        *cell = 2;
    }
    for cell in [
        &mut c.F32Div,
        &mut c.F64Copysign,
        &mut c.F32Eq,
        &mut c.F32Ne,
        &mut c.F32Lt,
        &mut c.F32Gt,
        &mut c.F32Le,
        &mut c.F32Ge,
        &mut c.F64Eq,
        &mut c.F64Ne,
        &mut c.F64Lt,
        &mut c.F64Gt,
        &mut c.F64Le,
        &mut c.F64Ge,
        &mut c.F32ConvertI32S,
        &mut c.F64ConvertI64S,
        &mut c.F32ConvertI64S,
        &mut c.F64ConvertI32S,
        &mut c.ReturnCall,
    ] {
        *cell = 3;
    }
    for cell in [
        &mut c.F64Div,
        &mut c.F32Sqrt,
        &mut c.TableGet,
        &mut c.TableSet,
        &mut c.Call,
        &mut c.RefIsNull,
    ] {
        *cell = 5;
    }
    c.F64Sqrt = 8;
    for cell in [
        &mut c.F64ConvertI32U,
        &mut c.F32ConvertI64U,
        &mut c.F32ConvertI32U,
        &mut c.F64ConvertI64U,
    ] {
        *cell = 16;
    }
    for cell in [&mut c.F32Min, &mut c.F32Max, &mut c.F64Min, &mut c.F64Max] {
        *cell = 18;
    }
    for cell in [
        &mut c.I64TruncSatF32S,
        &mut c.I64TruncSatF32U,
        &mut c.I64TruncSatF64S,
        &mut c.I64TruncSatF64U,
        &mut c.I32TruncSatF32S,
        &mut c.I32TruncSatF32U,
        &mut c.I32TruncSatF64S,
        &mut c.I32TruncSatF64U,
        &mut c.I32TruncF32S,
        &mut c.I32TruncF32U,
        &mut c.I32TruncF64S,
        &mut c.I32TruncF64U,
        &mut c.I64TruncF32S,
        &mut c.I64TruncF32U,
        &mut c.I64TruncF64S,
        &mut c.I64TruncF64U,
        &mut c.MemorySize,
    ] {
        *cell = 20;
    }
    c.ReturnCallIndirect = 60;
    for cell in [
        &mut c.TableSize,
        &mut c.MemoryFill,
        &mut c.MemoryCopy,
        &mut c.TableFill,
        &mut c.TableCopy,
        &mut c.MemoryInit,
        &mut c.TableInit,
    ] {
        *cell = 100;
    }
    c.RefFunc = 130;
    for cell in [
        &mut c.TableGrow,
        &mut c.MemoryGrow,
        &mut c.DataDrop,
        &mut c.ElemDrop,
    ] {
        *cell = u8::MAX;
    }
    for cell in [&mut c.Return, &mut c.Drop, &mut c.Unreachable, &mut c.Nop] {
        *cell = 1;
    }
    c
}
