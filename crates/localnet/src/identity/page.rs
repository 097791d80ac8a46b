//! Who may use the identity provider, and how its page is served.

use axum::http::{HeaderMap, Uri, header};

/// The content security policy of the page: itself and nothing else, in nobody's frame. No
/// opener policy: it would cut the page off from the application that opened it.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether a text is an http or https origin and nothing more.
pub(super) fn is_origin(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    matches!(scheme, "http" | "https")
        && !rest.is_empty()
        && text.parse::<Uri>().is_ok_and(|uri| {
            uri.authority()
                .is_some_and(|a| a.as_str() == rest && !rest.contains('@'))
        })
}

/// Whether a request comes from the identity page itself or from no page at all: the host is this
/// machine's own name (a canister's site has another, so has a rebound domain), and a browser
/// says that page and target are of one origin.
pub(crate) fn is_own(headers: &HeaderMap, port: u16) -> bool {
    let text = |name| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    let hosts = [
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
    ];
    let Some(host) = text(header::HOST) else {
        return false;
    };
    if !hosts.iter().any(|own| own == host) {
        return false;
    }
    text(header::ORIGIN).is_none_or(|origin| origin == format!("http://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        is_own(&headers, 80)
    }

    #[test]
    fn only_the_page_itself_and_programs() {
        assert!(own("localhost:80", None));
        assert!(own("localhost:80", Some("http://localhost:80")));
        assert!(!own("localhost:80", Some("http://aaa.localhost:80")));
        assert!(!own("aaa.localhost:80", Some("http://aaa.localhost:80")));
        assert!(!own("evil.example:80", None));
    }

    #[test]
    fn origins_have_no_path_and_no_user() {
        assert!(is_origin("http://bkyz2.localhost:4943"));
        assert!(is_origin("https://salus.example"));
        for bad in [
            "",
            "null",
            "http://",
            "http://a/",
            "http://a/b",
            "ftp://a",
            "http://u@a",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
