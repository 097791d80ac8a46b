//! Calls to other canisters: put together piece by piece, handed over when performed.

use super::super::host::{Closure, Host, Mode, OutgoingCall, Trap};
use super::super::prices;
use super::super::weights;
use super::{Guest, enter, read_principal, read_text, send, wide};
use wasmtime::{Linker, Result};

const CALLING: Mode = PAYING
    .or(Mode::COMPOSITE)
    .or(Mode::COMPOSITE_REPLY)
    .or(Mode::COMPOSITE_REJECT);
const PAYING: Mode = Mode::UPDATE.or(Mode::REPLY).or(Mode::REJECT).or(Mode::TASK);
/// Largest argument of a call between canisters (interface specification), bytes.
const MAX_ARG: usize = 2 << 20;
/// Longest name of a method, bytes.
const MAX_NAME: u32 = 20_000;
/// Longest a caller may wait boundedly, seconds: larger timeouts are taken for this one.
const MAX_TIMEOUT: u32 = 300;

fn building<'a>(g: &'a mut Guest<'_>, name: &str) -> Result<&'a mut OutgoingCall> {
    g.data_mut().building.as_mut().ok_or_else(|| {
        Trap::Contract(format!("{name} called when no call is under construction")).into()
    })
}

/// Gives the cycles of an unperformed call back.
fn abandon(host: &mut Host) {
    if let Some(call) = host.building.take() {
        host.balance += call.cycles;
    }
}

fn add_cycles(g: &mut Guest<'_>, name: &str, amount: u128) -> Result<()> {
    enter(g, name, PAYING, weights::CALL)?;
    building(g, name)?;
    let host = g.data_mut();
    if amount > host.liquid() {
        return Err(Trap::Contract(format!(
            "cannot add {amount} cycles to the call: out of cycles"
        ))
        .into());
    }
    host.balance -= amount;
    building(g, name)?.cycles += amount;
    Ok(())
}

pub(super) fn bind(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap(
        "ic0",
        "call_new",
        |mut g: Guest<'_>,
         callee_src: u32,
         callee_size: u32,
         name_src: u32,
         name_size: u32,
         reply_fun: u32,
         reply_env: u32,
         reject_fun: u32,
         reject_env: u32|
         -> Result<()> {
            enter(&mut g, "call_new", CALLING, weights::CALL_NEW)?;
            let callee = read_principal(&mut g, callee_src, callee_size)?;
            if name_size > MAX_NAME {
                return Err(Trap::Contract(format!(
                    "ic0.call_new: size_of_method_name {name_size} exceeds {MAX_NAME}"
                ))
                .into());
            }
            let method = read_text(&mut g, name_src, name_size)?;
            let host = g.data_mut();
            abandon(host);
            host.building = Some(OutgoingCall {
                callee,
                method,
                arg: Vec::new(),
                cycles: 0,
                on_reply: Closure {
                    fun: reply_fun,
                    env: reply_env,
                },
                on_reject: Closure {
                    fun: reject_fun,
                    env: reject_env,
                },
                on_cleanup: None,
                timeout: None,
            });
            Ok(())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_on_cleanup",
        |mut g: Guest<'_>, fun: u32, env: u32| -> Result<()> {
            enter(&mut g, "call_on_cleanup", CALLING, weights::CALL)?;
            let call = building(&mut g, "call_on_cleanup")?;
            if call.on_cleanup.replace(Closure { fun, env }).is_some() {
                return Err(
                    Trap::Contract("call_on_cleanup can be called only once".into()).into(),
                );
            }
            Ok(())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_data_append",
        |mut g: Guest<'_>, src: u32, len: u32| -> Result<()> {
            enter(&mut g, "call_data_append", CALLING, weights::CALL)?;
            let bytes = send(&mut g, src, len)?;
            let call = building(&mut g, "call_data_append")?;
            if call.arg.len() + bytes.len() > MAX_ARG {
                return Err(Trap::Contract(format!(
                    "the argument of a call is larger than {MAX_ARG} bytes"
                ))
                .into());
            }
            call.arg.extend_from_slice(&bytes);
            Ok(())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_with_best_effort_response",
        |mut g: Guest<'_>, timeout: u32| -> Result<()> {
            enter(
                &mut g,
                "call_with_best_effort_response",
                CALLING,
                weights::CALL,
            )?;
            let call = building(&mut g, "call_with_best_effort_response")?;
            if call.timeout.replace(timeout.min(MAX_TIMEOUT)).is_some() {
                return Err(Trap::Contract(
                    "call_with_best_effort_response can be called only once".into(),
                )
                .into());
            }
            Ok(())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_cycles_add128",
        |mut g: Guest<'_>, high: u64, low: u64| -> Result<()> {
            add_cycles(&mut g, "call_cycles_add128", wide(high, low))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_cycles_add",
        |mut g: Guest<'_>, amount: u64| -> Result<()> {
            add_cycles(&mut g, "call_cycles_add", amount.into())
        },
    )?;
    linker.func_wrap("ic0", "call_perform", |mut g: Guest<'_>| -> Result<u32> {
        enter(&mut g, "call_perform", CALLING, weights::CALL_PERFORM)?;
        let call = building(&mut g, "call_perform")?;
        let callee = call.callee;
        let bytes = (call.method.len() + call.arg.len()) as u128;
        let host = g.data_mut();
        // Asking in a composite query costs nothing.
        let cost = match host.mode.is_replicated() {
            true => prices::call_sent(bytes) + prices::call_answer(),
            false => 0,
        };
        if !host.may_call(callee) || cost > host.liquid() {
            abandon(host);
            // The code of a transient system error.
            return Ok(2);
        }
        host.balance -= cost;
        host.effects.calls.extend(host.building.take());
        Ok(0)
    })?;
    Ok(())
}
