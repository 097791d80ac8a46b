//! Rows about the account itself.

use crate::storage::key::Key;
use crate::storage::large::Large;
use crate::storage::layout::Table;
use crate::storage::row::Row;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use salus_protocol::keychain::Authority;
use salus_protocol::ledger::SlotKind;
use salus_protocol::statement::sha256;
use salus_types::api::Head;
use salus_types::{AccountId, CompartmentId, Error, Hash, SlotId, limits};

/// Head of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Chain {
    /// Entries so far.
    #[n(0)]
    pub count: u64,
    /// Hash of the last.
    #[n(1)]
    pub hash: Hash,
}

impl Chain {
    /// A chain without entries.
    pub const EMPTY: Self = Self {
        count: 0,
        hash: Hash([0; 32]),
    };

    /// As it crosses the wire.
    pub fn head(&self) -> Head {
        Head {
            count: self.count,
            hash: self.hash,
        }
    }
}

impl From<Head> for Chain {
    fn from(head: Head) -> Self {
        Self {
            count: head.count,
            hash: head.hash,
        }
    }
}

/// Refused attempts of strangers since the last entry about them.
#[derive(Clone, Copy, Debug, Default, Encode, Decode)]
pub struct Strangers {
    /// When the first of them was, ms since 1970.
    #[n(0)]
    pub since: u64,
    /// How many.
    #[n(1)]
    pub count: u64,
}

/// How late statements about principals were signed, as their signers say: none that was used may be used
/// again, once its opposite was. Times in ms since 1970; never before that of the key in force.
#[derive(Clone, Copy, Debug, Default, Encode, Decode)]
pub struct Claims {
    /// The latest claim that was accepted; by the identity key, a disclaim must be later.
    #[n(0)]
    pub latest: u64,
    /// Later than any removal; by the identity key, a claim must be later.
    #[n(1)]
    pub after: u64,
    /// The latest statement of either kind by the recovery key, whose next must be later: what a thief signs
    /// with the identity key must not make it wait.
    #[n(2)]
    pub recovery: Option<u64>,
    /// For whom the recovery key claimed last: SHA-256 of the principal.
    #[n(3)]
    pub claimed: Option<Hash>,
    /// Until when the account is that principal's alone, if it is: [`AccountRow::check_held`].
    #[n(4)]
    pub held_until: Option<u64>,
}

impl Claims {
    /// A claim by the recovery key for the principal for which it claimed last holds the account for it:
    /// whoever takes an account back must not have to race with a thief.
    pub fn hold(&mut self, principal: Hash, now: u64) {
        if self.claimed.replace(principal) == Some(principal) {
            self.held_until = Some(now.saturating_add(limits::TAKING_BACK_MS));
        }
    }

    /// Takes a claim; else the time it has to be later than.
    pub fn claim(&mut self, by: Authority, at: u64) -> Result<(), u64> {
        self.later(by, at, self.after)?;
        self.latest = self.latest.max(at);
        Ok(())
    }

    /// Takes a disclaim, now; else the time it has to be later than.
    pub fn disclaim(&mut self, by: Authority, at: u64, now: u64) -> Result<(), u64> {
        self.later(by, at, self.latest)?;
        self.after = self.latest.max(at).max(now);
        Ok(())
    }

    fn later(&mut self, by: Authority, at: u64, identity: u64) -> Result<(), u64> {
        let than = match by {
            Authority::Identity => identity,
            Authority::Recovery => self.recovery.unwrap_or(0),
        };
        if at <= than {
            return Err(than);
        }
        if by == Authority::Recovery {
            self.recovery = Some(at);
        }
        Ok(())
    }

    /// The identity key is another: nothing that the one before signed verifies any more.
    pub fn renew(&mut self) {
        (self.latest, self.after) = (0, 0);
    }

    /// The recovery key made the identity keys anew: nobody is left to hold the account against.
    pub fn release(&mut self) {
        self.held_until = None;
    }
}

