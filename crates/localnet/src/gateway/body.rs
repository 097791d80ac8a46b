//! Whole bodies: the rest of one is fetched part by part, before anything of it is verified.

use super::protocol::{Callback, Part};
use super::{Failure, query};
use crate::node::Node;
use axum::http::StatusCode;
use candid::Principal;
use std::sync::Arc;

/// Largest body put together, bytes.
const MAX_BYTES: usize = 64 << 20;
/// Most parts of a body.
const MAX_PARTS: usize = 1_000;

fn bad(why: impl Into<String>) -> Failure {
    (StatusCode::BAD_GATEWAY, why.into())
}

/// Adds the parts that `response`, an answer in Candid, says are still to come.
pub(super) async fn complete(
    node: &Arc<Node>,
    canister: Principal,
    response: &[u8],
    body: &mut Vec<u8>,
) -> Result<(), Failure> {
    let callback = Callback::of(response)
        .ok_or_else(|| bad("the streaming strategy is not one of the protocol's"))?;
    if callback.canister != canister {
        let why = "the streaming callback is not a method of the canister that was asked";
        return Err(bad(why));
    }
    let mut token = Some(callback.token);
    let mut parts = 0;
    while let Some(asked) = token {
        parts += 1;
        if parts > MAX_PARTS {
            return Err(bad(format!("the body has more than {MAX_PARTS} parts")));
        }
        let answer = query(node, canister, &callback.method, asked).await?;
        let part =
            Part::decode(&answer).map_err(|e| bad(format!("not a part of a response: {e}")))?;
        body.extend_from_slice(&part.body);
        if body.len() > MAX_BYTES {
            return Err(bad(format!("the body has more than {MAX_BYTES} bytes")));
        }
        token = part.token;
    }
    Ok(())
}
