//! `salus-localnet`: runs a local Internet Computer until it is told to stop.

use clap::Parser;
use salus_localnet::{Config, Localnet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// A local Internet Computer for development and tests.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// Where its state is kept; made when missing.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// The port to listen on; 0 takes any free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Written when it is ready: JSON with url, port, root_key, pid and state.
    #[arg(long, value_name = "FILE")]
    ready: Option<PathBuf>,
    /// Take as long as mainnet does.
    #[arg(long)]
    delay: bool,
    /// Let tests read and replace stable memories and move canisters' clock, over HTTP.
    #[arg(long)]
    admin: bool,
    /// Look at memories as on systems other than Linux: slower, for trying just that.
    #[arg(long)]
    portable: bool,
    /// End after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    stop_after: Option<u64>,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("salus-localnet: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(cli: &Cli) -> Result<(), Failure> {
    let localnet = Localnet::start(Config {
        state_dir: cli.state.clone(),
        port: cli.port,
        delay: cli.delay,
        admin: cli.admin,
        portable: cli.portable,
    })
    .await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let ready = ready(cli, &localnet);
    if let Some(path) = &cli.ready {
        write_whole(path, &ready)?;
    }
    // Whoever started it may have closed its end.
    let _ = writeln!(std::io::stdout(), "{ready}");
    let limit = async {
        match cli.stop_after {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = localnet.stopped() => {}
        () = limit => {}
    }
    localnet.stop().await;
    Ok(())
}

fn ready(cli: &Cli, localnet: &Localnet) -> String {
    let state = std::path::absolute(&cli.state).unwrap_or_else(|_| cli.state.clone());
    serde_json::json!({
        "url": localnet.url(),
        "port": localnet.port(),
        "root_key": hex::encode(localnet.root_key()),
        "pid": std::process::id(),
        "state": state,
    })
    .to_string()
}

/// Writes a file so that nobody reads half of it.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    std::fs::write(&temporary, text)?;
    std::fs::rename(&temporary, path)
}
