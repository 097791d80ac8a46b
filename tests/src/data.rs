//! Real input that lies beside a clone of this repository, where it does.

use crate::built::root;
use std::path::PathBuf;

/// A file of `../shared/data`, or nothing after saying that the test skips.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = root().join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {name} is not there");
    None
}
