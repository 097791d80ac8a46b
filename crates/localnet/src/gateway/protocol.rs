//! The Candid types of the HTTP gateway protocol. What canisters answer is decoded within limits
//! that follow from its length, whatever it claims to hold.

use axum::http::request::Parts;
use candid::de::IDLDeserialize;
use candid::types::value::{IDLArgs, IDLField, IDLValue, VariantValue};
use candid::types::{Field, Label, Type, TypeEnv, TypeInner};
use candid::{CandidType, DecoderConfig, Encode, Principal, Reserved};
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

/// The same as an update sees it: no version, since nothing will be verified.
#[derive(CandidType)]
struct HttpUpdateRequest<'r> {
    method: &'r str,
    url: &'r str,
    headers: &'r [(String, String)],
    body: &'r serde_bytes::Bytes,
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

/// Where the next part of a body is.
pub(super) struct Callback {
    /// The canister to ask.
    pub(super) canister: Principal,
    /// Its method.
    pub(super) method: String,
    /// What to ask it, in Candid, of whichever type the canister chose.
    pub(super) token: Vec<u8>,
}

/// A part of a body, and what asks for the next.
pub(super) struct Part {
    /// The part.
    pub(super) body: Vec<u8>,
    /// What asks for the next, in Candid; none at the end.
    pub(super) token: Option<Vec<u8>>,
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

    /// In Candid, for a query.
    pub(super) fn encode(&self) -> Vec<u8> {
        // These types always encode.
        Encode!(self).unwrap_or_default()
    }

    /// In Candid, for an update.
    pub(super) fn encode_update(&self) -> Vec<u8> {
        let update = HttpUpdateRequest {
            method: &self.method,
            url: &self.url,
            headers: &self.headers,
            body: serde_bytes::Bytes::new(&self.body),
        };
        // These types always encode.
        Encode!(&update).unwrap_or_default()
    }
}

/// How much work a message of this length may make.
fn limits(bytes: &[u8]) -> DecoderConfig {
    let mut config = DecoderConfig::new();
    // Values of unknown type count fifty times.
    let quota = 500 * bytes.len() + 1_000_000;
    config.set_decoding_quota(quota).set_skipping_quota(quota);
    config
}

impl HttpResponse {
    /// From Candid.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, candid::Error> {
        let (response,) = candid::utils::decode_args_with_config(bytes, &limits(bytes))?;
        Ok(response)
    }
}

/// Any value: canisters choose the types of their tokens.
fn any_value(bytes: &[u8]) -> Option<IDLValue> {
    let mut values = IDLDeserialize::new_with_config(bytes, &limits(bytes)).ok()?;
    values.get_value::<IDLValue>().ok()
}

fn field(value: IDLValue, name: &str) -> Option<IDLValue> {
    let IDLValue::Record(fields) = value else {
        return None;
    };
    let id = Label::Named(name.into()).get_id();
    let found = fields.into_iter().find(|field| field.id.get_id() == id);
    found.map(|field| field.val)
}

fn some(value: IDLValue) -> Option<IDLValue> {
    match value {
        IDLValue::Opt(value) => Some(*value),
        _ => None,
    }
}

/// A type of a value and of others like it: every type the canister may have given it is a
/// supertype of this one, so that the canister reads the value as it wrote it.
fn type_of(value: &IDLValue) -> Type {
    match value {
        IDLValue::Opt(value) => TypeInner::Opt(type_of(value)).into(),
        IDLValue::Vec(values) => {
            let empty = TypeInner::Empty.into();
            let types = values.iter().map(type_of);
            TypeInner::Vec(types.fold(empty, |a, b| join(&a, &b))).into()
        }
        IDLValue::Record(fields) => TypeInner::Record(fields.iter().map(field_of).collect()).into(),
        IDLValue::Variant(VariantValue(chosen, _)) => {
            TypeInner::Variant(vec![field_of(chosen)]).into()
        }
        other => other.value_ty(),
    }
}

fn field_of(field: &IDLField) -> Field {
    Field {
        id: field.id.clone().into(),
        ty: type_of(&field.val),
    }
}

/// The type of values of either type.
fn join(a: &Type, b: &Type) -> Type {
    match (a.as_ref(), b.as_ref()) {
        (TypeInner::Empty, _) => b.clone(),
        (TypeInner::Opt(a), TypeInner::Opt(b)) => TypeInner::Opt(join(a, b)).into(),
        (TypeInner::Vec(a), TypeInner::Vec(b)) => TypeInner::Vec(join(a, b)).into(),
        (TypeInner::Record(a), TypeInner::Record(b)) => TypeInner::Record(join_all(a, b)).into(),
        (TypeInner::Variant(a), TypeInner::Variant(b)) => TypeInner::Variant(join_all(a, b)).into(),
        _ => a.clone(),
    }
}

