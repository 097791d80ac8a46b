//! Typed calls: Candid in, Candid out, with bounds on what an answer may cost to decode. Must not
//! know what the calls are for.

use crate::client::Client;
use crate::error::Result;
use crate::transport::TransportError;
use candid::utils::ArgumentEncoder;
use candid::{CandidType, DecoderConfig};
use serde::de::DeserializeOwned;

/// Work an answer may cost: a page of 2 MiB in small items stays below a third of it.
const DECODING_QUOTA: usize = 60_000_000;
/// Work that may be spent on skipping what this client does not know.
const SKIPPING_QUOTA: usize = 100_000;

fn encode(method: &str, args: impl ArgumentEncoder) -> Result<Vec<u8>> {
    candid::encode_args(args).map_err(|_| undecodable(method).into())
}

fn undecodable(method: &str) -> TransportError {
    TransportError::Undecodable {
        method: method.into(),
    }
}

fn decode<R: CandidType + DeserializeOwned>(method: &str, bytes: &[u8]) -> Result<R> {
    let mut config = DecoderConfig::new();
    config
        .set_decoding_quota(DECODING_QUOTA)
        .set_skipping_quota(SKIPPING_QUOTA);
    let answer: salus_types::Result<R> =
        candid::utils::decode_one_with_config(bytes, &config).map_err(|_| undecodable(method))?;
    Ok(answer?)
}

impl Client {
    pub(crate) async fn query<R>(&self, method: &str, args: impl ArgumentEncoder) -> Result<R>
    where
        R: CandidType + DeserializeOwned,
    {
        let arg = encode(method, args)?;
        decode(method, &self.transport().query(method, &arg).await?)
    }

    pub(crate) async fn update<R>(&self, method: &str, args: impl ArgumentEncoder) -> Result<R>
    where
        R: CandidType + DeserializeOwned,
    {
        let arg = encode(method, args)?;
        decode(method, &self.transport().update(method, &arg).await?)
    }
}
