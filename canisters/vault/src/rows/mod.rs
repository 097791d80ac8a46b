//! What is stored, one type per table, apart from what crosses the wire. Fields are numbered; new
//! ones are optional and come last. Must not know endpoints or decisions.

mod access;
mod account;
mod pairing;
mod record;
mod social;

pub use access::{
    GrantGivenRow, GrantReceivedRow, GrantRow, InvitationRow, OpenedRow, PinRow, RequestMadeRow,
    RequestReceivedRow, RequestRow, RequestStatusRow, TieRow,
};
pub use account::{
    AccountIdRow, AccountRow, Chain, Claims, FeedState, LinkRow, OpRow, OutlineRow, PrincipalRow,
    ProfileRow, RecoveryRow, SettingsRow, SlotState, Strangers,
};
pub use pairing::{
    PairingAnswerRow, PairingBegunRow, PairingClaimRow, PairingExpiryRow, PairingFinishRow,
    PairingOfferRow, PairingRow,
};
pub use record::{
    CurrentRow, DiscardedRow, DropPlace, FeedRow, FiledPlace, PartRow, RecordRow, UploadExpiryRow,
    UploadRow, VersionBody, VersionPlace, VersionRow,
};
pub use social::{AuditRow, DirectoryRow, InboxRow, NoticeRow, PseudonymRow, SaltRow};
