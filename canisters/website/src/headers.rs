//! The headers every response carries: what the page and the engine may do once loaded.
//!
//! Knows nothing of files' contents. A worker obeys the policy of its own script's response and
//! not the document's, so every file carries one, and the engine's is stricter than the page's:
//! only the engine reaches the node, only the page paints.

use crate::config::Config;
use crate::files::{self, Part};

/// The one Trusted Types policy of the page; it turns exactly one address into a worker script.
pub const TRUSTED_TYPES_POLICY: &str = "salus-worker";

/// Names and values for a file, without its media type and encoding.
pub fn for_path(path: &str, config: &Config) -> Vec<(String, String)> {
    let policy = match files::part_of(path) {
        Part::Page => page_policy(),
        Part::Engine => engine_policy(config.node_origin()),
    };
    let cache = if files::is_content_addressed(path) {
        "public, max-age=31536000, immutable"
    } else {
        "public, no-cache"
    };
    let mut headers: Vec<(String, String)> = COMMON
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    headers.push(("content-security-policy".to_owned(), policy));
    headers.push(("cache-control".to_owned(), cache.to_owned()));
    headers.push(("vary".to_owned(), "accept-encoding".to_owned()));
    if path == crate::site::ALTERNATIVE_ORIGINS {
        // Read by the identity provider's page, from its own origin.
        headers.push(("access-control-allow-origin".to_owned(), "*".to_owned()));
    } else {
        headers.push((
            "cross-origin-resource-policy".to_owned(),
            "same-origin".to_owned(),
        ));
    }
    headers
}

const COMMON: [(&str, &str); 7] = [
    ("cross-origin-opener-policy", "same-origin-allow-popups"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", PERMISSIONS),
    ("strict-transport-security", "max-age=31536000"),
    ("x-robots-tag", "noindex"),
];

/// Scanning a patient's code and passkeys, for this site alone; nothing else that browsers know.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(self), \
    clipboard-read=(), clipboard-write=(self), display-capture=(), encrypted-media=(), \
    fullscreen=(self), geolocation=(), gyroscope=(), hid=(), identity-credentials-get=(), \
    magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-create=(self), \
    publickey-credentials-get=(self), screen-wake-lock=(), serial=(), usb=(), \
    xr-spatial-tracking=()";

fn page_policy() -> String {
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' blob: data:; font-src 'self'; media-src blob:; connect-src 'self'; \
         worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types {TRUSTED_TYPES_POLICY}"
    )
}

fn engine_policy(node: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' {node}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(path: &str, config: &Config) -> String {
        for_path(path, config)
            .into_iter()
            .find(|(name, _)| name == "content-security-policy")
            .map(|(_, value)| value)
            .expect("every path has a policy")
    }

    #[test]
    fn only_the_engine_may_reach_the_node() {
        let config = Config {
            node: Some("http://localhost:4943".to_owned()),
            ..Config::default()
        };
        assert!(
            policy("/engine.js", &config).contains("connect-src 'self' http://localhost:4943;")
        );
        assert!(policy("/", &config).contains("connect-src 'self';"));
        assert!(!policy("/index.html", &config).contains("4943"));
    }

    #[test]
    fn no_policy_lets_in_inline_or_foreign_script() {
        for path in ["/", "/ui.js", "/engine.js", "/config.json", "/nowhere"] {
            let policy = policy(path, &Config::default());
            assert!(policy.starts_with("default-src 'none';"), "{path}");
            assert!(
                policy.contains("require-trusted-types-for 'script'"),
                "{path}"
            );
            for word in ["'unsafe-inline'", "'unsafe-eval'", "*", "http:"] {
                assert!(!policy.contains(word), "{path} allows {word}");
            }
        }
    }

    #[test]
    fn every_path_carries_every_common_header() {
        for path in ["/", "/engine.js", "/.well-known/ii-alternative-origins"] {
            let headers = for_path(path, &Config::default());
            for (name, _) in COMMON {
                assert!(
                    headers.iter().any(|(have, _)| have == name),
                    "{path} {name}"
                );
            }
        }
    }
}
