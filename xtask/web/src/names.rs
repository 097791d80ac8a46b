//! Names made from content: `ui.js` becomes `ui-0123456789abcdef.js`, and every file that names it
//! by its absolute path follows. A browser may then keep such a file for ever.
//!
//! Knows text and names only. Documents keep their names: they are how one enters the site.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use sha2::{Digest, Sha256};

/// Kinds whose names change. Icons and manifests are asked for by fixed names.
const RENAMED: [&str; 5] = ["wasm", "js", "css", "woff2", "svg"];
/// Kinds that may name others.
const TEXT: [&str; 4] = ["js", "css", "html", "webmanifest"];

/// Renames the files directly in `dir`; whoever is named goes before who names it.
///
/// # Errors
/// When two files name each other, since neither's name could then follow from its content.
pub(crate) fn address_by_content(dir: &Path) -> Result<()> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            files.insert(name, fs::read(entry.path())?);
        }
    }
    let renamed = rename(files.clone())?;
    for name in files.keys() {
        fs::remove_file(dir.join(name))?;
    }
    for (name, bytes) in renamed {
        fs::write(dir.join(name), bytes)?;
    }
    Ok(())
}

fn rename(mut waiting: BTreeMap<String, Vec<u8>>) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut done = BTreeMap::new();
    while !waiting.is_empty() {
        let ready: Vec<String> = waiting
            .iter()
            .filter(|(name, bytes)| {
                !waiting
                    .keys()
                    .filter(|other| other != name && is_one_of(other, &RENAMED))
                    .any(|other| names(name, bytes, other))
            })
            .map(|(name, _)| name.clone())
            .collect();
        if ready.is_empty() {
            let names: Vec<&String> = waiting.keys().collect();
            bail!("files that name each other cannot be named by content: {names:?}");
        }
        for name in ready {
            let Some(bytes) = waiting.remove(&name) else {
                continue;
            };
            let new_name = if is_one_of(&name, &RENAMED) {
                addressed(&name, &bytes)
            } else {
                name.clone()
            };
            for (holder, text) in &mut waiting {
                if new_name != name && names(holder, text, &name) {
                    *text = replace(text, &name, &new_name);
                }
            }
            done.insert(new_name, bytes);
        }
    }
    Ok(done)
}

fn addressed(name: &str, bytes: &[u8]) -> String {
    let digest = hex::encode(Sha256::digest(bytes));
    let digest = digest.get(..16).unwrap_or(&digest);
    match name.split_once('.') {
        Some((stem, extension)) => format!("{stem}-{digest}.{extension}"),
        None => format!("{name}-{digest}"),
    }
}

fn is_one_of(name: &str, kinds: &[&str]) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, extension)| kinds.contains(&extension))
}

/// A name counts where it stands as an absolute path in quotes or in `url(…)`.
fn references(name: &str) -> [(String, char); 3] {
    [
        (format!("\"/{name}\""), '"'),
        (format!("'/{name}'"), '\''),
        (format!("(/{name})"), ')'),
    ]
}

fn names(holder: &str, bytes: &[u8], name: &str) -> bool {
    is_one_of(holder, &TEXT) && {
        let text = String::from_utf8_lossy(bytes);
        references(name)
            .iter()
            .any(|(reference, _)| text.contains(reference.as_str()))
    }
}

fn replace(bytes: &[u8], name: &str, new_name: &str) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    for (old, new) in references(name).iter().zip(references(new_name)) {
        text = text.replace(&old.0, &new.0);
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    fn find<'a>(site: &'a BTreeMap<String, Vec<u8>>, start: &str) -> (&'a str, &'a str) {
        let (name, bytes) = site
            .iter()
            .find(|(name, _)| name.starts_with(start))
            .expect("there is such a file");
        (name, std::str::from_utf8(bytes).expect("text"))
    }

    #[test]
    fn names_follow_content_through_every_level() {
        let files = [
            ("index.html", "<script src=\"/boot.js\"></script>"),
            (
                "boot.js",
                "import init from \"/ui.js\"; load('/ui_bg.wasm')",
            ),
            ("ui.js", "export default 1"),
            ("ui_bg.wasm", "wasm"),
            ("favicon.ico", "icon"),
        ];
        let before = rename(site(&files)).expect("no circle");
        let (boot, text) = find(&before, "boot-");
        let (ui, _) = find(&before, "ui-");
        let (wasm, _) = find(&before, "ui_bg-");
        assert!(text.contains(&format!("\"/{ui}\"")) && text.contains(&format!("'/{wasm}'")));
        let (_, page) = find(&before, "index.html");
        assert!(page.contains(&format!("\"/{boot}\"")));
        assert!(before.contains_key("favicon.ico"));

        let mut changed = files;
        changed[3].1 = "other";
        let after = rename(site(&changed)).expect("no circle");
        assert_ne!(find(&after, "ui_bg-").0, wasm);
        assert_ne!(find(&after, "boot-").0, boot);
        assert_eq!(find(&after, "ui-").0, ui);
    }

    #[test]
    fn a_name_inside_another_is_left_alone() {
        let files = [("a.js", "load(\"/xa.css\")"), ("xa.css", ""), ("a.css", "")];
        let renamed = rename(site(&files)).expect("no circle");
        let (_, text) = find(&renamed, "a-");
        assert!(text.is_empty() || text.contains("/xa-"));
    }

    #[test]
    fn a_circle_is_refused() {
        let files = [("a.js", "\"/b.js\""), ("b.js", "\"/a.js\"")];
        assert!(rename(site(&files)).is_err());
    }
}
