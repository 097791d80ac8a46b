//! What screens are built of. Must not know which screen.

mod controls;
mod dialog;
mod failure;
mod icon;
mod people;
mod progress;
mod records;
mod states;
mod terms;

pub(crate) use controls::{Button, Check, Choice, Field, Link, Look, Select, TextArea};
pub(crate) use dialog::Dialog;
pub(crate) use failure::Problem;
pub(crate) use icon::{Icon, Mark, icon, kind_icon};
pub(crate) use people::{PersonLine, QrCode, TrustNote};
pub(crate) use progress::ProgressNote;
pub(crate) use records::{RecordList, Sections, paragraphs};
pub(crate) use states::{Empty, head, list, loaded};
pub(crate) use terms::{TermsForm, Wanted, WishForm, scope_words, terms_complete, wanted_complete};
