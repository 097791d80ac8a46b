//! Passphrases, the recovery sheet's key, and passkeys: the slot secrets that are computed with
//! public parameters. Expected values were made by another implementation: the reference Argon2
//! (libargon2 20171227), and HKDF and HMAC written out in Python.

use crate::fixture::*;
use hkdf::Hkdf;
use salus_crypto::passphrase::{
    DeviceKey, DeviceSecret, OWN_CHARACTERS, Passphrase, PassphraseError, SecondSecret, WORDS,
    generate_parameters,
};
use salus_crypto::sheet::{SheetKey, SheetKeyError};
use salus_crypto::slot::{SlotKind, SlotSecret};
use salus_crypto::{VaultScope, context};
use salus_protocol::ledger::{
    ParametersError, PasskeyParameters, PassphraseParameters, SecondSecretKind,
};
use salus_types::{SlotId, limits};
use sha2::Sha256;
use std::collections::HashSet;

const OTHER_SLOT: SlotId = SlotId([0x52; 16]);
const TEXT: &str = "correct horse battery staple";

pub(crate) fn parameters(second: SecondSecretKind) -> PassphraseParameters {
    PassphraseParameters {
        memory_kib: limits::PASSPHRASE_MEMORY_KIB.0,
        passes: limits::PASSPHRASE_PASSES.0,
        salt: bytes("passphrase salt"),
        second,
    }
}

pub(crate) fn passkey() -> PasskeyParameters {
    PasskeyParameters {
        credential: stream("credential", 20),
        salt: bytes("passkey salt"),
    }
}

pub(crate) fn sheet() -> SecondSecret {
    SecondSecret::Sheet(SheetKey::from_bytes(bytes("sheet key")))
}

fn device(scope: VaultScope<'_>, slot: SlotId) -> SecondSecret {
    let key = DeviceKey::from_bytes(bytes("device key"));
    SecondSecret::Device(key.authenticate(scope, slot))
}

fn secret(
    text: &str,
    scope: VaultScope<'_>,
    slot: SlotId,
    parameters: &PassphraseParameters,
    second: &SecondSecret,
) -> [u8; 32] {
    let passphrase = Passphrase::read(text).unwrap();
    let secret = passphrase.derive_secret(scope, slot, parameters, second);
    let secret = secret.unwrap();
    assert_eq!(secret.kind(), SlotKind::Passphrase);
    *secret.expose()
}

#[test]
fn a_passphrase_gives_what_another_implementation_gives() {
    let with_sheet = parameters(SecondSecretKind::Sheet);
    assert_eq!(
        hex::encode(secret(TEXT, scope(), SLOT, &with_sheet, &sheet())),
        "8758c3469fcb6c76654db207ab0a9e0eb0a3aa87483f33b3507bb79a51b7e091"
    );
    let with_device = PassphraseParameters {
        memory_kib: 66_560,
        passes: 4,
        ..parameters(SecondSecretKind::Device)
    };
    assert_eq!(
        hex::encode(secret(
            TEXT,
            scope(),
            SLOT,
            &with_device,
            &device(scope(), SLOT)
        )),
        "a3a5c7deeea1fe03e38a30142062b6c8e67bd682165f78e84bf9e47779d76555"
    );
}

