//! The canister's entry points: attributes and one-line delegations only. The one place that
//! touches the platform. Must not decide anything.

use crate::api;
use crate::runtime::{Call, Generator, Runtime};
use crate::vault::Vault;
use crate::wire::{ArrivedPiece, answer, one, piece, shown};
use candid::{Principal, candid_method};
use ic_cdk::call::Call as Outgoing;
use ic_cdk::{init, inspect_message, post_upgrade, query, update};
use ic_stable_structures::DefaultMemoryImpl;
use salus_types::api::{
    AccountCreate, AccountInfo, Adopt, AuditGet, AuditPage, CertifiedHeads, Counterparty,
    DirectoryItem, DirectoryPage, FeedGet, FeedPage, GrantPage, Head, InboxPage, InitArgs,
    InvitationOpen, InvitationReceipt, KeyRotate, LedgerAppend, LedgerPage, PairingAnswer,
    PairingFinish, PairingOffer, PairingReveal, PairingView, PieceRead, RecordGet, RecordList,
    RecordPage, ReleaseList, ReleaseOpen, RequestPage, RequestSend, Signed, UploadBegin,
    UploadStatus, VaultStatus, VersionAdd, VersionReceipt, VersionView,
};
use salus_types::{AccountId, RequestId, Result, SlotId, UploadId};
use serde_bytes::ByteBuf;
use std::cell::RefCell;
use std::time::Duration;

/// How often expired uploads and pairings are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(600);
const WASM_PAGE: u64 = 65_536;

type Canister = Vault<Platform, DefaultMemoryImpl>;

thread_local! {
    static VAULT: RefCell<Option<Canister>> = const { RefCell::new(None) };
}

/// The platform as the vault sees it.
#[derive(Default)]
struct Platform {
    generator: Generator,
}

impl Runtime for Platform {
    fn canister(&self) -> Principal {
        ic_cdk::api::canister_self()
    }
    fn random(&mut self) -> Option<[u8; 32]> {
        self.generator.draw()
    }
    fn certify(&mut self, root: &[u8; 32]) {
        ic_cdk::api::certified_data_set(root);
    }
    fn certificate(&self) -> Option<Vec<u8>> {
        ic_cdk::api::data_certificate()
    }
    fn stable_bytes(&self) -> u64 {
        ic_cdk::api::stable_size() * WASM_PAGE
    }
}

fn call() -> Call {
    Call {
        caller: ic_cdk::api::msg_caller(),
        now: now(),
    }
}

fn now() -> u64 {
    ic_cdk::api::time() / 1_000_000
}

fn start(args: Option<InitArgs>, upgraded: bool) {
    match Vault::open(
        DefaultMemoryImpl::default(),
        Platform::default(),
        args,
        upgraded,
    ) {
        Ok(vault) => VAULT.set(Some(vault)),
        Err(error) => ic_cdk::trap(format!(
            "{error}. Install a build that knows this schema; nothing was changed."
        )),
    }
    ic_cdk_timers::set_timer(Duration::ZERO, seed());
    ic_cdk_timers::set_timer_interval(HOUSEKEEPING, || async { tend() });
}

async fn seed() {
    let answer = Outgoing::unbounded_wait(Principal::management_canister(), "raw_rand").await;
    let bytes = answer
        .ok()
        .and_then(|answer| answer.candid::<ByteBuf>().ok());
    match bytes {
        Some(bytes) if bytes.len() >= 32 => VAULT.with_borrow_mut(|vault| {
            if let Some(vault) = vault {
                vault.runtime_mut().generator.seed(&bytes);
            }
        }),
        _ => {
            ic_cdk_timers::set_timer(Duration::from_secs(1), async { Box::pin(seed()).await });
        }
    }
}

fn tend() {
    let more = write(|vault, _| api::tend(vault, now()));
    if matches!(more, Ok(true)) {
        ic_cdk_timers::set_timer(Duration::ZERO, async { tend() });
    }
}

/// Runs an update. One that fails after it has written something traps, so that the platform takes
/// everything back: a refusal changes nothing.
fn write<T>(run: impl FnOnce(&mut Canister, &Call) -> Result<T>) -> Result<T> {
    VAULT.with_borrow_mut(|vault| {
        let Some(vault) = vault else {
            ic_cdk::trap("not installed")
        };
        vault.settle();
        let result = run(vault, &call());
        match &result {
            Err(error) if vault.is_unsettled() => ic_cdk::trap(error.to_string()),
            _ => result,
        }
    })
}

fn read<T>(run: impl FnOnce(&Canister, &Call) -> T) -> T {
    VAULT.with_borrow(|vault| match vault {
        Some(vault) => run(vault, &call()),
        None => ic_cdk::trap("not installed"),
    })
}

fn installed(bytes: Vec<u8>) -> Option<InitArgs> {
    if bytes.is_empty() { None } else { one(bytes) }
}

#[candid_method(init)]
#[init(decode_with = "installed", hidden = true)]
fn init(args: Option<InitArgs>) {
    start(args, false);
}

