//! What depends on what, from `cargo metadata`.
//!
//! Knows packages and edges; no rules.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Deserialize;

use crate::process;
use crate::workspace::Workspace;

/// Where a dependency is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Part of what is built.
    Normal,
    /// Part of how it is built.
    Build,
    /// Only of its tests.
    Dev,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) member: bool,
    /// Indices into the graph's packages.
    edges: Vec<(usize, Kind)>,
}

/// All packages of the lock file that anything here uses, on any platform.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    packages: Vec<Package>,
}

impl Graph {
    /// Asks cargo.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        let mut command = workspace.cargo("metadata");
        command.args(["--format-version", "1", "--locked", "--all-features"]);
        Self::parse(&process::output(&mut command)?)
    }

    fn parse(text: &str) -> Result<Self> {
        let metadata: Metadata = serde_json::from_str(text)?;
        let members: BTreeSet<&str> = metadata
            .workspace_members
            .iter()
            .map(String::as_str)
            .collect();
        let index: BTreeMap<&str, usize> = metadata
            .packages
            .iter()
            .enumerate()
            .map(|(at, package)| (package.id.as_str(), at))
            .collect();
        let mut packages: Vec<Package> = metadata
            .packages
            .iter()
            .map(|package| Package {
                name: package.name.clone(),
                version: package.version.clone(),
                licence: package.license.clone(),
                source: package.source.clone(),
                member: members.contains(package.id.as_str()),
                edges: Vec::new(),
            })
            .collect();
        for node in &metadata.resolve.nodes {
            let edges: Vec<(usize, Kind)> = node
                .deps
                .iter()
                .filter_map(|dep| index.get(dep.pkg.as_str()).map(|at| (*at, dep)))
                .flat_map(|(at, dep)| dep.dep_kinds.iter().map(move |kind| (at, kind.kind())))
                .collect();
            if let Some(package) = index
                .get(node.id.as_str())
                .and_then(|at| packages.get_mut(*at))
            {
                package.edges = edges;
            }
        }
        Ok(Self { packages })
    }

    pub(crate) fn len(&self) -> usize {
        self.packages.len()
    }

    pub(crate) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.member)
    }

    /// What `package` names itself.
    pub(crate) fn direct<'a>(
        &'a self,
        package: &'a Package,
    ) -> impl Iterator<Item = (&'a Package, Kind)> {
        package
            .edges
            .iter()
            .filter_map(|(at, kind)| self.packages.get(*at).map(|to| (to, *kind)))
    }

    /// Names of everything that ends up in `package` as built, itself excluded.
    pub(crate) fn reach(&self, package: &Package) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<usize> = linked(package).collect();
        while let Some(at) = waiting.pop() {
            if seen.insert(at)
                && let Some(next) = self.packages.get(at)
            {
                waiting.extend(linked(next));
            }
        }
        seen.into_iter()
            .filter_map(|at| self.packages.get(at))
            .map(|package| package.name.as_str())
            .collect()
    }
}

fn linked(package: &Package) -> impl Iterator<Item = usize> {
    package
        .edges
        .iter()
        .filter(|(_, kind)| *kind == Kind::Normal)
        .map(|(at, _)| *at)
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<RawPackage>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct RawPackage {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dep>,
}

#[derive(Deserialize)]
struct Dep {
    pkg: String,
    dep_kinds: Vec<DepKind>,
}

#[derive(Deserialize)]
struct DepKind {
    kind: Option<String>,
}

impl DepKind {
    fn kind(&self) -> Kind {
        match self.kind.as_deref() {
            Some("dev") => Kind::Dev,
            Some("build") => Kind::Build,
            _ => Kind::Normal,
        }
    }
}

#[cfg(test)]
pub(crate) mod sample {
    use super::*;

    /// Members are named `salus-…` or `xtask…`; an edge is `from -> to` with a kind.
    pub(crate) fn graph(edges: &[(&str, &str, Kind)]) -> Graph {
        let mut graph = Graph::default();
        for (from, to, kind) in edges {
            let to = place(&mut graph, to);
            let from = place(&mut graph, from);
            graph.packages[from].edges.push((to, *kind));
        }
        graph
    }

    /// One package with a licence, a version and a source.
    pub(crate) fn package(name: &str, version: &str, licence: Option<&str>) -> Graph {
        let mut graph = Graph::default();
        let at = place(&mut graph, name);
        graph.packages[at].version = version.to_owned();
        graph.packages[at].licence = licence.map(str::to_owned);
        graph
    }

    pub(crate) fn join(graphs: impl IntoIterator<Item = Graph>) -> Graph {
        Graph {
            packages: graphs
                .into_iter()
                .flat_map(|graph| graph.packages)
                .collect(),
        }
    }

    pub(crate) fn with_source(mut graph: Graph, source: &str) -> Graph {
        for package in &mut graph.packages {
            package.source = Some(source.to_owned());
        }
        graph
    }

    fn place(graph: &mut Graph, name: &str) -> usize {
        if let Some(at) = graph.packages.iter().position(|have| have.name == name) {
            return at;
        }
        let member = name.starts_with("salus-") || name.starts_with("xtask");
        graph.packages.push(Package {
            name: name.to_owned(),
            member,
            source: (!member).then(|| super::super::policy::REGISTRY.to_owned()),
            ..Package::default()
        });
        graph.packages.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reach_follows_what_is_linked_and_not_what_only_tests_use() {
        let graph = sample::graph(&[
            ("salus-a", "b", Kind::Normal),
            ("b", "c", Kind::Normal),
            ("salus-a", "d", Kind::Dev),
            ("salus-a", "e", Kind::Build),
        ]);
        let a = graph.members().next().expect("one member");
        assert_eq!(graph.reach(a), BTreeSet::from(["b", "c"]));
    }

    #[test]
    fn metadata_is_read_with_its_kinds() {
        let text = r#"{"packages":[
            {"id":"a 1","name":"a","version":"1","license":"MIT","source":null},
            {"id":"b 1","name":"b","version":"1","license":null,"source":"x"}],
            "workspace_members":["a 1"],
            "resolve":{"nodes":[{"id":"a 1","deps":[
                {"pkg":"b 1","dep_kinds":[{"kind":"dev","target":null}]}]},
                {"id":"b 1","deps":[]}]}}"#;
        let graph = Graph::parse(text).expect("well formed");
        let a = graph.members().next().expect("one member");
        let direct: Vec<_> = graph
            .direct(a)
            .map(|(to, kind)| (&*to.name, kind))
            .collect();
        assert_eq!(direct, [("b", Kind::Dev)]);
    }
}
