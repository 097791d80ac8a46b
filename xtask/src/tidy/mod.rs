//! `tidy`: the rules of the house, as things that must be absent.
//!
//! Each rule is a function from what it reads to a list of findings, so that a bad sample shows it
//! at work; this module only gathers the input and prints.

mod deploy_files;
mod graph;
mod imports;
mod licences;
mod policy;
mod sources;
mod texts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::build::CANISTERS;
use crate::process;
use crate::workspace::Workspace;
use graph::Graph;
use policy::Policy;

/// What a rule found: a sentence naming the place.
pub(crate) type Finding = String;

/// One text file of the repository, by its path from the root.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    path: String,
    content: String,
}

/// Reads everything once, applies every rule, and fails with all findings together.
pub(crate) fn tidy(workspace: &Workspace) -> Result<()> {
    let graph = Graph::read(workspace)?;
    let policy = Policy::parse(&fs::read_to_string(workspace.root.join("deny.toml"))?)?;
    let texts = read_texts(&workspace.root)?;

    let mut findings = Vec::new();
    findings.extend(imports::check(&graph));
    findings.extend(licences::check(&graph, &policy));
    findings.extend(policy::check(&graph, &policy));
    let (source_findings, warnings) = sources::check(&texts);
    findings.extend(source_findings);
    findings.extend(texts::check(&texts));
    findings.extend(deploy_files::check(&texts, &CANISTERS));

    for warning in &warnings {
        println!("warning: {warning}");
    }
    for finding in &findings {
        println!("untidy: {finding}");
    }
    if findings.is_empty() {
        println!(
            "Tidy: {} crates and {} files, {} warnings.",
            graph.len(),
            texts.len(),
            warnings.len()
        );
        Ok(())
    } else {
        bail!("{} rules of the house are broken", findings.len())
    }
}

/// Every text file that is or could be committed.
fn read_texts(root: &Path) -> Result<Vec<Text>> {
    let listed = process::output(
        Command::new("git")
            .args(["ls-files", "-co", "--exclude-standard"])
            .current_dir(root),
    );
    let mut paths: Vec<PathBuf> = match listed {
        Ok(list) => list.lines().map(PathBuf::from).collect(),
        // An unpacked archive has no git; its build folder is the only thing to leave out.
        Err(_) => {
            let mut found = Vec::new();
            walk(root, root, &mut found)?;
            found
        }
    };
    paths.sort();
    paths.dedup();
    let mut texts = Vec::new();
    for path in paths {
        if let Ok(content) = fs::read_to_string(root.join(&path)) {
            texts.push(Text {
                path: path.to_string_lossy().replace('\\', "/"),
                content,
            });
        }
    }
    Ok(texts)
}

fn walk(root: &Path, dir: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if name != "target" && name != ".git" {
                walk(root, &path, found)?;
            }
        } else {
            found.push(path.strip_prefix(root)?.to_path_buf());
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) fn text(path: &str, content: &str) -> Text {
    Text {
        path: path.to_owned(),
        content: content.to_owned(),
    }
}
