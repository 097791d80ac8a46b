//! Files the page hands over, read piece by piece, and bytes given back as one. Must not know what
//! is in them.

use super::PlatformError;
use js_sys::{Array, Uint8Array};
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

/// The length of a file in bytes.
pub(crate) fn len(file: &Blob) -> u64 {
    // Exact: no file has 2^53 bytes.
    file.size() as u64
}

/// The bytes from `start` to `end` of a file.
pub(crate) async fn read(file: &Blob, start: u64, end: u64) -> Result<Vec<u8>, PlatformError> {
    let doing = "read a file";
    let slice = file
        .slice_with_f64_and_f64(start as f64, end as f64)
        .map_err(|e| PlatformError::new(doing, &e))?;
    let buffer = JsFuture::from(slice.array_buffer())
        .await
        .map_err(|e| PlatformError::new(doing, &e))?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// Bytes as something the page can offer to save.
pub(crate) fn make(bytes: &[u8]) -> Result<Blob, PlatformError> {
    let parts = Array::of1(&Uint8Array::from(bytes));
    Blob::new_with_u8_array_sequence(&parts).map_err(|e| PlatformError::new("make a file", &e))
}
