//! Clients nobody here wrote, against a localnet: the JavaScript agent in Node and the Python one.
//! Each is installed by its own package tool into the target folder; where there is no Node, no
//! Python or no registry, its test says so in one line and is passed over.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use common::{CALLS, COUNTER, Net};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Longest time for installing, and for driving.
const LIMIT: Duration = Duration::from_secs(240);

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// A folder for one client, in the target folder, with these of its files.
fn folder(name: &str, files: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for file in files {
        std::fs::copy(here().join(file), folder.join(file)).unwrap();
    }
    folder
}

/// Runs a command for a limited time: whether it succeeded and all it said; none when there is no
/// such program.
fn run(command: &mut Command) -> Option<(bool, String)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let (said, all) = mpsc::channel();
    for mut pipe in [
        Box::new(move |text: &mut String| stdout.read_to_string(text))
            as Box<dyn FnMut(&mut String) -> std::io::Result<usize> + Send>,
        Box::new(move |text: &mut String| stderr.read_to_string(text)),
    ] {
        let said = said.clone();
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = pipe(&mut text);
            let _ = said.send(text);
        });
    }
    let mut text = String::new();
    for _ in 0..2 {
        match all.recv_timeout(LIMIT) {
            Ok(part) => text += &part,
            Err(_) => {
                let _ = child.kill();
                text += "it took too long";
            }
        }
    }
    Some((child.wait().unwrap().success(), text))
}

/// Whether what a package tool said means that there is no registry to ask.
fn no_registry(said: &str) -> bool {
    [
        "ENOTFOUND",
        "ECONNREFUSED",
        "EAI_AGAIN",
        "ETIMEDOUT",
        "ENETUNREACH",
        "Failed to establish a new connection",
        "Name or service not known",
        "Temporary failure in name resolution",
        "ConnectTimeoutError",
    ]
    .iter()
    .any(|sign| said.contains(sign))
}

fn skip(what: &str, why: &str) {
    // Past the capture of tests' output: somebody should see it.
    let _ = writeln!(std::io::stderr(), "skipped, {what}: {why}");
}

fn write_wasm(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    path
}

/// Drives a node from a thread of its own, while the runtime serves.
async fn drive(command: Command) -> (bool, String) {
    let mut command = command;
    tokio::task::spawn_blocking(move || run(&mut command).unwrap())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_agent_gets_what_it_asks_for() {
    let what = "the JavaScript agent";
    let files = ["package.json", "package-lock.json", "drive.mjs"];
    let folder = folder("client-node", &files);
    match run(Command::new("node").arg("--version")) {
        None => return skip(what, "there is no node"),
        Some((false, _)) => return skip(what, "node does not run"),
        Some((true, _)) => {}
    }
    let mut install = Command::new("npm");
    install
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&folder);
    match run(&mut install) {
        None => return skip(what, "there is no npm"),
        Some((false, said)) if no_registry(&said) => return skip(what, "there is no registry"),
        Some((success, said)) => assert!(success, "{said}"),
    }
    let net = Net::start().await;
    let code = COUNTER.trim_end().strip_suffix(')').unwrap().to_owned()
        + r#"(@custom "icp:public candid:service" "service : {}")
             (@custom "icp:private secret" "for controllers"))"#;
    let mut command = Command::new("node");
    command
        .arg("drive.mjs")
        .current_dir(&folder)
        .env("LOCALNET_URL", net.localnet.url())
        .env("LOCALNET_ROOT_KEY", hex::encode(net.localnet.root_key()))
        .env(
            "LOCALNET_COUNTER",
            write_wasm(&folder, "counter.wasm", &code),
        )
        .env("LOCALNET_CALLS", write_wasm(&folder, "calls.wasm", CALLS));
    let (success, said) = drive(command).await;
    assert!(success, "{said}");
    println!("{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_agent_gets_what_it_asks_for() {
    let what = "the Python agent";
    let folder = folder("client-python", &["requirements.txt", "drive.py"]);
    let place = folder.join("venv");
    let python = place.join("bin/python");
    match run(Command::new("python3").args(["-m", "venv"]).arg(&place)) {
        None => return skip(what, "there is no python3"),
        Some((false, said)) => return skip(what, said.lines().next().unwrap_or("no venv")),
        Some((true, _)) => {}
    }
    let mut install = Command::new(&python);
    install
        .args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .args(["--disable-pip-version-check", "-r", "requirements.txt"])
        .current_dir(&folder);
    match run(&mut install) {
        None => return skip(what, "the venv has no python"),
        Some((false, said)) if no_registry(&said) => return skip(what, "there is no registry"),
        Some((success, said)) => assert!(success, "{said}"),
    }
    let net = Net::start().await;
    let agent = net.agent().await;
    let calls = net.install(&agent, CALLS, b"").await;
    let mut command = Command::new(&python);
    command
        .arg("drive.py")
        .current_dir(&folder)
        .env("LOCALNET_URL", net.localnet.url())
        .env("LOCALNET_ROOT_KEY", hex::encode(net.localnet.root_key()))
        .env("LOCALNET_CALLS_ID", calls.to_text());
    let (success, said) = drive(command).await;
    assert!(success, "{said}");
    println!("{said}");
}
