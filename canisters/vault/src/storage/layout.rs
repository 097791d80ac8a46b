//! The map of stable memory: every `MemoryId` and every table tag, each listed once, with its
//! purpose. The only module that names a `MemoryId`; it must not know what rows contain.
//!
//! ```text
//! stable memory ── MemoryManager, buckets of 256 pages (16 MiB)
//!   0 meta          schema number
//!   1 extents       ciphertext bytes, in power-of-two extents
//!   2 extent index  the extents' free lists
//!   3 merkle        hashes of the certified tree over account numbers
//!   4 … 14          B-trees of small rows, one per neighbourhood of tables
//! ```
//!
//! A number once used is never used for anything else, even after its table is gone: an old
//! memory image must not be read as something it is not. B-trees hold several tables each, told
//! apart by a leading tag byte, because every memory costs at least one bucket.

use ic_stable_structures::Memory;
use ic_stable_structures::memory_manager::{MemoryId, MemoryManager, VirtualMemory};

/// Pages per bucket. Fixed for ever by the first install: 32,768 buckets of 256 pages reach the
/// platform's 500 GiB, which the library's default of 128 does not.
pub const BUCKET_PAGES: u16 = 256;

/// The schema this build reads and writes. Raised by one with every migration step.
pub const SCHEMA: u32 = 1;

/// One virtual memory.
pub type Virtual<M> = VirtualMemory<M>;

const META: u8 = 0;
const EXTENTS: u8 = 1;
const EXTENT_INDEX: u8 = 2;
const MERKLE: u8 = 3;

/// A B-tree shared by tables whose rows are of similar size and are used together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// Who exists: accounts, principals, identifiers, certified heads.
    Accounts,
    /// The newest version of every record, in filing order.
    Current,
    /// Where each record is.
    Records,
    /// Versions that have been superseded.
    Versions,
    /// Where each piece of ciphertext is, and its hash.
    Pieces,
    /// Feed entries.
    Feeds,
    /// Audit entries.
    Audit,
    /// Signed ledger operations and key chain links.
    Signed,
    /// Slots, compartments, epochs, grants, requests, invitations.
    Access,
    /// Uploads and pairings under way and their expiry.
    Uploads,
    /// Inboxes, the directory, pseudonym salts, counters.
    Social,
}

impl Space {
    /// All of them, in the order in which they are opened.
    pub const ALL: [Self; 11] = [
        Self::Accounts,
        Self::Current,
        Self::Records,
        Self::Versions,
        Self::Pieces,
        Self::Feeds,
        Self::Audit,
        Self::Signed,
        Self::Access,
        Self::Uploads,
        Self::Social,
    ];

    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::Accounts => 0,
            Self::Current => 1,
            Self::Records => 2,
            Self::Versions => 3,
            Self::Pieces => 4,
            Self::Feeds => 5,
            Self::Audit => 6,
            Self::Signed => 7,
            Self::Access => 8,
            Self::Uploads => 9,
            Self::Social => 10,
        }
    }

    const fn memory(self) -> u8 {
        match self {
            Self::Accounts => 4,
            Self::Current => 5,
            Self::Records => 6,
            Self::Versions => 7,
            Self::Pieces => 8,
            Self::Feeds => 9,
            Self::Audit => 10,
            Self::Signed => 11,
            Self::Access => 12,
            Self::Uploads => 13,
            Self::Social => 14,
        }
    }
}

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident = $space:ident, $tag:literal;)*) => {
        /// A table: rows of one type under one tag in one B-tree.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Table {
            $($(#[$doc])* $name,)*
        }

        impl Table {
            /// All tables.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The B-tree the table lives in.
            pub const fn space(self) -> Space {
                match self { $(Self::$name => Space::$space,)* }
            }

            /// The byte its keys begin with.
            pub const fn tag(self) -> u8 {
                match self { $(Self::$name => $tag,)* }
            }
        }
    };
}

