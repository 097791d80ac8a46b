//! The command line: what is common to all commands. Each group's own arguments stand with it.

use crate::commands::identity;
use clap::{Args, Parser, Subcommand};

const EXIT_STATUSES: &str = "\
Exit status: 0 done, 2 wrong command line, 3 not found or not allowed, 4 conflict,
5 a signature, certificate or chain does not hold, 6 network, 1 anything else.";

/// End-to-end encrypted health records on the Internet Computer.
#[derive(Debug, Parser)]
#[command(name = "salus", version, about, propagate_version = true, after_help = EXIT_STATUSES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Args, Debug)]
pub(crate) struct Global {
    /// local, ic, or a node's address
    #[arg(
        long,
        global = true,
        env = "SALUS_NETWORK",
        default_value = "local",
        value_name = "NETWORK"
    )]
    pub(crate) network: String,
    /// The vault canister
    #[arg(long, global = true, env = "SALUS_VAULT", value_name = "ID")]
    pub(crate) vault: Option<String>,
    /// Name of an identity, or a PEM file
    #[arg(
        long,
        global = true,
        env = "SALUS_IDENTITY",
        value_name = "NAME|FILE.pem"
    )]
    pub(crate) identity: Option<String>,
    /// The network's root key, hexadecimal DER
    #[arg(long, global = true, env = "SALUS_ROOT_KEY", value_name = "HEX")]
    pub(crate) root_key: Option<String>,
    /// Believe the node about its root key: only for development
    #[arg(long, global = true)]
    pub(crate) fetch_root_key: bool,
    /// Answer in JSON; errors too, on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Identities on this machine
    #[command(subcommand)]
    Identity(identity::Command),
    /// Who calls
    Whoami,
}
