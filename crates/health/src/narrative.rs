//! Plain text out of XHTML narratives and attached text.
//!
//! Owns the stripping of markup. The result is text, to be shown as text: nothing downstream may
//! treat it as markup, and what looks like a tag after decoding (`&lt;b&gt;`) stays as written.

use crate::fhir::unsafe_to_show;

/// Most bytes of markup or text that are read.
const INPUT_BYTES: usize = 512 * 1024;
/// Most characters of text that come out.
pub(crate) const TEXT_CHARS: usize = 64 * 1024;

/// The text of an XHTML `div`: tags gone, blocks on lines of their own, scripts, styles and
/// comments dropped with their content.
pub(crate) fn strip(markup: &str) -> String {
    let mut out = Lines::default();
    let mut rest = clip(markup);
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '<' if after.starts_with(|n: char| n.is_ascii_alphabetic() || "/!?".contains(n)) => {
                rest = tag(after, &mut out);
            }
            '&' => {
                let (decoded, length) = entity(after);
                out.push(decoded);
                rest = after.get(length..).unwrap_or_default();
            }
            c => {
                // In markup a line break is only white space.
                out.push(if c.is_whitespace() { ' ' } else { c });
                rest = after;
            }
        }
        if out.full() {
            break;
        }
    }
    out.finish()
}

/// Text as it is, made safe to show: lines kept, control and direction-changing characters gone.
pub(crate) fn plain(text: &str) -> String {
    let mut out = Lines::default();
    for c in clip(text).chars() {
        out.push(c);
        if out.full() {
            break;
        }
    }
    out.finish()
}

fn clip(text: &str) -> &str {
    let mut end = text.len().min(INPUT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Consumes a tag whose `<` has been read; returns what follows it.
fn tag<'t>(inside: &'t str, out: &mut Lines) -> &'t str {
    if let Some(comment) = inside.strip_prefix("!--") {
        return comment
            .find("-->")
            .and_then(|end| comment.get(end + 3..))
            .unwrap_or_default();
    }
    let name_end = inside
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '/'))
        .unwrap_or(inside.len());
    let name = inside
        .get(..name_end)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let rest = tag_end(inside);
    match name.trim_end_matches('/') {
        "script" | "style" | "svg" | "iframe" | "object" | "template" => {
            let closing = format!("</{}", name.trim_end_matches('/'));
            return after_closing(rest, &closing);
        }
        "li" => {
            out.line();
            out.push('•');
            out.push(' ');
        }
        "td" | "th" => {
            out.push(' ');
            out.push(' ');
        }
        "br" | "p" | "/p" | "div" | "/div" | "tr" | "/tr" | "ul" | "/ul" | "ol" | "/ol"
        | "table" | "/table" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "/h1" | "/h2" | "/h3"
        | "/h4" | "/h5" | "/h6" | "hr" | "/li" | "dt" | "dd" | "pre" | "/pre" => out.line(),
        _ => {}
    }
    rest
}

/// What follows the tag's `>`, quoted attribute values skipped; nothing if it never ends.
fn tag_end(inside: &str) -> &str {
    let mut quote = None;
    for (at, c) in inside.char_indices() {
        match (quote, c) {
            (None, '>') => return inside.get(at + 1..).unwrap_or_default(),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    ""
}

/// What follows the closing tag that begins with `closing` (lower case).
fn after_closing<'t>(text: &'t str, closing: &str) -> &'t str {
    for (at, _) in text.match_indices("</") {
        let here = text.get(at..at + closing.len()).unwrap_or_default();
        if here.eq_ignore_ascii_case(closing) {
            return tag_end(text.get(at + 2..).unwrap_or_default());
        }
    }
    ""
}

/// The character an entity stands for and the bytes it takes after `&`; unknown ones stay `&`.
fn entity(after: &str) -> (char, usize) {
    let window = after
        .as_bytes()
        .get(..12.min(after.len()))
        .unwrap_or_default();
    let Some(end) = window.iter().position(|b| *b == b';') else {
        return ('&', 0);
    };
    let name = after.get(..end).unwrap_or_default();
    let decoded = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => name.strip_prefix('#').and_then(|number| {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }),
    };
    decoded.map_or(('&', 0), |c| (c, end + 1))
}

/// Text under construction: no trailing blanks, at most one empty line in a row.
#[derive(Default)]
struct Lines {
    text: String,
    count: usize,
    blanks: usize,
    breaks: usize,
}

impl Lines {
    fn full(&self) -> bool {
        self.count >= TEXT_CHARS
    }

    /// Begins a new line unless one has just begun.
    fn line(&mut self) {
        self.blanks = 0;
        self.breaks = self.breaks.max(1);
    }

    fn push(&mut self, c: char) {
        match c {
            '\n' => {
                self.blanks = 0;
                self.breaks = (self.breaks + 1).min(2);
            }
            '\r' => {}
            c if c.is_whitespace() => self.blanks = (self.blanks + 1).min(2),
            c if unsafe_to_show(c) => {}
            c => {
                if !self.text.is_empty() {
                    for _ in 0..self.breaks {
                        self.text.push('\n');
                    }
                    if self.breaks == 0 {
                        for _ in 0..self.blanks {
                            self.text.push(' ');
                        }
                    }
                    self.count += self.breaks + self.blanks;
                }
                (self.breaks, self.blanks) = (0, 0);
                self.text.push(c);
                self.count += 1;
            }
        }
    }

    fn finish(mut self) -> String {
        if self.full() {
            self.text.push('…');
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_lines_of_text() {
        let div = "<div xmlns=\"http://www.w3.org/1999/xhtml\">Plan for <b>Ana</b>.<br/>Do:\n\
            <ul><li>Walk</li><li>Sleep &amp; eat</li></ul><p>Done</p></div>";
        assert_eq!(
            strip(div),
            "Plan for Ana.\nDo:\n• Walk\n• Sleep & eat\nDone"
        );
    }

    #[test]
    fn hostile_markup_leaves_only_text() {
        for (markup, text) in [
            ("<script>alert(1)</script>ok", "ok"),
            ("<SCRIPT a='>'>x</sCRipt >ok", "ok"),
            ("<script>never closed", ""),
            ("<img src=x onerror=\"alert('>')\">ok", "ok"),
            (
                "&lt;script&gt;alert(1)&lt;/script&gt;",
                "<script>alert(1)</script>",
            ),
            ("a < b and c > d", "a < b and c > d"),
            ("<!-- <b>hidden</b> -->seen", "seen"),
            ("<!-- never closed", ""),
            ("&#x41;&#66;&bogus;&#xD800;&", "AB&bogus;&#xD800;&"),
            ("a\u{202e}b\u{0}c", "abc"),
            ("<a", ""),
            ("<style>@import 'x'</style><b>t", "t"),
        ] {
            assert_eq!(strip(markup), text, "{markup}");
        }
    }

    #[test]
    fn plain_text_keeps_its_lines_and_is_bounded() {
        assert_eq!(plain("a\r\n\r\n\r\n\r\nb\t c \n"), "a\n\nb  c");
        assert!(plain(&"x".repeat(2 * TEXT_CHARS)).chars().count() <= TEXT_CHARS + 1);
        assert!(strip(&"<".repeat(INPUT_BYTES * 2)).len() <= INPUT_BYTES);
    }
}
