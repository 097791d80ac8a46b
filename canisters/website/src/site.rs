//! The certified site: embedded files plus the deployment's own two, as a router that answers.
//!
//! Pure apart from the data certificate it is handed; runs natively in tests. What a name means
//! is [`crate::files`]'s, what headers say is [`crate::headers`]'s.

use ic_asset_certification::{
    Asset, AssetCertificationError, AssetConfig, AssetEncoding, AssetFallbackConfig, AssetRouter,
};
use ic_http_certification::{HttpRequest, HttpResponse, StatusCode};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::FileDigest;
use crate::config::{Config, ConfigError};
use crate::files::{self, File};
use crate::headers;

/// Where the front end reads its deployment.
pub const CONFIG: &str = "/config.json";
/// Where Internet Identity reads who may share this site's principals.
pub const ALTERNATIVE_ORIGINS: &str = "/.well-known/ii-alternative-origins";
/// The page for every path that names no file.
pub const NOT_FOUND: &str = "/404.html";

const INDEX: &str = "/index.html";
const PLAIN_NOT_FOUND: &[u8] =
    b"<!doctype html><html lang=\"en\"><title>Not found</title><p>There is nothing here.</p></html>\n";

/// Why a site cannot be served.
#[derive(Debug, Error)]
pub enum SiteError {
    /// The install argument was refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file could not be certified.
    #[error("a file could not be certified: {0}")]
    Certification(#[from] AssetCertificationError),
}

/// Everything this canister serves.
pub struct Site {
    router: AssetRouter<'static>,
    digests: Vec<FileDigest>,
    config: Config,
}

impl Site {
    /// Certifies `embedded` and the files made from `config`, which take precedence.
    pub fn new(embedded: &[File], config: Config) -> Result<Self, SiteError> {
        config.check()?;
        let mut site = Self {
            router: AssetRouter::new(),
            digests: Vec::new(),
            config,
        };
        let own = [CONFIG, ALTERNATIVE_ORIGINS];
        for file in embedded.iter().filter(|file| !own.contains(&file.path)) {
            let mut forms = vec![(AssetEncoding::Identity, file.identity.to_vec())];
            forms.extend(
                [
                    (AssetEncoding::Brotli, file.brotli),
                    (AssetEncoding::Gzip, file.gzip),
                ]
                .into_iter()
                .filter_map(|(encoding, bytes)| bytes.map(|bytes| (encoding, bytes.to_vec()))),
            );
            site.add(file.path, forms)?;
        }
        let (config, origins) = (
            site.config.to_json(),
            site.config.alternative_origins_json(),
        );
        site.add(CONFIG, vec![(AssetEncoding::Identity, config)])?;
        site.add(
            ALTERNATIVE_ORIGINS,
            vec![(AssetEncoding::Identity, origins)],
        )?;
        if !embedded.iter().any(|file| file.path == NOT_FOUND) {
            let page = vec![(AssetEncoding::Identity, PLAIN_NOT_FOUND.to_vec())];
            site.add(NOT_FOUND, page)?;
        }
        site.digests
            .sort_by(|a, b| (&a.path, &a.encoding).cmp(&(&b.path, &b.encoding)));
        Ok(site)
    }

    fn add(
        &mut self,
        path: &str,
        forms: Vec<(AssetEncoding, Vec<u8>)>,
    ) -> Result<(), AssetCertificationError> {
        let mut encodings = Vec::new();
        let mut assets = Vec::new();
        let mut encoded_paths = Vec::new();
        for (encoding, bytes) in forms {
            self.digests.push(FileDigest {
                path: path.to_owned(),
                encoding: encoding.to_string(),
                length: bytes.len() as u64,
                sha256: hex::encode(Sha256::digest(&bytes)),
            });
            let (encoding, suffix) = encoding.default_config();
            let stored = format!("{path}{suffix}");
            if !suffix.is_empty() {
                encodings.push((encoding, suffix));
                encoded_paths.push(stored.clone());
            }
            assets.push(Asset::new(stored, bytes));
        }
        let aliased_by = if path == INDEX {
            vec!["/".to_owned()]
        } else {
            Vec::new()
        };
        let fallback_for = if path == NOT_FOUND {
            vec![AssetFallbackConfig {
                scope: "/".to_owned(),
                status_code: Some(StatusCode::NOT_FOUND),
            }]
        } else {
            Vec::new()
        };
        self.router.certify_assets(
            assets,
            [AssetConfig::File {
                path: path.to_owned(),
                content_type: Some(files::content_type(path).to_owned()),
                headers: headers::for_path(path, &self.config),
                fallback_for,
                aliased_by,
                encodings,
            }],
        )?;
        // The router also serves the encoded forms under their own names, without any header.
        self.router
            .delete_assets_by_path(encoded_paths.iter().map(String::as_str));
        Ok(())
    }

    /// What the canister's certified data must be for the responses to verify.
    pub fn root_hash(&self) -> [u8; 32] {
        self.router.root_hash()
    }

    /// The deployment this site was made for.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Path, encoding, length and SHA-256 of everything served, in order.
    pub fn digests(&self) -> Vec<FileDigest> {
        self.digests.clone()
    }

    /// The certified response; `certificate` is what the system gave for [`Self::root_hash`].
    pub fn respond(&self, certificate: &[u8], request: &HttpRequest) -> HttpResponse<'static> {
        match self.router.serve_asset(certificate, request) {
            Ok(response) => response,
            // Only malformed requests end here; a gateway refuses the uncertified answer.
            Err(error) => HttpResponse::bad_request(
                error.to_string().into_bytes(),
                vec![("content-type".to_owned(), "text/plain".to_owned())],
            )
            .build(),
        }
    }
}

#[cfg(test)]
#[path = "site_tests.rs"]
mod tests;
