//! Keys this browser holds and cannot hand out: the P-256 key that receives the sign-in delegation,
//! and the HMAC key of the browser slot. Must not know what is signed or unlocked with them.

use super::PlatformError;
use super::store::{Shelf, Store};
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, CryptoKeyPair, SubtleCrypto};

const SIGN_IN: &str = "sign-in";
const SLOT: &str = "slot";

fn subtle() -> Result<SubtleCrypto, PlatformError> {
    let failed = |e: JsValue| PlatformError::new("find its cryptography", &e);
    let crypto: web_sys::Crypto = Reflect::get(&js_sys::global(), &JsValue::from_str("crypto"))
        .map_err(failed)?
        .dyn_into()
        .map_err(failed)?;
    Ok(crypto.subtle())
}

fn algorithm(entries: &[(&str, &str)]) -> Result<Object, PlatformError> {
    let object = Object::new();
    for (name, value) in entries {
        Reflect::set(&object, &JsValue::from_str(name), &JsValue::from_str(value))
            .map_err(|e| PlatformError::new("name an algorithm", &e))?;
    }
    Ok(object)
}

fn usages(names: &[&str]) -> JsValue {
    names
        .iter()
        .map(|n| JsValue::from_str(n))
        .collect::<Array>()
        .into()
}

/// The P-256 key that the identity provider delegates to.
#[derive(Clone, Debug)]
pub(crate) struct SignInKey {
    pair: CryptoKeyPair,
    spki: Vec<u8>,
}

impl SignInKey {
    /// This browser's key, made on first use.
    pub(crate) async fn find_or_make(store: &Store) -> Result<Self, PlatformError> {
        let pair = match store.get(Shelf::Keys, SIGN_IN).await? {
            Some(pair) => pair,
            None => {
                let fresh = Self::generate().await?;
                store.get_or_put(Shelf::Keys, SIGN_IN, &fresh).await?
            }
        };
        let pair: CryptoKeyPair = pair.unchecked_into();
        let doing = "export a public key";
        let exported = subtle()?
            .export_key("spki", &pair.get_public_key())
            .map_err(|e| PlatformError::new(doing, &e))?;
        let exported = JsFuture::from(exported)
            .await
            .map_err(|e| PlatformError::new(doing, &e))?;
        Ok(Self {
            pair,
            spki: Uint8Array::new(&exported).to_vec(),
        })
    }

    async fn generate() -> Result<JsValue, PlatformError> {
        let doing = "make a sign-in key";
        let algorithm = algorithm(&[("name", "ECDSA"), ("namedCurve", "P-256")])?;
        let promise = subtle()?
            .generate_key_with_object(&algorithm, false, &usages(&["sign", "verify"]))
            .map_err(|e| PlatformError::new(doing, &e))?;
        JsFuture::from(promise)
            .await
            .map_err(|e| PlatformError::new(doing, &e))
    }

    /// Forgets it: the delegations it received are worthless then.
    pub(crate) async fn forget(store: &Store) -> Result<(), PlatformError> {
        store.remove(Shelf::Keys, SIGN_IN).await
    }

    /// The public key, DER SubjectPublicKeyInfo (91 bytes).
    pub(crate) fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// ECDSA with SHA-256 over `message`: r ‖ s, 64 bytes.
    pub(crate) async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, PlatformError> {
        let doing = "sign with the sign-in key";
        let algorithm = algorithm(&[("name", "ECDSA"), ("hash", "SHA-256")])?;
        let promise = subtle()?
            .sign_with_object_and_u8_array(&algorithm, &self.pair.get_private_key(), message)
            .map_err(|e| PlatformError::new(doing, &e))?;
        let signature = JsFuture::from(promise)
            .await
            .map_err(|e| PlatformError::new(doing, &e))?;
        Ok(Uint8Array::new(&signature).to_vec())
    }
}

/// The HMAC-SHA-256 key of the browser slot.
#[derive(Clone, Debug)]
pub(crate) struct BrowserKey(CryptoKey);

impl BrowserKey {
    /// This browser's key, if "stay unlocked here" was chosen.
    pub(crate) async fn find(store: &Store) -> Result<Option<Self>, PlatformError> {
        let key = store.get(Shelf::Keys, SLOT).await?;
        Ok(key.map(|k| Self(k.unchecked_into())))
    }

    /// This browser's key, made if there is none.
    pub(crate) async fn find_or_make(store: &Store) -> Result<Self, PlatformError> {
        if let Some(key) = Self::find(store).await? {
            return Ok(key);
        }
        let doing = "make a key to stay unlocked";
        let algorithm = algorithm(&[("name", "HMAC"), ("hash", "SHA-256")])?;
        let promise = subtle()?
            .generate_key_with_object(&algorithm, false, &usages(&["sign"]))
            .map_err(|e| PlatformError::new(doing, &e))?;
        let fresh = JsFuture::from(promise)
            .await
            .map_err(|e| PlatformError::new(doing, &e))?;
        let key = store.get_or_put(Shelf::Keys, SLOT, &fresh).await?;
        Ok(Self(key.unchecked_into()))
    }

    /// Forgets it: the slot cannot be opened any more.
    pub(crate) async fn forget(store: &Store) -> Result<(), PlatformError> {
        store.remove(Shelf::Keys, SLOT).await
    }

    /// HMAC-SHA-256 over `message`, 32 bytes.
    pub(crate) async fn authenticate(&self, message: &[u8]) -> Result<[u8; 32], PlatformError> {
        let doing = "use the key that keeps it unlocked";
        let promise = subtle()?
            .sign_with_str_and_u8_array("HMAC", &self.0, message)
            .map_err(|e| PlatformError::new(doing, &e))?;
        let tag = JsFuture::from(promise)
            .await
            .map_err(|e| PlatformError::new(doing, &e))?;
        Uint8Array::new(&tag)
            .to_vec()
            .try_into()
            .map_err(|_| PlatformError::from_text(doing, "a tag of another length"))
    }
}
