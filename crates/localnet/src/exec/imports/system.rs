//! The canister itself and the system around it: identity, time, certified data, timers, logs.

use super::super::host::{Host, Mode, Trap};
use super::super::weights;
use super::{
    Guest, charge, copy_out, enter, narrow, peek, read, read_principal, size, text, wide,
    write_u128,
};
use wasmtime::{Linker, Result};

const CERTIFYING: Mode = Mode::INIT
    .or(Mode::PRE_UPGRADE)
    .or(Mode::UPDATE)
    .or(Mode::REPLY)
    .or(Mode::REJECT)
    .or(Mode::TASK);
const TIMING: Mode = CERTIFYING.or(Mode::CLEANUP);
const REPLICATED: Mode = TIMING.or(Mode::REPLICATED_QUERY);
const CERTIFICATE: Mode = Mode::QUERY.or(Mode::COMPOSITE);
/// Certified data is at most this long (interface specification), bytes.
const MAX_CERTIFIED: u32 = 32;
/// Longest message of a trap, bytes; more is cut off.
const MAX_TRAP: u32 = 16 << 10;

pub(super) fn bind(linker: &mut Linker<Host>) -> Result<()> {
    identity(linker)?;
    certified(linker)?;
    clock(linker)?;
    environment(linker)?;
    linker.func_wrap(
        "ic0",
        "debug_print",
        |mut g: Guest<'_>, src: u32, len: u32| -> Result<()> {
            enter(
                &mut g,
                "debug_print",
                Mode::ALL_AND_START,
                weights::DEBUG_PRINT,
            )?;
            let cost = g.data_mut().log(len.into());
            charge(&mut g, cost)?;
            // Printing must not fail: a text that is not there is said to be missing.
            let text = peek(&mut g, src, len)
                .unwrap_or_else(|_| b"(debug_print message out of memory bounds)".to_vec());
            let host = g.data_mut();
            let canister = host.facts.canister;
            eprintln!("[{canister}] {}", String::from_utf8_lossy(&text));
            if host.mode.is_replicated() {
                host.printed.add(text);
            }
            Ok(())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "trap",
        |mut g: Guest<'_>, src: u32, len: u32| -> Result<()> {
            enter(&mut g, "trap", Mode::ALL_AND_START, weights::CALL)?;
            let cost = g.data_mut().log(len.into());
            charge(&mut g, cost)?;
            charge(&mut g, len.into())?;
            let text = peek(&mut g, src, len.min(MAX_TRAP))
                .unwrap_or_else(|_| b"(trap message out of memory bounds)".to_vec());
            Err(Trap::Explicit(String::from_utf8_lossy(&text).into_owned()).into())
        },
    )?;
    Ok(())
}

