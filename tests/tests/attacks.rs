//! What Salus must withstand, an attack a test, each named after its number: the real client against the
//! real vault, with a transport between them that lies, a vault put back or copied, or counterparties
//! who sign what does not fit. An attack ends in the refusal that names it; nothing is shown and
//! nothing has changed. `attacks/README.md` has the list, and which defence each test stands for.

// What a test may do and the product may not: stop at the first thing that is wrong.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests stop at the first thing that is wrong"
)]

mod attacks {
    mod authors;
    mod certificates;
    mod ciphertext;
    mod clones;
    mod commitment;
    mod confusion;
    mod keys;
    mod omission;
    mod pairing;
    mod parameters;
    mod people;
    mod public_keys;
    mod replays;
    mod rollback;
    mod sessions;
    mod shapes;
    mod slots;
    mod taken_back;
    mod theft;
}

use salus_client::{ClientError, IntegrityError};
use salus_protocol::canonical;
use salus_protocol::ledger::{Change, LedgerOp};
use salus_tests::transports::Lies;
use salus_tests::world::*;
use salus_types::api::{Head, LedgerPage};
use serde_bytes::ByteBuf;
use std::future::Future;

/// What a lie is called, and what it does to an answer.
type Lie<T> = (&'static str, fn(&mut T));

/// Runs an attack, after which the vault's memory must be what it was, to the byte.
async fn unmoved<T>(world: &World, attack: impl Future<Output = T>) -> T {
    let before = world.vault.snapshot();
    let outcome = attack.await;
    assert!(
        world.vault.snapshot() == before,
        "the attack changed something in the vault"
    );
    outcome
}

/// What an attack was refused for.
fn refusal<T>(case: &str, result: Result<T, ClientError>) -> ClientError {
    match result {
        Err(error) => error,
        Ok(_) => panic!("{case}: believed"),
    }
}

/// What a fresh device of someone makes of a vault that lies to it.
async fn unlock(world: &World, person: &Person, lie: impl Fn(&Lies)) -> IntegrityError {
    let fresh = world.device(person.seed);
    lie(&fresh.lies);
    let unlocked = unmoved(world, fresh.client.unlock_with_phrase(&person.phrase)).await;
    integrity(unlocked)
}

/// Changes operation `seq` without being able to sign it.
fn forge(lies: &Lies, seq: u64, change: impl Fn(&mut Change) + 'static) {
    lies.alter::<LedgerPage>("ledger_page", move |page| {
        for signed in &mut page.ops {
            let mut op: LedgerOp = canonical::decode(&signed.statement).unwrap();
            if op.seq == seq {
                change(&mut op.change);
                signed.statement = ByteBuf::from(canonical::encode(&op));
            }
        }
    });
}

/// Shows the ledger as it was when that was its head.
fn cut_to(lies: &Lies, head: Head) {
    lies.alter::<LedgerPage>("ledger_page", move |page| {
        page.ops
            .retain(|op| canonical::decode::<LedgerOp>(&op.statement).unwrap().seq < head.count);
        page.head = head.clone();
    });
}
