//! The life of a key, executable: from making an account to losing every way into it but one, from a
//! grant to its revocation, against the vault's own code. What is done to it is in `attacks`.

// What a test may do and the product may not: stop at the first thing that is wrong.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests stop at the first thing that is wrong"
)]

use salus_client::{
    APPEND, Authorship, ClientError, CompartmentId, GrantPhase, IntegrityError, Label, NewAccount,
    NewSlot, PartDraft, Profile, Quiet, READ, ReceivedGrant, RecoveryPhrase, Scope, SlotKind,
    SlotSecret, Terms, Transport, Unlocked, VersionRef, Wish,
};
use salus_tests::network::{Network, Options};
use salus_tests::world::*;
use std::rc::Rc;

/// Stories that hold against the vault's own code and on a network alike: each as a test, and all of
/// them one after another on a network.
macro_rules! stories {
    ($($name:ident,)*) => {
        mod native {
            use super::super::super::{World, run};
            $(#[test]
            fn $name() {
                run(super::$name(World::new()));
            })*
        }

        pub(crate) async fn on(network: &Rc<Network>) {
            $(println!("{}", stringify!($name));
            $name(World::on(network)).await;)*
        }
    };
}

mod key_life {
    pub(crate) mod accounts;
    pub(crate) mod contacts;
    pub(crate) mod dishonest;
    pub(crate) mod following;
    pub(crate) mod freshness;
    pub(crate) mod many;
    pub(crate) mod pairing;
    pub(crate) mod records;
    mod replacing;
    pub(crate) mod rotation;
    pub(crate) mod rotation_at_length;
    pub(crate) mod sharing;
    pub(crate) mod thief;
    pub(crate) mod unlocking;
}

#[test]
fn the_same_holds_on_a_network() {
    let network = Rc::new(Network::start(Options::default()).unwrap());
    run(async {
        key_life::accounts::on(&network).await;
        key_life::unlocking::on(&network).await;
        key_life::records::on(&network).await;
        key_life::many::on(&network).await;
        key_life::following::on(&network).await;
        key_life::sharing::on(&network).await;
        key_life::pairing::on(&network).await;
    });
}