/// An account.
#[derive(Clone, Debug, Encode, Decode)]
pub struct AccountRow {
    /// Its id.
    #[n(0)]
    pub id: AccountId,
    /// Its genesis fingerprint.
    #[n(1)]
    pub genesis: Hash,
    /// The key link in force.
    #[n(2)]
    pub link: Hash,
    /// That link's signing key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub signing: [u8; 32],
    /// That link's recovery key.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub recovery: [u8; 32],
    /// Links in the chain.
    #[n(5)]
    pub links: u32,
    /// Who may call for it, ascending.
    #[n(6)]
    pub principals: Vec<ByteVec>,
    /// Owner ledger.
    #[n(7)]
    pub ledger: Chain,
    /// Audit chain.
    #[n(8)]
    pub audit: Chain,
    /// Notifications so far.
    #[n(9)]
    pub inbox: u64,
    /// Next blob number.
    #[n(10)]
    pub next_blob: u64,
    /// Bytes of content, descriptors and unfinished uploads.
    #[n(11)]
    pub bytes: u64,
    /// Records.
    #[n(12)]
    pub records: u64,
    /// Grants given that are not revoked.
    #[n(13)]
    pub live_grants: u64,
    /// Grants given so far.
    #[n(14)]
    pub grants_given: u64,
    /// Grants received so far.
    #[n(15)]
    pub grants_received: u64,
    /// Requests received so far.
    #[n(16)]
    pub requests_received: u64,
    /// Requests made so far.
    #[n(17)]
    pub requests_made: u64,
    /// Requests that wait for a decision.
    #[n(18)]
    pub pending_requests: u64,
    /// Invitations that may still be used.
    #[n(19)]
    pub open_invitations: u64,
    /// Uploads this account has under way.
    #[n(20)]
    pub open_uploads: u64,
    /// Refused strangers.
    #[n(21)]
    pub strangers: Strangers,
    /// Upgrades of the vault that the audit chain knows of.
    #[n(22)]
    pub upgrades_seen: u64,
    /// Place in the directory.
    #[n(23)]
    pub directory: Option<u64>,
    /// When it was opened.
    #[n(24)]
    pub opened: u64,
    /// Refusals to grantees that were listed in the current window.
    #[n(25)]
    pub refusals: Option<Strangers>,
    /// Accounts whose keys its owner recorded, if any.
    #[n(26)]
    pub pins: Option<u64>,
    /// Claims and disclaims so far, once there was one.
    #[n(27)]
    pub claims: Option<Claims>,
    /// Up to how many bytes what saves the account may take since it was last taken back, whatever a
    /// thief had used up.
    #[n(28)]
    pub recovery_room: Option<u64>,
}

impl Row for AccountRow {
    const TABLE: Table = Table::Accounts;
}

impl AccountRow {
    /// Key of an account.
    pub fn key(number: u64) -> Key {
        Key::new(Self::TABLE.tag()).u64(number)
    }

    /// Whether its identity key may decide anything in the name of this caller: while someone takes it
    /// back with the recovery phrase, of its principals only they may.
    ///
    /// # Errors
    /// [`Error::Temporary`], for [`limits::TAKING_BACK_MS`] at most after each such claim.
    pub fn check_held(&self, caller: &[u8], now: u64) -> salus_types::Result<()> {
        let claims = self.claims.unwrap_or_default();
        let held = claims.held_until.is_some_and(|until| now < until);
        if held && claims.claimed != Some(sha256(caller)) {
            return Err(Error::Temporary {
                reason: "the account is being taken back with its recovery phrase".into(),
            });
        }
        Ok(())
    }

    /// What was made for an earlier state of its ledger is told the one that it is in.
    pub fn stale(&self) -> Error {
        Error::StaleHead {
            count: self.ledger.count,
            head: self.ledger.hash,
        }
    }

    /// Whether a principal may call for it.
    pub fn has_principal(&self, principal: &[u8]) -> bool {
        self.principals.iter().any(|p| p.as_slice() == principal)
    }
}

/// Which account a principal calls for.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct PrincipalRow(#[n(0)] pub u64);

impl Row for PrincipalRow {
    const TABLE: Table = Table::Principals;
}

impl PrincipalRow {
    /// Key of a principal.
    pub fn key(principal: &[u8]) -> Key {
        Key::new(Self::TABLE.tag()).bytes(principal)
    }
}

/// The number of an account id.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct AccountIdRow(#[n(0)] pub u64);

impl Row for AccountIdRow {
    const TABLE: Table = Table::AccountIds;
}

impl AccountIdRow {
    /// Key of an account id.
    pub fn key(id: &AccountId) -> Key {
        Key::new(Self::TABLE.tag()).bytes(id.as_bytes())
    }
}

/// The account that a recovery key belongs to.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct RecoveryRow(#[n(0)] pub u64);

impl Row for RecoveryRow {
    const TABLE: Table = Table::Recoveries;
}

impl RecoveryRow {
    /// Key of a recovery public key.
    pub fn key(public: &[u8; 32]) -> Key {
        Key::new(Self::TABLE.tag()).bytes(public)
    }
}

/// A compartment and its feed.
#[derive(Clone, Debug, Encode, Decode)]
pub struct FeedState {
    /// Which; the drop box is one of them.
    #[n(0)]
    pub compartment: CompartmentId,
    /// Its current epoch; 0 for the drop box, which has no key.
    #[n(1)]
    pub epoch: u32,
    /// Its feed.
    #[n(2)]
    pub feed: Chain,
    /// Digest of the feed's labelled leaf in the certified tree.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub node: [u8; 32],
}

