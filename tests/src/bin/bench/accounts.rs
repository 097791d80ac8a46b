//! People with keys: who they are on the network, and their accounts. Must not know what is measured.

use anyhow::Result;
use candid::Principal;
use salus_client::agent::AgentTransport;
use salus_client::agent::ic_agent::Identity;
use salus_client::agent::ic_agent::identity::BasicIdentity;
use salus_client::memory::Volatile;
use salus_client::{
    Client, Environment, Kept, Label, NewAccount, Profile, RecoveryPhrase, SystemClock, Transport,
    Unlocked,
};
use salus_tests::network::Network;
use std::rc::Rc;
use std::sync::Arc;

/// Someone: who calls, and the phrase that opens their account.
pub(crate) struct Person {
    identity: Arc<BasicIdentity>,
    phrase: RecoveryPhrase,
}

impl Person {
    /// The `n`th, the same in every run.
    pub(crate) fn nth(n: u64) -> Self {
        let mut seed = [0x5a; 32];
        seed[..8].copy_from_slice(&n.to_be_bytes());
        Self {
            identity: Arc::new(BasicIdentity::from_raw_key(&seed)),
            phrase: RecoveryPhrase::from_entropy(seed),
        }
    }

    /// Who calls.
    pub(crate) fn principal(&self) -> Result<Principal> {
        self.identity.sender().map_err(anyhow::Error::msg)
    }

    /// A client that remembers nothing, on the network.
    pub(crate) fn on(&self, network: &Network) -> Result<Client> {
        let transport = AgentTransport::connect(
            network.url(),
            Principal::from_text(network.vault())?,
            self.identity.clone(),
            Some(network.root_key()?),
        )?;
        Ok(client(transport, SystemClock))
    }

    /// Their account, unlocked on the network.
    pub(crate) async fn unlock(&self, network: &Network) -> Result<Unlocked> {
        self.unlock_by_phrase(&self.on(network)?).await
    }

    /// Their account, unlocked.
    pub(crate) async fn unlock_by_phrase(&self, client: &Client) -> Result<Unlocked> {
        Ok(client.unlock_with_phrase(&self.phrase).await?)
    }

    /// Their account, taken back.
    pub(crate) async fn recover(&self, client: &Client) -> Result<Unlocked> {
        let recovery = client.recovery(&self.phrase).await?;
        Ok(recovery.take_back(&Kept::default()).await?)
    }

    /// Opens their account.
    pub(crate) async fn open(&self, client: &Client, compartments: &[&str]) -> Result<Unlocked> {
        let new = NewAccount {
            account: None,
            phrase: &self.phrase,
            profile: Profile::default(),
            compartments: compartments
                .iter()
                .map(|name| Label::named(*name))
                .collect(),
            slots: Vec::new(),
        };
        Ok(client.create_account(new).await?)
    }
}

/// A client that remembers nothing.
pub(crate) fn client(
    transport: impl Transport + 'static,
    environment: impl Environment + 'static,
) -> Client {
    Client::new(
        Rc::new(transport),
        Rc::new(Volatile::default()),
        Rc::new(environment),
    )
}