#[test]
fn a_passkey_gives_what_web_crypto_gives() {
    let prf: [u8; 32] = bytes("prf output");
    let own = SlotSecret::derive_from_prf(&prf, scope(), SLOT, &passkey());
    assert_eq!(own.kind(), SlotKind::Passkey);
    let info = context::passkey_slot(scope(), SLOT, &passkey());
    let mut other = [0; 32];
    Hkdf::<Sha256>::new(Some(&[]), &prf)
        .expand(info.as_bytes(), &mut other)
        .unwrap();
    assert_eq!(own.expose(), &other);
    assert_eq!(
        hex::encode(other),
        "9cca8cdcb37b7c9245a2bd5376186bb1631aa6f77b4d16c47e9a08465fc44d3d"
    );
    let again = SlotSecret::from_passkey_hkdf(other);
    let public = |secret: &SlotSecret| {
        let keys = secret.derive_keys(scope(), SLOT).unwrap();
        keys.public().as_bytes().to_vec()
    };
    assert_eq!(public(&own), public(&again));
    // Another credential, or another salt, is another secret, even if the output were the same.
    let mut seen = HashSet::from([other]);
    for swapped in [
        PasskeyParameters {
            credential: stream("another", 20),
            ..passkey()
        },
        PasskeyParameters {
            salt: bytes("another"),
            ..passkey()
        },
    ] {
        let secret = SlotSecret::derive_from_prf(&prf, scope(), SLOT, &swapped);
        assert!(seen.insert(*secret.expose()));
    }
    for (scope, slot) in [
        (scope(), OTHER_SLOT),
        (other_account(), SLOT),
        (other_vault(), SLOT),
    ] {
        let secret = SlotSecret::derive_from_prf(&prf, scope, slot, &passkey());
        assert!(seen.insert(*secret.expose()));
    }
}

#[test]
fn everything_that_is_public_changes_the_secret() {
    let right = parameters(SecondSecretKind::Sheet);
    let mut seen = HashSet::from([secret(TEXT, scope(), SLOT, &right, &sheet())]);
    let weaker = PassphraseParameters {
        memory_kib: right.memory_kib + 1,
        ..right.clone()
    };
    let more_passes = PassphraseParameters {
        passes: right.passes + 1,
        ..right.clone()
    };
    let other_salt = PassphraseParameters {
        salt: bytes("another salt"),
        ..right.clone()
    };
    let other_sheet = SecondSecret::Sheet(SheetKey::from_bytes(bytes("another sheet")));
    for (name, secret) in [
        ("memory", secret(TEXT, scope(), SLOT, &weaker, &sheet())),
        (
            "passes",
            secret(TEXT, scope(), SLOT, &more_passes, &sheet()),
        ),
        ("salt", secret(TEXT, scope(), SLOT, &other_salt, &sheet())),
        ("slot", secret(TEXT, scope(), OTHER_SLOT, &right, &sheet())),
        (
            "account",
            secret(TEXT, other_account(), SLOT, &right, &sheet()),
        ),
        ("vault", secret(TEXT, other_vault(), SLOT, &right, &sheet())),
        (
            "passphrase",
            secret("correct horse", scope(), SLOT, &right, &sheet()),
        ),
        ("sheet", secret(TEXT, scope(), SLOT, &right, &other_sheet)),
    ] {
        assert!(seen.insert(secret), "another {name} gives the same");
    }
}

#[test]
fn a_second_secret_of_another_kind_is_refused_and_never_left_out() {
    let passphrase = Passphrase::read(TEXT).unwrap();
    for (second, parameters) in [
        (sheet(), parameters(SecondSecretKind::Device)),
        (device(scope(), SLOT), parameters(SecondSecretKind::Sheet)),
    ] {
        let refused = passphrase.derive_secret(scope(), SLOT, &parameters, &second);
        assert_eq!(refused.unwrap_err(), PassphraseError::SecondSecret);
    }
    // The same bytes as one kind are not those of the other.
    let with =
        |second: &SecondSecret| secret(TEXT, scope(), SLOT, &parameters(second.kind()), second);
    let mut padded = [0; 32];
    padded[..16].copy_from_slice(&bytes::<16>("sheet key"));
    let device = SecondSecret::Device(DeviceSecret::from_hmac(padded));
    assert_ne!(with(&sheet()), with(&device));
}

