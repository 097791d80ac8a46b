//! The system API `ic0`, bound to WebAssembly. Each binding checks the context it may be called
//! in, charges for itself, moves bytes, and leaves decisions to `Host`.

mod call;
mod costs;
mod message;
mod stable;
mod system;

use super::host::{Host, Mode, Trap};
use wasmtime::{Caller, Linker, Memory, Result};

/// A call from canister code into the system.
pub(super) type Guest<'a> = Caller<'a, Host>;

/// Every function there is: a module that imports another is refused before it is compiled.
pub(super) const NAMES: &[&str] = &[
    "accept_message",
    "call_cycles_add",
    "call_cycles_add128",
    "call_data_append",
    "call_new",
    "call_on_cleanup",
    "call_perform",
    "call_with_best_effort_response",
    "canister_cycle_balance",
    "canister_cycle_balance128",
    "canister_liquid_cycle_balance128",
    "canister_self_copy",
    "canister_self_size",
    "canister_status",
    "canister_version",
    "certified_data_set",
    "cost_call",
    "cost_create_canister",
    "cost_http_request",
    "cost_sign_with_ecdsa",
    "cost_sign_with_schnorr",
    "cost_vetkd_derive_key",
    "cycles_burn128",
    "data_certificate_copy",
    "data_certificate_present",
    "data_certificate_size",
    "debug_print",
    "env_var_count",
    "env_var_name_copy",
    "env_var_name_exists",
    "env_var_name_size",
    "env_var_value_copy",
    "env_var_value_size",
    "global_timer_set",
    "in_replicated_execution",
    "is_controller",
    "msg_arg_data_copy",
    "msg_arg_data_size",
    "msg_caller_copy",
    "msg_caller_info_data_copy",
    "msg_caller_info_data_size",
    "msg_caller_info_signer_copy",
    "msg_caller_info_signer_size",
    "msg_caller_size",
    "msg_cycles_accept",
    "msg_cycles_accept128",
    "msg_cycles_available",
    "msg_cycles_available128",
    "msg_cycles_refunded",
    "msg_cycles_refunded128",
    "msg_deadline",
    "msg_method_name_copy",
    "msg_method_name_size",
    "msg_reject",
    "msg_reject_code",
    "msg_reject_msg_copy",
    "msg_reject_msg_size",
    "msg_reply",
    "msg_reply_data_append",
    "performance_counter",
    "root_key_copy",
    "root_key_size",
    "stable64_grow",
    "stable64_read",
    "stable64_size",
    "stable64_write",
    "stable_grow",
    "stable_read",
    "stable_size",
    "stable_write",
    "subnet_self_copy",
    "subnet_self_size",
    "time",
    "trap",
];

/// Binds everything.
pub(super) fn bind(linker: &mut Linker<Host>) -> Result<()> {
    message::bind(linker)?;
    call::bind(linker)?;
    stable::bind(linker)?;
    system::bind(linker)?;
    costs::bind(linker)
}

/// Checks the context and charges `cost` instructions.
fn enter(guest: &mut Guest<'_>, name: &str, allowed: Mode, cost: u64) -> Result<()> {
    if !guest.data().mode.meets(allowed) {
        return Err(Trap::Contract(format!(
            "\"ic0_{name}\" cannot be executed in {} mode",
            guest.data().mode.name()
        ))
        .into());
    }
    charge(guest, cost)
}

/// Takes instructions from what is left.
fn charge(guest: &mut Guest<'_>, cost: u64) -> Result<()> {
    let left = guest.get_fuel()?;
    match left.checked_sub(cost) {
        Some(left) => guest.set_fuel(left),
        None => {
            guest.set_fuel(0)?;
            Err(Trap::Instructions(guest.data().limit).into())
        }
    }
}

fn memory(guest: &Guest<'_>) -> Result<Memory> {
    guest
        .data()
        .memory
        .ok_or_else(|| Trap::Contract("the module has no memory".into()).into())
}

fn out_of_bounds() -> wasmtime::Error {
    Trap::Wasm("heap out of bounds".into()).into()
}

/// Copies bytes out of the canister's heap, charging for them.
fn read(guest: &mut Guest<'_>, src: u32, size: u32) -> Result<Vec<u8>> {
    charge(guest, size.into())?;
    peek(guest, src, size)
}

/// Copies bytes that leave the canister out of its heap, charging for them.
fn send(guest: &mut Guest<'_>, src: u32, size: u32) -> Result<Vec<u8>> {
    charge(guest, u64::from(size) * super::weights::SENT_BYTE)?;
    peek(guest, src, size)
}

/// Copies bytes out of the canister's heap.
fn peek(guest: &mut Guest<'_>, src: u32, size: u32) -> Result<Vec<u8>> {
    let memory = memory(guest)?;
    let start = src as usize;
    let end = start + size as usize;
    Ok(memory
        .data(&guest)
        .get(start..end)
        .ok_or_else(out_of_bounds)?
        .to_vec())
}

/// Reads a principal out of the canister's heap.
fn read_principal(guest: &mut Guest<'_>, src: u32, size: u32) -> Result<candid::Principal> {
    let bytes = read(guest, src, size)?;
    candid::Principal::try_from_slice(&bytes)
        .map_err(|e| Trap::Contract(format!("not a principal: {e}")).into())
}

/// Reads a text out of the canister's heap.
fn read_text(guest: &mut Guest<'_>, src: u32, size: u32) -> Result<String> {
    text(read(guest, src, size)?)
}

/// Takes bytes as text.
fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Trap::Contract("a name is not UTF-8".into()).into())
}

/// Copies `size` bytes from `offset` of what `source` yields into the canister's heap.
fn copy_out(
    guest: &mut Guest<'_>,
    dst: u32,
    offset: u32,
    size: u32,
    source: impl FnOnce(&Host) -> &[u8],
) -> Result<()> {
    charge(guest, size.into())?;
    let memory = memory(guest)?;
    let (heap, host) = memory.data_and_store_mut(&mut *guest);
    let from = source(host)
        .get(offset as usize..offset as usize + size as usize)
        .ok_or_else(|| Trap::Contract("offset and size lie beyond the data".into()))?;
    heap.get_mut(dst as usize..dst as usize + size as usize)
        .ok_or_else(out_of_bounds)?
        .copy_from_slice(from);
    Ok(())
}

/// Writes a 128-bit number into the canister's heap, little end first.
fn write_u128(guest: &mut Guest<'_>, dst: u32, value: u128) -> Result<()> {
    let memory = memory(guest)?;
    memory
        .data_mut(&mut *guest)
        .get_mut(dst as usize..dst as usize + 16)
        .ok_or_else(out_of_bounds)?
        .copy_from_slice(&value.to_le_bytes());
    Ok(())
}

/// Puts a 128-bit number together.
fn wide(high: u64, low: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

/// A number of cycles as the 64-bit calls of old canisters see it.
fn narrow(cycles: u128) -> Result<u64> {
    u64::try_from(cycles)
        .map_err(|_| Trap::Contract(format!("{cycles} cycles do not fit into 64 bits")).into())
}

/// A length as WebAssembly sees it.
fn size(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
