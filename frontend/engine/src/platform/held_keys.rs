//! Keys this browser holds and cannot hand out: the P-256 key that receives the sign-in delegation,
//! the HMAC keys of the browser slot and of passphrases, and what a passkey answered. Must not know what
//! is signed or unlocked with them.

use super::PlatformError;
use super::store::{Shelf, Store};
use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, CryptoKeyPair, SubtleCrypto};

const SIGN_IN: &str = "sign-in";
const SLOT: &str = "slot";
const PASSPHRASE: &str = "passphrase";

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

/// An HMAC-SHA-256 key: of the browser slot, or of this browser's passphrase.
#[derive(Clone, Debug)]
pub(crate) struct BrowserKey(CryptoKey);

/// What a [`BrowserKey`] is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyUse {
    /// "Stay unlocked here".
    Slot,
    /// The second secret of a passphrase.
    Passphrase,
}

impl KeyUse {
    const fn name(self) -> &'static str {
        match self {
            Self::Slot => SLOT,
            Self::Passphrase => PASSPHRASE,
        }
    }
}

impl BrowserKey {
    /// This browser's key, if it was made.
    pub(crate) async fn find(store: &Store, of: KeyUse) -> Result<Option<Self>, PlatformError> {
        let key = store.get(Shelf::Keys, of.name()).await?;
        Ok(key.map(|k| Self(k.unchecked_into())))
    }

    /// This browser's key, made if there is none.
    pub(crate) async fn find_or_make(store: &Store, of: KeyUse) -> Result<Self, PlatformError> {
        if let Some(key) = Self::find(store, of).await? {
            return Ok(key);
        }
        let doing = "make a key of its own";
        let algorithm = algorithm(&[("name", "HMAC"), ("hash", "SHA-256")])?;
        let promise = subtle()?
            .generate_key_with_object(&algorithm, false, &usages(&["sign"]))
            .map_err(|e| PlatformError::new(doing, &e))?;
        let fresh = JsFuture::from(promise)
            .await
            .map_err(|e| PlatformError::new(doing, &e))?;
        let key = store.get_or_put(Shelf::Keys, of.name(), &fresh).await?;
        Ok(Self(key.unchecked_into()))
    }

    /// Forgets it: what it opens cannot be opened any more.
    pub(crate) async fn forget(store: &Store, of: KeyUse) -> Result<(), PlatformError> {
        store.remove(Shelf::Keys, of.name()).await
    }

    /// HMAC-SHA-256 over `message`, 32 bytes.
    pub(crate) async fn authenticate(&self, message: &[u8]) -> Result<[u8; 32], PlatformError> {
        let doing = "use a key of its own";
        let promise = subtle()?
            .sign_with_str_and_u8_array("HMAC", &self.0, message)
            .map_err(|e| PlatformError::new(doing, &e))?;
        bytes32(doing, promise).await
    }
}

async fn bytes32(doing: &'static str, promise: Promise) -> Result<[u8; 32], PlatformError> {
    let bytes = JsFuture::from(promise)
        .await
        .map_err(|e| PlatformError::new(doing, &e))?;
    Uint8Array::new(&bytes)
        .to_vec()
        .try_into()
        .map_err(|_| PlatformError::from_text(doing, "an answer of another length"))
}

/// What a passkey answered, as a key for HKDF that nobody can read.
#[derive(Clone, Debug)]
pub(crate) struct PasskeyKey(CryptoKey);

impl PasskeyKey {
    /// If that is one.
    pub(crate) fn of(value: JsValue) -> Option<Self> {
        value.dyn_into().ok().map(Self)
    }

    /// HKDF-SHA-256 with an empty salt and `info`, 32 bytes.
    pub(crate) async fn derive(&self, info: &[u8]) -> Result<[u8; 32], PlatformError> {
        let doing = "use what the passkey answered";
        let algorithm = algorithm(&[("name", "HKDF"), ("hash", "SHA-256")])?;
        for (name, value) in [("salt", &[][..]), ("info", info)] {
            let value = Uint8Array::from(value);
            Reflect::set(&algorithm, &JsValue::from_str(name), &value)
                .map_err(|e| PlatformError::new(doing, &e))?;
        }
        let promise = subtle()?
            .derive_bits_with_object(&algorithm, &self.0, 256)
            .map_err(|e| PlatformError::new(doing, &e))?;
        bytes32(doing, promise).await
    }
}
