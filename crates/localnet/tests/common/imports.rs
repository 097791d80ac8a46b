//! The system API as the interface specification lists it ("Overview of imports"), and canisters
//! in text that import all of it.

/// Name, parameters, result, and the contexts it may be called from.
pub(crate) type Import = (&'static str, &'static str, &'static str, &'static str);

/// Every context but the start function.
pub(crate) const ALL: &str = "I G U RQ NRQ CQ Ry Rt CRy CRt C CC F T";
const ALL_S: &str = "I G U RQ NRQ CQ Ry Rt CRy CRt C CC F T s";
const ARG: &str = "I U RQ NRQ CQ Ry CRy F";
const INFO: &str = "U RQ NRQ CQ Ry Rt CRy CRt C CC F";
const ANSWER: &str = "U RQ NRQ CQ Ry Rt CRy CRt";
const PAID: &str = "U RQ Rt Ry";
const REPLICATED: &str = "I G U RQ Ry Rt C T";
const CALL: &str = "U CQ Ry Rt CRy CRt T";

/// All imports.
pub(crate) const IMPORTS: &[Import] = &[
    ("msg_arg_data_size", "", "i32", ARG),
    ("msg_arg_data_copy", "i32 i32 i32", "", ARG),
    ("msg_caller_size", "", "i32", ALL),
    ("msg_caller_copy", "i32 i32 i32", "", ALL),
    ("msg_caller_info_data_size", "", "i32", INFO),
    ("msg_caller_info_data_copy", "i32 i32 i32", "", INFO),
    ("msg_caller_info_signer_size", "", "i32", INFO),
    ("msg_caller_info_signer_copy", "i32 i32 i32", "", INFO),
    ("msg_reject_code", "", "i32", "Ry Rt CRy CRt C"),
    ("msg_reject_msg_size", "", "i32", "Rt CRt"),
    ("msg_reject_msg_copy", "i32 i32 i32", "", "Rt CRt"),
    ("msg_deadline", "", "i64", "U RQ NRQ CQ Ry Rt CRy CRt"),
    ("msg_reply_data_append", "i32 i32", "", ANSWER),
    ("msg_reply", "", "", ANSWER),
    ("msg_reject", "i32 i32", "", ANSWER),
    ("msg_cycles_available128", "i32", "", PAID),
    ("msg_cycles_refunded128", "i32", "", "Rt Ry"),
    ("msg_cycles_accept128", "i64 i64 i32", "", PAID),
    ("cycles_burn128", "i64 i64 i32", "", REPLICATED),
    ("canister_self_size", "", "i32", ALL),
    ("canister_self_copy", "i32 i32 i32", "", ALL),
    ("canister_cycle_balance128", "i32", "", ALL),
    ("canister_liquid_cycle_balance128", "i32", "", ALL),
    ("canister_status", "", "i32", ALL),
    ("canister_version", "", "i64", ALL),
    ("subnet_self_size", "", "i32", ALL),
    ("subnet_self_copy", "i32 i32 i32", "", ALL),
    ("msg_method_name_size", "", "i32", "F"),
    ("msg_method_name_copy", "i32 i32 i32", "", "F"),
    ("accept_message", "", "", "F"),
    ("call_new", "i32 i32 i32 i32 i32 i32 i32 i32", "", CALL),
    ("call_on_cleanup", "i32 i32", "", CALL),
    ("call_data_append", "i32 i32", "", CALL),
    ("call_with_best_effort_response", "i32", "", CALL),
    ("call_cycles_add128", "i64 i64", "", "U Ry Rt T"),
    ("call_perform", "", "i32", CALL),
    ("stable64_size", "", "i64", ALL_S),
    ("stable64_grow", "i64", "i64", ALL_S),
    ("stable64_write", "i64 i64 i64", "", ALL_S),
    ("stable64_read", "i64 i64 i64", "", ALL_S),
    ("root_key_size", "", "i32", REPLICATED),
    ("root_key_copy", "i32 i32 i32", "", REPLICATED),
    ("certified_data_set", "i32 i32", "", "I G U Ry Rt T"),
    ("data_certificate_present", "", "i32", ALL),
    ("data_certificate_size", "", "i32", "NRQ CQ"),
    ("data_certificate_copy", "i32 i32 i32", "", "NRQ CQ"),
    ("time", "", "i64", ALL),
    ("global_timer_set", "i64", "i64", "I G U Ry Rt C T"),
    ("performance_counter", "i32", "i64", ALL_S),
    ("is_controller", "i32 i32", "i32", ALL_S),
    ("in_replicated_execution", "", "i32", ALL_S),
    ("cost_call", "i64 i64 i32", "", ALL_S),
    ("cost_create_canister", "i32", "", ALL_S),
    ("cost_http_request", "i64 i64 i32", "", ALL_S),
    ("cost_sign_with_ecdsa", "i32 i32 i32 i32", "i32", ALL_S),
    ("cost_sign_with_schnorr", "i32 i32 i32 i32", "i32", ALL_S),
    ("cost_vetkd_derive_key", "i32 i32 i32 i32", "i32", ALL_S),
    ("env_var_count", "", "i32", ALL),
    ("env_var_name_size", "i32", "i32", ALL),
    ("env_var_name_copy", "i32 i32 i32 i32", "", ALL),
    ("env_var_name_exists", "i32 i32", "i32", ALL),
    ("env_var_value_size", "i32 i32", "i32", ALL),
    ("env_var_value_copy", "i32 i32 i32 i32 i32", "", ALL),
    ("debug_print", "i32 i32", "", ALL_S),
    ("trap", "i32 i32", "", ALL_S),
    ("msg_cycles_available", "", "i64", PAID),
    ("msg_cycles_refunded", "", "i64", "Rt Ry"),
    ("msg_cycles_accept", "i64", "i64", PAID),
    ("canister_cycle_balance", "", "i64", ALL),
    ("call_cycles_add", "i64", "", "U Ry Rt T"),
    ("stable_size", "", "i32", ALL_S),
    ("stable_grow", "i32", "i32", ALL_S),
    ("stable_write", "i32 i32 i32", "", ALL_S),
    ("stable_read", "i32 i32 i32", "", ALL_S),
];

