//! Which canister a request is for.

use axum::http::{HeaderMap, Uri, header};
use candid::Principal;

/// The canister named by the host, by `canisterId`, or by `canisterId` of the page that asks.
pub(super) fn canister(uri: &Uri, headers: &HeaderMap) -> Option<Principal> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = uri.host().map(str::to_owned).or_else(|| {
        let host = text(header::HOST)?;
        Some(
            host.rsplit_once(':')
                .map_or(host, |(name, _)| name)
                .to_owned(),
        )
    })?;
    if let Some(id) = of_host(&host) {
        return Some(id);
    }
    if let Some(id) = uri.query().and_then(of_query) {
        return Some(id);
    }
    let page: Uri = text(header::REFERER)?.parse().ok()?;
    if page.host()? != host {
        return None;
    }
    of_query(page.query()?)
}

fn of_host(host: &str) -> Option<Principal> {
    let (first, rest) = host.split_once('.')?;
    (rest == "localhost").then_some(())?;
    Principal::from_text(first).ok()
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

    fn found(uri: &str, host: &str, referer: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(referer) = referer {
            headers.insert(header::REFERER, referer.parse().unwrap());
        }
        canister(&uri.parse().unwrap(), &headers) == Principal::from_text(ID).ok()
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
    }
}
