//! The vault's own code in this process: what the canister's entry points do, without a canister.
//! Certificates are real ones under a root key of the test's own. Must not know what is called.

use async_trait::async_trait;
use candid::utils::{ArgumentDecoder, ArgumentEncoder};
use candid::{CandidType, Principal};
use ic_certification::HashTree;
use ic_certification::hash_tree::{fork, label, leaf};
use ic_stable_structures::VectorMemory;
use ic_verify_bls_signature::PrivateKey;
use minicbor::Encoder;
use salus_client::certificate::{self, CertificateError};
use salus_client::{CertifiedData, Environment, Transport, TransportError};
use salus_protocol::hash_tree;
use salus_types::Result as Answer;
use salus_types::api::{InitArgs, UploadPiece};
use salus_vault::api;
use salus_vault::runtime::{Call, Generator, Runtime};
use salus_vault::vault::Vault;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What time it is, for vault and clients alike: moved by the test.
#[derive(Clone, Debug)]
pub struct TestClock(Rc<Cell<u64>>);

impl TestClock {
    /// Beginning at this time, ms since 1970.
    pub fn at(ms: u64) -> Self {
        Self(Rc::new(Cell::new(ms)))
    }

    /// Lets so many milliseconds pass.
    pub fn pass(&self, ms: u64) {
        self.0.set(self.0.get() + ms);
    }
}

impl Environment for TestClock {
    fn now_ms(&self) -> u64 {
        self.0.get()
    }
}

#[derive(Default)]
struct Shared {
    certified: [u8; 32],
}

struct Platform {
    vault: Principal,
    clock: TestClock,
    generator: Generator,
    shared: Rc<RefCell<Shared>>,
    key: [u8; 32],
}

fn der(key: &PrivateKey) -> Vec<u8> {
    let mut out =
        hex::decode("308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100")
            .unwrap_or_default();
    out.extend_from_slice(&key.public_key().serialize());
    out
}

fn leb128(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}

impl Runtime for Platform {
    fn canister(&self) -> Principal {
        self.vault
    }
    fn random(&mut self) -> Option<[u8; 32]> {
        self.generator.draw()
    }
    fn certify(&mut self, root: &[u8; 32]) {
        self.shared.borrow_mut().certified = *root;
    }
    fn certificate(&self) -> Option<Vec<u8>> {
        let key = PrivateKey::deserialize(&self.key).ok()?;
        let data = self.shared.borrow().certified;
        let canister = label(
            self.vault.as_slice(),
            label("certified_data", leaf(data.to_vec())),
        );
        let time = leb128(self.clock.now_ms() * 1_000_000);
        let tree: HashTree = fork(label("canister", canister), label("time", leaf(time)));
        let mut message = b"\x0Dic-state-root".to_vec();
        message.extend_from_slice(&tree.digest());
        let signature = key.sign(&message).serialize();
        let mut out = vec![0xd9, 0xd9, 0xf7, 0xa2, 0x64];
        out.extend_from_slice(b"tree");
        out.extend_from_slice(&hash_tree::encode(&tree));
        let mut rest = Encoder::new(Vec::new());
        rest.str("signature").ok()?.bytes(&signature).ok()?;
        out.extend(rest.into_writer());
        Some(out)
    }
    fn stable_bytes(&self) -> u64 {
        0
    }
}

type InProcess = Vault<Platform, VectorMemory>;

struct State {
    vault: InProcess,
    memory: VectorMemory,
}

/// A vault in this process. Clones reach the same one, for other callers.
#[derive(Clone)]
pub struct Native {
    state: Rc<RefCell<State>>,
    clock: TestClock,
    vault: Principal,
    caller: Principal,
    root_key: Vec<u8>,
    key: [u8; 32],
}

/// A vault's whole memory as it was, but for pages that were never written.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    len: usize,
    pages: BTreeMap<usize, Vec<u8>>,
}

/// Of WebAssembly.
const PAGE: usize = 65_536;

impl Snapshot {
    fn of(memory: &[u8]) -> Self {
        let pages = memory.chunks(PAGE).enumerate();
        let written = pages.filter(|(_, page)| *page != &[0; PAGE][..page.len()]);
        Self {
            len: memory.len(),
            pages: written.map(|(n, page)| (n, page.to_vec())).collect(),
        }
    }

