//! `dfx.json` and `icp.yaml` describe the same canisters, built by the same script, with Candid
//! files that exist.

use std::collections::BTreeMap;

use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use super::{Finding, Text};

const SCRIPT: &str = "scripts/build-canister.sh";

/// What a file says of one canister.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Described {
    build: Vec<String>,
    init: Option<String>,
}

pub(super) fn check(texts: &[Text], canisters: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let dfx = content(texts, "dfx.json").map_or_else(
        || Err("there is no dfx.json".to_owned()),
        |content| read_dfx(content, &mut findings),
    );
    let icp =
        content(texts, "icp.yaml").map_or_else(|| Err("there is no icp.yaml".to_owned()), read_icp);
    match (dfx, icp) {
        (Ok(dfx), Ok(icp)) => {
            if dfx != icp {
                findings.push(format!("dfx.json and icp.yaml differ: {dfx:?} and {icp:?}"));
            }
            if !dfx.keys().map(String::as_str).eq(canisters.iter().copied()) {
                findings.push(format!("dfx.json must describe exactly {canisters:?}"));
            }
            for (name, described) in &dfx {
                if described.build != [format!("{SCRIPT} {name}")] {
                    findings.push(format!("{name} is not built by {SCRIPT}"));
                }
            }
        }
        (dfx, icp) => findings.extend([dfx.err(), icp.err()].into_iter().flatten()),
    }
    if content(texts, SCRIPT).is_none() {
        findings.push(format!("there is no {SCRIPT}"));
    }
    for name in canisters {
        let did = format!("candid/{name}.did");
        if content(texts, &did).is_none_or(|content| content.trim().is_empty()) {
            findings.push(format!("there is no {did}"));
        }
    }
    findings
}

fn content<'a>(texts: &'a [Text], path: &str) -> Option<&'a str> {
    let text = texts.iter().find(|text| text.path == path)?;
    Some(&text.content)
}

fn read_dfx(
    content: &str,
    findings: &mut Vec<Finding>,
) -> Result<BTreeMap<String, Described>, Finding> {
    let file: Value =
        serde_json::from_str(content).map_err(|error| format!("dfx.json: {error}"))?;
    let canisters = file
        .get("canisters")
        .and_then(Value::as_object)
        .ok_or("dfx.json names no canisters")?;
    let mut described = BTreeMap::new();
    for (name, canister) in canisters {
        let field = |key: &str| canister.get(key).and_then(Value::as_str);
        for (key, wanted) in [
            ("type", "custom".to_owned()),
            ("candid", format!("candid/{name}.did")),
            ("wasm", format!("target/salus/canisters/{name}.wasm.gz")),
        ] {
            if field(key) != Some(&wanted) {
                findings.push(format!("dfx.json: {key} of {name} is not {wanted}"));
            }
        }
        let build = match canister.get("build") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(many)) => many
                .iter()
                .filter_map(|step| step.as_str().map(str::to_owned))
                .collect(),
            _ => Vec::new(),
        };
        let init = field("init_arg").map(str::to_owned);
        described.insert(name.clone(), Described { build, init });
    }
    Ok(described)
}

fn read_icp(content: &str) -> Result<BTreeMap<String, Described>, Finding> {
    let documents =
        YamlLoader::load_from_str(content).map_err(|error| format!("icp.yaml: {error}"))?;
    let canisters = documents
        .first()
        .and_then(|file| file["canisters"].as_vec())
        .ok_or("icp.yaml names no canisters")?;
    let mut described = BTreeMap::new();
    for canister in canisters {
        let name = canister["name"]
            .as_str()
            .ok_or("icp.yaml: a canister has no name")?;
        let steps = canister["build"]["steps"]
            .as_vec()
            .cloned()
            .unwrap_or_default();
        let mut build = Vec::new();
        for step in &steps {
            if step["type"].as_str() != Some("script") {
                return Err(format!("icp.yaml: {name} has a step that is no script"));
            }
            let commands = step["commands"].as_vec().cloned().unwrap_or_default();
            build.extend(
                commands
                    .iter()
                    .chain([&step["command"]])
                    .filter_map(Yaml::as_str)
                    .map(str::to_owned),
            );
        }
        let init = canister["init_args"].as_str().map(str::to_owned);
        described.insert(name.to_owned(), Described { build, init });
    }
    Ok(described)
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    const DFX: &str = include_str!("../../../dfx.json");
    const ICP: &str = include_str!("../../../icp.yaml");
    const CANISTERS: [&str; 2] = ["vault", "website"];

    fn findings(dfx: &str, icp: &str) -> Vec<Finding> {
        let texts = [
            text("dfx.json", dfx),
            text("icp.yaml", icp),
            text(SCRIPT, "#!/bin/sh"),
            text("candid/vault.did", "service : {}"),
            text("candid/website.did", "service : {}"),
        ];
        check(&texts, &CANISTERS)
    }

    #[test]
    fn the_files_of_this_repository_agree() {
        assert_eq!(findings(DFX, ICP), Vec::<Finding>::new());
    }

    #[test]
    fn another_script_another_argument_or_another_canister_is_found() {
        let other = |icp: String| findings(DFX, &icp).len();
        assert!(other(ICP.replace("build-canister.sh vault", "elsewhere.sh")) > 0);
        assert!(other(ICP.replacen("(null)", "()", 1)) > 0);
        assert!(other(ICP.replace("name: vault", "name: safe")) > 0);
        assert!(other("canisters: []".to_owned()) > 0);
        assert!(other("canisters: [".to_owned()) > 0);
    }

    #[test]
    fn a_wrong_wasm_or_type_in_dfx_is_found() {
        assert!(!findings(&DFX.replace("vault.wasm.gz", "vault.wasm"), ICP).is_empty());
        assert!(!findings(&DFX.replacen("custom", "rust", 1), ICP).is_empty());
        assert!(!findings("{}", ICP).is_empty());
    }

    #[test]
    fn missing_candid_and_script_are_found() {
        let texts = [text("dfx.json", DFX), text("icp.yaml", ICP)];
        let findings = check(&texts, &CANISTERS);
        assert_eq!(findings.len(), 3, "{findings:?}");
    }
}