fn identity(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap(
        "ic0",
        "canister_self_size",
        |mut g: Guest<'_>| -> Result<u32> {
            enter(&mut g, "canister_self_size", Mode::ALL, weights::CALL)?;
            Ok(size(g.data().facts.canister.as_slice().len()))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "canister_self_copy",
        |mut g: Guest<'_>, dst: u32, offset: u32, len: u32| -> Result<()> {
            enter(&mut g, "canister_self_copy", Mode::ALL, weights::CALL)?;
            copy_out(&mut g, dst, offset, len, |h| h.facts.canister.as_slice())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "subnet_self_size",
        |mut g: Guest<'_>| -> Result<u32> {
            enter(&mut g, "subnet_self_size", Mode::ALL, weights::CALL)?;
            Ok(size(g.data().facts.subnet.as_slice().len()))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "subnet_self_copy",
        |mut g: Guest<'_>, dst: u32, offset: u32, len: u32| -> Result<()> {
            enter(&mut g, "subnet_self_copy", Mode::ALL, weights::CALL)?;
            copy_out(&mut g, dst, offset, len, |h| h.facts.subnet.as_slice())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "canister_status",
        |mut g: Guest<'_>| -> Result<u32> {
            enter(&mut g, "canister_status", Mode::ALL, weights::CALL)?;
            Ok(g.data().facts.status)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "canister_version",
        |mut g: Guest<'_>| -> Result<u64> {
            enter(&mut g, "canister_version", Mode::ALL, weights::CALL)?;
            Ok(g.data().facts.version)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "is_controller",
        |mut g: Guest<'_>, src: u32, len: u32| -> Result<u32> {
            enter(
                &mut g,
                "is_controller",
                Mode::ALL_AND_START,
                weights::IS_CONTROLLER,
            )?;
            let principal = read_principal(&mut g, src, len)?;
            Ok(g.data().facts.controllers.contains(&principal).into())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "in_replicated_execution",
        |mut g: Guest<'_>| -> Result<u32> {
            let allowed = Mode::ALL_AND_START;
            enter(&mut g, "in_replicated_execution", allowed, weights::CALL)?;
            Ok(g.data().mode.is_replicated().into())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "canister_cycle_balance",
        |mut g: Guest<'_>| -> Result<u64> {
            enter(&mut g, "canister_cycle_balance", Mode::ALL, weights::CALL)?;
            narrow(g.data().balance)
        },
    )?;
    for name in [
        "canister_cycle_balance128",
        "canister_liquid_cycle_balance128",
    ] {
        linker.func_wrap(
            "ic0",
            name,
            move |mut g: Guest<'_>, dst: u32| -> Result<()> {
                enter(&mut g, name, Mode::ALL, weights::CALL)?;
                let balance = g.data().balance;
                let balance = match name {
                    "canister_cycle_balance128" => balance,
                    _ => g.data().liquid(),
                };
                write_u128(&mut g, dst, balance)
            },
        )?;
    }
    linker.func_wrap(
        "ic0",
        "cycles_burn128",
        |mut g: Guest<'_>, high: u64, low: u64, dst: u32| -> Result<()> {
            enter(&mut g, "cycles_burn128", REPLICATED, weights::CALL)?;
            let host = g.data_mut();
            let burned = wide(high, low).min(host.liquid());
            host.balance -= burned;
            host.effects.cycles_burned += burned;
            write_u128(&mut g, dst, burned)
        },
    )?;
    Ok(())
}

fn certified(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap(
        "ic0",
        "certified_data_set",
        |mut g: Guest<'_>, src: u32, len: u32| -> Result<()> {
            enter(&mut g, "certified_data_set", CERTIFYING, weights::CALL)?;
            if len > MAX_CERTIFIED {
                return Err(Trap::Contract(format!(
                    "certified data is longer than {MAX_CERTIFIED} bytes"
                ))
                .into());
            }
            let bytes = read(&mut g, src, len)?;
            g.data_mut().effects.certified_data = Some(bytes);
            Ok(())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "data_certificate_present",
        |mut g: Guest<'_>| -> Result<u32> {
            enter(&mut g, "data_certificate_present", Mode::ALL, weights::CALL)?;
            Ok(g.data_mut().certificate().is_some().into())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "data_certificate_size",
        |mut g: Guest<'_>| -> Result<u32> {
            enter(&mut g, "data_certificate_size", CERTIFICATE, weights::CALL)?;
            let certificate = g.data_mut().certificate();
            certificate
                .map(|c| size(c.len()))
                .ok_or_else(no_certificate)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "data_certificate_copy",
        |mut g: Guest<'_>, dst: u32, offset: u32, len: u32| -> Result<()> {
            enter(&mut g, "data_certificate_copy", CERTIFICATE, weights::CALL)?;
            g.data_mut().certificate().ok_or_else(no_certificate)?;
            copy_out(&mut g, dst, offset, len, |h| {
                h.certificate_bytes.as_deref().unwrap_or_default()
            })
        },
    )?;
    linker.func_wrap("ic0", "root_key_size", |mut g: Guest<'_>| -> Result<u32> {
        enter(&mut g, "root_key_size", REPLICATED, weights::CALL)?;
        Ok(size(g.data().facts.root_key.len()))
    })?;
    linker.func_wrap(
        "ic0",
        "root_key_copy",
        |mut g: Guest<'_>, dst: u32, offset: u32, len: u32| -> Result<()> {
            enter(&mut g, "root_key_copy", REPLICATED, weights::CALL)?;
            copy_out(&mut g, dst, offset, len, |h| &h.facts.root_key)
        },
    )?;
    Ok(())
}

