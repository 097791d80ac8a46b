//! QR codes in characters: for a terminal's screen and for paper. Must not know what they say.

use crate::error::{Error, Kind, Result};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Black on white, whatever the terminal's own colours are; cameras do not take the opposite.
const ON_WHITE: &str = "\u{1b}[30;107m";
const RESET: &str = "\u{1b}[0m";

/// A code that says `text`, two of its rows in a line of half blocks, with the margin it needs.
///
/// # Errors
/// When it is too long for one.
pub(crate) fn blocks(text: &str) -> Result<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|error| Error::new(Kind::Other, "qr", format!("cannot be a code: {error}")))?;
    Ok(code.render::<Dense1x2>().build())
}

/// The same lines in colours, for a screen.
pub(crate) fn on_screen(blocks: &str) -> String {
    let lines = blocks
        .lines()
        .map(|line| format!("{ON_WHITE}{line}{RESET}\n"));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a camera reads, by another implementation.
    fn read(blocks: &str) -> String {
        const PIXELS: usize = 4;
        let rows: Vec<Vec<bool>> = blocks
            .lines()
            .flat_map(|line| {
                let upper = line.chars().map(|c| matches!(c, '█' | '▀')).collect();
                let lower = line.chars().map(|c| matches!(c, '█' | '▄')).collect();
                [upper, lower]
            })
            .collect();
        let (width, height) = (rows[0].len() * PIXELS, rows.len() * PIXELS);
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
            if rows[y / PIXELS][x / PIXELS] { 0 } else { 255 }
        });
        let found = image.detect_grids();
        found[0].decode().unwrap().1
    }

    #[test]
    fn a_camera_reads_what_was_said() {
        let words = ["LEGAL WINNER THANK YEAR WAVE SAUSAGE"; 4].join(" ");
        for text in [words.as_str(), "salus:safety/AbCdEf0123456789-_"] {
            assert_eq!(read(&blocks(text).unwrap()), text);
        }
    }

    #[test]
    fn a_code_is_square_has_a_margin_and_keeps_its_blocks_on_screen() {
        let code = blocks("ABANDON ABILITY ABLE").unwrap();
        let lines: Vec<&str> = code.lines().collect();
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width));
        assert_eq!(lines.len(), width.div_ceil(2));
        // Four modules on every side.
        assert!(lines[..2].iter().all(|line| line.trim().is_empty()));
        assert!(lines.iter().all(|line| line.starts_with("    ")));
        assert_eq!(on_screen(&code).lines().count(), lines.len());
        assert!(blocks(&"x".repeat(5000)).is_err());
    }
}
