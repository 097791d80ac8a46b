//! How text, times and sizes are shown on a terminal. What other people wrote passes through
//! [`shown`] first. Must not know any command.

use std::fmt;

/// Text without characters that drive a terminal or change how their neighbours are read.
/// Line breaks and tabs stay.
pub(crate) fn shown(text: &str) -> String {
    text.chars().filter(|c| !hostile(*c)).collect()
}

/// The same on one line, white space collapsed.
pub(crate) fn line(text: &str) -> String {
    let clean = shown(text);
    let mut words = clean.split_whitespace();
    let mut out = String::with_capacity(clean.len());
    if let Some(first) = words.next() {
        out.push_str(first);
    }
    for word in words {
        out.push(' ');
        out.push_str(word);
    }
    out
}

fn hostile(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{061c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A time in milliseconds since 1970 as RFC 3339 in UTC, to the second.
pub(crate) fn time(ms: u64) -> String {
    i64::try_from(ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .and_then(|at| at.round(jiff::Unit::Second).ok())
        .map_or_else(|| format!("{ms} ms"), |at| at.to_string())
}

/// So many of something.
pub(crate) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// A size in bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    const STEPS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (step, unit) in STEPS {
        if bytes >= step {
            let tenths = bytes / (step / 10).max(1);
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} B")
}

/// Rows of equal numbers of cells in columns as wide as their widest cell.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self {
            rows: vec![headings.iter().map(|h| (*h).to_owned()).collect()],
        }
    }

    /// One more row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows
            .push(cells.iter().map(|cell| line(cell)).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            for (at, cell) in row.iter().enumerate() {
                let width = cell.chars().count();
                match widths.get_mut(at) {
                    Some(widest) => *widest = (*widest).max(width),
                    None => widths.push(width),
                }
            }
        }
        for row in &self.rows {
            let mut out = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                out.push_str(cell);
                for _ in cell.chars().count()..width + 2 {
                    out.push(' ');
                }
            }
            writeln!(f, "{}", out.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_read_well() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(1_700_000_000_499), "2023-11-14T22:13:20Z");
        assert!(time(u64::MAX).ends_with(" ms"));
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(25 << 20), "25.0 MiB");
    }

    #[test]
    fn columns_line_up_and_cells_stay_on_their_line() {
        let mut table = Table::new(&["ID", "TITLE"]);
        table.row(vec!["1".into(), "a\nb\u{202e}c".into()]);
        table.row(vec!["234".into(), "d".into()]);
        assert_eq!(table.to_string(), "ID   TITLE\n1    a bc\n234  d\n");
    }
}
