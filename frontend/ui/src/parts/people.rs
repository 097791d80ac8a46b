//! People, how far their keys are known, and codes to hand over.

use crate::app_context::use_app;
use crate::parts::{Icon, icon};
use crate::words;
use salus_messages::{Person, Qr, Trust};
use yew::{AttrValue, Html, Properties, function_component, html};

#[derive(Properties, PartialEq)]
pub(crate) struct People {
    pub(crate) person: Person,
}

/// A name with initials, specialty, and how far the key is known.
#[function_component(PersonLine)]
pub(crate) fn person_line(props: &People) -> Html {
    let app = use_app();
    let person = &props.person;
    let name = words::person(app.t, person);
    html! {
        <div class="person" data-testid="person">
            <span class="initials" aria-hidden="true">{ words::initials(&name) }</span>
            <div class="person-words">
                <p class="person-name" data-testid="person-name">{ name }</p>
                <p class="quiet-text">
                    { words::specialty(app.t, person) }
                </p>
                <TrustNote person={person.clone()} />
            </div>
        </div>
    }
}

/// How far someone's key is known, and what a registrar says.
#[function_component(TrustNote)]
pub(crate) fn trust_note(props: &People) -> Html {
    let app = use_app();
    let person = &props.person;
    let (tone, sign) = match person.trust {
        Trust::Own | Trust::Pinned => ("good", Icon::Shield),
        Trust::Certified => ("fair", Icon::Check),
        Trust::Unknown => ("fair", Icon::Alert),
        Trust::Changed => ("bad", Icon::Alert),
    };
    let attested = person.attestation.as_ref().map(|attestation| {
        let date = words::day(app.language(), attestation.at);
        words::fill(
            app.t.attested,
            &[
                ("registrar", attestation.registrar.as_str()),
                ("date", date.as_str()),
            ],
        )
    });
    html! {
        <p class={yew::classes!("trust", tone)} data-testid="trust" data-trust={format!("{:?}", person.trust)}>
            { icon(sign) }
            <span>{ words::trust(app.t, person.trust) }{ attested.map(|text| format!(". {text}")) }</span>
        </p>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct QrCodes {
    pub(crate) qr: Qr,
    pub(crate) label: AttrValue,
}

/// A QR code with its quiet zone, always dark on white.
#[function_component(QrCode)]
pub(crate) fn qr_code(props: &QrCodes) -> Html {
    let qr = &props.qr;
    let side = u32::from(qr.side);
    let whole = side + 8;
    html! {
        <svg class="qr" viewBox={format!("0 0 {whole} {whole}")} role="img"
            aria-label={props.label.clone()} data-testid="qr">
            <rect class="qr-ground" width={whole.to_string()} height={whole.to_string()} rx="2" />
            <path class="qr-dark" d={words::qr_path(qr)} />
        </svg>
    }
}
