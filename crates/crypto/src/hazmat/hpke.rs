//! HPKE with a raw info and chosen randomness.
//!
//! Hazardous: repeated randomness for one recipient repeats the shared secret. The suite: RFC 9180
//! base mode, X-Wing (0x647a), HKDF-SHA-256 (0x0001), ChaCha20-Poly1305 (0x0003). Never Auth mode:
//! X-Wing has none.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use std::convert::Infallible;
use zeroize::Zeroizing;

/// Bytes an encapsulation draws.
pub const ENCAP_RANDOMNESS_LEN: usize = 64;
/// Bytes of an encapsulated key.
pub const ENC_LEN: usize = 1120;

type PublicKey = <XWing as Kem>::PublicKey;
type PrivateKey = <XWing as Kem>::PrivateKey;
type EncappedKey = <XWing as Kem>::EncappedKey;

/// Gives out randomness drawn beforehand, so that a system without any fails as an error and not as
/// a panic inside a library.
struct Drawn<'a> {
    left: &'a [u8],
    exhausted: bool,
}

impl TryRng for Drawn<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut out = [0; 4];
        self.try_fill_bytes(&mut out)?;
        Ok(u32::from_le_bytes(out))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut out = [0; 8];
        self.try_fill_bytes(&mut out)?;
        Ok(u64::from_le_bytes(out))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        match self.left.split_at_checked(out.len()) {
            Some((now, later)) => {
                out.copy_from_slice(now);
                self.left = later;
            }
            // The result is thrown away: see `seal`.
            None => self.exhausted = true,
        }
        Ok(())
    }
}

impl TryCryptoRng for Drawn<'_> {}

/// The public key of a 32-byte X-Wing seed.
pub fn public_key(seed: &[u8; 32]) -> Option<Vec<u8>> {
    let secret = PrivateKey::from_bytes(seed).ok()?;
    Some(XWing::sk_to_pk(&secret).to_bytes().to_vec())
}

/// Whether these bytes are a well-formed X-Wing public key, as far as ML-KEM goes.
pub fn is_public_key(bytes: &[u8]) -> bool {
    PublicKey::from_bytes(bytes).is_ok()
}

/// Encapsulates and seals: `enc ‖ ciphertext`. `None` if the public key is malformed.
pub fn seal(
    public: &[u8],
    info: &[u8],
    plaintext: &[u8],
    randomness: &[u8; ENCAP_RANDOMNESS_LEN],
) -> Option<Vec<u8>> {
    let public = PublicKey::from_bytes(public).ok()?;
    let mut drawn = Drawn {
        left: randomness,
        exhausted: false,
    };
    let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeS::Base,
        &public,
        info,
        plaintext,
        b"",
        &mut drawn,
    )
    .ok()?;
    if drawn.exhausted || !drawn.left.is_empty() {
        return None;
    }
    let mut out = enc.to_bytes().to_vec();
    out.extend_from_slice(&ciphertext);
    Some(out)
}

/// Decapsulates and opens `enc ‖ ciphertext`.
pub fn open(seed: &[u8; 32], info: &[u8], envelope: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (enc, ciphertext) = envelope.split_at_checked(ENC_LEN)?;
    let secret = PrivateKey::from_bytes(seed).ok()?;
    let enc = EncappedKey::from_bytes(enc).ok()?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        &secret,
        &enc,
        info,
        ciphertext,
        b"",
    )
    .ok()
    .map(Zeroizing::new)
}
