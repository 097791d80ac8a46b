//! The message being executed: argument, caller, reply, reject, cycles, inspection.

use super::super::host::{Host, Mode, Trap};
use super::super::weights;
use super::{Guest, copy_out, enter, narrow, send, size, wide, write_u128};
use crate::wire::response::Reject;
use wasmtime::{Linker, Result};

const ARG: Mode = Mode::INIT
    .or(Mode::UPDATE)
    .or(ANY_QUERY)
    .or(Mode::REPLY)
    .or(Mode::COMPOSITE_REPLY)
    .or(Mode::INSPECT);
const ANY_QUERY: Mode = Mode::REPLICATED_QUERY.or(Mode::QUERY).or(Mode::COMPOSITE);
const ANSWER: Mode = Mode::UPDATE.or(ANY_QUERY).or(CALLBACK);
const PAID: Mode = Mode::UPDATE.or(Mode::REPLICATED_QUERY).or(REFUNDED);
const REFUNDED: Mode = Mode::REPLY.or(Mode::REJECT);
const REJECTED: Mode = Mode::REJECT.or(Mode::COMPOSITE_REJECT);
const CALLBACK: Mode = REJECTED.or(Mode::REPLY).or(Mode::COMPOSITE_REPLY);
const CALLER_INFO: Mode = ANSWER
    .or(Mode::CLEANUP)
    .or(Mode::COMPOSITE_CLEANUP)
    .or(Mode::INSPECT);

fn reject_message(host: &Host) -> &[u8] {
    host.facts
        .reject
        .as_ref()
        .map_or(&[], |reject| reject.message.as_bytes())
}

/// Refuses a second answer.
fn unanswered(guest: &Guest<'_>) -> Result<()> {
    if guest.data().answered() {
        return Err(Trap::Contract("the call is already replied to".into()).into());
    }
    Ok(())
}

pub(super) fn bind(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap(
        "ic0",
        "msg_arg_data_size",
        |mut g: Guest<'_>| -> Result<u32> {
            enter(&mut g, "msg_arg_data_size", ARG, weights::CALL)?;
            Ok(size(g.data().facts.arg.len()))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_arg_data_copy",
        |mut g: Guest<'_>, dst: u32, offset: u32, len: u32| -> Result<()> {
            enter(&mut g, "msg_arg_data_copy", ARG, weights::CALL)?;
            copy_out(&mut g, dst, offset, len, |h| &h.facts.arg)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_caller_size",
        |mut g: Guest<'_>| -> Result<u32> {
            enter(&mut g, "msg_caller_size", Mode::ALL, weights::CALL)?;
            Ok(size(g.data().facts.caller.as_slice().len()))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_caller_copy",
        |mut g: Guest<'_>, dst: u32, offset: u32, len: u32| -> Result<()> {
            enter(&mut g, "msg_caller_copy", Mode::ALL, weights::CALL)?;
            copy_out(&mut g, dst, offset, len, |h| h.facts.caller.as_slice())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_reject_code",
        |mut g: Guest<'_>| -> Result<u32> {
            let allowed = CALLBACK.or(Mode::CLEANUP);
            enter(&mut g, "msg_reject_code", allowed, weights::CALL)?;
            Ok(g.data().facts.reject.as_ref().map_or(0, |r| r.code.into()))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_reject_msg_size",
        |mut g: Guest<'_>| -> Result<u32> {
            enter(&mut g, "msg_reject_msg_size", REJECTED, weights::CALL)?;
            Ok(size(reject_message(g.data()).len()))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_reject_msg_copy",
        |mut g: Guest<'_>, dst: u32, offset: u32, len: u32| -> Result<()> {
            enter(&mut g, "msg_reject_msg_copy", REJECTED, weights::CALL)?;
            copy_out(&mut g, dst, offset, len, reject_message)
        },
    )?;
    linker.func_wrap("ic0", "msg_deadline", |mut g: Guest<'_>| -> Result<u64> {
        enter(&mut g, "msg_deadline", ANSWER, weights::CALL)?;
        Ok(g.data().facts.deadline)
    })?;
    linker.func_wrap(
        "ic0",
        "msg_reply_data_append",
        |mut g: Guest<'_>, src: u32, len: u32| -> Result<()> {
            enter(&mut g, "msg_reply_data_append", ANSWER, weights::CALL)?;
            unanswered(&g)?;
            let bytes = send(&mut g, src, len)?;
            let host = g.data_mut();
            if host.reply.len() + bytes.len() > host.max_reply {
                let max = host.max_reply;
                return Err(Trap::Contract(format!(
                    "the reply is larger than the maximum of {max} bytes"
                ))
                .into());
            }
            host.reply.extend_from_slice(&bytes);
            Ok(())
        },
    )?;
    linker.func_wrap("ic0", "msg_reply", |mut g: Guest<'_>| -> Result<()> {
        enter(&mut g, "msg_reply", ANSWER, weights::CALL)?;
        unanswered(&g)?;
        let host = g.data_mut();
        host.effects.response = Some(Ok(std::mem::take(&mut host.reply)));
        Ok(())
    })?;
    linker.func_wrap(
        "ic0",
        "msg_reject",
        |mut g: Guest<'_>, src: u32, len: u32| -> Result<()> {
            enter(&mut g, "msg_reject", ANSWER, weights::CALL)?;
            unanswered(&g)?;
            let message = String::from_utf8(send(&mut g, src, len)?)
                .map_err(|_| Trap::Contract("the reject message is not UTF-8".into()))?;
            g.data_mut().effects.response = Some(Err(Reject::new(4, "IC0406", message)));
            Ok(())
        },
    )?;
    caller_info(linker)?;
    cycles(linker)?;
    inspection(linker)
}

