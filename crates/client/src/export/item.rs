//! What an exported account is made of: a sequence of items, each canonical CBOR (docs/format.md,
//! section 18). Must not know where they come from.

use minicbor::{Decode, Encode};
use salus_protocol::canonical;
use salus_types::api::{AuditItem, Filed, GrantStatus, GrantView, Pseudonym, Signed, SignedLink};
use salus_types::api::{Filing as WireFiling, VersionView};
use salus_types::{AccountId, CompartmentId, Hash, RecordId};

/// The one format there is.
pub(super) const FORMAT: u32 = 1;

/// A link of a key chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Link {
    #[cbor(n(0), with = "minicbor::bytes")]
    statement: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    signature: Vec<u8>,
    #[cbor(n(2), with = "minicbor::bytes")]
    possession: Vec<u8>,
}

impl From<&SignedLink> for Link {
    fn from(link: &SignedLink) -> Self {
        Self {
            statement: link.statement.to_vec(),
            signature: link.signature.to_vec(),
            possession: link.possession.to_vec(),
        }
    }
}

/// An entry of a chain, or its hash where it is hidden.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) enum Entry {
    #[n(0)]
    Shown(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    #[n(1)]
    Hidden(#[n(0)] Hash),
}

impl From<&AuditItem> for Entry {
    fn from(item: &AuditItem) -> Self {
        match item {
            AuditItem::Entry(bytes) => Self::Shown(bytes.to_vec()),
            AuditItem::Hidden(hash) => Self::Hidden(*hash),
        }
    }
}

/// Where a version is filed, and its keys wrapped for that place.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct Filing {
    #[n(0)]
    compartment: CompartmentId,
    #[n(1)]
    epoch: u32,
    #[cbor(n(2), with = "minicbor::bytes")]
    wrap_descriptor: Vec<u8>,
    #[cbor(n(3), with = "minicbor::bytes")]
    wrap_content: Vec<u8>,
}

impl From<&WireFiling> for Filing {
    fn from(filing: &WireFiling) -> Self {
        Self {
            compartment: filing.compartment,
            epoch: filing.epoch,
            wrap_descriptor: filing.wrap_descriptor.to_vec(),
            wrap_content: filing.wrap_content.to_vec(),
        }
    }
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) enum Item {
    /// First: whose account, and the network's word for where its chains end.
    #[n(0)]
    #[cbor(map)]
    Header {
        #[n(0)]
        format: u32,
        #[cbor(n(1), with = "minicbor::bytes")]
        vault: Vec<u8>,
        #[n(2)]
        account: AccountId,
        #[n(3)]
        genesis: Hash,
        #[n(4)]
        number: u64,
        #[cbor(n(5), with = "minicbor::bytes")]
        certificate: Vec<u8>,
        #[cbor(n(6), with = "minicbor::bytes")]
        witness: Vec<u8>,
        #[cbor(n(7), with = "minicbor::bytes")]
        root_key: Vec<u8>,
        #[cbor(n(8), with = "minicbor::bytes")]
        profile: Vec<u8>,
    },
    /// A key chain: the account's own first, then those of others who wrote a version.
    #[n(1)]
    #[cbor(map)]
    Chain {
        #[n(0)]
        account: AccountId,
        #[n(1)]
        links: Vec<Link>,
    },
    /// An operation of the owner ledger, in order.
    #[n(2)]
    #[cbor(map)]
    Operation {
        #[cbor(n(0), with = "minicbor::bytes")]
        statement: Vec<u8>,
        #[cbor(n(1), with = "minicbor::bytes")]
        signature: Vec<u8>,
    },
    /// An entry of a feed, in order within its compartment.
    #[n(3)]
    #[cbor(map)]
    Feed {
        #[n(0)]
        compartment: CompartmentId,
        #[cbor(n(1), with = "minicbor::bytes")]
        entry: Vec<u8>,
    },
    /// An entry of the audit trail, in order.
    #[n(4)]
    #[cbor(map)]
    Audit {
        #[n(0)]
        entry: Entry,
    },
    /// Whom a pseudonym of the audit trail stands for.
    #[n(5)]
    #[cbor(map)]
    Name {
        #[n(0)]
        pseudonym: Hash,
        #[n(1)]
        account: AccountId,
        #[cbor(n(2), with = "minicbor::bytes")]
        salt: Vec<u8>,
    },
    /// The newest revision of a grant that was given, with the owner's note.
    #[n(6)]
    #[cbor(map)]
    Grant {
        #[cbor(n(0), with = "minicbor::bytes")]
        statement: Vec<u8>,
        #[cbor(n(1), with = "minicbor::bytes")]
        signature: Vec<u8>,
        #[cbor(n(2), with = "minicbor::bytes")]
        note: Vec<u8>,
        /// When it was revoked, if it was.
        #[n(3)]
        revoked: Option<u64>,
    },
    /// A version, followed by its pieces.
    #[n(7)]
    #[cbor(map)]
    Version {
        #[cbor(n(0), with = "minicbor::bytes")]
        statement: Vec<u8>,
        #[cbor(n(1), with = "minicbor::bytes")]
        signature: Vec<u8>,
        #[cbor(n(2), with = "minicbor::bytes")]
        descriptor: Vec<u8>,
        #[n(3)]
        filing: Option<Filing>,
        /// Of a version in the drop box.
        #[cbor(n(4), with = "minicbor::bytes")]
        envelope: Option<Vec<u8>>,
        #[n(5)]
        at: u64,
    },
    /// A piece of a part of the version before it, in order.
    #[n(8)]
    #[cbor(map)]
    Piece {
        #[n(0)]
        record: RecordId,
        #[n(1)]
        version: u32,
        #[n(2)]
        part: u32,
        #[cbor(n(3), with = "minicbor::bytes")]
        bytes: Vec<u8>,
    },
    /// Last: how many items came before. Without it the file is not whole.
    #[n(9)]
    #[cbor(map)]
    End {
        #[n(0)]
        items: u64,
    },
}

impl Item {
    pub(super) fn encode(&self) -> Vec<u8> {
        canonical::encode(self)
    }
}

impl From<&Signed> for Item {
    fn from(op: &Signed) -> Self {
        Self::Operation {
            statement: op.statement.to_vec(),
            signature: op.signature.to_vec(),
        }
    }
}

impl From<&Pseudonym> for Item {
    fn from(name: &Pseudonym) -> Self {
        Self::Name {
            pseudonym: name.pseudonym,
            account: name.account,
            salt: name.salt.to_vec(),
        }
    }
}

impl From<&GrantView> for Item {
    fn from(view: &GrantView) -> Self {
        Self::Grant {
            statement: view.statement.statement.to_vec(),
            signature: view.statement.signature.to_vec(),
            note: view.note.to_vec(),
            revoked: match view.status {
                GrantStatus::Live => None,
                GrantStatus::Revoked(at) => Some(at),
            },
        }
    }
}

impl From<&VersionView> for Item {
    fn from(view: &VersionView) -> Self {
        let (filing, envelope) = match &view.filed {
            Filed::Compartment(filing) => (Some(filing.into()), None),
            Filed::DropBox { envelope, .. } => (None, Some(envelope.to_vec())),
        };
        Self::Version {
            statement: view.statement.statement.to_vec(),
            signature: view.statement.signature.to_vec(),
            descriptor: view.descriptor.to_vec(),
            filing,
            envelope,
            at: view.at,
        }
    }
}
