//! QR codes as the page draws them. Must not know what they say.

use crate::failure::Outcome;
use qrcode::{Color, EcLevel, QrCode};
use salus_messages::{Failure, FailureKind, Qr};

/// A code that says `text`.
pub(crate) fn qr(text: &str) -> Outcome<Qr> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|e| Failure::new(FailureKind::Internal, e.to_string()))?;
    let dark: Vec<bool> = code.to_colors().iter().map(|c| *c == Color::Dark).collect();
    let modules = dark
        .chunks(8)
        .map(|eight| {
            (0..8).fold(0u8, |byte, i| {
                (byte << 1) | u8::from(eight.get(i).copied().unwrap_or(false))
            })
        })
        .collect();
    Ok(Qr {
        // No QR code has more than 177 modules.
        side: u16::try_from(code.width()).unwrap_or(u16::MAX),
        modules,
    })
}
