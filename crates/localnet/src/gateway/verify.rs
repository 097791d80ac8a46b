//! Response verification: what the gateways of the IC check before a browser sees a byte.

use super::protocol::{HttpRequest, HttpResponse};
use candid::Principal;
use ic_http_certification::{HttpRequest as Asked, HttpResponse as Answered, Method, StatusCode};
use ic_response_verification::verify_request_response_pair;

/// Certificates may be this old, ns.
const MAX_AGE_NS: u128 = 5 * 60 * 1_000_000_000;
/// The oldest version of certification accepted.
const MIN_VERSION: u8 = 1;

/// Why a response is not certified.
#[derive(Debug, thiserror::Error)]
pub(super) enum VerifyError {
    /// The verification says no.
    #[error("{0}")]
    Verification(#[from] ic_response_verification::ResponseVerificationError),
    /// The method has no name.
    #[error("the method is not one of HTTP")]
    Method,
    /// The status is none.
    #[error("the status is not one of HTTP")]
    Status,
}

/// The certified part of a response at `now` (ns).
pub(super) fn certified(
    question: &HttpRequest,
    answer: HttpResponse,
    canister: Principal,
    root_key: &[u8],
    now: u64,
) -> Result<HttpResponse, VerifyError> {
    let method = Method::from_bytes(question.method.as_bytes()).map_err(|_| VerifyError::Method)?;
    let asked = Asked::builder()
        .with_method(method)
        .with_url(question.url.as_str())
        .with_headers(question.headers.clone())
        .with_body(question.body.as_slice())
        .build();
    let status = StatusCode::from_u16(answer.status_code).map_err(|_| VerifyError::Status)?;
    let answered = Answered::builder()
        .with_status_code(status)
        .with_headers(answer.headers.clone())
        .with_body(answer.body.as_slice())
        .build();
    let verified = verify_request_response_pair(
        asked,
        answered,
        canister.as_slice(),
        now.into(),
        MAX_AGE_NS,
        root_key,
        MIN_VERSION,
    )?;
    let Some(response) = verified.response else {
        return Ok(answer);
    };
    // The proof itself is not certified, but harmless and useful to whoever looks.
    let proof = answer.headers.into_iter().filter(|(name, _)| {
        let name = name.to_ascii_lowercase();
        name == "ic-certificate" || name == "ic-certificateexpression"
    });
    let mut headers = response.headers;
    for (name, value) in proof {
        if !headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(&name)) {
            headers.push((name, value));
        }
    }
    Ok(HttpResponse {
        status_code: response.status_code.unwrap_or(answer.status_code),
        headers,
        body: response.body.into(),
        upgrade: None,
        streaming_strategy: None,
    })
}
