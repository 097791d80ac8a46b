//! People, how far their keys are known, and codes to hand over.

use crate::app_context::App;
use crate::parts::{Icon, icon};
use crate::words;
use salus_messages::{Person, Qr, Trust};
use yew::{Html, html};

/// A name with initials, specialty, and how far the key is known.
pub(crate) fn person_line(app: &App, person: &Person) -> Html {
    let name = words::person(app.t, person);
    html! {
        <div class="person" data-testid="person">
            <span class="initials" aria-hidden="true">{ words::initials(&name) }</span>
            <div class="person-words">
                <p class="person-name" data-testid="person-name">{ name }</p>
                <p class="quiet-text">{ words::specialty(app.t, person) }</p>
                { trust_note(app, person) }
            </div>
        </div>
    }
}

/// How far someone's key is known, and what a registrar says.
pub(crate) fn trust_note(app: &App, person: &Person) -> Html {
    let (class, sign) = match person.trust {
        Trust::Own | Trust::Verified => ("trust good", Icon::Shield),
        Trust::Pinned => ("trust good", Icon::Check),
        Trust::Certified => ("trust fair", Icon::Check),
        Trust::Unknown => ("trust fair", Icon::Alert),
        Trust::Changed => ("trust bad", Icon::Alert),
    };
    let (trust, name) = words::trust(app.t, person.trust);
    let attested = person.attestation.as_ref().map(|attestation| {
        let date = words::day(app.language(), attestation.at);
        let registrar = attestation.registrar.as_str();
        let blanks = [("registrar", registrar), ("date", date.as_str())];
        format!(". {}", words::fill(app.t.attested, &blanks))
    });
    html! {
        <p {class} data-testid="trust" data-trust={name}>
            { icon(sign) }
            <span>{ trust }{ attested }</span>
        </p>
    }
}

/// A QR code with its quiet zone, always dark on white.
pub(crate) fn qr_code(qr: &Qr, label: &'static str) -> Html {
    let whole = (u32::from(qr.side) + 8).to_string();
    html! {
        <svg class="qr" viewBox={format!("0 0 {whole} {whole}")} role="img"
            aria-label={label} data-testid="qr">
            <rect class="qr-ground" width={whole.clone()} height={whole} rx="2" />
            <path class="qr-dark" d={words::qr_path(qr)} />
        </svg>
    }
}
