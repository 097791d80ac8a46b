//! Asking, granting, revoking, and reading what was granted. Must not know how parts are sent or
//! fetched.

mod advance;
mod build;
mod follow;
mod given;
mod granted;
mod link;
mod received;
mod renew;
mod requests;
mod revoke;

pub(crate) use advance::Since;
pub use follow::Followed;
pub use given::{GivenGrant, GrantPhase, Terms};
pub use link::{Link, LinkError};
pub use received::ReceivedGrant;
pub use requests::{Ask, IncomingRequest, OutgoingRequest};
pub use revoke::Revoked;
