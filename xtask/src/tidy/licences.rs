//! Every dependency is under a licence we accept, read as an SPDX expression.

use spdx::{Expression, ParseMode};

use super::Finding;
use super::graph::Graph;
use super::policy::Policy;

pub(super) fn check(graph: &Graph, policy: &Policy) -> Vec<Finding> {
    graph
        .packages()
        .filter_map(|package| {
            let place = format!("{} {}", package.name, package.version);
            let Some(licence) = &package.licence else {
                return Some(format!("{place} names no licence"));
            };
            // Old manifests write a slash for OR; lax reading takes it as such.
            let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else {
                return Some(format!("{place}: {licence:?} is no SPDX expression"));
            };
            let accepted = expression.evaluate(|required| {
                policy
                    .licences
                    .iter()
                    .any(|allowed| allowed.satisfies(required))
            });
            (!accepted).then(|| format!("{place} is under {licence}, which is not accepted"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::graph::sample::package;
    use super::super::policy::tests::sample;
    use super::*;

    fn findings(licence: Option<&str>) -> usize {
        check(&package("x", "1", licence), &sample()).len()
    }

    #[test]
    fn accepted_expressions_pass() {
        for licence in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR GPL-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert_eq!(findings(Some(licence)), 0, "{licence}");
        }
    }

    #[test]
    fn anything_else_is_found() {
        for licence in [
            Some("GPL-3.0"),
            Some("MIT AND GPL-2.0"),
            Some("AGPL-3.0 OR SSPL-1.0"),
            Some("as you like"),
            None,
        ] {
            assert_eq!(findings(licence), 1, "{licence:?}");
        }
    }
}
