//! `deny.toml` as far as tidy enforces it: allowed licences, banned crates, single versions,
//! one registry.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use spdx::Licensee;
use toml::Value;

use super::Finding;
use super::graph::Graph;

/// Where every dependency must come from.
pub(crate) const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[derive(Debug, Default)]
pub(crate) struct Policy {
    pub(super) licences: Vec<Licensee>,
    banned: BTreeMap<String, String>,
    single: BTreeSet<String>,
    /// As `name@version`.
    skipped: BTreeSet<String>,
}

impl Policy {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let file: toml::Table = text.parse().context("deny.toml cannot be read")?;
        let list = |section: &str, key: &str| {
            file.get(section)
                .and_then(|section| section.get(key))
                .and_then(Value::as_array)
                .with_context(|| format!("deny.toml has no list {section}.{key}"))
        };
        let mut policy = Self::default();
        for licence in list("licenses", "allow")? {
            let text = licence.as_str().context("a licence is a text")?;
            let licensee =
                Licensee::parse(text).with_context(|| format!("{text:?} is no SPDX licence"))?;
            policy.licences.push(licensee);
        }
        for entry in list("bans", "deny")? {
            let name = entry
                .get("crate")
                .and_then(Value::as_str)
                .context("an entry of bans.deny names no crate")?
                .to_owned();
            let single = entry.get("deny-multiple-versions").and_then(Value::as_bool);
            if single == Some(true) {
                policy.single.insert(name);
            } else {
                let reason = entry.get("reason").and_then(Value::as_str);
                policy
                    .banned
                    .insert(name, reason.unwrap_or("banned").to_owned());
            }
        }
        let skipped = file.get("bans").and_then(|bans| bans.get("skip"));
        for entry in skipped.and_then(Value::as_array).into_iter().flatten() {
            let version = entry.get("crate").and_then(Value::as_str);
            let version = version.context("an entry of bans.skip names no crate")?;
            policy.skipped.insert(version.to_owned());
        }
        Ok(policy)
    }
}

pub(super) fn check(graph: &Graph, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in graph.packages() {
        let name = package.name.as_str();
        if !policy
            .skipped
            .contains(&format!("{name}@{}", package.version))
        {
            versions.entry(name).or_default().insert(&package.version);
        }
        if let Some(reason) = policy.banned.get(name) {
            findings.push(format!("{name} is banned: {reason}"));
        }
        if !package.member && package.source.as_deref() != Some(REGISTRY) {
            findings.push(format!(
                "{name} comes from {}, not from the registry",
                package.source.as_deref().unwrap_or("a path")
            ));
        }
    }
    for name in &policy.single {
        if let Some(versions) = versions.get(name.as_str())
            && versions.len() > 1
        {
            findings.push(format!("{name} is here more than once: {versions:?}"));
        }
    }
    findings
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::graph::sample::{join, package, with_source};
    use super::*;

    pub(crate) fn sample() -> Policy {
        Policy::parse(
            r#"[licenses]
            allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"]
            [bans]
            deny = [
                { crate = "bad", reason = "because" },
                { crate = "heavy", deny-multiple-versions = true },
            ]
            skip = [{ crate = "heavy@0", reason = "in tests only" }]"#,
        )
        .expect("well formed")
    }

    #[test]
    fn banned_crates_are_found_with_the_reason() {
        let findings = check(&package("bad", "1", None), &sample());
        assert_eq!(findings, ["bad is banned: because"]);
    }

    #[test]
    fn a_second_version_of_a_heavy_crate_is_found() {
        let two = |name| join([package(name, "1", None), package(name, "2", None)]);
        assert_eq!(check(&two("heavy"), &sample()).len(), 1);
        assert!(check(&two("light"), &sample()).is_empty());
        let known = join([package("heavy", "0", None), package("heavy", "1", None)]);
        assert!(check(&known, &sample()).is_empty());
    }

    #[test]
    fn only_the_registry_is_a_source() {
        let git = with_source(package("x", "1", None), "git+https://example.org/x");
        assert_eq!(check(&git, &sample()).len(), 1);
    }

    #[test]
    fn the_file_of_this_repository_is_understood() {
        let text = include_str!("../../../deny.toml");
        let policy = Policy::parse(text).expect("deny.toml parses");
        assert!(policy.banned.contains_key("hpke-rs") && policy.single.contains("ic-agent"));
        assert!(Policy::parse("[licenses]\nallow = [\"No-Such-Licence\"]").is_err());
    }
}