#[test]
fn parameters_that_are_too_weak_or_too_costly_are_refused_before_memory_is_taken() {
    let passphrase = Passphrase::read(TEXT).unwrap();
    let right = parameters(SecondSecretKind::Sheet);
    let with = |memory_kib, passes| PassphraseParameters {
        memory_kib,
        passes,
        ..right.clone()
    };
    let (memory, passes) = (limits::PASSPHRASE_MEMORY_KIB, limits::PASSPHRASE_PASSES);
    for (refused, expected) in [
        (with(0, 3), ParametersError::BelowFloor),
        (with(8, 3), ParametersError::BelowFloor),
        (with(memory.0 - 1, 3), ParametersError::BelowFloor),
        (with(memory.0, passes.0 - 1), ParametersError::BelowFloor),
        (with(memory.0, 0), ParametersError::BelowFloor),
        (with(memory.1 + 1, 3), ParametersError::AboveCeiling),
        // 4 TiB: whoever asked for it would not come back.
        (with(u32::MAX, 3), ParametersError::AboveCeiling),
        (with(memory.0, passes.1 + 1), ParametersError::AboveCeiling),
        (with(memory.0, u32::MAX), ParametersError::AboveCeiling),
    ] {
        let error = passphrase.derive_secret(scope(), SLOT, &refused, &sheet());
        assert_eq!(error.unwrap_err(), PassphraseError::Parameters(expected));
    }
}

#[test]
fn what_is_generated_has_77_bits_and_the_least_work_allowed() {
    let words: HashSet<&str> = bip39::Language::English
        .word_list()
        .iter()
        .copied()
        .collect();
    let mut seen = HashSet::new();
    for _ in 0..50 {
        let passphrase = Passphrase::generate().unwrap();
        let text = passphrase.expose().to_owned();
        assert_eq!(text.split(' ').count(), WORDS);
        assert!(text.split(' ').all(|word| words.contains(word)), "{text}");
        assert_eq!(Passphrase::choose(&text).unwrap().expose(), text);
        assert!(seen.insert(text));
    }
    assert!(WORDS as f64 * (words.len() as f64).log2() >= 77.0);
    for second in [SecondSecretKind::Sheet, SecondSecretKind::Device] {
        let (one, other) = (
            generate_parameters(second).unwrap(),
            generate_parameters(second).unwrap(),
        );
        assert_eq!((one.check(), one.second), (Ok(()), second));
        assert_ne!(one.salt, other.salt);
    }
}

#[test]
fn white_space_does_not_matter_and_everything_else_does() {
    let read = |text: &str| Passphrase::read(text).unwrap().expose().to_owned();
    assert_eq!(
        read("  correct \t\n horse\u{a0}\u{2003}battery  staple\r\n"),
        TEXT
    );
    assert_ne!(read("Correct horse battery staple"), TEXT);
    assert_ne!(read("correct-horse-battery-staple"), TEXT);
    // Not normalised: composed and decomposed letters are different texts.
    assert_ne!(read("contrase\u{f1}a"), read("contrasen\u{303}a"));
}

#[test]
fn passphrases_that_are_too_short_or_too_long_are_refused() {
    for text in ["", "   ", "\u{a0}"] {
        assert_eq!(
            Passphrase::read(text).unwrap_err(),
            PassphraseError::TooShort
        );
    }
    let short = "ñ".repeat(OWN_CHARACTERS - 1);
    assert_eq!(
        Passphrase::choose(&short).unwrap_err(),
        PassphraseError::TooShort
    );
    assert!(Passphrase::read(&short).is_ok());
    assert!(Passphrase::choose(&format!("{short}ñ")).is_ok());
    assert!(Passphrase::read(&"x".repeat(1024)).is_ok());
    for long in [1025, 1 << 20] {
        let long = "x".repeat(long);
        assert_eq!(
            Passphrase::read(&long).unwrap_err(),
            PassphraseError::TooLong
        );
    }
}