/// A slot as far as the next ledger check needs it.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct SlotState {
    /// Which.
    #[n(0)]
    pub id: SlotId,
    /// Its kind.
    #[n(1)]
    pub kind: SlotKind,
    /// When its use was last noted, ms since 1970.
    #[n(2)]
    pub used: Option<u64>,
}

/// What an account consists of, as far as the next ledger check and the certified tree need it.
#[derive(Clone, Debug, Encode, Decode)]
pub struct OutlineRow {
    /// Generation of the account master key.
    #[n(0)]
    pub generation: u32,
    /// Slots, ascending.
    #[n(1)]
    pub slots: Vec<SlotState>,
    /// Compartments and the drop box, ascending; the drop box is always the first.
    #[n(2)]
    pub feeds: Vec<FeedState>,
}

impl Row for OutlineRow {
    const TABLE: Table = Table::Outlines;
}

impl OutlineRow {
    /// Key of an account's outline.
    pub fn key(number: u64) -> Key {
        Key::new(Self::TABLE.tag()).u64(number)
    }

    /// A compartment or the drop box.
    pub fn feed(&self, compartment: &CompartmentId) -> Option<&FeedState> {
        let at = self
            .feeds
            .binary_search_by_key(compartment, |f| f.compartment)
            .ok()?;
        self.feeds.get(at)
    }

    /// A compartment or the drop box.
    pub fn feed_mut(&mut self, compartment: &CompartmentId) -> Option<&mut FeedState> {
        let at = self
            .feeds
            .binary_search_by_key(compartment, |f| f.compartment)
            .ok()?;
        self.feeds.get_mut(at)
    }

    /// The current epoch of a compartment; `None` for the drop box.
    pub fn epoch(&self, compartment: &CompartmentId) -> Option<u32> {
        self.feed(compartment)
            .map(|f| f.epoch)
            .filter(|epoch| *epoch > 0)
    }
}

/// The owner's sealed profile note.
#[derive(Clone, Debug, Encode, Decode)]
pub struct ProfileRow(#[n(0)] pub Large);

impl Row for ProfileRow {
    const TABLE: Table = Table::Profiles;
}

impl ProfileRow {
    /// Key of an account's profile.
    pub fn key(number: u64) -> Key {
        Key::new(Self::TABLE.tag()).u64(number)
    }
}

/// Configuration and counters of the vault.
#[derive(Clone, Debug, Encode, Decode)]
pub struct SettingsRow {
    /// Whether anyone may open an account.
    #[n(0)]
    pub open_sign_up: bool,
    /// Storage of each account, in bytes.
    #[n(1)]
    pub account_quota: u64,
    /// Upgrades so far.
    #[n(2)]
    pub upgrades: u64,
    /// Directory entries so far.
    #[n(3)]
    pub directory: u64,
    /// Pairings that are kept; none where it is absent.
    #[n(4)]
    pub pairings: Option<u64>,
}

impl Row for SettingsRow {
    const TABLE: Table = Table::Settings;
}

impl SettingsRow {
    /// The one key.
    pub fn key() -> Key {
        Key::new(Self::TABLE.tag())
    }
}

/// A signed ledger operation.
#[derive(Clone, Debug, Encode, Decode)]
pub struct OpRow {
    /// Its bytes.
    #[n(0)]
    pub statement: Large,
    /// Its signature.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
    /// Its length in bytes, known without loading it.
    #[n(2)]
    pub len: u64,
}

impl Row for OpRow {
    const TABLE: Table = Table::Ledger;
}

impl OpRow {
    /// Key of an operation.
    pub fn key(owner: u64, seq: u64) -> Key {
        Self::prefix(owner).u64(seq)
    }

    /// Prefix of an account's operations.
    pub fn prefix(owner: u64) -> Key {
        Key::new(Self::TABLE.tag()).u64(owner)
    }
}

/// A link of a key chain.
#[derive(Clone, Debug, Encode, Decode)]
pub struct LinkRow {
    /// Its bytes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub statement: Vec<u8>,
    /// Signature of who authorised it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
    /// Signature of its own key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub possession: Vec<u8>,
}

impl Row for LinkRow {
    const TABLE: Table = Table::Links;
}

impl LinkRow {
    /// Key of a link.
    pub fn key(owner: u64, index: u32) -> Key {
        Self::prefix(owner).u32(index)
    }

    /// Prefix of an account's links.
    pub fn prefix(owner: u64) -> Key {
        Key::new(Self::TABLE.tag()).u64(owner)
    }
}
