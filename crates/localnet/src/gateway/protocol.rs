//! The Candid types of the HTTP gateway protocol.

use axum::http::request::Parts;
use candid::{CandidType, Decode, Encode, Reserved};
use serde::Deserialize;
use serde_bytes::ByteBuf;

/// A request as canisters see it.
#[derive(Clone, CandidType)]
pub(super) struct HttpRequest {
    /// GET, POST, ….
    pub(super) method: String,
    /// Path and query.
    pub(super) url: String,
    /// Names and values.
    pub(super) headers: Vec<(String, String)>,
    /// The body.
    pub(super) body: ByteBuf,
    /// The version of response verification wanted.
    pub(super) certificate_version: Option<u16>,
}

/// An answer by a canister.
#[derive(CandidType, Deserialize)]
pub(super) struct HttpResponse {
    /// The status.
    pub(super) status_code: u16,
    /// Names and values.
    pub(super) headers: Vec<(String, String)>,
    /// The body.
    pub(super) body: ByteBuf,
    /// Whether to ask again by an update.
    pub(super) upgrade: Option<bool>,
    /// Where more of the body is.
    pub(super) streaming_strategy: Option<Reserved>,
}

impl HttpRequest {
    /// A request as it came.
    pub(super) fn new(parts: &Parts, body: Vec<u8>) -> Self {
        let url = parts.uri.path_and_query().map_or("/", |url| url.as_str());
        let headers = parts.headers.iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        Self {
            method: parts.method.as_str().to_owned(),
            url: url.to_owned(),
            headers: headers.collect(),
            body: body.into(),
            certificate_version: Some(2),
        }
    }

    /// A request for `url` with nothing else.
    pub(super) fn get(url: &str) -> Self {
        Self {
            method: "GET".into(),
            url: url.into(),
            headers: Vec::new(),
            body: ByteBuf::new(),
            certificate_version: Some(2),
        }
    }

    /// In Candid.
    pub(super) fn encode(&self) -> Vec<u8> {
        // These types always encode.
        Encode!(self).unwrap_or_default()
    }
}

impl HttpResponse {
    /// From Candid.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, candid::Error> {
        Decode!(bytes, Self)
    }
}
