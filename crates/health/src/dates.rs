//! FHIR dates: recognising them and saying them in plain English.
//!
//! Owns the `date`, `dateTime` and `instant` forms. Knows no clock and converts no time zones: a
//! moment is shown as its source wrote it.

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

struct Parts {
    year: u32,
    month: Option<u32>,
    day: Option<u32>,
    /// Hours and minutes.
    time: Option<(u32, u32)>,
}

/// Whether this is a FHIR `date`, `dateTime` or `instant`: `YYYY[-MM[-DD[Thh:mm[:ss[.f]]zone]]]`.
pub(crate) fn is_date(text: &str) -> bool {
    parts(text).is_some()
}

/// "30 June 1998", "June 1998" or "1998"; text that is no FHIR date gives `None`.
#[must_use]
pub fn plain_date(text: &str) -> Option<String> {
    let parts = parts(text)?;
    let month = parts.month.and_then(|m| MONTHS.get(m as usize - 1));
    Some(match (month, parts.day) {
        (Some(month), Some(day)) => format!("{day} {month} {}", parts.year),
        (Some(month), None) => format!("{month} {}", parts.year),
        _ => parts.year.to_string(),
    })
}

/// As [`plain_date`], with the time of day where the source gave one: "30 June 1998, 00:56".
pub(crate) fn plain_moment(text: &str) -> Option<String> {
    let date = plain_date(text)?;
    Some(match parts(text)?.time {
        Some((hour, minute)) => format!("{date}, {hour:02}:{minute:02}"),
        None => date,
    })
}

fn parts(text: &str) -> Option<Parts> {
    if !text.is_ascii() || text.len() > 40 {
        return None;
    }
    let (date, rest) = match text.split_once('T') {
        Some((date, rest)) => (date, Some(rest)),
        None => (text, None),
    };
    let mut fields = date.split('-');
    let year = number(fields.next()?, 4)?;
    let month = fields
        .next()
        .map(|f| number(f, 2).filter(|m| (1..=12).contains(m)));
    let day = fields
        .next()
        .map(|f| number(f, 2).filter(|d| (1..=31).contains(d)));
    if fields.next().is_some() || month == Some(None) || day == Some(None) {
        return None;
    }
    let (month, day) = (month.flatten(), day.flatten());
    let time = match rest {
        None => None,
        Some(rest) => {
            day?;
            let hour = number(rest.get(..2)?, 2).filter(|h| *h < 24)?;
            let minute = number(rest.get(3..5)?, 2).filter(|m| *m < 60)?;
            let tail = rest.get(5..)?;
            let known = tail
                .bytes()
                .all(|b| b.is_ascii_digit() || b":.+-Z".contains(&b));
            if rest.get(2..3) != Some(":") || !known {
                return None;
            }
            Some((hour, minute))
        }
    };
    Some(Parts {
        year,
        month,
        day,
        time,
    })
}

fn number(text: &str, digits: usize) -> Option<u32> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_as_people_say_them() {
        assert_eq!(
            plain_date("1998-06-30T00:56:59+00:00").as_deref(),
            Some("30 June 1998")
        );
        assert_eq!(plain_date("1998-06").as_deref(), Some("June 1998"));
        assert_eq!(plain_date("1998").as_deref(), Some("1998"));
        assert_eq!(
            plain_moment("1998-06-30T08:05:00.123Z").as_deref(),
            Some("30 June 1998, 08:05")
        );
        assert_eq!(plain_moment("1998-06-30").as_deref(), Some("30 June 1998"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "98",
            "1998-13",
            "1998-00-01",
            "1998-01-32",
            "1998-1-1",
            "1998-01-01T",
            "x",
            "1998-01-01-01",
            "1998-01T10:00",
            "1998-01-01T10:00<b>",
            "١٩٩٨",
            "1998-01-01T25:00Z",
        ] {
            assert!(!is_date(text), "{text}");
        }
    }
}
