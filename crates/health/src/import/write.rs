//! A record's content: the source's own JSON text in a collection Bundle.
//!
//! Owns the bytes of a draft's content. Must not know which resources belong together.
//!
//! Resources are copied token by token rather than parsed and written again, so that numbers keep
//! the digits, and elements the order, their author gave them. Two things change: insignificant
//! white space goes, and a reference that leads out of the record and has no `display` gets one.

/// Appends `{"fullUrl":…,"resource":…}` to a Bundle under construction.
pub(super) fn entry(
    out: &mut Vec<u8>,
    url: Option<&str>,
    raw: &str,
    label: &dyn Fn(&str) -> Option<String>,
) {
    out.push(b'{');
    if let Some(url) = url {
        out.extend_from_slice(b"\"fullUrl\":");
        string(out, url);
        out.push(b',');
    }
    out.extend_from_slice(b"\"resource\":");
    copy(out, raw, label);
    out.push(b'}');
}

/// A whole collection Bundle, its entries written by `entries`.
pub(super) fn collection(entries: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut out = b"{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[".to_vec();
    for (at, entry) in entries.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&entry);
    }
    out.extend_from_slice(b"]}");
    out
}

fn string(out: &mut Vec<u8>, text: &str) {
    // Serialising a string into memory cannot fail.
    out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Reference,
    Display,
    Other,
}

struct Frame {
    is_object: bool,
    /// The next string is a key.
    at_key: bool,
    key: Key,
    reference: Option<String>,
    has_display: bool,
}

/// Copies JSON text that is known to be valid. On text that is not, it still ends and copies
/// something, which is all that is promised then.
fn copy(out: &mut Vec<u8>, raw: &str, label: &dyn Fn(&str) -> Option<String>) {
    let bytes = raw.as_bytes();
    let mut stack: Vec<Frame> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => at += 1,
            b'"' => {
                let end = string_end(bytes, at);
                let text = raw.get(at..end).unwrap_or_default();
                if let Some(frame) = stack.last_mut() {
                    note(frame, text);
                }
                out.extend_from_slice(text.as_bytes());
                at = end;
            }
            _ => {
                match byte {
                    b'{' | b'[' => stack.push(Frame {
                        is_object: byte == b'{',
                        at_key: byte == b'{',
                        key: Key::Other,
                        reference: None,
                        has_display: false,
                    }),
                    b'}' | b']' => {
                        if let Some(frame) = stack.pop()
                            && !frame.has_display
                            && let Some(display) = frame.reference.and_then(|r| label(&r))
                        {
                            out.extend_from_slice(b",\"display\":");
                            string(out, &display);
                        }
                    }
                    b',' => {
                        if let Some(frame) = stack.last_mut() {
                            frame.at_key = frame.is_object;
                            frame.key = Key::Other;
                        }
                    }
                    _ => {}
                }
                out.push(byte);
                at += 1;
            }
        }
    }
}

/// Takes note of a string token, quotes included, inside an object.
fn note(frame: &mut Frame, text: &str) {
    if !frame.is_object {
        return;
    }
    // Escapes in keys are legal and could hide one of the two; the slow path is for them alone.
    let decoded = || serde_json::from_str::<String>(text).ok();
    if frame.at_key {
        frame.at_key = false;
        frame.key = match text {
            "\"reference\"" => Key::Reference,
            "\"display\"" => Key::Display,
            text if text.contains('\\') => match decoded().as_deref() {
                Some("reference") => Key::Reference,
                Some("display") => Key::Display,
                _ => Key::Other,
            },
            _ => Key::Other,
        };
        frame.has_display |= frame.key == Key::Display;
    } else if frame.key == Key::Reference {
        frame.reference = decoded();
    }
}

/// The position after the string token that begins at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(raw: &str) -> String {
        let mut out = Vec::new();
        copy(&mut out, raw, &|reference| {
            (reference != "in").then(|| format!("<{reference}>"))
        });
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn digits_order_and_strings_survive_and_space_goes() {
        let raw = "{ \"z\" : 7.10 ,\n \"a\": [ 1e2, -0.0, \"sp ace \\\" \\\\\" ], \"é\": null }";
        assert_eq!(
            copied(raw),
            r#"{"z":7.10,"a":[1e2,-0.0,"sp ace \" \\"],"é":null}"#
        );
    }

    #[test]
    fn only_references_that_lead_out_without_display_are_labelled() {
        for (raw, written) in [
            (
                r#"{"a":{"reference":"x"}}"#,
                r#"{"a":{"reference":"x","display":"<x>"}}"#,
            ),
            (r#"{"reference":"in"}"#, r#"{"reference":"in"}"#),
            (
                r#"{"display":"d","reference":"x"}"#,
                r#"{"display":"d","reference":"x"}"#,
            ),
            (
                r#"{"reference":{"reference":"x"}}"#,
                r#"{"reference":{"reference":"x","display":"<x>"}}"#,
            ),
            (r#"["reference","x"]"#, r#"["reference","x"]"#),
            (
                r#"{"r":"reference","s":"x"}"#,
                r#"{"r":"reference","s":"x"}"#,
            ),
            (
                r#"{"\u0072eference":"x"}"#,
                r#"{"\u0072eference":"x","display":"<x>"}"#,
            ),
            (
                r#"{"reference":"\"q"}"#,
                r#"{"reference":"\"q","display":"<\"q>"}"#,
            ),
        ] {
            assert_eq!(copied(raw), written);
        }
    }
}
