//! Slots and the recovery phrase.

use crate::fixture::*;
use salus_crypto::hierarchy::Amk;
use salus_crypto::phrase::{PhraseError, RecoveryPhrase, WORDS};
use salus_crypto::slot::{ANCHOR_LEN, SlotKind, SlotSecret, WRAP_LEN, wrap_amk};
use salus_crypto::{OpenError, context};
use salus_types::{Hash, SlotId};

const GENESIS: Hash = Hash([0x9e; 32]);
const OTHER_SLOT: SlotId = SlotId([0x52; 16]);

#[test]
fn phrases_are_as_bip_39_publishes_them() {
    let legal = "legal winner thank year wave sausage worth useful ".repeat(3);
    let legal = format!("{}title", legal.trim_end().trim_end_matches("useful"));
    for (entropy, words) in [
        ([0; 32], format!("{}art", "abandon ".repeat(23))),
        ([0xff; 32], format!("{}vote", "zoo ".repeat(23))),
        ([0x7f; 32], legal),
    ] {
        let phrase = RecoveryPhrase::from_entropy(entropy);
        assert_eq!(*phrase.to_words(), words);
        let parsed = RecoveryPhrase::parse(&words).unwrap();
        assert_eq!(parsed.slot_secret().expose(), &entropy);
    }
}

#[test]
fn a_fresh_phrase_has_24_words_and_comes_back() {
    let phrase = RecoveryPhrase::generate().unwrap();
    let words = phrase.to_words();
    assert_eq!(words.split(' ').count(), WORDS);
    let parsed = RecoveryPhrase::parse(&words).unwrap();
    assert_eq!(parsed.slot_secret().expose(), phrase.slot_secret().expose());
    assert_ne!(*RecoveryPhrase::generate().unwrap().to_words(), *words);
}

#[test]
fn case_and_white_space_do_not_matter() {
    let words = RecoveryPhrase::from_entropy(bytes("phrase")).to_words();
    let sloppy = format!(
        "\n  {}\t\r\n",
        words.to_uppercase().replace(' ', " \n\u{a0} ")
    );
    let parsed = RecoveryPhrase::parse(&sloppy).unwrap();
    assert_eq!(parsed.slot_secret().expose(), &bytes::<32>("phrase"));
}

#[test]
fn a_wrong_word_is_named() {
    let words = RecoveryPhrase::from_entropy(bytes("phrase")).to_words();
    let mut list: Vec<&str> = words.split(' ').collect();
    list[6] = "salus";
    let error = RecoveryPhrase::parse(&list.join(" ")).unwrap_err();
    assert_eq!(error, PhraseError::UnknownWord { index: 6 });
    assert_eq!(error.to_string(), "word 7 is not in the word list");
}

#[test]
fn a_missing_word_and_a_shorter_standard_phrase_are_refused() {
    let words = RecoveryPhrase::from_entropy([0; 32]).to_words();
    let error = |text: &str| RecoveryPhrase::parse(text).unwrap_err();
    assert_eq!(error(&words[8..]), PhraseError::Count(23));
    assert_eq!(
        error(&format!("abandon {}", *words)),
        PhraseError::Count(25)
    );
    assert_eq!(
        error(&format!("{}about", "abandon ".repeat(11))),
        PhraseError::Count(12)
    );
    assert_eq!(error(""), PhraseError::Count(0));
}

#[test]
fn exchanged_or_replaced_words_fail_the_checksum() {
    let words = RecoveryPhrase::from_entropy(bytes("phrase")).to_words();
    let mut list: Vec<&str> = words.split(' ').collect();
    list.swap(0, 1);
    assert_eq!(
        RecoveryPhrase::parse(&list.join(" ")).unwrap_err(),
        PhraseError::Checksum
    );
}

#[test]
fn the_recovery_key_depends_on_vault_and_phrase_only() {
    let phrase = RecoveryPhrase::from_entropy(bytes("phrase"));
    let key = phrase.derive_signing_key(VAULT);
    assert_eq!(key, phrase.derive_signing_key(VAULT));
    assert_ne!(key, phrase.derive_signing_key(OTHER_VAULT));
    let other = RecoveryPhrase::from_entropy(bytes("other"));
    assert_ne!(key, other.derive_signing_key(VAULT));
    // It is none of the slot's keys.
    let slot = phrase.slot_secret().derive_keys(scope(), SLOT).unwrap();
    assert!(
        !slot
            .public()
            .as_bytes()
            .windows(32)
            .any(|w| w == key.public())
    );
}

#[test]
fn slot_keys_come_out_the_same_later_and_differ_by_slot_account_vault_and_kind() {
    let secret = SlotSecret::from_file(bytes("secret"));
    let public = |secret: &SlotSecret, scope, slot| {
        secret
            .derive_keys(scope, slot)
            .unwrap()
            .public()
            .as_bytes()
            .to_vec()
    };
    let all = [
        public(&secret, scope(), SLOT),
        public(&secret, scope(), OTHER_SLOT),
        public(&secret, other_account(), SLOT),
        public(&secret, other_vault(), SLOT),
        public(
            &SlotSecret::from_browser_hmac(bytes("secret")),
            scope(),
            SLOT,
        ),
        public(
            &RecoveryPhrase::from_entropy(bytes("secret")).slot_secret(),
            scope(),
            SLOT,
        ),
        public(
            &SlotSecret::from_passkey_hkdf(bytes("secret")),
            scope(),
            SLOT,
        ),
        public(&SlotSecret::from_file(bytes("other")), scope(), SLOT),
    ];
    assert_eq!(all[0], public(&secret, scope(), SLOT));
    let distinct: std::collections::HashSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
    let tags: std::collections::HashSet<_> = SlotKind::ALL.iter().map(|k| k.tag()).collect();
    assert_eq!(tags.len(), 5);
}

