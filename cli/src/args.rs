//! The command line: what is common to all commands. Each group's own arguments stand with it.

use crate::commands::{
    account, audit, compartment, contact, export, grant, identity, inbox, invitation, provider,
    record, request,
};
use crate::secrets::Wanted;
use clap::{Args, Parser, Subcommand};

const EXIT_STATUSES: &str = "\
Exit status: 0 done, 2 wrong command line, 3 not found or not allowed, 4 conflict,
5 a signature, certificate or chain does not hold, 6 network, 1 anything else.";

/// End-to-end encrypted health records on the Internet Computer.
#[derive(Debug, Parser)]
#[command(name = "salus", version, about, after_help = EXIT_STATUSES)]
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
    /// Where this machine keeps what opens your account
    #[arg(
        long,
        global = true,
        env = "SALUS_SECRETS",
        value_enum,
        default_value = "auto",
        value_name = "WHERE"
    )]
    pub(crate) secrets: Wanted,
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
    /// Your account: create, unlock on this machine, show
    #[command(subcommand)]
    Account(account::Command),
    /// People you deal with: whether their keys are really theirs
    #[command(subcommand)]
    Contact(contact::Command),
    /// The directory of providers
    #[command(subcommand)]
    Provider(provider::Command),
    /// Compartments your records are filed in
    #[command(subcommand)]
    Compartment(compartment::Command),
    /// Records, your own or a patient's
    #[command(subcommand)]
    Record(record::Command),
    /// Links by which a provider may ask you
    #[command(subcommand)]
    Invitation(invitation::Command),
    /// Requests for access, yours and to you
    #[command(subcommand)]
    Request(request::Command),
    /// Access you gave and were given
    #[command(subcommand)]
    Grant(grant::Command),
    /// Who saw what: the audit trail
    #[command(subcommand)]
    Audit(audit::Command),
    /// Write all you keep, sealed, to a file of your own
    Export(export::ExportArgs),
    /// What happened since you looked last
    Inbox(inbox::InboxArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_documented_line_is_understood() {
        let id = "00112233445566778899aabbccddeeff";
        let lines = [
            "identity new ana".to_owned(),
            "identity list".to_owned(),
            "whoami --json".to_owned(),
            "account create".to_owned(),
            "account create --name Ana --recovery-out words.txt".to_owned(),
            "account unlock --recovery words.txt".to_owned(),
            "account unlock --passphrase-in words.txt --sheet-key-in key.txt".to_owned(),
            "account unlock --passphrase-in - --secrets file".to_owned(),
            "account show".to_owned(),
            "account slots".to_owned(),
            "account slot add passphrase".to_owned(),
            "account slot add passphrase --with device --own-in -".to_owned(),
            "account slot add passphrase --with sheet --sheet-out sheet.txt --label Home".to_owned(),
            "account slot add passphrase --own-in a --own-sheet-key-in b --recovery c".to_owned(),
            format!("account slot remove {id} --recovery words.txt"),
            "account rotate --passphrase-in a --sheet-key-in b".to_owned(),
            "account sign-ins".to_owned(),
            "account sheet --recovery - --out sheet.txt".to_owned(),
            "contact safety Novak --qr".to_owned(),
            "account sign-in add laptop --recovery words.txt".to_owned(),
            "account sign-in remove 2vxsx-fae --recovery words.txt".to_owned(),
            format!("account lost --slot {id} --slot {id} --sign-in laptop --recovery words.txt"),
            "account sign-out-others --recovery -".to_owned(),
            format!("account forget --yes --account {id}"),
            "account pair".to_owned(),
            "account pair --approve MPJT-B9D5-1 --label Laptop --recovery words.txt".to_owned(),
            "provider register --name Novak --specialty Cardiology".to_owned(),
            "provider list".to_owned(),
            "contact list".to_owned(),
            "contact safety Novak".to_owned(),
            "contact verify Novak --number 12345-67890".to_owned(),
            "contact verify Novak --code salus:safety/abc".to_owned(),
            "contact accept Novak".to_owned(),
            "compartment list".to_owned(),
            "compartment add Dental".to_owned(),
            "record add --compartment Results --title T a.pdf b.pdf".to_owned(),
            "record add bundle.json".to_owned(),
            "record list".to_owned(),
            "record list --patient Ana".to_owned(),
            format!("record show {id}"),
            format!("record show {id} --patient Ana --version 2 --out here"),
            format!("record amend {id} note.txt --patient Ana"),
            format!("record history {id} --patient Ana"),
            "invitation create --for 7d".to_owned(),
            "request send Ana --scope all --rights read --purpose Visit --for 30d".to_owned(),
            "request send Ana --scope compartment:Results --scope compartment:Plans --rights read,append --purpose Visit --for 30d".to_owned(),
            "request list".to_owned(),
            format!("request approve {id}"),
            format!("request approve {id} --scope record:{id} --rights read --for 1d"),
            format!("request deny {id}"),
            format!("grant give Novak --scope record:{id} --rights read --purpose P --for 12h"),
            "grant list".to_owned(),
            format!("grant revoke {id}"),
            "audit show".to_owned(),
            "audit verify --export x.json".to_owned(),
            "audit verify --offline x.json".to_owned(),
            "audit verify --patient Ana".to_owned(),
            "audit evidence".to_owned(),
            "audit evidence --out proof".to_owned(),
            "audit verify --evidence proof".to_owned(),
            "export mine.salus".to_owned(),
            "inbox".to_owned(),
            "--network ic --vault aaaaa-aa --identity key.pem --json inbox".to_owned(),
        ];
        for line in lines {
            let words = std::iter::once("salus").chain(line.split_whitespace());
            if let Err(error) = Cli::try_parse_from(words) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn lines_that_make_no_sense_are_refused() {
        for line in [
            "",
            "record add",
            "record show 12",
            "grant give Novak --scope some --rights read --purpose P --for 12h",
            "grant give Novak --scope all --rights write --purpose P --for 12h",
            "grant give Novak --scope all --rights read --purpose P --for soon",
            "audit verify --offline a --export b",
            "audit verify --offline a --patient b",
            "audit verify --offline a --evidence b",
            "account unlock",
            "contact verify Novak",
            "contact verify Novak --number 1 --code a",
            "account unlock --recovery a --passphrase-in b",
            "account unlock --sheet-key-in a",
            "account slot add passphrase --with nothing",
            "account slot remove 12",
            "account rotate --recovery a --passphrase-in b",
            "account rotate --sheet-key-in b",
            "account lost --slot 12",
        ] {
            let words = std::iter::once("salus").chain(line.split_whitespace());
            assert!(Cli::try_parse_from(words).is_err(), "{line}");
        }
    }
}