/// Calls an import with zeroes and drops what it returns.
pub(crate) fn call_with_zeroes((name, params, result, _): &Import) -> String {
    let zeroes: String = params
        .split_whitespace()
        .map(|ty| format!(" ({ty}.const 0)"))
        .collect();
    let call = format!("(call ${name}{zeroes})");
    if result.is_empty() {
        call
    } else {
        format!("(drop {call})")
    }
}

/// A canister with every import, a memory of one page, a table for callbacks, a global, a few
/// functions, and what a test adds:
/// `$reply_i32`, `$reply_i64`, `$reply_arg` (sends the argument back), `$fail` (traps with
/// "fail"), `$to_self` and `$to_arg` (begin a call to itself, or to the canister named by the
/// argument: name and length, functions for reply and reject), `$go` (performs it).
/// "nop", "no_such", "work" and "raw_rand" lie at 100, 110, 120 and 130; memory from 16384 on is
/// free.
pub(crate) fn canister(body: &str) -> String {
    let imports: String = IMPORTS
        .iter()
        .map(|(name, params, result, _)| {
            let result = match *result {
                "" => String::new(),
                result => format!("(result {result})"),
            };
            format!("(import \"ic0\" \"{name}\" (func ${name} (param {params}) {result}))\n")
        })
        .collect();
    format!(
        r#"(module {imports}
  (memory 1)
  (table 8 funcref)
  (global $g (mut i32) (i32.const 0))
  (data (i32.const 100) "nop")
  (data (i32.const 110) "no_such")
  (data (i32.const 120) "work")
  (data (i32.const 130) "raw_rand")
  (data (i32.const 140) "DIDL\00\00")
  (data (i32.const 150) "fail")
  (func $reply_i32 (param i32)
    (i32.store (i32.const 1024) (local.get 0))
    (call $msg_reply_data_append (i32.const 1024) (i32.const 4))
    (call $msg_reply))
  (func $reply_i64 (param i64)
    (i64.store (i32.const 1024) (local.get 0))
    (call $msg_reply_data_append (i32.const 1024) (i32.const 8))
    (call $msg_reply))
  (func $reply_arg
    (call $msg_arg_data_copy (i32.const 2048) (i32.const 0) (call $msg_arg_data_size))
    (call $msg_reply_data_append (i32.const 2048) (call $msg_arg_data_size))
    (call $msg_reply))
  (func $fail (call $trap (i32.const 150) (i32.const 4)))
  (func $to_self (param i32 i32 i32 i32)
    (call $canister_self_copy (i32.const 1100) (i32.const 0) (call $canister_self_size))
    (call $call_new (i32.const 1100) (call $canister_self_size) (local.get 0) (local.get 1)
      (local.get 2) (i32.const 0) (local.get 3) (i32.const 0)))
  (func $to_arg (param i32 i32 i32 i32)
    (call $msg_arg_data_copy (i32.const 1200) (i32.const 0) (call $msg_arg_data_size))
    (call $call_new (i32.const 1200) (call $msg_arg_data_size) (local.get 0) (local.get 1)
      (local.get 2) (i32.const 0) (local.get 3) (i32.const 0)))
  (func $go (if (call $call_perform) (then (call $fail))))
  {body})"#
    )
}
