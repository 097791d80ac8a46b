//! Calls to other canisters: put together piece by piece, handed over when performed.

use super::super::host::{Closure, Host, Mode, OutgoingCall, Trap};
use super::super::weights;
use super::{Guest, enter, read, read_principal, read_text, wide};
use wasmtime::{Linker, Result};

const CALLING: Mode = Mode::UPDATE.or(Mode::REPLY).or(Mode::REJECT).or(Mode::TASK);
/// Largest argument of a call between canisters (interface specification), bytes.
const MAX_ARG: usize = 2 << 20;
/// Most calls one execution may make: the replica's queue limit.
const MAX_CALLS: usize = 500;

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
            let bytes = read(&mut g, src, len)?;
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
    // Every call here is answered, so a best-effort call is an ordinary one that keeps its promise.
    linker.func_wrap(
        "ic0",
        "call_with_best_effort_response",
        |mut g: Guest<'_>, _timeout: u32| -> Result<()> {
            enter(
                &mut g,
                "call_with_best_effort_response",
                CALLING,
                weights::CALL,
            )?;
            building(&mut g, "call_with_best_effort_response")?;
            Ok(())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "call_cycles_add128",
        |mut g: Guest<'_>, high: u64, low: u64| -> Result<()> {
            enter(&mut g, "call_cycles_add128", CALLING, weights::CALL)?;
            let amount = wide(high, low);
            building(&mut g, "call_cycles_add128")?;
            let host = g.data_mut();
            host.balance = host.balance.checked_sub(amount).ok_or_else(|| {
                Trap::Contract(format!(
                    "cannot add {amount} cycles to the call: out of cycles"
                ))
            })?;
            building(&mut g, "call_cycles_add128")?.cycles += amount;
            Ok(())
        },
    )?;
    linker.func_wrap("ic0", "call_perform", |mut g: Guest<'_>| -> Result<u32> {
        enter(&mut g, "call_perform", CALLING, weights::CALL_PERFORM)?;
        building(&mut g, "call_perform")?;
        let host = g.data_mut();
        if host.effects.calls.len() >= MAX_CALLS {
            abandon(host);
            // The code of a transient system error.
            return Ok(2);
        }
        host.effects.calls.extend(host.building.take());
        Ok(0)
    })?;
    Ok(())
}