tables! {
    /// account number → account
    Accounts = Accounts, 1;
    /// principal → account number
    Principals = Accounts, 2;
    /// account id → account number
    AccountIds = Accounts, 3;
    /// account number → outline: feeds, epochs, slots
    Outlines = Accounts, 4;
    /// account number → sealed profile note
    Profiles = Accounts, 5;
    /// nothing → configuration and counters of the vault
    Settings = Accounts, 6;
    /// recovery public key → account number
    Recoveries = Accounts, 7;

    /// owner ‖ compartment ‖ filing sequence → newest version
    Current = Current, 1;
    /// owner ‖ record → where its versions are
    Records = Records, 1;
    /// owner ‖ record ‖ version → superseded or dropped version
    Versions = Versions, 1;
    /// owner ‖ blob ‖ piece → extent and hash
    Pieces = Pieces, 1;
    /// owner ‖ compartment ‖ sequence → feed entry
    Feeds = Feeds, 1;
    /// owner ‖ sequence → audit entry
    Audit = Audit, 1;
    /// owner ‖ sequence → signed ledger operation
    Ledger = Signed, 1;
    /// owner ‖ index → signed key chain link
    Links = Signed, 2;

    /// owner ‖ grant → grant
    Grants = Access, 1;
    /// owner ‖ sequence → grant id: grants in the order they were given
    GrantsGiven = Access, 2;
    /// grantee ‖ sequence → owner and grant id: grants in the order they were received
    GrantsReceived = Access, 3;
    /// patient ‖ request → request for access
    Requests = Access, 4;
    /// patient ‖ sequence → request id: requests in the order they came
    RequestsReceived = Access, 5;
    /// requester ‖ sequence → patient and request id: requests in the order they were made
    RequestsMade = Access, 6;
    /// patient ‖ invitation → invitation
    Invitations = Access, 7;
    /// one account ‖ another → grants in force from one to the other, and open requests
    Ties = Access, 8;
    /// owner ‖ grant ‖ record ‖ version → nothing: what was released with its keys
    Opened = Access, 9;
    /// owner ‖ another account's id → the genesis fingerprint its owner recorded of it
    Pins = Access, 10;

    /// uploader ‖ upload → upload under way
    Uploads = Uploads, 1;
    /// expiry ‖ uploader ‖ upload → nothing: which uploads to drop, and when
    UploadExpiry = Uploads, 2;
    /// owner ‖ blob → nothing: blobs whose pieces are still to be freed
    Discarded = Uploads, 3;
    /// code → pairing under way
    Pairings = Uploads, 4;
    /// principal ‖ code → nothing: which pairings a principal has begun
    PairingsBegun = Uploads, 5;
    /// expiry ‖ code → nothing: which pairings to drop, and when
    PairingExpiry = Uploads, 6;

    /// account ‖ sequence → notification
    Inbox = Social, 1;
    /// sequence → directory entry
    Directory = Social, 2;
    /// owner ‖ counterparty → pseudonym salt
    Salts = Social, 3;
    /// owner ‖ pseudonym → counterparty
    Pseudonyms = Social, 4;
}

/// The virtual memories, handed out once each.
pub struct Memories<M: Memory> {
    manager: MemoryManager<M>,
}

impl<M: Memory> Memories<M> {
    /// Opens the memory manager that is there, or makes one in empty memory.
    pub fn init(memory: M) -> Self {
        Self {
            manager: MemoryManager::init_with_bucket_size(memory, BUCKET_PAGES),
        }
    }

    /// Schema number.
    pub fn meta(&self) -> Virtual<M> {
        self.manager.get(MemoryId::new(META))
    }

    /// Ciphertext bytes.
    pub fn extents(&self) -> Virtual<M> {
        self.manager.get(MemoryId::new(EXTENTS))
    }

    /// The extents' free lists.
    pub fn extent_index(&self) -> Virtual<M> {
        self.manager.get(MemoryId::new(EXTENT_INDEX))
    }

    /// The certified tree.
    pub fn merkle(&self) -> Virtual<M> {
        self.manager.get(MemoryId::new(MERKLE))
    }

    /// The B-tree of one space.
    pub fn space(&self, space: Space) -> Virtual<M> {
        self.manager.get(MemoryId::new(space.memory()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_memory_is_used_twice() {
        let mut seen = BTreeSet::from([META, EXTENTS, EXTENT_INDEX, MERKLE]);
        assert_eq!(seen.len(), 4);
        for (position, space) in Space::ALL.into_iter().enumerate() {
            assert_eq!(space.index(), position);
            assert!(seen.insert(space.memory()), "{space:?} shares its memory");
        }
    }

    #[test]
    fn no_tag_is_used_twice_in_a_space() {
        let mut seen = BTreeSet::new();
        for table in Table::ALL {
            assert!(
                seen.insert((table.space().index(), table.tag())),
                "{table:?} shares its tag"
            );
        }
    }
}
