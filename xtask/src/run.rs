//! `run` and `stop`: a local network with both canisters installed and people to play with.
//!
//! Owns the network's process: starts it, and ends only what `local.json` says it started. Data
//! stays in `target/salus/state` until `--fresh`.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::build::{self, Parts};
use crate::local::Local;
use crate::workspace::Workspace;
use crate::{demo, process};

/// The port development tools for the Internet Computer expect; another is taken when it is busy.
const USUAL_PORT: u16 = 4943;
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// The arguments of `run`.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunOptions {
    pub(crate) detach: bool,
    pub(crate) empty: bool,
    pub(crate) fresh: bool,
    pub(crate) delay: bool,
    pub(crate) dev: bool,
    pub(crate) no_build: bool,
    pub(crate) port: Option<u16>,
    pub(crate) stop_after: Option<u64>,
}

/// What the network writes once it answers.
#[derive(Debug, Deserialize)]
struct Ready {
    url: String,
    root_key: String,
    pid: u32,
}

/// What the installer answers.
#[derive(Debug, Deserialize)]
struct Deployed {
    vault: String,
    website: String,
}

/// Builds, starts, installs, loads, prints; then waits for Ctrl-C unless detached.
pub(crate) fn run(workspace: &Workspace, options: &RunOptions) -> Result<()> {
    if !options.no_build {
        build::build(workspace, Parts::ALL, options.dev)?;
    }
    let before = Local::read(workspace)?;
    if let Some(local) = before.as_ref().filter(|local| is_ours(local)) {
        eprintln!("ending the network already running (process {})", local.pid);
        end(local)?;
    }
    let state = workspace.salus.join("state");
    if options.fresh {
        forget(workspace, &state)?;
    }
    let before = before.filter(|local| local.state == state && state.exists());

    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst))?;

    let port = choose_port(options.port, before.as_ref().and_then(Local::port));
    let (mut network, ready) = start(workspace, &state, port, options, &interrupted)?;
    let outcome = install(workspace, &state, &ready, before.as_ref(), options);
    let local = match outcome {
        Ok(local) => local,
        Err(error) => {
            process::terminate(network.id());
            let _ = network.wait();
            return Err(error.context(format!("see {}", log_file(workspace).display())));
        }
    };
    announce(workspace, &local, options);
    if options.detach {
        return Ok(());
    }
    println!("Ctrl-C ends it; what was stored stays for the next run.");
    while !interrupted.load(Ordering::SeqCst) {
        if let Some(status) = network.try_wait()? {
            ensure!(status.success(), "the local network ended ({status})");
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    ask_to_stop(&local.url);
    wait_for_end(&mut network)
}

/// Ends the network of the last `run`, if it is still there.
pub(crate) fn stop(workspace: &Workspace) -> Result<()> {
    match Local::read(workspace)? {
        Some(local) if is_ours(&local) => {
            end(&local)?;
            println!("The local network has ended.");
        }
        _ => println!("No local network of this folder is running."),
    }
    Ok(())
}

fn start(
    workspace: &Workspace,
    state: &Path,
    port: u16,
    options: &RunOptions,
    interrupted: &AtomicBool,
) -> Result<(Child, Ready)> {
    fs::create_dir_all(state)?;
    let ready_file = workspace.salus.join("ready.json");
    if ready_file.exists() {
        fs::remove_file(&ready_file)?;
    }
    let log = File::create(log_file(workspace))?;
    let mut command = Command::new(workspace.binary("salus-localnet"));
    command
        .arg("--state")
        .arg(state)
        .args(["--port", &port.to_string()])
        .arg("--ready")
        .arg(&ready_file)
        .args(options.delay.then_some("--delay"))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    if let Some(seconds) = options.stop_after {
        command.args(["--stop-after", &seconds.to_string()]);
    }
    process::own_group(&mut command);
    let mut network = command.spawn().context("could not start salus-localnet")?;

    let deadline = Instant::now() + START_LIMIT;
    let mut last_error = None;
    loop {
        if let Ok(text) = fs::read(&ready_file) {
            match serde_json::from_slice::<Ready>(&text) {
                Ok(ready) => return Ok((network, ready)),
                Err(error) => last_error = Some(error),
            }
        }
        if let Some(status) = network.try_wait()? {
            let log = fs::read_to_string(log_file(workspace)).unwrap_or_default();
            bail!("salus-localnet ended at once ({status}):\n{log}");
        }
        if Instant::now() > deadline || interrupted.load(Ordering::SeqCst) {
            process::terminate(network.id());
            let _ = network.wait();
            let why = last_error.map_or_else(String::new, |error| format!(": {error}"));
            bail!("salus-localnet did not come up in {START_LIMIT:?}{why}");
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn install(
    workspace: &Workspace,
    state: &Path,
    ready: &Ready,
    before: Option<&Local>,
    options: &RunOptions,
) -> Result<Local> {
    let identity_provider = format!("{}/_/identity/authorize", ready.url);
    let mut command = Command::new(workspace.binary("salus-deploy"));
    command
        .args(["--url", &ready.url, "--root-key", &ready.root_key])
        .args(["--identity-provider", &identity_provider])
        .arg("--key")
        .arg(workspace.salus.join("deployer.pem"))
        .arg("--canisters")
        .arg(workspace.canisters());
    if let Some(before) = before {
        command.args(["--vault", &before.vault, "--website", &before.website]);
    }
    let answer = process::output(&mut command)?;
    let deployed: Deployed = serde_json::from_str(&answer)
        .with_context(|| format!("the installer answered {answer:?}"))?;

    let same_vault = before.filter(|before| before.vault == deployed.vault);
    let host = ready
        .url
        .replacen("://", &format!("://{}.", deployed.website), 1);
    let mut local = Local {
        url: ready.url.clone(),
        vault: deployed.vault,
        website: deployed.website,
        root_key: ready.root_key.clone(),
        state: state.to_path_buf(),
        identity_provider,
        website_url: format!("{host}/"),
        pid: ready.pid,
        people: same_vault.map_or_else(Vec::new, |before| before.people.clone()),
    };
    // The demonstration finds the network by this file.
    local.write(workspace)?;
    if !options.empty && local.people.is_empty() {
        local.people = demo::load(workspace, &local)?;
        local.write(workspace)?;
    }
    Ok(local)
}

fn announce(workspace: &Workspace, local: &Local, options: &RunOptions) {
    println!();
    println!("  Salus     {}", local.website_url);
    println!("            {}/?canisterId={}", local.url, local.website);
    println!("  node      {}", local.url);
    println!("  vault     {}", local.vault);
    println!("  website   {}", local.website);
    println!("  sign-in   {}", local.identity_provider);
    println!("  details   {}", Local::path(workspace).display());
    println!("  log       {}", log_file(workspace).display());
    for person in &local.people {
        let field = |name: &str| person.get(name).and_then(|value| value.as_str());
        println!(
            "  {:<9} {}, recovery phrase in {}",
            field("role").unwrap_or("person"),
            field("name").unwrap_or("?"),
            field("recovery").unwrap_or("?"),
        );
    }
    if !local.people.is_empty() {
        println!("            sign in as anyone new, then open an account with its phrase");
    }
    println!();
    if options.detach {
        println!("It runs in the background; `cargo xtask stop` ends it.");
    }
}

fn log_file(workspace: &Workspace) -> std::path::PathBuf {
    workspace.salus.join("localnet.log")
}

/// Everything that belongs to the earlier network and to nothing else.
fn forget(workspace: &Workspace, state: &Path) -> Result<()> {
    for dir in [state.to_path_buf(), workspace.salus.join("demo")] {
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
    }
    let file = Local::path(workspace);
    if file.exists() {
        fs::remove_file(file)?;
    }
    Ok(())
}

fn choose_port(wanted: Option<u16>, last: Option<u16>) -> u16 {
    if let Some(port) = wanted {
        return port;
    }
    last.into_iter()
        .chain([USUAL_PORT])
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap_or(0)
}

/// A process id may have passed to somebody else since: the command line must be our network's,
/// with our state folder.
fn is_ours(local: &Local) -> bool {
    process::command_line(local.pid).is_some_and(|line| {
        line.contains("salus-localnet") && line.contains(&*local.state.to_string_lossy())
    })
}

fn end(local: &Local) -> Result<()> {
    ask_to_stop(&local.url);
    let deadline = Instant::now() + STOP_LIMIT;
    let half = Instant::now() + STOP_LIMIT / 2;
    let mut asked_again = false;
    while is_ours(local) {
        if Instant::now() > half && !asked_again {
            process::terminate(local.pid);
            asked_again = true;
        }
        ensure!(
            Instant::now() < deadline,
            "process {} does not end",
            local.pid
        );
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn wait_for_end(network: &mut Child) -> Result<()> {
    let deadline = Instant::now() + STOP_LIMIT;
    while network.try_wait()?.is_none() {
        if Instant::now() > deadline {
            process::terminate(network.id());
            network.wait()?;
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// `POST /_/stop`, best effort: whoever asks looks at the process afterwards.
fn ask_to_stop(url: &str) {
    let Some(authority) = url.strip_prefix("http://") else {
        return;
    };
    let authority = authority.trim_end_matches('/');
    let Some(port) = authority
        .rsplit(':')
        .next()
        .and_then(|port| port.parse::<u16>().ok())
    else {
        return;
    };
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let request = format!(
        "POST /_/stop HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    if stream.write_all(request.as_bytes()).is_ok() {
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_is_left_to_its_owner() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = taken.local_addr().expect("bound").port();
        assert_ne!(choose_port(None, Some(port)), port);
        assert_eq!(choose_port(Some(port), None), port);
    }

    #[test]
    fn a_process_that_is_not_the_network_is_not_ours() {
        let local = Local {
            url: "http://localhost:1".into(),
            vault: String::new(),
            website: String::new(),
            root_key: String::new(),
            state: "/nowhere".into(),
            identity_provider: String::new(),
            website_url: String::new(),
            pid: std::process::id(),
            people: Vec::new(),
        };
        assert!(!is_ours(&local));
    }
}
