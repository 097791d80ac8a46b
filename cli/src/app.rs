//! What every command starts from: the options, the folder, where answers go, and the client they
//! lead to. Must not know any command.

use crate::args::Global;
use crate::error::{Error, Kind, Result};
use crate::home::{self, Home};
use crate::identity::{self, IdentityFile};
use crate::network::{self, Network, RootKey, Wanted};
use crate::output::Output;
use crate::secrets::{self, Secrets};
use salus_client::agent::{AgentTransport, PemIdentity};
use salus_client::memory::Folder;
use salus_client::{AccountId, Client, ClientError, Principal, SystemClock};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What every command starts from.
#[derive(Debug)]
pub(crate) struct App {
    /// Where answers go.
    pub(crate) out: Output,
    /// This machine's folder.
    pub(crate) home: Home,
    identity: Option<String>,
    wanted: Wanted,
    secrets: secrets::Wanted,
}

impl App {
    /// From the options.
    ///
    /// # Errors
    /// When there is no place for the folder.
    pub(crate) fn new(options: &Global) -> Result<Self> {
        Ok(Self {
            out: Output::new(options.json),
            home: Home::find()?,
            identity: options.identity.clone(),
            wanted: Wanted {
                network: options.network.clone(),
                vault: options.vault.clone(),
                root_key: options.root_key.clone(),
                fetch_root_key: options.fetch_root_key,
            },
            secrets: options.secrets,
        })
    }

    /// The identity that calls.
    ///
    /// # Errors
    /// See [`identity::find`].
    pub(crate) fn identity(&self) -> Result<IdentityFile> {
        identity::find(&self.home, self.identity.as_deref())
    }

    /// The network that is called.
    ///
    /// # Errors
    /// See [`Network::find`].
    pub(crate) fn network(&self) -> Result<Network> {
        Network::find(&self.wanted)
    }

    /// A client for the identity, of the vault on the network.
    ///
    /// # Errors
    /// When one of the three is not to be had.
    pub(crate) async fn client(&self) -> Result<Client> {
        self.client_of(&self.identity()?).await
    }

    /// As [`Self::client`], for an identity beside the one that calls.
    ///
    /// # Errors
    /// As [`Self::client`].
    pub(crate) async fn client_of(&self, identity: &IdentityFile) -> Result<Client> {
        let network = self.network()?;
        let vault = network.vault()?;
        let vault = Principal::from_text(vault)
            .map_err(|_| Error::usage(format!("`{vault}` is not a canister id")))?;
        let identity = parse(identity)?;
        let given = match &network.root_key {
            RootKey::Given(key) => Some(key.clone()),
            RootKey::Mainnet | RootKey::Fetch => None,
        };
        let transport = AgentTransport::connect(&network.url, vault, identity.identity(), given)
            .map_err(ClientError::from)?;
        if network.root_key == RootKey::Fetch {
            self.out.remark(format_args!(
                "Believing {} about its root key: for development only.",
                network.url
            ));
            transport.agent().fetch_root_key().await.map_err(|error| {
                Error::new(
                    Kind::Network,
                    "unreachable",
                    format!("could not fetch the root key of {}: {error}", network.url),
                )
            })?;
        }
        let root_key = salus_client::Transport::root_key(&transport);
        let memory = self.home.memory(&network::folder_name(&root_key));
        home::private_folder(&memory)?;
        Ok(Client::new(
            Rc::new(transport),
            Rc::new(Folder::new(memory)),
            Rc::new(SystemClock),
        ))
    }

    /// What this machine keeps to open the account of a folder.
    pub(crate) fn secrets(&self, folder: &Path) -> Secrets {
        Secrets::of(folder, self.secrets)
    }

    /// Where a client remembers things of an account.
    pub(crate) fn memory_of(&self, client: &Client, account: AccountId) -> PathBuf {
        self.home
            .memory(&network::folder_name(&client.root_key()))
            .join(client.vault().to_text())
            .join(account.to_string())
    }

    /// Accounts of the vault that this machine keeps something of.
    pub(crate) fn kept_accounts(&self, client: &Client) -> Vec<String> {
        let folder = self.folder(client, AccountId([0; 16]));
        let folders = folder.parent().and_then(|all| std::fs::read_dir(all).ok());
        let names = folders
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        names
            .filter(|name| name.parse::<AccountId>().is_ok())
            .collect()
    }

    /// Where this machine keeps what belongs to an account.
    pub(crate) fn folder(&self, client: &Client, account: AccountId) -> PathBuf {
        self.home.account(
            &network::folder_name(&client.root_key()),
            &client.vault().to_text(),
            &account.to_string(),
        )
    }
}

fn parse(file: &IdentityFile) -> Result<PemIdentity> {
    let pem = file.read()?;
    PemIdentity::parse(&pem).map_err(|error| {
        Error::new(
            Kind::Usage,
            "identity",
            format!("{}: {error}", file.path.display()),
        )
    })
}

/// Who calls with an identity.
///
/// # Errors
/// When the file is no key.
pub(crate) fn principal(file: &IdentityFile) -> Result<Principal> {
    parse(file)?
        .principal()
        .map_err(|error| Error::new(Kind::Usage, "identity", error.to_string()))
}
