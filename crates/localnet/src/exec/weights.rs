//! What instructions, system calls and written pages cost.
//!
//! The numbers are the ones DFINITY publishes for 32-bit memories in the repository
//! `dfinity/ic`, as read in autumn 2026: `instruction_to_cost` in
//! `rs/embedders/src/wasm_utils/instrumentation.rs`, `overhead` and `overhead_native` in
//! `rs/embedders/src/wasmtime_embedder/system_api_complexity.rs`, the costs of bytes in
//! `rs/embedders/src/wasmtime_embedder/linker.rs`, stable memory in
//! `rs/embedders/src/wasm_utils/system_api_replacements.rs`, and `dirty_page_overhead` of an
//! application subnet in `rs/config/src/subnet_config.rs`.
//!
//! **Uncalibrated**: nobody has compared totals with a replica yet. Three things are known to
//! differ. A replica adds to an installation what compiling costs it (6,000 for every instruction
//! of its own rewritten code): this is not counted. Pages that data segments fill count as written
//! at an installation here. An execution that traps is counted up to the call or branch before the
//! trap here, and to the end of the basic block there.

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
/// `stable_read`, `stable_write` and their 64-bit kin; their sizes cost nothing but the call.
pub(crate) const STABLE: u64 = 20;
/// `stable_grow` and `stable64_grow`.
pub(crate) const STABLE_GROW: u64 = 100;
/// A page of heap or stable memory written for the first time in a message.
pub(crate) const DIRTY_PAGE: u64 = 1_000;
/// A byte that leaves the canister: in a reply, a reject, a call's argument or its log.
pub(crate) const SENT_BYTE: u64 = 50;
/// A byte put in the canister's log, for the room it takes and for what it pushes out.
pub(crate) const LOGGED_BYTE: u64 = 2;
/// Bytes a record of the log takes beside its text.
pub(crate) const LOG_RECORD: u64 = 40;

/// What growing a memory and dropping a segment cost. More than a cell of the table holds: the
/// rest is made up in `code`.
pub(crate) const DEAR: usize = 300;
/// What the table charges of that.
pub(crate) const DEAR_CELL: u8 = u8::MAX;

/// Sets many cells to one number.
macro_rules! cells {
    ($table:ident, $($cost:literal: $($operator:ident)+;)+) => {
        $($($table.$operator = $cost;)+)+
    };
}

/// The table wasmtime charges fuel by. Operators that are not named cost 1, and those that only
/// mark where a block begins or ends cost nothing. Bytes that bulk operations move cost 1 each,
/// which is wasmtime's own default.
pub(crate) fn operator_cost() -> OperatorCost {
    let mut c = OperatorCost::new();
    cells! { c,
        1: Return Drop Unreachable Nop;
        2: F32Add F32Sub F32Mul F32Ceil F32Floor F32Trunc F32Nearest F64Add F64Sub F64Mul
            F64Ceil F64Floor F64Trunc F64Nearest F32Copysign GlobalGet GlobalSet If Br BrIf
            BrTable I8x16LtU I8x16GtU I16x8LtU I16x8GtU I32x4LtU I32x4GtU I8x16ShrU
            I16x8ExtAddPairwiseI8x16U I16x8Shl I16x8ShrS I16x8ShrU I16x8ExtMulHighI8x16S
            I16x8ExtMulHighI8x16U I32x4Shl I32x4ShrS I32x4ShrU I32x4Mul I32x4ExtMulLowI16x8S
            I32x4ExtMulHighI16x8S I32x4ExtMulLowI16x8U I32x4ExtMulHighI16x8U I64x2Shl I64x2ShrU
            F32x4Ceil F32x4Floor F32x4Trunc F32x4Nearest F32x4Abs F32x4Neg F32x4Add F32x4Sub
            F32x4Mul F64x2Ceil F64x2Floor F64x2Trunc F64x2Nearest F64x2Abs F64x2Neg F64x2Add
            F64x2Sub F64x2Mul I32x4TruncSatF32x4S I32x4TruncSatF64x2SZero;
        3: F32Div F64Copysign F32Eq F32Ne F32Lt F32Gt F32Le F32Ge F64Eq F64Ne F64Lt F64Gt F64Le
            F64Ge F32ConvertI32S F64ConvertI64S F32ConvertI64S F64ConvertI32S I8x16Shuffle
            I8x16Popcnt I8x16Shl I8x16ShrS I32x4ExtAddPairwiseI16x8U I64x2ShrS
            I32x4TruncSatF64x2UZero;
        4: I64x2Mul F32x4Min F32x4Max F64x2Min I32x4TruncSatF32x4U F32x4ConvertI32x4U;
        5: F64Div F32Sqrt TableGet Call RefIsNull F32x4Sqrt F64x2Max;
        8: F64Sqrt;
        10: I32DivS I32DivU I32RemS I32RemU I64DivS I64DivU I64RemS I64RemU CallIndirect
            F32x4Div;
        12: F64x2Div;
        14: F64x2Sqrt;
        16: F64ConvertI32U F32ConvertI64U F32ConvertI32U F64ConvertI64U;
        18: F32Min F32Max F64Min F64Max;
        20: I64TruncSatF32S I64TruncSatF32U I64TruncSatF64S I64TruncSatF64U I32TruncSatF32S
            I32TruncSatF32U I32TruncSatF64S I32TruncSatF64U I32TruncF32S I32TruncF32U
            I32TruncF64S I32TruncF64U I64TruncF32S I64TruncF32U I64TruncF64S I64TruncF64U
            MemorySize;
        100: TableSize MemoryFill MemoryCopy MemoryInit;
        130: RefFunc;
    }
    c.MemoryGrow = DEAR_CELL;
    c.DataDrop = DEAR_CELL;
    c.ElemDrop = DEAR_CELL;
    c
}