/// What an identity says of itself through the canister that vouches for it: nothing here, since
/// no request that carries such information is taken.
fn caller_info(linker: &mut Linker<Host>) -> Result<()> {
    for name in ["msg_caller_info_data_size", "msg_caller_info_signer_size"] {
        linker.func_wrap("ic0", name, move |mut g: Guest<'_>| -> Result<u32> {
            enter(&mut g, name, CALLER_INFO, weights::CALL)?;
            Ok(0)
        })?;
    }
    for name in ["msg_caller_info_data_copy", "msg_caller_info_signer_copy"] {
        linker.func_wrap(
            "ic0",
            name,
            move |mut g: Guest<'_>, dst: u32, offset: u32, len: u32| -> Result<()> {
                enter(&mut g, name, CALLER_INFO, weights::CALL)?;
                copy_out(&mut g, dst, offset, len, |_| &[])
            },
        )?;
    }
    Ok(())
}

fn accept(g: &mut Guest<'_>, most: u128) -> u128 {
    let host = g.data_mut();
    let accepted = most.min(host.cycles_available());
    host.effects.cycles_accepted += accepted;
    host.balance += accepted;
    accepted
}

fn cycles(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap(
        "ic0",
        "msg_cycles_available",
        |mut g: Guest<'_>| -> Result<u64> {
            enter(&mut g, "msg_cycles_available", PAID, weights::CALL)?;
            narrow(g.data().cycles_available())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_cycles_refunded",
        |mut g: Guest<'_>| -> Result<u64> {
            enter(&mut g, "msg_cycles_refunded", REFUNDED, weights::CALL)?;
            narrow(g.data().facts.cycles_refunded)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_cycles_accept",
        |mut g: Guest<'_>, most: u64| -> Result<u64> {
            enter(&mut g, "msg_cycles_accept", PAID, weights::CALL)?;
            narrow(accept(&mut g, most.into()))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_cycles_available128",
        |mut g: Guest<'_>, dst: u32| -> Result<()> {
            enter(&mut g, "msg_cycles_available128", PAID, weights::CALL)?;
            let cycles = g.data().cycles_available();
            write_u128(&mut g, dst, cycles)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_cycles_refunded128",
        |mut g: Guest<'_>, dst: u32| -> Result<()> {
            enter(&mut g, "msg_cycles_refunded128", REFUNDED, weights::CALL)?;
            let cycles = g.data().facts.cycles_refunded;
            write_u128(&mut g, dst, cycles)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_cycles_accept128",
        |mut g: Guest<'_>, high: u64, low: u64, dst: u32| -> Result<()> {
            enter(&mut g, "msg_cycles_accept128", PAID, weights::CALL)?;
            let accepted = accept(&mut g, wide(high, low));
            write_u128(&mut g, dst, accepted)
        },
    )?;
    Ok(())
}

fn inspection(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap("ic0", "accept_message", |mut g: Guest<'_>| -> Result<()> {
        enter(&mut g, "accept_message", Mode::INSPECT, weights::CALL)?;
        let accepted = &mut g.data_mut().effects.accepted;
        if std::mem::replace(accepted, true) {
            return Err(Trap::Contract("the message is already accepted".into()).into());
        }
        Ok(())
    })?;
    linker.func_wrap(
        "ic0",
        "msg_method_name_size",
        |mut g: Guest<'_>| -> Result<u32> {
            enter(&mut g, "msg_method_name_size", Mode::INSPECT, weights::CALL)?;
            Ok(size(g.data().facts.method.len()))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_method_name_copy",
        |mut g: Guest<'_>, dst: u32, offset: u32, len: u32| -> Result<()> {
            enter(&mut g, "msg_method_name_copy", Mode::INSPECT, weights::CALL)?;
            copy_out(&mut g, dst, offset, len, |h| h.facts.method.as_bytes())
        },
    )?;
    Ok(())
}
