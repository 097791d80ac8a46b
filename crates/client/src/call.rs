//! Typed calls: Candid in, Candid out, with bounds on what an answer may cost to decode. Must not
//! know what the calls are for.
//!
//! Of each call only what its types need is code of its own: a browser has to load it.

use crate::client::Client;
use crate::error::Result;
use crate::transport::TransportError;
use candid::utils::ArgumentEncoder;
use candid::{CandidType, DecoderConfig};
use futures::future::{FutureExt as _, LocalBoxFuture};
use serde::de::DeserializeOwned;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Work an answer may cost: a page of 2 MiB in small items stays below a third of it.
const DECODING_QUOTA: usize = 60_000_000;
/// Work that may be spent on skipping what this client does not know.
const SKIPPING_QUOTA: usize = 100_000;

/// A call under way, whose answer is an `R`.
#[must_use = "a call is made when it is waited for"]
pub(crate) struct Call<'a, R> {
    method: &'static str,
    answer: LocalBoxFuture<'a, std::result::Result<Vec<u8>, TransportError>>,
    answers: PhantomData<fn() -> R>,
}

impl<R: CandidType + DeserializeOwned> Future for Call<'_, R> {
    type Output = Result<R>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<R>> {
        let answer = ready!(self.answer.poll_unpin(context));
        Poll::Ready(answer.map_or_else(|e| Err(e.into()), |bytes| decode(self.method, &bytes)))
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Query,
    Update,
}

fn undecodable(method: &str) -> TransportError {
    TransportError::Undecodable {
        method: method.into(),
    }
}

#[inline(never)]
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
    pub(crate) fn query<R>(&self, method: &'static str, args: impl ArgumentEncoder) -> Call<'_, R> {
        self.call(Kind::Query, method, candid::encode_args(args).ok())
    }

    pub(crate) fn update<R>(
        &self,
        method: &'static str,
        args: impl ArgumentEncoder,
    ) -> Call<'_, R> {
        self.call(Kind::Update, method, candid::encode_args(args).ok())
    }

    fn call<R>(&self, kind: Kind, method: &'static str, arg: Option<Vec<u8>>) -> Call<'_, R> {
        Call {
            method,
            answer: self.send(kind, method, arg).boxed_local(),
            answers: PhantomData,
        }
    }

    async fn send(
        &self,
        kind: Kind,
        method: &str,
        arg: Option<Vec<u8>>,
    ) -> std::result::Result<Vec<u8>, TransportError> {
        let arg = arg.ok_or_else(|| undecodable(method))?;
        match kind {
            Kind::Query => self.transport().query(method, &arg).await,
            Kind::Update => self.transport().update(method, &arg).await,
        }
    }
}
