//! Numbers, dates and sizes as text, and blanks filled in. Pure but for the browser's
//! own calendar.

use crate::browser::format_date;
use crate::texts::Language;
use salus_messages::{Millis, Qr};
use std::fmt::Write as _;

/// `text` with each `{name}` replaced.
pub(crate) fn fill(text: &str, blanks: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        if let Some((_, value)) = blanks.iter().find(|(blank, _)| *blank == name) {
            out.push_str(value);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// One of two texts by number, with `{n}` filled in.
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    fill(if n == 1 { one } else { many }, &[("n", &n.to_string())])
}

#[expect(
    clippy::cast_precision_loss,
    reason = "times in milliseconds stay far below 2^53"
)]
fn float(millis: Millis) -> f64 {
    millis as f64
}

/// "12 March 2026".
pub(crate) fn day(language: Language, at: Millis) -> String {
    format_date(
        float(at),
        language,
        &[("day", "numeric"), ("month", "long"), ("year", "numeric")],
    )
}

/// "12 March 2026, 14:05".
pub(crate) fn moment(language: Language, at: Millis) -> String {
    format_date(
        float(at),
        language,
        &[
            ("day", "numeric"),
            ("month", "long"),
            ("year", "numeric"),
            ("hour", "2-digit"),
            ("minute", "2-digit"),
        ],
    )
}

/// "14:05".
pub(crate) fn time(language: Language, at: Millis) -> String {
    let whole = format_date(
        float(at),
        language,
        &[
            ("hour", "2-digit"),
            ("minute", "2-digit"),
            ("day", "2-digit"),
        ],
    );
    // Date formatting always leads with the day when asked for a time alone.
    whole
        .split_once([',', ' '])
        .map_or(whole.clone(), |(_, time)| time.trim().to_owned())
}

/// A FHIR date, as exact as it is.
pub(crate) fn clinical_date(language: Language, date: &str) -> String {
    let day = date.split('T').next().unwrap_or_default();
    let options: &[(&str, &str)] = match day.len() {
        10 => &[
            ("day", "numeric"),
            ("month", "long"),
            ("year", "numeric"),
            ("timeZone", "UTC"),
        ],
        7 => &[("month", "long"), ("year", "numeric"), ("timeZone", "UTC")],
        _ => return day.to_owned(),
    };
    let millis = js_sys::Date::parse(day);
    if millis.is_nan() {
        day.to_owned()
    } else {
        format_date(millis, language, options)
    }
}

/// "3.4 MB", in powers of 1000 as file listings have it.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            let tenths = bytes.saturating_mul(10) / unit;
            return if tenths >= 100 || tenths.is_multiple_of(10) {
                format!("{} {name}", tenths / 10)
            } else {
                format!("{}.{} {name}", tenths / 10, tenths % 10)
            };
        }
    }
    format!("{bytes} B")
}

/// "42 %".
pub(crate) fn percent(done: u64, total: u64) -> String {
    let share = done.min(total).saturating_mul(100) / total.max(1);
    format!("{share} %")
}

/// The dark modules of a QR code as the path of an SVG, four modules in from each side.
pub(crate) fn qr_path(qr: &Qr) -> String {
    let side = usize::from(qr.side);
    let dark = |place: usize| {
        qr.modules
            .get(place / 8)
            .is_some_and(|byte| byte & (0x80 >> (place % 8)) != 0)
    };
    let mut path = String::new();
    for y in 0..side {
        let mut x = 0;
        while x < side {
            let start = x;
            while x < side && dark(y * side + x) {
                x += 1;
            }
            if x > start {
                // Writing to a string cannot fail.
                let _ = write!(
                    path,
                    "M{} {}h{}v1h-{}z",
                    start + 4,
                    y + 4,
                    x - start,
                    x - start
                );
            }
            x += 1;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_filled_and_stray_braces_survive() {
        assert_eq!(
            fill("a {x} b {y}", &[("x", "1"), ("y", "{x}")]),
            "a 1 b {x}"
        );
        assert_eq!(fill("a { b", &[]), "a { b");
        assert_eq!(fill("{gone}!", &[]), "!");
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_000), "1 KB");
        assert_eq!(size(1_250_000), "1.2 MB");
        assert_eq!(size(26_214_400), "26 MB");
    }

    #[test]
    fn percent_never_exceeds_a_hundred() {
        assert_eq!(percent(1, 3), "33 %");
        assert_eq!(percent(9, 3), "100 %");
        assert_eq!(percent(0, 0), "0 %");
    }

    #[test]
    fn qr_modules_become_runs() {
        // Two rows of two: dark dark / light dark.
        let qr = Qr {
            side: 2,
            modules: vec![0b1101_0000],
        };
        assert_eq!(qr_path(&qr), "M4 4h2v1h-2zM5 5h1v1h-1z");
    }
}