#[test]
fn an_anchor_opens_and_has_one_length() {
    let keys = slot_keys();
    let sealed = keys.seal_anchor(scope(), SLOT, GENESIS).unwrap();
    assert_eq!(sealed.len(), ANCHOR_LEN);
    assert_eq!(keys.open_anchor(scope(), SLOT, &sealed), Ok(GENESIS));
}

#[test]
fn an_anchor_of_another_slot_account_or_vault_is_refused() {
    let secret = SlotSecret::from_file(bytes("slot secret"));
    let keys = slot_keys();
    let sealed = keys.seal_anchor(scope(), SLOT, GENESIS).unwrap();
    let wrong = Err(OpenError::WrongKeyOrContext);
    for (scope, slot) in [
        (scope(), OTHER_SLOT),
        (other_account(), SLOT),
        (other_vault(), SLOT),
    ] {
        // Neither by the same keys for another place, nor by the keys of that place.
        assert_eq!(keys.open_anchor(scope, slot, &sealed), wrong);
        let there = secret.derive_keys(scope, slot).unwrap();
        assert_eq!(there.open_anchor(scope, slot, &sealed), wrong);
    }
}

#[test]
fn an_anchor_of_another_persons_slot_is_refused() {
    let other = SlotSecret::from_file(bytes("someone else"));
    let other = other.derive_keys(scope(), SLOT).unwrap();
    let sealed = other.seal_anchor(scope(), SLOT, GENESIS).unwrap();
    let error = slot_keys().open_anchor(scope(), SLOT, &sealed);
    assert_eq!(error, Err(OpenError::WrongKeyOrContext));
}

#[test]
fn the_master_key_opens_with_the_slot_alone() {
    let keys = slot_keys();
    let amk = Amk::generate(4).unwrap();
    let wrap = wrap_amk(keys.public(), scope(), SLOT, &amk).unwrap();
    assert_eq!(wrap.len(), WRAP_LEN);
    assert_eq!(keys.unwrap_amk(scope(), SLOT, 4, &wrap).unwrap(), amk);
}

#[test]
fn a_master_key_of_another_generation_slot_account_vault_or_type_is_refused() {
    let keys = slot_keys();
    let amk = Amk::generate(4).unwrap();
    let wrap = wrap_amk(keys.public(), scope(), SLOT, &amk).unwrap();
    let refused = Err(OpenError::Envelope);
    assert_eq!(
        keys.unwrap_amk(scope(), SLOT, 3, &wrap),
        refused,
        "older generation"
    );
    assert_eq!(
        keys.unwrap_amk(scope(), SLOT, 5, &wrap),
        refused,
        "newer generation"
    );
    assert_eq!(
        keys.unwrap_amk(scope(), OTHER_SLOT, 4, &wrap),
        refused,
        "another slot"
    );
    assert_eq!(
        keys.unwrap_amk(other_account(), SLOT, 4, &wrap),
        refused,
        "another account"
    );
    assert_eq!(
        keys.unwrap_amk(other_vault(), SLOT, 4, &wrap),
        refused,
        "another vault"
    );
    let browser = SlotSecret::from_browser_hmac(bytes("slot secret"));
    let browser = browser.derive_keys(scope(), SLOT).unwrap();
    assert_eq!(
        browser.unwrap_amk(scope(), SLOT, 4, &wrap),
        refused,
        "another kind of slot"
    );
}

#[test]
fn a_master_key_of_the_wrong_length_is_refused() {
    let keys = slot_keys();
    for len in [0, 31, 33, 64] {
        let context = context::slot_wrap(scope(), SLOT, 1);
        let text = stream("short", len);
        let wrap = envelope(keys.public().as_bytes(), &context, &text, "short");
        assert_eq!(
            keys.unwrap_amk(scope(), SLOT, 1, &wrap),
            Err(OpenError::Malformed)
        );
    }
}

#[test]
fn secrets_do_not_print() {
    let secret = SlotSecret::generate_for_file().unwrap();
    let hex: String = secret.expose().iter().map(|b| format!("{b:02x}")).collect();
    let phrase = RecoveryPhrase::generate().unwrap();
    for text in [
        format!("{secret:?}"),
        format!("{:?}", secret.derive_keys(scope(), SLOT).unwrap()),
        format!("{phrase:?}"),
        format!("{:?}", phrase.derive_signing_key(VAULT)),
        format!("{:?}", amk(1)),
        format!("{:?}", key("k")),
        format!("{:?}", seed("s")),
    ] {
        assert!(text.contains("secret"), "{text}");
        assert!(!text.contains(&hex) && !text.contains("[1"), "{text}");
    }
}
