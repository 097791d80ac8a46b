//! The message being executed: argument, caller, reply, reject, cycles, inspection.

use super::super::host::{Host, Mode, Trap};
use super::super::weights;
use super::{Guest, copy_out, enter, read, size, wide, write_u128};
use crate::wire::response::Reject;
use wasmtime::{Linker, Result};

const ARG: Mode = Mode::INIT
    .or(Mode::UPDATE)
    .or(Mode::REPLICATED_QUERY)
    .or(Mode::QUERY)
    .or(Mode::REPLY)
    .or(Mode::INSPECT);
const ANSWER: Mode = Mode::UPDATE
    .or(Mode::REPLICATED_QUERY)
    .or(Mode::QUERY)
    .or(Mode::REPLY)
    .or(Mode::REJECT);
const PAID: Mode = Mode::UPDATE
    .or(Mode::REPLICATED_QUERY)
    .or(Mode::REPLY)
    .or(Mode::REJECT);
const CALLBACK: Mode = Mode::REPLY.or(Mode::REJECT);

fn reject_message(host: &Host) -> &[u8] {
    host.facts
        .reject
        .as_ref()
        .map_or(&[], |reject| reject.message.as_bytes())
}

/// Refuses a second answer.
fn unanswered(guest: &Guest<'_>) -> Result<()> {
    if guest.data().effects.response.is_some() {
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
            enter(&mut g, "msg_reject_msg_size", Mode::REJECT, weights::CALL)?;
            Ok(size(reject_message(g.data()).len()))
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_reject_msg_copy",
        |mut g: Guest<'_>, dst: u32, offset: u32, len: u32| -> Result<()> {
            enter(&mut g, "msg_reject_msg_copy", Mode::REJECT, weights::CALL)?;
            copy_out(&mut g, dst, offset, len, reject_message)
        },
    )?;
    // No call here is ever best-effort, so there is never a deadline.
    linker.func_wrap("ic0", "msg_deadline", |mut g: Guest<'_>| -> Result<u64> {
        enter(&mut g, "msg_deadline", ANSWER, weights::CALL)?;
        Ok(0)
    })?;
    linker.func_wrap(
        "ic0",
        "msg_reply_data_append",
        |mut g: Guest<'_>, src: u32, len: u32| -> Result<()> {
            enter(&mut g, "msg_reply_data_append", ANSWER, weights::CALL)?;
            unanswered(&g)?;
            let bytes = read(&mut g, src, len)?;
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
            let message = String::from_utf8(read(&mut g, src, len)?)
                .map_err(|_| Trap::Contract("the reject message is not UTF-8".into()))?;
            g.data_mut().effects.response = Some(Err(Reject::new(4, "IC0406", message)));
            Ok(())
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
            enter(&mut g, "msg_cycles_refunded128", CALLBACK, weights::CALL)?;
            let cycles = g.data().facts.cycles_refunded;
            write_u128(&mut g, dst, cycles)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "msg_cycles_accept128",
        |mut g: Guest<'_>, high: u64, low: u64, dst: u32| -> Result<()> {
            enter(&mut g, "msg_cycles_accept128", PAID, weights::CALL)?;
            let host = g.data_mut();
            let accepted = wide(high, low).min(host.cycles_available());
            host.effects.cycles_accepted += accepted;
            host.balance += accepted;
            write_u128(&mut g, dst, accepted)
        },
    )?;
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