fn join_all(a: &[Field], b: &[Field]) -> Vec<Field> {
    let mut all = a.to_vec();
    for field in b {
        match all.binary_search_by_key(&field.id.get_id(), |known| known.id.get_id()) {
            Ok(at) => {
                if let Some(known) = all.get_mut(at) {
                    known.ty = join(&known.ty, &field.ty);
                }
            }
            Err(at) => all.insert(at, field.clone()),
        }
    }
    all
}

fn message(value: IDLValue) -> Option<Vec<u8>> {
    let wanted = type_of(&value);
    let args = IDLArgs { args: vec![value] };
    args.to_bytes_with_types(&TypeEnv::new(), &[wanted]).ok()
}

impl Callback {
    /// The streaming strategy of an answer; none when it is not one of the protocol's.
    pub(super) fn of(response: &[u8]) -> Option<Self> {
        let strategy = some(field(any_value(response)?, "streaming_strategy")?)?;
        let IDLValue::Variant(VariantValue(chosen, _)) = strategy else {
            return None;
        };
        let IDLField { id, val } = *chosen;
        if id.get_id() != Label::Named("Callback".into()).get_id() {
            return None;
        }
        let IDLValue::Func(canister, method) = field(val.clone(), "callback")? else {
            return None;
        };
        Some(Self {
            canister,
            method,
            token: message(field(val, "token")?)?,
        })
    }
}

impl Part {
    /// From Candid.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, candid::Error> {
        #[derive(CandidType, Deserialize)]
        struct Typed {
            body: ByteBuf,
            token: Option<Reserved>,
        }
        let (typed,): (Typed,) = candid::utils::decode_args_with_config(bytes, &limits(bytes))?;
        let token = match typed.token {
            None => None,
            Some(_) => {
                let token = any_value(bytes).and_then(|value| field(value, "token"));
                let token = token.and_then(some).and_then(message);
                Some(token.ok_or_else(|| candid::Error::msg("a token of no known type"))?)
            }
        };
        Ok(Self {
            body: typed.body.into_vec(),
            token,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candid::{Decode, define_function};

    #[derive(CandidType, Deserialize, Debug, PartialEq)]
    struct Token {
        key: String,
        index: u64,
        sha256: Option<ByteBuf>,
        kinds: Vec<Kind>,
    }

    #[derive(CandidType, Deserialize, Debug, PartialEq)]
    enum Kind {
        Plain,
        Zipped(i8),
    }

    define_function!(Next : (Token) -> (Token) query);

    #[derive(CandidType)]
    enum Strategy {
        Callback { callback: Next, token: Token },
    }

    #[derive(CandidType)]
    struct Streaming {
        status_code: u16,
        headers: Vec<(String, String)>,
        body: ByteBuf,
        streaming_strategy: Option<Strategy>,
    }

    fn token() -> Token {
        Token {
            key: "/a".into(),
            index: u64::MAX,
            sha256: None,
            kinds: vec![Kind::Zipped(-1), Kind::Plain],
        }
    }

    #[test]
    fn a_token_comes_back_as_it_was() {
        let canister = Principal::management_canister();
        let response = Encode!(&Streaming {
            status_code: 200,
            headers: Vec::new(),
            body: ByteBuf::from(b"first".to_vec()),
            streaming_strategy: Some(Strategy::Callback {
                callback: Next::new(canister, "more".into()),
                token: token(),
            }),
        })
        .unwrap();
        assert!(
            HttpResponse::decode(&response)
                .unwrap()
                .streaming_strategy
                .is_some()
        );
        let callback = Callback::of(&response).unwrap();
        assert_eq!(callback.canister, canister);
        assert_eq!(callback.method, "more");
        assert_eq!(Decode!(&callback.token, Token).unwrap(), token());
        #[derive(CandidType)]
        struct Answer {
            body: ByteBuf,
            token: Option<Token>,
        }
        for next in [None, Some(token())] {
            let last = next.is_none();
            let answer = Encode!(&Answer {
                body: ByteBuf::from(b"more".to_vec()),
                token: next,
            })
            .unwrap();
            let part = Part::decode(&answer).unwrap();
            assert_eq!(part.body, b"more");
            assert_eq!(part.token.is_none(), last);
            if let Some(token) = part.token {
                assert_eq!(Decode!(&token, Token).unwrap(), self::token());
            }
        }
    }

    #[test]
    fn an_update_is_not_told_a_version() {
        let request = HttpRequest::get("/x");
        let has_version =
            |bytes: &[u8]| field(any_value(bytes).unwrap(), "certificate_version").is_some();
        assert!(has_version(&request.encode()));
        assert!(!has_version(&request.encode_update()));
    }

    #[test]
    fn a_claim_of_many_values_is_not_believed() {
        // One vec null of 2^32 - 1 elements, which takes no bytes.
        let bomb = b"DIDL\x01\x6d\x7f\x01\x00\xff\xff\xff\xff\x0f";
        assert!(HttpResponse::decode(bomb).is_err());
        assert!(Part::decode(bomb).is_err());
        assert!(Callback::of(bomb).is_none());
    }
}
