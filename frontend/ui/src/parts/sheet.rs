//! The recovery sheet: on the screen the words, on paper one page with all that is needed to use them.

use crate::parts::qr_code;
use crate::texts::Texts;
use salus_messages::RecoverySheet;
use yew::{Html, html};

/// The sheet.
pub(crate) fn recovery_sheet(t: &'static Texts, sheet: &RecoverySheet) -> Html {
    html! {
        <div class="sheet" data-testid="sheet-paper">
            <div class="on-paper">
                <p class="sheet-title">{ t.sheet_title }</p>
                <p>{ t.sheet_lead }</p>
            </div>
            <ol class="phrase" data-testid="phrase" translate="no">
                { for sheet.words.iter().enumerate().map(|(place, word)| html! {
                    <li data-testid="phrase-word" data-position={(place + 1).to_string()}>{ &word.0 }</li>
                }) }
            </ol>
            <div class="on-paper sheet-foot">
                <div>
                    { qr_code(&sheet.qr, t.recovery_phrase) }
                    <p>{ t.sheet_qr }</p>
                </div>
                <div>
                    <p>{ t.sheet_use }</p>
                    <p><code>{ &sheet.site }</code></p>
                    <p>{ t.phrase_warning }</p>
                </div>
            </div>
        </div>
    }
}