#[post_upgrade(decode_with = "installed", hidden = true)]
fn post_upgrade(args: Option<InitArgs>) {
    start(args, true);
}

#[inspect_message(hidden = true)]
fn inspect_message() {
    let caller = ic_cdk::api::msg_caller();
    let method = ic_cdk::api::msg_method_name();
    let argument = ic_cdk::api::msg_arg_data().len();
    if read(|vault, _| api::accepts(vault, &caller, &method, argument)) {
        ic_cdk::api::accept_message();
    }
}

macro_rules! updates {
    ($($name:ident($arg:ident: $type:ty) -> $answer:ty;)*) => {$(
        #[candid_method(update)]
        #[update(hidden = true, decode_with = "one", encode_with = "answer")]
        fn $name($arg: $type) -> Result<$answer> {
            write(|vault, call| api::$name(vault, call, $arg))
        }
    )*};
}

macro_rules! queries {
    ($($name:ident($arg:ident: $type:ty) -> $answer:ty;)*) => {$(
        #[candid_method(query)]
        #[query(hidden = true, decode_with = "one", encode_with = "shown")]
        fn $name($arg: $type) -> Result<$answer> {
            read(|vault, call| api::$name(vault, call, $arg))
        }
    )*};
}

updates! {
    account_create(args: AccountCreate) -> AccountInfo;
    principal_claim(claim: Signed) -> AccountInfo;
    principal_remove(disclaim: Signed) -> AccountInfo;
    profile_set(profile: ByteBuf) -> ();
    slot_used(slot: SlotId) -> ();
    ledger_append(args: LedgerAppend) -> Head;
    key_rotate(args: KeyRotate) -> Head;
    upload_begin(args: UploadBegin) -> UploadStatus;
    upload_abort(upload: UploadId) -> ();
    versions_add(args: Vec<VersionAdd>) -> Vec<Result<VersionReceipt>>;
    versions_adopt(args: Vec<Adopt>) -> Vec<Result<VersionReceipt>>;
    invitation_create(invitation: Signed) -> InvitationReceipt;
    request_send(args: RequestSend) -> RequestId;
    release_list(args: ReleaseList) -> RecordPage;
    release_open(args: ReleaseOpen) -> Vec<VersionView>;
    provider_register(entry: Signed) -> ();
    pairing_begin(code: u64) -> u64;
    pairing_answer(args: PairingAnswer) -> u64;
    pairing_offer(args: PairingOffer) -> ();
    pairing_reveal(args: PairingReveal) -> ();
    pairing_finish(args: PairingFinish) -> ();
    pairing_end(code: u64) -> ();
}

queries! {
    account_find(recovery: ByteBuf) -> AccountId;
    ledger_page(from: u64) -> LedgerPage;
    upload_status(upload: UploadId) -> UploadStatus;
    record_list(args: RecordList) -> RecordPage;
    record_get(args: RecordGet) -> Vec<VersionView>;
    piece_read(args: PieceRead) -> ByteBuf;
    feed_page(args: FeedGet) -> FeedPage;
    invitation_open(args: InvitationOpen) -> Counterparty;
    request_inbox(cursor: Option<u64>) -> RequestPage;
    request_outbox(cursor: Option<u64>) -> RequestPage;
    grant_list(cursor: Option<u64>) -> GrantPage;
    grant_received(cursor: Option<u64>) -> GrantPage;
    chain_get(account: AccountId) -> Counterparty;
    audit_page(args: AuditGet) -> AuditPage;
    heads(account: AccountId) -> CertifiedHeads;
    directory_get(principal: Principal) -> DirectoryItem;
    directory_page(cursor: Option<u64>) -> DirectoryPage;
    inbox_page(from: u64) -> InboxPage;
    pairing_show(code: u64) -> PairingView;
}

#[candid_method(update)]
#[update(hidden = true, decode_with = "piece", encode_with = "answer")]
fn upload_piece(piece: ArrivedPiece) -> Result<()> {
    write(|vault, call| api::upload_piece(vault, call, &piece.upload, piece.index, piece.bytes()))
}

#[candid_method(query)]
#[query(hidden = true, encode_with = "shown")]
fn account_show() -> Result<AccountInfo> {
    read(api::account_show)
}

#[candid_method(query)]
#[query(hidden = true, encode_with = "shown")]
fn status() -> Result<VaultStatus> {
    read(|vault, _| Ok(api::status(vault)))
}

candid::export_service!();

/// The interface as Candid text: what `candid/vault.did` must equal.
pub fn interface() -> String {
    __export_service()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candid_parser::utils::{CandidSource, service_equal};

    #[test]
    fn the_published_interface_is_the_code_s() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../candid/vault.did");
        if std::env::var_os("SALUS_WRITE_DID").is_some() {
            std::fs::write(&path, interface()).unwrap();
        }
        let code = interface();
        service_equal(CandidSource::Text(&code), CandidSource::File(&path)).unwrap();
    }
}
