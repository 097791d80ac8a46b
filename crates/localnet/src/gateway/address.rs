//! Which canister a request is for.

use axum::http::{HeaderMap, Uri, header};
use candid::Principal;

/// What an address says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// A canister.
    Canister(Principal),
    /// A canister without verification.
    Raw,
    /// No canister.
    Unknown,
}

/// The canister named by the host, by `canisterId`, or by `canisterId` of the page that asks. Only
/// this machine's own names count: what a foreign name leads here is not for us.
pub(super) fn find(uri: &Uri, headers: &HeaderMap) -> Address {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = uri.host().or_else(|| text(header::HOST).map(without_port));
    let Some(host) = host.map(str::to_ascii_lowercase) else {
        return Address::Unknown;
    };
    if let Some(name) = host.strip_suffix(".localhost") {
        return of_name(name);
    }
    if !matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]") {
        return Address::Unknown;
    }
    if let Some(id) = uri.query().and_then(of_query) {
        return Address::Canister(id);
    }
    let page: Option<Uri> = text(header::REFERER).and_then(|page| page.parse().ok());
    let page = page.filter(|page| page.host() == Some(host.as_str()));
    match page.as_ref().and_then(Uri::query).and_then(of_query) {
        Some(id) => Address::Canister(id),
        None => Address::Unknown,
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    }
}

/// What stands before `.localhost`.
fn of_name(name: &str) -> Address {
    let (id, raw) = match name.strip_suffix(".raw") {
        Some(id) => (id, true),
        None => (name, false),
    };
    match Principal::from_text(id) {
        Ok(_) if raw => Address::Raw,
        Ok(id) => Address::Canister(id),
        Err(_) => Address::Unknown,
    }
}

fn of_query(query: &str) -> Option<Principal> {
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("canisterId="))
        .and_then(|id| Principal::from_text(id).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "bkyz2-fmaaa-aaaaa-qaaaq-cai";

    fn at(uri: &str, host: &str, referer: Option<&str>) -> Address {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(referer) = referer {
            headers.insert(header::REFERER, referer.parse().unwrap());
        }
        find(&uri.parse().unwrap(), &headers)
    }

    fn found(uri: &str, host: &str, referer: Option<&str>) -> bool {
        at(uri, host, referer) == Address::Canister(Principal::from_text(ID).unwrap())
    }

    #[test]
    fn by_host_query_and_page() {
        assert!(found("/x", &format!("{ID}.localhost:80"), None));
        assert!(found(
            &format!("/x?a=b&canisterId={ID}"),
            "localhost:80",
            None
        ));
        let page = format!("http://localhost:80/?canisterId={ID}");
        assert!(found("/x.js", "localhost:80", Some(&page)));
    }

    #[test]
    fn not_by_another_sites_page_or_host() {
        let page = format!("http://other:80/?canisterId={ID}");
        assert!(!found("/x.js", "localhost:80", Some(&page)));
        assert!(!found("/x.js", &format!("{ID}.example.com"), None));
        assert!(!found("/x.js", "localhost", None));
        let query = format!("/x?canisterId={ID}");
        assert!(!found(&query, "other:80", None));
        assert!(found(&query, "127.0.0.1:80", None));
        assert!(found(&query, "[::1]:80", None));
    }

    #[test]
    fn nothing_is_raw() {
        assert_eq!(
            at("/", &format!("{ID}.raw.localhost:80"), None),
            Address::Raw
        );
        assert_eq!(at("/", "x.raw.localhost:80", None), Address::Unknown);
    }
}
