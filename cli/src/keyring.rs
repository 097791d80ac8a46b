//! The desktop's keyring, reached by its own command `secret-tool` (libsecret): what links to
//! nothing builds everywhere. Owns how it is asked. Must not know what a secret opens.
//!
//! Secrets go through pipes, never through the command line, which others may read.

use std::io::Write;
use std::process::{Command, Stdio};
use zeroize::Zeroizing;

const TOOL: &str = "secret-tool";
/// The attributes of an entry: whose it is, and which.
const SERVICE: [&str; 2] = ["service", "salus"];

fn tool(action: &str) -> Command {
    let mut command = Command::new(TOOL);
    command.arg(action).stdout(Stdio::piped());
    // Its complaints are about desktops; what to do then is said here.
    command.stderr(Stdio::null());
    command
}

/// Keeps a text; false if there is no keyring, or it did not take it.
pub(crate) fn store(entry: &str, text: &str) -> bool {
    let mut command = tool("store");
    command.args(["--label", "Salus: opens an account from the command line"]);
    command.args(SERVICE).args(["entry", entry]);
    let Ok(mut child) = command.stdin(Stdio::piped()).spawn() else {
        return false;
    };
    let written = child
        .stdin
        .take()
        .is_some_and(|mut stdin| stdin.write_all(text.as_bytes()).is_ok());
    let ended = child.wait().is_ok_and(|status| status.success());
    // One that takes everything and keeps nothing is none.
    written && ended && lookup(entry).is_some_and(|kept| *kept == text)
}

/// The text that was kept.
pub(crate) fn lookup(entry: &str) -> Option<Zeroizing<String>> {
    let mut command = tool("lookup");
    command.args(SERVICE).args(["entry", entry]);
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = Zeroizing::new(output.stdout);
    let text = std::str::from_utf8(&text).ok()?.trim();
    (output.status.success() && !text.is_empty()).then(|| Zeroizing::new(text.to_owned()))
}

/// Forgets it.
pub(crate) fn clear(entry: &str) {
    let mut command = tool("clear");
    command.args(SERVICE).args(["entry", entry]);
    // What cannot be forgotten opens nothing any more: its slot is gone.
    let _ = command.stdin(Stdio::null()).output();
}
