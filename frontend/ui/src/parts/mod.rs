//! What screens are built of. Must not know which screen.

mod button;
mod contradiction;
mod controls;
mod dialog;
mod failure;
mod icon;
mod leaving;
mod locking;
mod new_words;
mod people;
mod phrase;
mod progress;
mod records;
mod sheet;
mod states;
mod terms;
mod ways;

pub(crate) use button::{Look, button};
pub(crate) use controls::{check, choice, field, select, text_area};
pub(crate) use dialog::Dialog;
pub(crate) use failure::problem;
pub(crate) use icon::{Icon, icon, kind_icon, mark};
pub(crate) use leaving::SignOut;
pub(crate) use locking::{Locking, Prove};
pub(crate) use new_words::NewWords;
pub(crate) use people::{person_line, qr_code, trust_note};
pub(crate) use phrase::{phrase_field, scan};
pub(crate) use progress::progress;
pub(crate) use records::{paragraphs, record_list, sections};
pub(crate) use sheet::recovery_sheet;
pub(crate) use states::{empty, head, list, loaded};
pub(crate) use terms::{
    Wanted, scope_words, terms_complete, terms_form, wanted_complete, wish_form,
};
pub(crate) use ways::Ways;
