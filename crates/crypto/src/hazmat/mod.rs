//! What can break secrecy or binding when it is called wrongly: raw contexts, chosen salts, chosen
//! randomness. For test vectors and for the safe modules of this crate; nothing else should come
//! here.

pub mod hkdf;
pub mod hpke;
pub mod seal;
