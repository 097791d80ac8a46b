//! The headers that certify a page: the certificate's up to the first zero, then the expression's.
#![cfg_attr(fuzzing, no_main)]

#[macro_use]
mod target;

fn try_on(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (certificate, expression) = text.split_once('\0').unwrap_or((&text, ""));
    let headers = vec![
        ("IC-Certificate".into(), certificate.into()),
        ("IC-CertificateExpression".into(), expression.into()),
    ];
    let canister = candid::Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 7, 1, 1]);
    let now = 1_700_000_000_000_000_000;
    let _ = salus_localnet::decoders::certification("/a", headers, canister, &[1; 133], now);
}

target!(try_on);