#[test]
fn a_sheet_key_is_printed_as_another_implementation_prints_it_and_read_as_people_type() {
    let key = SheetKey::from_bytes(bytes("sheet key"));
    let text = key.to_text();
    assert_eq!(*text, "J5P5Y-8XPM1-98CZ8-RHXXK-S0KT4-PYT9T");
    for typed in [
        text.to_string(),
        text.to_lowercase(),
        text.replace('-', ""),
        text.replace('-', " \u{2013}\n"),
        text.replace('1', "l").replace('0', "o"),
        text.replace('1', "I").replace('0', "O"),
    ] {
        let read = SheetKey::parse(&typed).unwrap();
        assert_eq!(read.to_text(), text, "{typed}");
    }
    for _ in 0..100 {
        let key = SheetKey::generate().unwrap();
        let read = SheetKey::parse(&key.to_text()).unwrap();
        assert_eq!(read.to_text(), key.to_text());
    }
}

#[test]
fn a_mistyped_sheet_key_is_refused() {
    let text = SheetKey::from_bytes(bytes("sheet key")).to_text();
    let plain = text.replace('-', "");
    let characters: Vec<char> = plain.chars().collect();
    let refused = |characters: &[char]| {
        let text: String = characters.iter().collect();
        SheetKey::parse(&text).unwrap_err()
    };
    let alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (at, right) in characters.iter().enumerate() {
        for other in alphabet.chars().filter(|c| c != right) {
            let mut typed = characters.clone();
            typed[at] = other;
            assert_eq!(refused(&typed), SheetKeyError::Checksum, "{at}: {other}");
        }
        if characters.get(at + 1).is_some_and(|next| next != right) {
            let mut typed = characters.clone();
            typed.swap(at, at + 1);
            assert_eq!(refused(&typed), SheetKeyError::Checksum, "{at} swapped");
        }
    }
    assert_eq!(refused(&characters[1..]), SheetKeyError::Length(29));
    assert_eq!(refused(&[]), SheetKeyError::Length(0));
    let longer = [characters.as_slice(), &['0']].concat();
    assert_eq!(refused(&longer), SheetKeyError::Length(31));
    for strange in ['U', 'u', '!', 'é', '\u{0}'] {
        let mut typed = characters.clone();
        typed[7] = strange;
        assert_eq!(refused(&typed), SheetKeyError::Character { index: 7 });
    }
}

#[test]
fn a_devices_answer_is_for_one_slot_and_for_passphrases_only() {
    let key = DeviceKey::from_bytes(bytes("device key"));
    let by_hand = |context: &salus_crypto::Context| {
        let mut mac = <hmac::Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key.expose()).unwrap();
        hmac::Mac::update(&mut mac, context.as_bytes());
        let out: [u8; 32] = hmac::Mac::finalize(mac).into_bytes().into();
        out
    };
    let right = secret(
        TEXT,
        scope(),
        SLOT,
        &parameters(SecondSecretKind::Device),
        &SecondSecret::Device(key.authenticate(scope(), SLOT)),
    );
    let with = |output| {
        let second = SecondSecret::Device(DeviceSecret::from_hmac(output));
        secret(
            TEXT,
            scope(),
            SLOT,
            &parameters(SecondSecretKind::Device),
            &second,
        )
    };
    assert_eq!(
        with(by_hand(&context::passphrase_device(scope(), SLOT))),
        right
    );
    for other in [
        context::passphrase_device(scope(), OTHER_SLOT),
        context::passphrase_device(other_account(), SLOT),
        context::passphrase_device(other_vault(), SLOT),
        // What opens "stay unlocked here" is not it.
        context::browser_slot(scope(), SLOT),
    ] {
        assert_ne!(with(by_hand(&other)), right);
    }
}

#[test]
fn secrets_do_not_print() {
    for text in [
        format!("{:?}", Passphrase::read(TEXT).unwrap()),
        format!("{:?}", SheetKey::from_bytes([1; 16])),
        format!("{:?}", DeviceKey::from_bytes([1; 32])),
        format!("{:?}", sheet()),
        format!("{:?}", device(scope(), SLOT)),
    ] {
        assert!(text.contains("secret"), "{text}");
        assert!(!text.contains("horse") && !text.contains("[1"), "{text}");
    }
}
