//! Lengths of time as people write them: `30d`, `12h`, `1y`. Must not know what they are for.

use crate::error::{Error, Result};
use salus_types::limits::GRANT_LIFE_MS;
use std::str::FromStr;

/// A length of time, at least a second and at most what a grant may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    ms: u64,
}

impl Span {
    /// Milliseconds.
    pub(crate) const fn ms(self) -> u64 {
        self.ms
    }
}

/// Units, in milliseconds. A month would be ambiguous and a bare `m` more so: neither exists.
const UNITS: [(&str, u64); 6] = [
    ("s", 1_000),
    ("min", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 7 * 86_400_000),
    ("y", 365 * 86_400_000),
];

impl FromStr for Span {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::usage(format!(
                "`{text}` is not a length of time: write a whole number and s, min, h, d, w or y, as in 30d"
            ))
        };
        let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (digits, unit) = text.split_at_checked(split).ok_or_else(wrong)?;
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        let (_, factor) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(wrong)?;
        let ms = number.checked_mul(*factor).ok_or_else(wrong)?;
        if ms == 0 {
            return Err(Error::usage("the length of time is zero"));
        }
        if ms > GRANT_LIFE_MS {
            return Err(Error::usage(format!(
                "`{text}` is longer than a grant may live: at most {} days",
                GRANT_LIFE_MS / 86_400_000
            )));
        }
        Ok(Self { ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_people_write() {
        let cases = [
            ("45s", 45_000),
            ("10min", 600_000),
            ("12h", 43_200_000),
            ("30d", 2_592_000_000),
            ("2w", 1_209_600_000),
            ("1y", 31_536_000_000),
            ("3653d", GRANT_LIFE_MS),
        ];
        for (text, ms) in cases {
            assert_eq!(text.parse::<Span>().unwrap().ms(), ms, "{text}");
        }
    }

    #[test]
    fn lengths_that_are_refused() {
        for text in [
            "",
            "30",
            "d",
            "-1d",
            "1.5h",
            "0d",
            "1m",
            "1mo",
            "3654d",
            "11y",
            "30 d",
            "30d ",
            "١d",
            "18446744073709551615y",
            "99999999999999999999d",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text:?}");
        }
    }
}
