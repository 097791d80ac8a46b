//! The files embedded at build time, and what a file's name says about it.
//!
//! Knows names and bytes, not headers or certificates.

/// One file of the site with the encoded forms the build made of it.
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// Path below the site's root, beginning with `/`.
    pub path: &'static str,
    /// The bytes as built.
    pub identity: &'static [u8],
    /// The same bytes compressed with Brotli (RFC 7932).
    pub brotli: Option<&'static [u8]>,
    /// The same bytes compressed with gzip (RFC 1952).
    pub gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Whose rules a file is served under: a worker takes its policy from its own script's response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The document and everything it loads itself.
    Page,
    /// The worker that holds keys and talks to the node.
    Engine,
}

/// `worker.js` and files whose name begins with `engine`, in any folder, belong to the worker.
pub fn part_of(path: &str) -> Part {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.starts_with("engine") || name.starts_with("worker") {
        Part::Engine
    } else {
        Part::Page
    }
}

/// A name carrying sixteen hexadecimal digits before its extension was derived from its content,
/// so what it names never changes: `ui-0123456789abcdef.wasm`.
pub fn is_content_addressed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    stem.rsplit_once('-').is_some_and(|(_, digest)| {
        digest.len() == 16
            && digest
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
    })
}

/// Media type by extension; an unknown one is offered as bytes, never guessed by the browser.
pub fn content_type(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("webp") => "image/webp",
        Some("woff2") => "font/woff2",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ if path == crate::site::ALTERNATIVE_ORIGINS => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_files_are_told_by_their_name() {
        for path in [
            "/engine.js",
            "/engine-0123456789abcdef.wasm",
            "/worker.js",
            "/worker-0123456789abcdef.js",
        ] {
            assert_eq!(part_of(path), Part::Engine, "{path}");
        }
        for path in ["/", "/index.html", "/ui.js", "/search-engine.js"] {
            assert_eq!(part_of(path), Part::Page, "{path}");
        }
    }

    #[test]
    fn only_a_full_digest_makes_a_name_immutable() {
        assert!(is_content_addressed("/ui-0123456789abcdef.js"));
        assert!(!is_content_addressed("/ui-0123456789abcde.js"));
        assert!(!is_content_addressed("/ui-0123456789abcdeg.js"));
        assert!(!is_content_addressed("/index.html"));
    }

    #[test]
    fn unknown_extensions_are_plain_bytes() {
        assert_eq!(content_type("/a.exe"), "application/octet-stream");
        assert_eq!(content_type("/ui_bg.wasm"), "application/wasm");
    }
}
