//! Installs or upgrades the vault and the website on a local network, through a plain agent with
//! all its checks on.
//!
//! Knows the management canister and the two install arguments; not how networks are started or
//! canisters built. Prints `{"vault": ID, "website": ID}`.

mod key;
mod management;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use candid::{CandidType, Principal};
use ic_agent::Agent;
use ic_agent::identity::BasicIdentity;
use lexopt::{Arg, Parser, ValueExt as _};
use serde_json::json;

use management::Management;

struct Options {
    url: String,
    root_key: Vec<u8>,
    identity_provider: String,
    key: PathBuf,
    canisters: PathBuf,
    vault: Option<Principal>,
    website: Option<Principal>,
}

/// The website's install argument (`Config` in `candid/website.did`).
#[derive(CandidType)]
struct WebsiteConfig {
    vault: Option<Principal>,
    node: Option<String>,
    root_key: Option<Vec<u8>>,
    identity_provider: Option<String>,
    derivation_origin: Option<String>,
    alternative_origins: Vec<String>,
}

fn main() -> Result<()> {
    let options = arguments()?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(deploy(&options))
}

async fn deploy(options: &Options) -> Result<()> {
    let identity = BasicIdentity::from_raw_key(&key::load_or_make(&options.key)?);
    let agent = Agent::builder()
        .with_url(&options.url)
        .with_identity(identity)
        .build()?;
    agent.set_root_key(options.root_key.clone());
    let management = Management { agent: &agent };

    let wasm = |name: &str| {
        let path = options.canisters.join(format!("{name}.wasm.gz"));
        fs::read(&path).with_context(|| format!("could not read {}", path.display()))
    };
    // An absent record: the vault's own defaults, and on upgrade what it has stored.
    let no_argument = candid::encode_one(())?;
    let vault = management.ensure(options.vault).await?;
    management
        .install(vault, &wasm("vault")?, &no_argument)
        .await
        .context("the vault could not be installed")?;

    let config = WebsiteConfig {
        vault: Some(vault),
        node: Some(options.url.clone()),
        root_key: Some(options.root_key.clone()),
        identity_provider: Some(options.identity_provider.clone()),
        derivation_origin: None,
        alternative_origins: Vec::new(),
    };
    let website = management.ensure(options.website).await?;
    management
        .install(
            website,
            &wasm("website")?,
            &candid::encode_one(Some(config))?,
        )
        .await
        .context("the website could not be installed")?;

    println!(
        "{}",
        json!({ "vault": vault.to_text(), "website": website.to_text() })
    );
    Ok(())
}

fn arguments() -> Result<Options> {
    let (mut url, mut root_key, mut identity_provider) = (None, None, None);
    let (mut key, mut canisters, mut vault, mut website) = (None, None, None, None);
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        let slot = match argument {
            Arg::Long("url") => &mut url,
            Arg::Long("root-key") => &mut root_key,
            Arg::Long("identity-provider") => &mut identity_provider,
            Arg::Long("key") => &mut key,
            Arg::Long("canisters") => &mut canisters,
            Arg::Long("vault") => &mut vault,
            Arg::Long("website") => &mut website,
            other => return Err(other.unexpected().into()),
        };
        *slot = Some(parser.value()?.string()?);
    }
    Ok(Options {
        url: url.context("--url is missing")?,
        root_key: hex::decode(root_key.context("--root-key is missing")?)?,
        identity_provider: identity_provider.context("--identity-provider is missing")?,
        key: key.context("--key is missing")?.into(),
        canisters: canisters.context("--canisters is missing")?.into(),
        vault: vault.map(Principal::from_text).transpose()?,
        website: website.map(Principal::from_text).transpose()?,
    })
}
