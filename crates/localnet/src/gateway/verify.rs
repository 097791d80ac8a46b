//! Response verification: what the gateways of the IC check before a browser sees a byte.

use super::protocol::{HttpRequest, HttpResponse};
use crate::node::Node;
use crate::wire::cbor;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use candid::Principal;
use ic_certification::{Certificate, HashTree};
use ic_http_certification::{HttpRequest as Asked, HttpResponse as Answered, Method, StatusCode};
use ic_response_verification::verify_request_response_pair;
use serde::de::DeserializeOwned;
use std::sync::PoisonError;

/// Certificates may be this old, ns.
const MAX_AGE_NS: u128 = 5 * 60 * 1_000_000_000;
/// The oldest version of certification accepted.
const MIN_VERSION: u8 = 1;
/// Where a canister says which versions it can do.
const VERSIONS: &str = "supported_certificate_versions";

/// Why a response is not certified.
#[derive(Debug, thiserror::Error)]
pub(super) enum VerifyError {
    /// The verification says no.
    #[error("{0}")]
    Verification(#[from] ic_response_verification::ResponseVerificationError),
    /// The proof claims more than it holds.
    #[error("its certificate, tree or path is not whole CBOR")]
    Malformed,
    /// The method has no name.
    #[error("the method is not one of HTTP")]
    Method,
    /// The status is none.
    #[error("the status is not one of HTTP")]
    Status,
    /// It could have been certified better.
    #[error("its certification is of version 1, and the canister's {VERSIONS} does not allow that")]
    Downgrade,
}

/// The certified part of a response at `now` (ns).
pub(super) fn certified(
    node: &Node,
    question: &HttpRequest,
    answer: HttpResponse,
    canister: Principal,
    now: u64,
) -> Result<HttpResponse, VerifyError> {
    let (version, answer) = verified(question, answer, canister, &node.keys.root_der, now)?;
    if version < 2 && !may_be_old(node, canister) {
        return Err(VerifyError::Downgrade);
    }
    Ok(answer)
}

/// Whether version 1 will do for a canister: it says nothing of versions, or of no later one.
fn may_be_old(node: &Node, canister: Principal) -> bool {
    let Some(cell) = node.cell(canister) else {
        return false;
    };
    let loaded = cell
        .committed
        .read()
        .unwrap_or_else(PoisonError::into_inner);
    let module = loaded.module.as_ref();
    let section = module.and_then(|module| module.anatomy.metadata.get(VERSIONS));
    section.is_none_or(|section| {
        let versions = std::str::from_utf8(&section.content).unwrap_or("2");
        section.public && versions.split(',').all(|version| version.trim() == "1")
    })
}

/// Reads base64 as the library that verifies does: what it takes must not get past [`is_sound`].
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whether the CBOR in the proof is whole. The library that verifies makes room for as many entries
/// as a map says it has before it reads one: a few bytes could claim all memory there is.
fn is_sound(headers: &[(String, String)]) -> bool {
    headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("ic-certificate"))
        .flat_map(|(_, value)| value.split(','))
        .filter_map(|field| field.trim().split_once('='))
        .all(|(name, value)| {
            // The colons around a value may be missing; what cannot be decoded, the library refuses.
            let value = value.strip_prefix(':').unwrap_or(value);
            let value = value.strip_suffix(':').unwrap_or(value);
            match (name, BASE64.decode(value)) {
                ("certificate", Ok(bytes)) => is_whole_certificate(&bytes),
                ("tree", Ok(bytes)) => read::<HashTree>(&bytes).is_some(),
                ("expr_path", Ok(bytes)) => read::<Vec<String>>(&bytes).is_some(),
                _ => true,
            }
        })
}

/// A certificate and the one inside its delegation, which is read before it is verified too.
fn is_whole_certificate(bytes: &[u8]) -> bool {
    read::<Certificate>(bytes).is_some_and(|certificate| {
        certificate
            .delegation
            .is_none_or(|delegation| read::<Certificate>(&delegation.certificate).is_some())
    })
}

/// A document of which every length holds, and which is nested no deeper than a reader can go.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    cbor::claims_hold(bytes)
        .then(|| serde_cbor::from_slice(bytes).ok())
        .flatten()
}

