//! vetKD: keys derived for a canister, encrypted for whoever it says. The master keys are made
//! with the state folder; everything follows from them, so that a restart changes no key.

use super::{Call, encode, invalid, node_failed};
use crate::exec::prices;
use crate::wire::response::{CallResult, Reject};
use candid::Principal;
use ic_bls12_381::hash_to_curve::{ExpandMsgXmd, HashToCurve, HashToField};
use ic_bls12_381::{G1Affine, G1Projective, G2Affine, Scalar};
use ic_management_canister_types::{
    VetKDDeriveKeyArgs, VetKDDeriveKeyResult, VetKDKeyId, VetKDPublicKeyArgs, VetKDPublicKeyResult,
};
use sha2_for_curves::Sha256;

/// Master keys by name, as local networks have them.
const KEYS: &[&str] = &["dfx_test_key", "test_key_1", "key_1"];

const CANISTER: &[u8] = b"ic-vetkd-bls12-381-g2-canister-id";
const CONTEXT: &[u8] = b"ic-vetkd-bls12-381-g2-context";
const INPUT: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_AUG_";
/// Separates this node's own master keys and randomness.
const MASTER: &[u8] = b"salus-localnet-vetkd-master-key";
const BLINDING: &[u8] = b"salus-localnet-vetkd-blinding";

fn scalar(input: &[u8], domain: &[u8]) -> Scalar {
    let mut out = [Scalar::zero()];
    <Scalar as HashToField>::hash_to_field::<ExpandMsgXmd<Sha256>>(input, domain, &mut out);
    let [scalar] = out;
    scalar
}

/// Two byte strings, each behind its length.
fn framed(first: &[u8], second: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| (bytes.len() as u64).to_be_bytes();
    [
        length(first).as_slice(),
        first,
        length(second).as_slice(),
        second,
    ]
    .concat()
}

fn public(secret: &Scalar) -> G2Affine {
    G2Affine::from(G2Affine::generator() * secret)
}

fn derived(secret: &Scalar, what: &[u8], domain: &[u8]) -> Scalar {
    let point = public(secret).to_compressed();
    secret + scalar(&framed(&point, what), domain)
}

/// The secret key for a canister and a context.
fn secret(seed: &[u8], name: &str, canister: Principal, context: &[u8]) -> Scalar {
    let master = scalar(&framed(seed, name.as_bytes()), MASTER);
    let of_canister = derived(&master, canister.as_slice(), CANISTER);
    if context.is_empty() {
        of_canister
    } else {
        derived(&of_canister, context, CONTEXT)
    }
}

fn check_key(key: &VetKDKeyId) -> Result<(), Reject> {
    if KEYS.contains(&key.name.as_str()) {
        return Ok(());
    }
    Err(invalid(format!(
        "Requested unknown or disabled threshold key: vetkd:Bls12_381_G2:{}, existing enabled \
         keys: {}",
        key.name,
        KEYS.join(", ")
    )))
}

fn price(key: &VetKDKeyId) -> u128 {
    match key.name.as_str() {
        "key_1" => prices::KEY,
        _ => prices::TEST_KEY,
    }
}

impl Call<'_, '_> {
    pub(super) fn vetkd_public_key(&mut self) -> CallResult {
        let (args,): (VetKDPublicKeyArgs,) = self.decode()?;
        check_key(&args.key_id)?;
        let canister = args.canister_id.unwrap_or(self.caller);
        if crate::certify::layout::canister_number(canister).is_none() {
            return Err(invalid(format!("{canister} is not a canister id")));
        }
        let seed = &self.transaction.node.keys.vetkd;
        let secret = secret(seed, &args.key_id.name, canister, &args.context);
        encode((VetKDPublicKeyResult {
            public_key: public(&secret).to_compressed().to_vec(),
        },))
    }

    pub(super) fn vetkd_derive_key(&mut self) -> CallResult {
        let (args,): (VetKDDeriveKeyArgs,) = self.decode()?;
        check_key(&args.key_id)?;
        let price = price(&args.key_id);
        let Some(left) = self.cycles.checked_sub(price) else {
            let message = format!(
                "vetkd_derive_key request sent with {} cycles, but {price} cycles are required.",
                self.cycles
            );
            return Err(Reject::new(4, "IC0406", message));
        };
        let transport = transport_key(&args.transport_public_key)?;
        let seed = &self.transaction.node.keys.vetkd;
        let secret = secret(seed, &args.key_id.name, self.caller, &args.context);
        let point = public(&secret).to_compressed();
        let signed = [point.as_slice(), &args.input].concat();
        let hash =
            <G1Projective as HashToCurve<ExpandMsgXmd<Sha256>>>::hash_to_curve(&signed, INPUT);
        let mut random = [0; 64];
        getrandom::fill(&mut random).map_err(node_failed)?;
        let blinding = scalar(&random, BLINDING);
        let encrypted_key = [
            G1Affine::from(G1Affine::generator() * blinding)
                .to_compressed()
                .as_slice(),
            &G2Affine::from(G2Affine::generator() * blinding).to_compressed(),
            &G1Affine::from(hash * secret + transport * blinding).to_compressed(),
        ]
        .concat();
        self.cycles = left;
        encode((VetKDDeriveKeyResult { encrypted_key },))
    }
}

fn transport_key(bytes: &[u8]) -> Result<G1Affine, Reject> {
    let refused = || invalid("The transport public key is not a point of G1");
    let bytes = <&[u8; 48]>::try_from(bytes).map_err(|_| refused())?;
    Option::from(G1Affine::from_compressed(bytes)).ok_or_else(refused)
}
