//! Fills a vault quickly: the vault's own code in this process over memory in this process, whose
//! image then becomes a canister's. Must not be measured itself.

use async_trait::async_trait;
use candid::utils::ArgumentDecoder;
use candid::{CandidType, Principal};
use ic_stable_structures::VectorMemory;
use salus_client::certificate::CertificateError;
use salus_client::{CertifiedData, Environment, Transport, TransportError};
use salus_types::Result as Answer;
use salus_vault::api;
use salus_vault::runtime::{Call, Generator, Runtime};
use salus_vault::vault::Vault;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Time between two updates, ms: no caller is limited.
const STEP_MS: u64 = 10;

/// A clock that every update moves.
#[derive(Clone)]
pub(crate) struct Clock(Rc<Cell<u64>>);

impl Environment for Clock {
    fn now_ms(&self) -> u64 {
        self.0.get()
    }
}

struct Platform {
    vault: Principal,
    generator: Generator,
    certified: Rc<Cell<[u8; 32]>>,
}

impl Runtime for Platform {
    fn canister(&self) -> Principal {
        self.vault
    }
    fn random(&mut self) -> Option<[u8; 32]> {
        self.generator.draw()
    }
    fn certify(&mut self, root: &[u8; 32]) {
        self.certified.set(*root);
    }
    fn certificate(&self) -> Option<Vec<u8>> {
        Some(Vec::new())
    }
    fn stable_bytes(&self) -> u64 {
        0
    }
}

type InProcess = Vault<Platform, VectorMemory>;

/// A vault in this process; for one caller. Knows the methods that filling takes.
pub(crate) struct Filling {
    vault: Rc<RefCell<InProcess>>,
    memory: VectorMemory,
    id: Principal,
    caller: Principal,
    clock: Clock,
    certified: Rc<Cell<[u8; 32]>>,
}

impl Filling {
    /// An empty vault that believes to be the canister `id`. `updates` is how many are to come: the
    /// clock begins so much earlier.
    pub(crate) fn start(id: Principal, now_ms: u64, updates: u64) -> anyhow::Result<Self> {
        let mut generator = Generator::default();
        generator.seed(&[7; 32]);
        let certified = Rc::new(Cell::new([0; 32]));
        let platform = Platform {
            vault: id,
            generator,
            certified: Rc::clone(&certified),
        };
        let memory = VectorMemory::default();
        let vault = Vault::open(memory.clone(), platform, None, false)?;
        let begin = now_ms.saturating_sub(updates * STEP_MS);
        Ok(Self {
            vault: Rc::new(RefCell::new(vault)),
            memory,
            id,
            caller: Principal::anonymous(),
            clock: Clock(Rc::new(Cell::new(begin))),
            certified,
        })
    }

    /// The same vault for another caller.
    pub(crate) fn for_caller(&self, caller: Principal) -> Self {
        Self {
            vault: Rc::clone(&self.vault),
            memory: self.memory.clone(),
            id: self.id,
            caller,
            clock: self.clock.clone(),
            certified: Rc::clone(&self.certified),
        }
    }

    /// Its clock.
    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Its whole memory.
    pub(crate) fn image(&self) -> Vec<u8> {
        self.memory.borrow().clone()
    }

    fn write<A, T>(
        &self,
        arg: &[u8],
        run: impl FnOnce(&mut InProcess, &Call, A) -> Answer<T>,
    ) -> Result<Vec<u8>, TransportError>
    where
        (A,): for<'a> ArgumentDecoder<'a>,
        T: CandidType,
    {
        let (args,): (A,) = candid::decode_args(arg).map_err(rejected)?;
        self.clock.0.set(self.clock.0.get() + STEP_MS);
        let call = Call {
            caller: self.caller,
            now: self.clock.0.get(),
        };
        let mut vault = self.vault.borrow_mut();
        vault.settle();
        candid::encode_args((run(&mut vault, &call, args),)).map_err(rejected)
    }
}

fn rejected(error: impl std::fmt::Display) -> TransportError {
    TransportError::Rejected {
        code: 5,
        message: error.to_string(),
    }
}

#[async_trait(?Send)]
impl Transport for Filling {
    fn vault(&self) -> Principal {
        self.id
    }

    fn caller(&self) -> Principal {
        self.caller
    }

    async fn query(&self, method: &str, arg: &[u8]) -> Result<Vec<u8>, TransportError> {
        let call = Call {
            caller: self.caller,
            now: self.clock.0.get(),
        };
        let vault = &*self.vault.borrow();
        let answer = match method {
            "account_show" => candid::encode_args((api::account_show(vault, &call),)),
            "heads" => {
                let (of,) = candid::decode_args(arg).map_err(rejected)?;
                candid::encode_args((api::heads(vault, &call, of),))
            }
            other => return Err(rejected(format!("filling takes no {other}"))),
        };
        answer.map_err(rejected)
    }

    async fn update(&self, method: &str, arg: &[u8]) -> Result<Vec<u8>, TransportError> {
        match method {
            "account_create" => self.write(arg, api::account_create),
            "versions_add" => self.write(arg, api::versions_add),
            other => Err(rejected(format!("filling takes no {other}"))),
        }
    }

    fn verify_certificate(&self, _: &[u8]) -> Result<CertifiedData, CertificateError> {
        // Nobody lies in this process, and filling has no time for signatures.
        Ok(CertifiedData {
            data: self.certified.get(),
            at: self.clock.0.get(),
        })
    }

    fn root_key(&self) -> Vec<u8> {
        Vec::new()
    }
}