/// The version of a response's certification, and what of the response is certified. Version 1
/// covers the body alone; status and headers then go on as the canister gave them, as the
/// protocol has it.
pub(super) fn verified(
    question: &HttpRequest,
    answer: HttpResponse,
    canister: Principal,
    root_key: &[u8],
    now: u64,
) -> Result<(u16, HttpResponse), VerifyError> {
    if !is_sound(&answer.headers) {
        return Err(VerifyError::Malformed);
    }
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
    let version = verified.verification_version;
    // Version 1 has no certified headers; without certification, which the canister then chose
    // and certified, there is nothing to filter by.
    let Some(response) = verified.response.filter(|_| version > 1) else {
        return Ok((version, answer));
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
    let certified = HttpResponse {
        status_code: response.status_code.unwrap_or(answer.status_code),
        headers,
        body: response.body.into(),
        upgrade: None,
        streaming_strategy: None,
    };
    Ok((version, certified))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certify::keys::{Keys, Secrets};
    use crate::certify::{self, StateTree, labels, layout};
    use ic_http_certification::{
        DefaultCelBuilder, DefaultResponseCertification, HttpCertification, HttpCertificationPath,
        HttpCertificationTree, HttpCertificationTreeEntry, utils::add_v2_certificate_header,
    };
    use serde_cbor::Value;

    const NOW: u64 = 1_700_000_000_000_000_000;

    /// A certified answer to `GET /a.txt` by canister 7 with one header that is not certified.
    fn answer(keys: &Keys) -> (HttpRequest, HttpResponse, Principal) {
        let canister = layout::canister_id(7);
        let cel = DefaultCelBuilder::response_only_certification()
            .with_response_certification(DefaultResponseCertification::certified_response_headers(
                vec!["content-type"],
            ))
            .build();
        let mut response = Answered::ok(
            b"hello".to_vec(),
            vec![
                ("content-type".into(), "text/plain".into()),
                ("IC-CertificateExpression".into(), cel.to_string()),
                ("x-injected".into(), "1".into()),
            ],
        )
        .build();
        let certification = HttpCertification::response_only(&cel, &response, None).unwrap();
        let path = HttpCertificationPath::exact("/a.txt");
        let entry = HttpCertificationTreeEntry::new(path.clone(), certification);
        let mut site = HttpCertificationTree::default();
        site.insert(&entry);
        let mut tree = StateTree::default();
        let at = labels!["canister", canister, "certified_data"];
        tree.set(&at, &site.root_hash());
        let certificate = certify::certify(keys, &tree.witness(&[at], NOW));
        let witness = site.witness(&entry, "/a.txt").unwrap();
        add_v2_certificate_header(&certificate, &mut response, &witness, &path.to_expr_path());
        let answer = HttpResponse {
            status_code: 200,
            headers: response.headers().to_vec(),
            body: response.body().to_vec().into(),
            upgrade: None,
            streaming_strategy: None,
        };
        (HttpRequest::get("/a.txt?x=1"), answer, canister)
    }

    #[test]
    fn what_is_certified_passes_and_nothing_beside_it() {
        let keys = Keys::new(&Secrets::generate().unwrap()).unwrap();
        let (question, answer, canister) = answer(&keys);
        let sent = verified(&question, answer, canister, &keys.root_der, NOW)
            .unwrap()
            .1;
        let has = |wanted: &str| {
            sent.headers
                .iter()
                .any(|(n, _)| n.eq_ignore_ascii_case(wanted))
        };
        assert_eq!(sent.body.as_slice(), b"hello");
        assert!(has("content-type") && has("ic-certificate"));
        assert!(!has("x-injected"));
    }

    #[test]
    fn a_changed_body_header_path_key_or_canister_does_not_pass() {
        let keys = Keys::new(&Secrets::generate().unwrap()).unwrap();
        let check = |change: &dyn Fn(&mut HttpRequest, &mut HttpResponse, &mut Principal)| {
            let (mut question, mut answer, mut canister) = answer(&keys);
            change(&mut question, &mut answer, &mut canister);
            verified(&question, answer, canister, &keys.root_der, NOW)
        };
        assert!(check(&|_, _, _| {}).is_ok());
        assert!(check(&|_, a, _| a.body[0] ^= 1).is_err());
        assert!(check(&|_, a, _| a.headers[0].1 = "text/html".into()).is_err());
        assert!(check(&|q, _, _| q.url = "/b.txt".into()).is_err());
        assert!(check(&|_, _, c| *c = layout::canister_id(8)).is_err());
        assert!(check(&|_, a, _| a.headers.clear()).is_err());
        let (question, answer, canister) = answer(&keys);
        let other = Keys::new(&Secrets::generate().unwrap()).unwrap();
        let late = NOW + 6 * 60 * 1_000_000_000;
        assert!(verified(&question, answer, canister, &other.root_der, NOW).is_err());
        let (question, answer, canister) = self::answer(&keys);
        assert!(verified(&question, answer, canister, &keys.root_der, late).is_err());
    }

    #[test]
    fn a_proof_that_promises_more_than_it_holds_is_not_read() {
        let keys = Keys::new(&Secrets::generate().unwrap()).unwrap();
        let inside = |certificate: Vec<u8>| {
            let delegation = [
                (Value::Text("subnet_id".into()), Value::Bytes(vec![1; 29])),
                (Value::Text("certificate".into()), Value::Bytes(certificate)),
            ];
            let tree = Value::Array(vec![Value::Integer(0)]);
            let certificate = [
                (Value::Text("tree".into()), tree),
                (Value::Text("signature".into()), Value::Bytes(vec![1; 48])),
                (
                    Value::Text("delegation".into()),
                    Value::Map(delegation.into()),
                ),
            ];
            serde_cbor::to_vec(&Value::Map(certificate.into())).unwrap()
        };
        // A map of 37,329 entries, one of four thousand million, and arrays without end.
        let promises = vec![0xb9, 0x91, 0xd1];
        let more = vec![0xba, 0xff, 0xff, 0xff, 0xff];
        let deep = [vec![0x81; 100_000], vec![0x80]].concat();
        let tags = [vec![0xc0; 100_000], vec![0]].concat();
        let mut lies = vec![inside(promises.clone()), inside(deep.clone())];
        lies.extend([promises, more, deep, tags]);
        for lie in lies {
            for name in ["certificate", "tree", "expr_path"] {
                let encoded = BASE64.encode(&lie);
                for value in [
                    format!("{name}=:{encoded}:"),
                    format!("version=2, {name}={encoded}"),
                ] {
                    let (question, mut answer, canister) = answer(&keys);
                    answer.headers = vec![("ic-certificate".into(), value)];
                    let refused = verified(&question, answer, canister, &keys.root_der, NOW);
                    assert!(matches!(refused, Err(VerifyError::Malformed)), "{name}");
                }
            }
        }
    }
}