    /// All of it.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = vec![0; self.len];
        for (n, page) in &self.pages {
            out[n * PAGE..n * PAGE + page.len()].copy_from_slice(page);
        }
        out
    }
}

/// The vault's id.
fn vault_id() -> Principal {
    Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 7, 1, 1])
}

fn open(
    memory: VectorMemory,
    vault: Principal,
    clock: &TestClock,
    key: [u8; 32],
    args: Option<InitArgs>,
) -> Answer<InProcess> {
    let mut generator = Generator::default();
    generator.seed(&[7; 32]);
    let platform = Platform {
        vault,
        clock: clock.clone(),
        generator,
        shared: Rc::default(),
        key,
    };
    Vault::open(memory, platform, args, false)
}

impl Native {
    /// An empty vault.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn start(clock: &TestClock) -> anyhow::Result<Self> {
        Self::start_with(clock, None)
    }

    /// An empty vault that was told so when it was installed.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn start_with(clock: &TestClock, args: Option<InitArgs>) -> anyhow::Result<Self> {
        // Any scalar will do for a root key that only this test trusts.
        let mut key = [0; 32];
        key[31] = 42;
        let root =
            PrivateKey::deserialize(&key).map_err(|_| anyhow::anyhow!("not a key of BLS12-381"))?;
        let memory = VectorMemory::default();
        let id = vault_id();
        let vault = open(memory.clone(), id, clock, key, args)?;
        Ok(Self {
            state: Rc::new(RefCell::new(State { vault, memory })),
            clock: clock.clone(),
            vault: id,
            caller: Principal::anonymous(),
            root_key: der(&root),
            key,
        })
    }

    /// The same vault for another caller.
    pub fn for_caller(&self, caller: Principal) -> Self {
        Self {
            caller,
            ..self.clone()
        }
    }

    /// The vault's whole memory now, as whoever controls a canister can copy it.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.state.borrow().memory.borrow())
    }

    /// Puts an earlier memory back: a rollback with fresh, valid certificates.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn restore(&self, snapshot: &Snapshot) -> anyhow::Result<()> {
        let memory: VectorMemory = Rc::new(RefCell::new(snapshot.bytes()));
        let vault = open(memory.clone(), self.vault, &self.clock, self.key, None)?;
        *self.state.borrow_mut() = State { vault, memory };
        Ok(())
    }

    /// Another canister with a copy of this one's memory, certified by the same network.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn clone_as(&self, id: Principal) -> anyhow::Result<Self> {
        let memory: VectorMemory = Rc::new(RefCell::new(self.snapshot().bytes()));
        let vault = open(memory.clone(), id, &self.clock, self.key, None)?;
        Ok(Self {
            state: Rc::new(RefCell::new(State { vault, memory })),
            vault: id,
            ..self.clone()
        })
    }

    fn call(&self) -> Call {
        Call {
            caller: self.caller,
            now: self.clock.now_ms(),
        }
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
        let (args,) = decode::<(A,)>(arg)?;
        let vault = &mut self.state.borrow_mut().vault;
        vault.settle();
        let answer = run(vault, &self.call(), args);
        if answer.is_err() && vault.is_unsettled() {
            // On the platform this traps and is rolled back; here there is no way back.
            return Err(TransportError::Rejected {
                code: 5,
                message: "refused after something was written".into(),
            });
        }
        encode((answer,))
    }

    fn read<A, T>(
        &self,
        arg: &[u8],
        run: impl FnOnce(&InProcess, &Call, A) -> Answer<T>,
    ) -> Result<Vec<u8>, TransportError>
    where
        (A,): for<'a> ArgumentDecoder<'a>,
        T: CandidType,
    {
        let (args,) = decode::<(A,)>(arg)?;
        encode((run(&self.state.borrow().vault, &self.call(), args),))
    }
}

fn decode<T: for<'a> ArgumentDecoder<'a>>(arg: &[u8]) -> Result<T, TransportError> {
    candid::decode_args(arg).map_err(|e| TransportError::Rejected {
        code: 5,
        message: e.to_string(),
    })
}

