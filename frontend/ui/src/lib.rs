//! The page of Salus: what people see and press.
//!
//! Owns views, words and the place one is at. Must never hold a key, speak to a canister
//! or know a cipher: it sends [`salus_messages::Intent`]s to the worker and shows what
//! comes back. `static/boot.js` starts it.
//!
//! # How it is put together
//!
//! `route` (places), `model` (what the whole page knows), `remote` (something loaded) are
//! pure and tested natively. `hooks` has the one way to load and the one way to act,
//! `parts::states` and `parts::failure` the one way each to show waiting and failing.
//! `screens` has a module per place, `locales/` every word.
//!
//! No `style` attribute, no `innerHTML`, nothing in storage but the chosen language.
//!
//! # Names for browser tests (`data-testid`)
//!
//! | where | names |
//! |---|---|
//! | everywhere | `title` (the h1), `loading`, `problem` (with `data-kind`), `retry`, `empty`, `show-more`, `said` (messages that something was done), `progress`, `progress-stage`, `cancel-operation`, `starting`, `prove`, `prove-phrase`, `prove-send`, `prove-cancel` |
//! | frame | `side-health`, `side-practice`, `nav-home`, `nav-records`, `nav-sharing`, `nav-activity`, `nav-patients`, `nav-ask`, `nav-outgoing`, `nav-inbox`, `unread`, `nav-account`, `lock`, `locking` (the warning), `locking-seconds`, `locking-stay` |
//! | welcome | `welcome`, `network`, `ask-first` (when one came by a link), `sign-in` (disabled until the key is there), `sign-in-waiting`, `sign-in-cancel`, `language` |
//! | create | `create`, `display-name`, `stay-unlocked`, `create-begin`, `phrase` (a list), `phrase-word` (each, `data-position` from 1), `phrase-written`, `phrase-print`, `check-word-N` (N from 1), `check-word-N-error`, `phrase-back`, `create-vault`, `sign-out` |
//! | unlock | `unlock`, `unlock-here`, `by-passkey`, `passphrase`, `sheet-key`, `by-passphrase`, `recovery-phrase`, `stay-unlocked`, `unlock-with-phrase`, `sign-out` |
//! | home | `greeting`, `second-way`, `renewal-left`, `waiting-request` (a link each), `add-record`, `compartment-card` (with `data-compartment`), `record-list`, `promise` |
//! | records | `compartment-all`, `compartment-filter` (with `data-compartment`), `search`, `add-record`, `add-compartment`, `compartment-dialog`, `compartment-name`, `compartment-save`, `record-list`, `record-item` (with `data-record`), `record-title`, `author` (with `data-verified`), `unfiled` |
//! | record | `record` (with `data-version`), `record-note`, `record-section`, `author` (with `data-verified`), `attachment`, `download` (each), `amend`, `share-record`, `history`, `version-item` (with `data-version`), `older-version`, `newest-version`, `file-into`, `file-record` |
//! | add and amend | `editor`, `record-title-input`, `record-kind`, `record-date`, `record-compartment`, `record-note-input`, `record-files`, `chosen-file`, `save-record`, `import-offer`, `import-bundle`, `keep-as-file`, `keep-N` (files of the version before), `import-summary`, `import-count`, `import-done` |
//! | sharing | `past-grants` (ended ones, folded), `invite`, `give-access`, `request-item` (with `data-request`, `data-status`), `review-request`, `grant-item` (with `data-grant`, `data-status`), `grant-scope`, `grant-rights`, `grant-purpose`, `grant-until`, `revoke`, `revoke-dialog`, `revoke-confirm`, `revoke-cancel`, `invite-dialog`, `invite-make`, `invite-link`, `invite-copy`, `qr` |
//! | someone's keys | `safety-open`, `safety-panel`, `safety-together`, `safety-code`, `safety-shown`, `safety-scan`, `safety-compare`, `safety-verified`, `keys-changed` (with `data-change`), `keys-accept`, `keys-stop` |
//! | review and give | `request`, `request-who`, `request-what`, `request-until`, `request-why`, `scope-everything`, `scope-compartments`, `scope-list`, `scope-records`, `scope-follows`, `scope-<compartment id>`, `right-read`, `right-append`, `terms-days`, `terms-purpose`, `approve`, `deny`, `directory-search`, `directory-item` (with `data-account`), `choose-provider`, `give`, `person`, `person-name`, `trust` (with `data-trust`) |
//! | activity | `verify`, `verification` (with `data-outcome` `ok` or the defect), `verified-entries`, `verified-head`, `verified-at`, `export`, `audit-entry` (with `data-kind`, `data-sequence`) |
//! | inbox | `notification` (with `data-kind`, `data-unread`) |
//! | account | `account-name`, `principal`, `safety-number`, `security`, `idle-minutes`, `language`, `lock-now`, `sign-out`, `sign-out-dialog`, `sign-out-only`, `sign-out-confirm`, `sign-out-cancel` |
//! | security | `second-way`, `slot` (with `data-slot`, `data-here`), `slot-name`, `last-used`, `slot-remove`, `remove-dialog`, `remove-confirm`, `stay-unlocked`, `stay-dialog`, `stay-label`, `stay-confirm`, `passkey-add`, `passkey-dialog`, `passkey-label`, `passkey-make`, `passphrase-add`, `passphrase-dialog`, `passphrase-new`, `passphrase-anywhere`, `sheet-key-new`, `passphrase-keep`, `sign-out-everywhere`, `sheet`, `sheet-dialog`, `sheet-phrase`, `sheet-make`, `sheet-paper`, `sheet-print`, `sheet-done`, `words-replace`, `replace-old`, `replace-begin`, `replace-finish`, `sign-in-item` (with `data-here`), `sign-in-add`, `site`, `sign-in-remove`, `sign-in-remove-confirm`, `lost`, `lost-dialog`, `lost-<slot>`, `lost-sign-in-<principal>`, `lost-confirm`, `lost-done`, `renew`, `renew-unfinished`, `renewed` |
//! | another device | `pair-from-other` (on unlock), `pair-let-in` (on account), `pair-first`, `pair-join`, `pair-code`, `qr`, `pair-back`, `pair-approve`, `pair-code-input`, `pair-label`, `pair-answer`, `pair-words`, `pair-word` (each), `pair-joins`, `pair-stay`, `pair-same`, `pair-differ`, `pair-ended`, `pair-again` |
//! | practice | `register`, `provider-name`, `provider-specialty`, `register-provider`, `patient-item` (with `data-account`), `patient-link`, `read-link`, `link-view`, `ask-form`, `wish-everything`, `wish-some`, `wish-<category>`, `ask-read`, `ask-append`, `ask-purpose`, `ask-days`, `send-request`, `asked`, `outgoing-item` (with `data-status`), `list-records` (the recorded listing), `patient`, `write-note` |

mod app;
mod app_context;
mod browser;
mod channel;
mod frame;
mod hooks;
mod model;
mod parts;
mod passkey;
mod remote;
mod route;
mod screens;
mod sign_in;
mod texts;
mod words;

use js_sys::{Array, Function, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;

/// Shows the page; `post(bytes, files)` sends to the worker.
#[wasm_bindgen]
pub fn start(post: Function) {
    channel::connect(post);
    let place = browser::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("app"));
    if let Some(place) = place {
        // What the document shows until the page is here.
        place.set_text_content(None);
        yew::Renderer::<app::Root>::with_root(place).render();
    }
}

/// A message from the worker.
#[wasm_bindgen]
pub fn receive(bytes: &Uint8Array, files: &Array) {
    channel::hear(bytes, files);
}

/// The worker could not start, or died.
#[wasm_bindgen]
pub fn failed(why: &str) {
    channel::lose(&app::start_failure(why));
}
