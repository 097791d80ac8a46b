//! `cargo xtask`: one door to everything the repository can do to itself.
//!
//! Owns the command line and hands over; each command is a module. Nothing here is part of what
//! is deployed, and nothing but build, test and developer tooling may depend on it.

mod bench;
mod build;
mod demo;
mod local;
mod process;
mod run;
mod tests_command;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};
use lexopt::{Arg, Parser, ValueExt as _};

use build::Parts;
use run::RunOptions;
use workspace::Workspace;

const HELP: &str = "\
cargo xtask COMMAND

  build [canisters|frontend|localnet|cli|yardstick]...  build these, or everything
        [--dev]                                        quick front end, not for deployment
  run   [--detach] [--empty] [--fresh] [--delay] [--dev]
        [--no-build] [--port N] [--stop-after SECONDS]      build, start a local network, install, load a demonstration
  stop                                         end the local network that run started
  test  [--no-browser]                         every test
  bench [--only PART]                          costs against their budgets
  tidy                                         the rules of the house
  help                                         this text

run: --detach returns once everything is up; --empty loads no demonstration; --fresh forgets the
earlier state; --delay answers as slowly as the public network does; --no-build takes what was
built last. bench --only: localnet, vault, keys, native or browser.
";

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<()> {
    let mut parser = Parser::from_env();
    let workspace = Workspace::locate()?;
    let command = match parser.next()? {
        Some(Arg::Value(command)) => command.string()?,
        Some(Arg::Long("help") | Arg::Short('h')) | None => "help".to_owned(),
        Some(other) => return Err(other.unexpected().into()),
    };
    match command.as_str() {
        "build" => {
            let (parts, dev) = build_arguments(&mut parser)?;
            build::build(&workspace, parts, dev)
        }
        "run" => run::run(&workspace, &run_arguments(&mut parser)?),
        "stop" => {
            no_more(&mut parser)?;
            run::stop(&workspace)
        }
        "test" => {
            let mut browser = true;
            while let Some(argument) = parser.next()? {
                match argument {
                    Arg::Long("no-browser") => browser = false,
                    other => return Err(other.unexpected().into()),
                }
            }
            tests_command::test(&workspace, browser)
        }
        "bench" => {
            let mut only = None;
            while let Some(argument) = parser.next()? {
                match argument {
                    Arg::Long("only") => only = Some(parser.value()?.string()?),
                    other => return Err(other.unexpected().into()),
                }
            }
            bench::bench(&workspace, only.as_deref())
        }
        "tidy" => {
            no_more(&mut parser)?;
            tidy::tidy(&workspace)
        }
        "help" => {
            print!("{HELP}");
            Ok(())
        }
        other => bail!("no command {other:?}; `cargo xtask help` lists them"),
    }
}

fn no_more(parser: &mut Parser) -> Result<()> {
    match parser.next()? {
        Some(argument) => Err(argument.unexpected().into()),
        None => Ok(()),
    }
}

fn build_arguments(parser: &mut Parser) -> Result<(Parts, bool)> {
    let (mut parts, mut dev) = (Parts::default(), false);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("dev") => dev = true,
            Arg::Value(part) => match part.string()?.as_str() {
                "canisters" => parts.canisters = true,
                "frontend" => parts.frontend = true,
                "localnet" => parts.localnet = true,
                "cli" => parts.cli = true,
                "yardstick" => parts.yardstick = true,
                "changed" => parts.changed = true,
                other => bail!("nothing called {other:?} to build"),
            },
            other => return Err(other.unexpected().into()),
        }
    }
    if parts == Parts::default() {
        parts = Parts::ALL;
    }
    Ok((parts, dev))
}

fn run_arguments(parser: &mut Parser) -> Result<RunOptions> {
    let mut options = RunOptions::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("detach") => options.detach = true,
            Arg::Long("empty") => options.empty = true,
            Arg::Long("fresh") => options.fresh = true,
            Arg::Long("delay") => options.delay = true,
            Arg::Long("dev") => options.dev = true,
            Arg::Long("no-build") => options.no_build = true,
            Arg::Long("port") => options.port = Some(parser.value()?.parse()?),
            Arg::Long("stop-after") => options.stop_after = Some(parser.value()?.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}
