//! The website canister: hands out the front end it was built with, every byte and header certified.
//!
//! Owns the canister's entry points only; what is served is [`site`], how it may be used is
//! [`headers`], where it is deployed is [`config`]. It knows nothing of accounts, records or keys,
//! and no update call exists: only an upgrade by a controller can change what visitors get.

pub mod config;
pub mod files;
pub mod headers;
pub mod site;

use std::cell::RefCell;

use candid::CandidType;
use ic_http_certification::{HttpRequest, HttpResponse};

use config::Config;
use site::Site;

thread_local! {
    static SITE: RefCell<Option<Site>> = const { RefCell::new(None) };
}

/// One certified response of the site, for whoever compares it with their own build.
#[derive(CandidType, Debug, Clone, PartialEq, Eq)]
pub struct FileDigest {
    /// Path as requested, beginning with `/`.
    pub path: String,
    /// `identity`, `br` or `gzip`.
    pub encoding: String,
    /// Bytes as transferred.
    pub length: u64,
    /// SHA-256 of the bytes as transferred, 64 hexadecimal digits.
    pub sha256: String,
}

#[ic_cdk::init]
fn init(config: Option<Config>) {
    start(config.unwrap_or_default());
}

/// Keeps the configuration of the previous version unless the upgrade brings a new one.
#[ic_cdk::post_upgrade]
fn post_upgrade(config: Option<Config>) {
    let config = config
        .or_else(|| {
            ic_cdk::storage::stable_restore::<(Config,)>()
                .ok()
                .map(|(kept,)| kept)
        })
        .unwrap_or_default();
    start(config);
}

/// Certified data is cleared by every upgrade, so both entry points end here.
fn start(config: Config) {
    let site = match Site::new(files::EMBEDDED, config) {
        Ok(site) => site,
        Err(error) => ic_cdk::trap(error.to_string()),
    };
    if let Err(error) = ic_cdk::storage::stable_save((site.config(),)) {
        ic_cdk::trap(error.to_string());
    }
    ic_cdk::api::certified_data_set(site.root_hash());
    SITE.with_borrow_mut(|slot| *slot = Some(site));
}

fn with_site<T>(f: impl FnOnce(&Site) -> T) -> T {
    SITE.with_borrow(|slot| match slot {
        Some(site) => f(site),
        None => ic_cdk::trap("the website is not initialised"),
    })
}

#[ic_cdk::query]
fn http_request(request: HttpRequest) -> HttpResponse<'static> {
    let Some(certificate) = ic_cdk::api::data_certificate() else {
        ic_cdk::trap("http_request must be called as a query: an update has no certificate");
    };
    with_site(|site| site.respond(&certificate, &request))
}

#[ic_cdk::query]
fn files() -> Vec<FileDigest> {
    with_site(Site::digests)
}

#[ic_cdk::query]
fn configuration() -> Config {
    with_site(|site| site.config().clone())
}

#[cfg(test)]
candid::export_service!();

#[cfg(test)]
mod tests {
    use candid_parser::utils::{CandidSource, service_equal};

    #[test]
    fn the_candid_file_says_what_the_code_serves() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../candid/website.did");
        service_equal(
            CandidSource::Text(&super::__export_service()),
            CandidSource::File(std::path::Path::new(file)),
        )
        .expect("candid/website.did differs from the code");
    }
}