fn no_certificate() -> wasmtime::Error {
    Trap::Contract("there is no data certificate here".into()).into()
}

fn clock(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap("ic0", "time", |mut g: Guest<'_>| -> Result<u64> {
        enter(&mut g, "time", Mode::ALL, weights::CALL)?;
        Ok(g.data().facts.time)
    })?;
    linker.func_wrap(
        "ic0",
        "global_timer_set",
        |mut g: Guest<'_>, at: u64| -> Result<u64> {
            enter(&mut g, "global_timer_set", TIMING, weights::CALL)?;
            let host = g.data_mut();
            Ok(host.effects.timer.replace(at).unwrap_or(host.timer))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "performance_counter",
        |mut g: Guest<'_>, kind: u32| -> Result<u64> {
            let cost = weights::PERFORMANCE_COUNTER;
            enter(&mut g, "performance_counter", Mode::ALL_AND_START, cost)?;
            let spent = g.data().limit.saturating_sub(g.get_fuel()?);
            match kind {
                0 => Ok(spent),
                1 => Ok(g.data().facts.spent_before + spent),
                _ => Err(Trap::Contract(format!("there is no performance counter {kind}")).into()),
            }
        },
    )?;
    Ok(())
}

fn environment(linker: &mut Linker<Host>) -> Result<()> {
    fn name(host: &Host, index: u32) -> Option<&str> {
        let (name, _) = host.facts.environment.get(index as usize)?;
        Some(name)
    }
    fn value<'a>(host: &'a Host, wanted: &str) -> Option<&'a str> {
        let mut variables = host.facts.environment.iter();
        variables
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
    }
    fn none() -> wasmtime::Error {
        Trap::Contract("there is no such environment variable".into()).into()
    }
    linker.func_wrap("ic0", "env_var_count", |mut g: Guest<'_>| -> Result<u32> {
        enter(&mut g, "env_var_count", Mode::ALL, weights::CALL)?;
        Ok(size(g.data().facts.environment.len()))
    })?;
    linker.func_wrap(
        "ic0",
        "env_var_name_size",
        |mut g: Guest<'_>, index: u32| -> Result<u32> {
            enter(&mut g, "env_var_name_size", Mode::ALL, weights::CALL)?;
            name(g.data(), index)
                .map(|n| size(n.len()))
                .ok_or_else(none)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "env_var_name_copy",
        |mut g: Guest<'_>, index: u32, dst: u32, offset: u32, len: u32| -> Result<()> {
            enter(&mut g, "env_var_name_copy", Mode::ALL, weights::CALL)?;
            copy_out(&mut g, dst, offset, len, |h| {
                name(h, index).unwrap_or_default().as_bytes()
            })
        },
    )?;
    linker.func_wrap(
        "ic0",
        "env_var_name_exists",
        |mut g: Guest<'_>, src: u32, len: u32| -> Result<u32> {
            enter(&mut g, "env_var_name_exists", Mode::ALL, weights::CALL)?;
            let wanted = text(peek(&mut g, src, len)?)?;
            Ok(value(g.data(), &wanted).is_some().into())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "env_var_value_size",
        |mut g: Guest<'_>, src: u32, len: u32| -> Result<u32> {
            enter(&mut g, "env_var_value_size", Mode::ALL, weights::CALL)?;
            let wanted = text(peek(&mut g, src, len)?)?;
            value(g.data(), &wanted)
                .map(|v| size(v.len()))
                .ok_or_else(none)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "env_var_value_copy",
        |mut g: Guest<'_>, src: u32, src_len: u32, dst: u32, offset: u32, len: u32| -> Result<()> {
            enter(&mut g, "env_var_value_copy", Mode::ALL, weights::CALL)?;
            let wanted = text(peek(&mut g, src, src_len)?)?;
            value(g.data(), &wanted).ok_or_else(none)?;
            copy_out(&mut g, dst, offset, len, |h| {
                value(h, &wanted).unwrap_or_default().as_bytes()
            })
        },
    )?;
    Ok(())
}
