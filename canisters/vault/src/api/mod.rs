//! The endpoints, one function each. Updates take `&mut Vault` and begin with `admit`; queries take
//! `&Vault`. They check, ask for a permit, and delegate; they must not touch the platform.

mod accounts;
mod adoption;
mod audit;
mod directory;
mod dropping;
mod grants;
mod heads;
mod inbox;
mod invitations;
mod ledger;
mod pairing;
mod reading;
mod release;
mod requests;
mod rotation;
mod slots;
mod status;
mod uploads;
mod versions;

#[cfg(test)]
mod tests;

pub use accounts::{
    account_create, account_find, account_show, principal_claim, principal_remove, profile_set,
};
pub use adoption::versions_adopt;
pub use audit::audit_page;
pub use directory::{directory_get, directory_page, provider_register};
pub use grants::{grant_list, grant_received};
pub use heads::{chain_get, heads};
pub use inbox::inbox_page;
pub use invitations::{invitation_create, invitation_open};
pub use ledger::{ledger_append, ledger_page};
pub use pairing::{
    pairing_answer, pairing_begin, pairing_end, pairing_finish, pairing_offer, pairing_reveal,
    pairing_show,
};
pub use reading::{feed_page, piece_read, record_get, record_list};
pub use release::{release_list, release_open};
pub use requests::{request_inbox, request_outbox, request_send};
pub use rotation::key_rotate;
pub use slots::slot_used;
pub use status::{accepts, status};
pub use uploads::{tend, upload_abort, upload_begin, upload_piece, upload_status};
pub use versions::versions_add;

use salus_types::api::Signed;
use salus_types::limits;
use serde_bytes::ByteBuf;

fn signed(statement: Vec<u8>, signature: Vec<u8>) -> Signed {
    Signed {
        statement: ByteBuf::from(statement),
        signature: ByteBuf::from(signature),
    }
}

/// Items per page unless fewer are asked for.
const DEFAULT_ITEMS: u32 = 100;

fn items(limit: Option<u32>) -> usize {
    let limit = u64::from(limit.unwrap_or(DEFAULT_ITEMS)).clamp(1, limits::PAGE_ITEMS);
    usize::try_from(limit).unwrap_or(1)
}

/// Room for the items of one page.
struct Room {
    items: usize,
    bytes: u64,
    used: bool,
}

impl Room {
    fn new(items: usize) -> Self {
        Self {
            items,
            bytes: limits::PAGE_BYTES,
            used: false,
        }
    }

    /// Whether another item of that size goes on the page. The first always does.
    fn takes(&mut self, bytes: u64) -> bool {
        if self.items == 0 || (self.used && bytes > self.bytes) {
            return false;
        }
        self.items -= 1;
        self.bytes = self.bytes.saturating_sub(bytes);
        self.used = true;
        true
    }
}
