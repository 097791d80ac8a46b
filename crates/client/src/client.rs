//! The client before anything is unlocked: its surroundings, and what anyone may ask. Must not hold
//! a key.

use crate::error::{ClientError, Result};
use crate::memory::Memory;
use crate::surroundings::Environment;
use crate::transport::Transport;
use candid::Principal;
use salus_types::api::{AccountInfo, VaultStatus};
use salus_types::{AccountId, Error};
use std::rc::Rc;

struct Surroundings {
    transport: Rc<dyn Transport>,
    memory: Rc<dyn Memory>,
    environment: Rc<dyn Environment>,
    vault: Principal,
}

/// A client of one vault, for one caller. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Client(Rc<Surroundings>);

impl Client {
    /// Over these.
    pub fn new(
        transport: Rc<dyn Transport>,
        memory: Rc<dyn Memory>,
        environment: Rc<dyn Environment>,
    ) -> Self {
        let vault = transport.vault();
        Self(Rc::new(Surroundings {
            transport,
            memory,
            environment,
            vault,
        }))
    }

    /// The vault.
    pub fn vault(&self) -> Principal {
        self.0.vault
    }

    /// Who calls.
    pub fn caller(&self) -> Principal {
        self.transport().caller()
    }

    /// Milliseconds since 1970 (UTC).
    pub fn now(&self) -> u64 {
        self.0.environment.now_ms()
    }

    /// The root key under which certificates are verified, DER.
    pub fn root_key(&self) -> Vec<u8> {
        self.transport().root_key()
    }

    pub(crate) fn transport(&self) -> &dyn Transport {
        self.0.transport.as_ref()
    }

    pub(crate) fn memory(&self) -> &dyn Memory {
        self.0.memory.as_ref()
    }

    pub(crate) fn vault_bytes(&self) -> &[u8] {
        self.0.vault.as_slice()
    }

    pub(crate) fn scope(&self, account: AccountId) -> salus_crypto::VaultScope<'_> {
        salus_crypto::VaultScope {
            vault: self.vault_bytes(),
            account,
        }
    }

    /// What anyone may know of the vault.
    ///
    /// # Errors
    /// [`ClientError::Transport`].
    pub async fn status(&self) -> Result<VaultStatus> {
        self.query("status", ()).await
    }

    /// The caller's account as the vault tells it; nothing in it is verified. `None` if the caller
    /// has none. What may unlock it: [`Self::offered_slots`].
    ///
    /// # Errors
    /// [`ClientError::Transport`], [`ClientError::Vault`].
    pub async fn account(&self) -> Result<Option<AccountInfo>> {
        match self.query("account_show", ()).await {
            Ok(info) => Ok(Some(info)),
            Err(ClientError::Vault(Error::NotFound)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({} at {})", self.caller(), self.vault())
    }
}