fn encode(answer: impl ArgumentEncoder) -> Result<Vec<u8>, TransportError> {
    candid::encode_args(answer).map_err(|e| TransportError::Rejected {
        code: 5,
        message: e.to_string(),
    })
}

fn unknown(method: &str) -> TransportError {
    TransportError::Rejected {
        code: 3,
        message: format!("no method {method}"),
    }
}

#[async_trait(?Send)]
impl Transport for Native {
    fn vault(&self) -> Principal {
        self.vault
    }

    fn caller(&self) -> Principal {
        self.caller
    }

    async fn query(&self, method: &str, arg: &[u8]) -> Result<Vec<u8>, TransportError> {
        match method {
            "account_show" => {
                let state = self.state.borrow();
                encode((api::account_show(&state.vault, &self.call()),))
            }
            "status" => encode((Answer::Ok(api::status(&self.state.borrow().vault)),)),
            "account_find" => self.read(arg, api::account_find),
            "ledger_page" => self.read(arg, api::ledger_page),
            "upload_status" => self.read(arg, api::upload_status),
            "record_list" => self.read(arg, api::record_list),
            "record_get" => self.read(arg, api::record_get),
            "piece_read" => self.read(arg, api::piece_read),
            "feed_page" => self.read(arg, api::feed_page),
            "invitation_open" => self.read(arg, api::invitation_open),
            "request_inbox" => self.read(arg, api::request_inbox),
            "request_outbox" => self.read(arg, api::request_outbox),
            "grant_list" => self.read(arg, api::grant_list),
            "grant_received" => self.read(arg, api::grant_received),
            "chain_get" => self.read(arg, api::chain_get),
            "audit_page" => self.read(arg, api::audit_page),
            "heads" => self.read(arg, api::heads),
            "directory_get" => self.read(arg, api::directory_get),
            "directory_page" => self.read(arg, api::directory_page),
            "inbox_page" => self.read(arg, api::inbox_page),
            "pairing_show" => self.read(arg, api::pairing_show),
            other => Err(unknown(other)),
        }
    }

    async fn update(&self, method: &str, arg: &[u8]) -> Result<Vec<u8>, TransportError> {
        match method {
            "account_create" => self.write(arg, api::account_create),
            "principal_claim" => self.write(arg, api::principal_claim),
            "principal_remove" => self.write(arg, api::principal_remove),
            "slot_used" => self.write(arg, api::slot_used),
            "profile_set" => self.write(arg, api::profile_set),
            "ledger_append" => self.write(arg, api::ledger_append),
            "key_rotate" => self.write(arg, api::key_rotate),
            "upload_begin" => self.write(arg, api::upload_begin),
            "upload_piece" => self.write(arg, |vault, call, piece: UploadPiece| {
                api::upload_piece(vault, call, &piece.upload, piece.index, &piece.bytes)
            }),
            "upload_abort" => self.write(arg, api::upload_abort),
            "versions_add" => self.write(arg, api::versions_add),
            "versions_adopt" => self.write(arg, api::versions_adopt),
            "invitation_create" => self.write(arg, api::invitation_create),
            "request_send" => self.write(arg, api::request_send),
            "release_list" => self.write(arg, api::release_list),
            "release_open" => self.write(arg, api::release_open),
            "provider_register" => self.write(arg, api::provider_register),
            "pairing_begin" => self.write(arg, api::pairing_begin),
            "pairing_answer" => self.write(arg, api::pairing_answer),
            "pairing_offer" => self.write(arg, api::pairing_offer),
            "pairing_reveal" => self.write(arg, api::pairing_reveal),
            "pairing_finish" => self.write(arg, api::pairing_finish),
            "pairing_end" => self.write(arg, api::pairing_end),
            other => Err(unknown(other)),
        }
    }

    fn verify_certificate(&self, bytes: &[u8]) -> Result<CertifiedData, CertificateError> {
        certificate::verify(bytes, &self.root_key, self.vault)
    }

    fn root_key(&self) -> Vec<u8> {
        self.root_key.clone()
    }
}
