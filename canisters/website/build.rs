//! Turns the folder of the built front end (`SALUS_WEB_DIR`) into a table of embedded files.
//!
//! Without that variable the table is empty, so that checking and testing the workspace never
//! waits for a browser build.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-env-changed=SALUS_WEB_DIR");
    println!("cargo:rerun-if-changed=build.rs");

    let mut files = Vec::new();
    if let Some(dir) = env::var_os("SALUS_WEB_DIR").filter(|dir| !dir.is_empty()) {
        let dir = PathBuf::from(dir);
        println!("cargo:rerun-if-changed={}", dir.display());
        collect(&dir, &mut files)?;
        files.sort();
        write_table(&dir, &files)
    } else {
        write_table(Path::new("."), &files)
    }
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            println!("cargo:rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    Ok(())
}

/// One row per real file; `.br` and `.gz` beside a file are its encoded forms, not files of the site.
fn write_table(root: &Path, files: &[PathBuf]) -> io::Result<()> {
    let mut table = String::from("pub(crate) static EMBEDDED: &[File] = &[\n");
    for path in files {
        let name = path.to_string_lossy();
        if is_encoded_form(path, files) {
            continue;
        }
        let relative = path
            .strip_prefix(root)
            .map_err(io::Error::other)?
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect::<Vec<_>>()
            .join("/");
        let encoded = |suffix: &str| {
            let with_suffix = PathBuf::from(format!("{name}{suffix}"));
            if files.contains(&with_suffix) {
                format!("Some(include_bytes!({:?}))", with_suffix.to_string_lossy())
            } else {
                "None".to_owned()
            }
        };
        writeln!(
            table,
            "    File {{ path: {:?}, identity: include_bytes!({name:?}), brotli: {}, gzip: {} }},",
            format!("/{relative}"),
            encoded(".br"),
            encoded(".gz"),
        )
        .map_err(io::Error::other)?;
    }
    table.push_str("];\n");

    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    fs::write(Path::new(&out).join("embedded.rs"), table)
}

fn is_encoded_form(path: &Path, files: &[PathBuf]) -> bool {
    matches!(path.extension().and_then(|e| e.to_str()), Some("br" | "gz"))
        && files.contains(&path.with_extension(""))
}
