//! Who may import whom: the table of ARCHITECTURE.md as data.

use super::Finding;
use super::graph::{Graph, Kind};

/// What each member may import from the workspace. A member that is not listed breaks the rule:
/// whoever adds a crate says here what it must never know.
const IMPORTS: &[(&str, &[&str])] = &[
    ("salus-types", &[]),
    ("salus-protocol", &["salus-types"]),
    ("salus-cipher", &[]),
    (
        "salus-crypto",
        &["salus-types", "salus-protocol", "salus-cipher"],
    ),
    ("salus-health", &[]),
    ("salus-vault", &["salus-types", "salus-protocol"]),
    ("salus-website", &["salus-types", "salus-protocol"]),
    ("salus-yardstick", &[]),
    (
        "salus-client",
        &["salus-types", "salus-protocol", "salus-crypto"],
    ),
    (
        "salus-cli",
        &[
            "salus-client",
            "salus-health",
            "salus-types",
            "salus-protocol",
        ],
    ),
    (
        "salus-engine",
        &[
            "salus-client",
            "salus-health",
            "salus-types",
            "salus-protocol",
            "salus-messages",
        ],
    ),
    ("salus-messages", &[]),
    (
        "salus-ui",
        &["salus-health", "salus-types", "salus-messages"],
    ),
    ("salus-localnet", &[]),
    ("salus-tests", &["*"]),
    ("salus-bench-web", &["salus-crypto", "salus-types"]),
    ("salus-bench-web", &["salus-types", "salus-crypto"]),
    ("xtask", &["salus-health"]),
    ("xtask-deploy", &[]),
    ("xtask-web", &[]),
];

/// Crates that only some members may name, tests included. A `*` ends a prefix.
const HOLDERS: &[(&str, &[&str])] = &[
    (
        "ic-cdk*",
        &["salus-vault", "salus-website", "salus-yardstick"],
    ),
    (
        "ic-stable-structures",
        &["salus-vault", "salus-yardstick", "salus-tests"],
    ),
    ("wasmtime*", &["salus-localnet"]),
    ("yew*", &["salus-ui"]),
    (
        "ic-agent",
        &[
            "salus-client",
            "salus-tests",
            "salus-localnet",
            "xtask-deploy",
        ],
    ),
    ("wasm-bindgen-cli-support", &["xtask-web"]),
];

/// Members in which the agent may serve tests but not the program.
const AGENT_FOR_TESTS_ONLY: &[&str] = &["salus-localnet"];

/// What must not be linked into a member by any path.
const NEVER: &[(&str, &[&str])] = &[
    ("salus-vault", DECRYPTION),
    ("salus-website", DECRYPTION),
    (
        "salus-ui",
        &[
            "salus-client",
            "salus-crypto",
            "salus-protocol",
            "ic-agent",
            "aes-gcm",
            "hpke",
        ],
    ),
    ("salus-protocol", IO),
    ("salus-health", IO),
    ("salus-types", IO),
];

/// The canister cannot decrypt, as a fact of compilation.
const DECRYPTION: &[&str] = &[
    "salus-cipher",
    "salus-crypto",
    "salus-client",
    "aes-gcm",
    "chacha20poly1305",
    "hpke",
    "ic-agent",
];

/// Pure crates see neither network nor system nor page.
const IO: &[&str] = &["ic-agent", "ic-cdk", "reqwest", "tokio", "web-sys", "yew"];

pub(super) fn check(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in graph.members() {
        let name = member.name.as_str();
        let Some((_, allowed)) = IMPORTS.iter().find(|(who, _)| *who == name) else {
            findings.push(format!("{name} is not in the table of imports"));
            continue;
        };
        for (to, kind) in graph.direct(member) {
            let dep = to.name.as_str();
            if to.member {
                let listed = allowed.contains(&"*") || allowed.contains(&dep);
                let is_tests = dep == "salus-tests";
                if is_tests || (kind != Kind::Dev && !listed) {
                    findings.push(format!("{name} must not import {dep}"));
                }
            }
            if let Some((_, holders)) = HOLDERS.iter().find(|(pattern, _)| matches(pattern, dep))
                && !holders.contains(&name)
            {
                findings.push(format!("{name} must not name {dep}; only {holders:?} may"));
            }
            if dep == "ic-agent" && kind != Kind::Dev && AGENT_FOR_TESTS_ONLY.contains(&name) {
                findings.push(format!("{name} may use {dep} in its tests only"));
            }
        }
        if let Some((_, never)) = NEVER.iter().find(|(who, _)| *who == name) {
            let reach = graph.reach(member);
            for dep in never.iter().filter(|dep| reach.contains(*dep)) {
                findings.push(format!("{name} must not contain {dep}, by any path"));
            }
        }
    }
    findings
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::sample::graph;
    use super::*;

    fn finds(edges: &[(&str, &str, Kind)], words: &str) {
        let findings = check(&graph(edges));
        assert!(
            findings.iter().any(|finding| finding.contains(words)),
            "{words:?} not in {findings:?}"
        );
    }

    #[test]
    fn the_table_of_imports_is_kept() {
        finds(
            &[("salus-ui", "salus-client", Kind::Normal)],
            "salus-ui must not import salus-client",
        );
        finds(
            &[("salus-types", "salus-protocol", Kind::Build)],
            "salus-types must not import salus-protocol",
        );
        finds(
            &[("salus-client", "salus-tests", Kind::Dev)],
            "must not import salus-tests",
        );
        finds(&[("salus-new", "serde", Kind::Normal)], "not in the table");
    }

    #[test]
    fn some_crates_stay_with_their_holders() {
        for (who, what) in [
            ("salus-client", "ic-cdk"),
            ("salus-protocol", "ic-cdk-timers"),
            ("salus-tests", "wasmtime"),
            ("salus-engine", "yew-router"),
            ("salus-cli", "ic-agent"),
        ] {
            finds(&[(who, what, Kind::Dev)], &format!("must not name {what}"));
        }
        finds(
            &[("salus-localnet", "ic-agent", Kind::Normal)],
            "in its tests only",
        );
    }

    #[test]
    fn the_canister_cannot_decrypt_by_any_path() {
        finds(
            &[
                ("salus-vault", "innocent", Kind::Normal),
                ("innocent", "aes-gcm", Kind::Normal),
            ],
            "salus-vault must not contain aes-gcm",
        );
        finds(
            &[
                ("salus-vault", "salus-protocol", Kind::Normal),
                ("salus-protocol", "salus-crypto", Kind::Normal),
            ],
            "salus-vault must not contain salus-crypto",
        );
    }

    #[test]
    fn what_is_allowed_is_not_found() {
        let sound = graph(&[
            ("salus-vault", "ic-cdk", Kind::Normal),
            ("salus-vault", "salus-types", Kind::Normal),
            ("salus-vault", "salus-crypto", Kind::Dev),
            ("salus-localnet", "ic-agent", Kind::Dev),
            ("salus-tests", "salus-client", Kind::Normal),
        ]);
        assert_eq!(check(&sound), Vec::<Finding>::new());
    }
}
