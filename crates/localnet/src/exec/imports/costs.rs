//! What things would cost in cycles: the published prices of a 13-node subnet.

use super::super::host::{Host, Mode, Trap};
use super::super::prices;
use super::super::weights;
use super::{Guest, enter, read_text, write_u128};
use wasmtime::{Linker, Result};

/// `http_request`: base, per node, per request byte and response byte, all times the nodes.
const HTTP_BASE: u128 = 3_000_000;
const HTTP_PER_NODE: u128 = 60_000;
const HTTP_REQUEST_BYTE: u128 = 400;
const HTTP_RESPONSE_BYTE: u128 = 800;
const NODES: u128 = 13;

/// The status the system API returns for an unknown curve or key.
const UNKNOWN_CURVE: u32 = 1;
const UNKNOWN_KEY: u32 = 2;

pub(super) fn bind(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap(
        "ic0",
        "cost_call",
        |mut g: Guest<'_>, name: u64, payload: u64, dst: u32| -> Result<()> {
            enter(&mut g, "cost_call", Mode::ALL_AND_START, weights::CALL)?;
            let bytes = u128::from(name) + u128::from(payload);
            write_u128(
                &mut g,
                dst,
                prices::call_sent(bytes) + prices::call_answer(),
            )
        },
    )?;
    linker.func_wrap(
        "ic0",
        "cost_create_canister",
        |mut g: Guest<'_>, dst: u32| -> Result<()> {
            enter(
                &mut g,
                "cost_create_canister",
                Mode::ALL_AND_START,
                weights::CALL,
            )?;
            write_u128(&mut g, dst, prices::CREATE)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "cost_http_request",
        |mut g: Guest<'_>, request: u64, response: u64, dst: u32| -> Result<()> {
            enter(
                &mut g,
                "cost_http_request",
                Mode::ALL_AND_START,
                weights::CALL,
            )?;
            let fee = HTTP_BASE
                + HTTP_PER_NODE * NODES
                + HTTP_REQUEST_BYTE * u128::from(request)
                + HTTP_RESPONSE_BYTE * u128::from(response);
            write_u128(&mut g, dst, fee * NODES)
        },
    )?;
    for (name, curves) in [
        ("cost_sign_with_ecdsa", 1),
        ("cost_sign_with_schnorr", 2),
        ("cost_vetkd_derive_key", 1),
    ] {
        linker.func_wrap(
            "ic0",
            name,
            move |mut g: Guest<'_>, src: u32, len: u32, curve: u32, dst: u32| -> Result<u32> {
                enter(&mut g, name, Mode::ALL_AND_START, weights::CALL)?;
                if len > 1_000 {
                    return Err(Trap::Contract("the key's name is too long".into()).into());
                }
                let key = read_text(&mut g, src, len)?;
                if curve >= curves {
                    return Ok(UNKNOWN_CURVE);
                }
                let fee = match key.as_str() {
                    "key_1" => prices::KEY,
                    "test_key_1" | "dfx_test_key" => prices::TEST_KEY,
                    _ => return Ok(UNKNOWN_KEY),
                };
                write_u128(&mut g, dst, fee)?;
                Ok(0)
            },
        )?;
    }
    Ok(())
}
