//! "IC method vetkd_public_key", "IC method vetkd_derive_key": keys as the published library
//! verifies them.

use crate::common::Net;
use crate::common::management::{PROXY, forward, with};
use candid::Principal;
use ic_agent::Agent;
use ic_agent::identity::BasicIdentity;
use ic_management_canister_types::{
    VetKDCurve, VetKDDeriveKeyArgs, VetKDDeriveKeyResult, VetKDKeyId, VetKDPublicKeyArgs,
    VetKDPublicKeyResult,
};
use ic_vetkeys::{DerivedPublicKey, EncryptedVetKey, TransportSecretKey};

const PRICE: u64 = 10_000_000_000;
const PRICE_KEY_1: u64 = 26_153_846_153;

fn key(name: &str) -> VetKDKeyId {
    VetKDKeyId {
        curve: VetKDCurve::Bls12_381_G2,
        name: name.into(),
    }
}

async fn public(
    agent: &Agent,
    proxy: Principal,
    canister_id: Option<Principal>,
    context: &[u8],
    name: &str,
) -> Result<Vec<u8>, (u32, String)> {
    let args = VetKDPublicKeyArgs {
        canister_id,
        context: context.to_vec(),
        key_id: key(name),
    };
    let (answer, _) =
        forward::<(VetKDPublicKeyResult,)>(agent, proxy, "vetkd_public_key", (args,), 0).await;
    answer.map(|(result,)| result.public_key)
}

async fn derive(
    agent: &Agent,
    proxy: Principal,
    context: &[u8],
    transport: &[u8],
    name: &str,
    cycles: u64,
) -> (Result<Vec<u8>, (u32, String)>, u128) {
    let args = VetKDDeriveKeyArgs {
        input: b"input".to_vec(),
        context: context.to_vec(),
        transport_public_key: transport.to_vec(),
        key_id: key(name),
    };
    let (answer, refunded) =
        forward::<(VetKDDeriveKeyResult,)>(agent, proxy, "vetkd_derive_key", (args,), cycles).await;
    (answer.map(|(result,)| result.encrypted_key), refunded)
}

fn transport() -> TransportSecretKey {
    TransportSecretKey::from_seed(vec![5; 32]).unwrap()
}

/// §vetkd_derive_key: the key decrypts under the transport key and verifies against the derived
/// public key; it is the same every time, and another for another context, key or canister.
#[tokio::test(flavor = "multi_thread")]
async fn derived_keys_verify() {
    let (net, agent, proxy) = with(PROXY).await;
    let other = net.install(&agent, PROXY, b"").await;
    let secret = transport();
    let mut keys = Vec::new();
    for (canister, context, name) in [
        (proxy, b"context".as_slice(), "dfx_test_key"),
        (proxy, b"context", "dfx_test_key"),
        (proxy, b"another", "dfx_test_key"),
        (proxy, b"", "dfx_test_key"),
        (proxy, b"context", "test_key_1"),
        (proxy, b"context", "key_1"),
        (other, b"context", "dfx_test_key"),
    ] {
        let price = if name == "key_1" { PRICE_KEY_1 } else { PRICE };
        let (answer, refunded) = derive(
            &agent,
            canister,
            context,
            &secret.public_key(),
            name,
            price + 3,
        )
        .await;
        assert_eq!(refunded, 3);
        let encrypted = EncryptedVetKey::deserialize(&answer.unwrap()).unwrap();
        let public = public(&agent, canister, None, context, name).await.unwrap();
        let public = DerivedPublicKey::deserialize(&public).unwrap();
        let key = encrypted
            .decrypt_and_verify(&secret, &public, b"input")
            .unwrap();
        encrypted
            .decrypt_and_verify(&secret, &public, b"other input")
            .unwrap_err();
        keys.push(key.signature_bytes().to_vec());
    }
    assert_eq!(keys.remove(0), keys[0]);
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 6);
}

/// §vetkd_public_key: a context's key follows from the canister's, offline; another canister's
/// key may be asked for; a restart changes none.
#[tokio::test(flavor = "multi_thread")]
async fn public_keys_follow_from_each_other_and_outlive_restarts() {
    let net = Net::start().await;
    let me = || BasicIdentity::from_raw_key(&[8; 32]);
    let agent = net.agent_as(me()).await;
    let proxy = net.install(&agent, PROXY, b"").await;
    let other = net.install(&agent, PROXY, b"").await;
    let of_canister = public(&agent, proxy, None, b"", "key_1").await.unwrap();
    let of_context = public(&agent, proxy, None, b"context", "key_1")
        .await
        .unwrap();
    let derived = DerivedPublicKey::deserialize(&of_canister).unwrap();
    assert_eq!(derived.derive_sub_key(b"context").serialize(), of_context);
    assert_eq!(
        public(&agent, other, Some(proxy), b"", "key_1")
            .await
            .unwrap(),
        of_canister
    );
    let net = net.restart().await;
    let agent = net.agent_as(me()).await;
    assert_eq!(
        public(&agent, proxy, None, b"context", "key_1")
            .await
            .unwrap(),
        of_context
    );
}

/// §vetkd_derive_key: unknown keys, points that are none and too few cycles are refused, and all
/// cycles come back.
#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_cost_nothing() {
    let (_net, agent, proxy) = with(PROXY).await;
    let secret = transport();
    let good = secret.public_key();
    for (transport, name, cycles, part) in [
        (good.as_slice(), "dfx_test_key", PRICE - 1, "are required"),
        (good.as_slice(), "no_such_key", PRICE, "unknown"),
        (&[0; 48], "dfx_test_key", PRICE, "transport public key"),
        (b"short", "dfx_test_key", PRICE, "transport public key"),
    ] {
        let (answer, refunded) = derive(&agent, proxy, b"", transport, name, cycles).await;
        let (code, message) = answer.unwrap_err();
        assert_eq!(code, 4);
        assert!(message.contains(part), "{message}");
        assert_eq!(refunded, u128::from(cycles));
    }
    let (_, message) = public(&agent, proxy, None, b"", "no_such_key")
        .await
        .unwrap_err();
    assert!(message.contains("no_such_key"), "{message}");
    let nobody = Some(Principal::anonymous());
    let (_, message) = public(&agent, proxy, nobody, b"", "key_1")
        .await
        .unwrap_err();
    assert!(message.contains("not a canister id"), "{message}");
}
