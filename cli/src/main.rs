//! The `salus` command: everything a patient, a provider or a device's gateway does, from a
//! terminal or a script. Fields of `--json`, exit statuses and the folder's layout stand in
//! `cli/README.md`.
//!
//! Thin: what is done is `salus-client`'s; here is how it is asked for and shown. Must not know
//! cryptography, Candid or how calls are made.

mod app;
mod args;
mod arrivals;
mod brought;
mod commands;
mod contacts;
mod error;
mod failure;
mod files;
mod home;
mod identity;
mod keyring;
mod network;
mod output;
mod people;
mod proof;
mod qr;
mod secrets;
mod session;
mod span;
mod terms;
mod text;
mod watch;
mod wish;

use clap::Parser;
use error::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let json = cli.global.json;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(cli)),
        Err(error) => Err(Error::new(
            error::Kind::Other,
            "runtime",
            format!("could not start: {error}"),
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, json),
    }
}

fn fail(error: &Error, json: bool) -> ExitCode {
    if json {
        eprintln!("{}", error.to_json());
    } else {
        eprintln!("{}", error.to_text());
    }
    ExitCode::from(error.kind.exit())
}

/// Help and version are answers; anything else about the command line is a failure, which a script
/// that asked for JSON gets as JSON.
fn refuse(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|arg| arg == "--json");
    if error.exit_code() == 0 || !json {
        // There is nobody left to tell if this fails.
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    }
    let text = error.render().to_string();
    let text = text.trim().trim_start_matches("error: ");
    fail(&Error::usage(text), true)
}
