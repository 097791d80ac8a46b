//! Golden files: every format, byte by byte, for ever. A file is added when a format is; none is
//! ever changed. Missing files are written when `SALUS_WRITE_GOLDEN` is set.

use crate::fixture::*;
use crate::{envelopes, passphrases, records};
use salus_crypto::commitment::commit_purpose;
use salus_crypto::envelope::{GrantContents, RequestContents, RequestWish};
use salus_crypto::hierarchy::{EpochKey, IdentityBundle, IdentitySeeds, VersionKeys};
use salus_crypto::local::LocalKey;
use salus_crypto::passphrase::{DeviceKey, Passphrase, SecondSecret};
use salus_crypto::phrase::RecoveryPhrase;
use salus_crypto::record::{Descriptor, open_part, seal_part};
use salus_crypto::sheet::SheetKey;
use salus_crypto::sign::SigningKey;
use salus_crypto::slot::{SlotSecret, wrap_amk};
use salus_crypto::{Context, Key, context, hazmat, hpke, note, pad, seal};
use salus_types::{Hash, UploadId};
use serde_json::{Map, Value};
use std::path::PathBuf;

struct Golden {
    file: &'static str,
    cases: Map<String, Value>,
}

impl Golden {
    fn new(file: &'static str) -> Self {
        let cases = Map::new();
        Self { file, cases }
    }

    fn add(&mut self, name: &str, bytes: &[u8]) {
        self.cases.insert(name.into(), hex::encode(bytes).into());
    }

    /// Compares with the file.
    fn check(self) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden")
            .join(format!("{}.json", self.file));
        if !path.exists() && std::env::var_os("SALUS_WRITE_GOLDEN").is_some() {
            let text = serde_json::to_string_pretty(&self.cases).unwrap();
            std::fs::write(&path, text + "\n").unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let stored: Map<String, Value> = serde_json::from_str(&text).unwrap();
        for (name, value) in &stored {
            let now = self.cases.get(name);
            assert_eq!(now, Some(value), "{}: {name} has changed", self.file);
        }
        assert_eq!(
            stored.len(),
            self.cases.len(),
            "{}: cases not in the file",
            self.file
        );
    }
}

/// The sealed text with its random salt replaced by one from a name.
fn fixed(key: &Key, context: &Context, sealed: &[u8], name: &str) -> Vec<u8> {
    let text = seal::open(key, context, sealed).unwrap();
    hazmat::seal::seal_with_salt(key, context.as_bytes(), &text, bytes(name)).unwrap()
}

/// The envelope with its random encapsulation replaced by one from a name.
fn fixed_envelope(
    seed: &hpke::SecretSeed,
    context: &Context,
    sealed: &[u8],
    name: &str,
) -> Vec<u8> {
    let text = hpke::open_with(seed, context, sealed).unwrap();
    envelope(seed.public().unwrap().as_bytes(), context, &text, name)
}

#[test]
fn contexts() {
    let mut golden = Golden::new("contexts");
    let (s, a) = (scope(), at());
    let hash = Hash([0x5a; 32]);
    for (name, context) in [
        ("recovery_signing", context::recovery_signing(VAULT)),
        ("browser_slot", context::browser_slot(s, SLOT)),
        ("slot_seed", context::slot_seed(s, SLOT, b"file")),
        (
            "slot_anchor_key",
            context::slot_anchor_key(s, SLOT, b"file"),
        ),
        ("slot_anchor", context::slot_anchor(s, SLOT)),
        ("slot_wrap", context::slot_wrap(s, SLOT, 1)),
        ("slot_label", context::slot_label(s, SLOT, 1)),
        ("bundle", context::bundle(s, 1)),
        ("epoch_wrap", context::epoch_wrap(s, COMPARTMENT, 2, 1)),
        (
            "compartment_name",
            context::compartment_name(s, COMPARTMENT, 1),
        ),
        ("owner_note", context::owner_note(s, GRANT, 1)),
        ("profile_note", context::profile_note(s, 1)),
        ("descriptor", context::descriptor(&a)),
        ("content", context::content(&a, 1)),
        ("content_salt", context::content_salt(&a, 1, hash, 9)),
        (
            "descriptor_key_wrap",
            context::descriptor_key_wrap(s, RECORD, 3, COMPARTMENT, 2),
        ),
        (
            "content_key_wrap",
            context::content_key_wrap(s, RECORD, 3, COMPARTMENT, 2),
        ),
        ("drop_box", context::drop_box(&a)),
        (
            "grant_envelope",
            context::grant_envelope(s, GRANT, 1, GRANTEE, LINK),
        ),
        (
            "request_envelope",
            context::request_envelope(s, REQUEST, GRANTEE, LINK),
        ),
        ("epoch_kid", context::epoch_kid(s, COMPARTMENT, 2)),
        ("descriptor_kid", context::descriptor_kid(s, RECORD, 3)),
        ("content_kid", context::content_kid(s, RECORD, 3)),
        ("local_key", context::local_key(s, 1)),
        (
            "upload_journal",
            context::upload_journal(s, UploadId([6; 16])),
        ),
        ("sealed_cache", context::sealed_cache(s, b"records")),
    ] {
        golden.add(name, context.as_bytes());
    }
    golden.check();
}

#[test]
fn sealed_texts() {
    let mut golden = Golden::new("seal");
    for len in [0, 1, 100] {
        let (text, salt) = (stream("golden", len), bytes("golden salt"));
        let sealed = hazmat::seal::seal_with_salt(&key("golden"), b"context", &text, salt).unwrap();
        assert_eq!(
            hazmat::seal::open_raw(&key("golden"), b"context", &sealed).unwrap(),
            text
        );
        golden.add(&format!("{len} bytes"), &sealed);
    }
    // Longer ones by their hash.
    for len in [16_384, 40_000] {
        let (text, salt) = (stream("golden", len), bytes("golden salt"));
        let sealed = hazmat::seal::seal_with_salt(&key("golden"), b"context", &text, salt).unwrap();
        let hash = salus_crypto::commitment::sha256(&sealed);
        golden.add(&format!("{len} bytes, sha256"), hash.as_bytes());
    }
    golden.add("key", key("golden").expose());
    golden.check();
}

#[test]
fn padded_texts() {
    let mut golden = Golden::new("pad");
    golden.add("empty", &pad::pad(b""));
    golden.add("short", &pad::pad(b"short"));
    for len in [1_017u64, 5_000, 1 << 20, (256 << 20) + 1] {
        golden.add(
            &format!("length of {len}"),
            &pad::padded_len(len).to_be_bytes(),
        );
    }
    golden.check();
}

#[test]
fn derived_keys() {
    let mut golden = Golden::new("derive");
    let phrase = RecoveryPhrase::from_entropy(bytes("phrase"));
    golden.add("phrase", phrase.to_words().as_bytes());
    golden.add(
        "recovery public key",
        &phrase.derive_signing_key(VAULT).public(),
    );
    for (name, secret) in [
        ("recovery", phrase.slot_secret()),
        ("browser", SlotSecret::from_browser_hmac(bytes("phrase"))),
        ("file", SlotSecret::from_file(bytes("phrase"))),
    ] {
        let keys = secret.derive_keys(scope(), SLOT).unwrap();
        let hash = salus_crypto::commitment::sha256(keys.public().as_bytes());
        golden.add(&format!("{name} slot public key, sha256"), hash.as_bytes());
    }
    let epoch = EpochKey {
        compartment: COMPARTMENT,
        epoch: 2,
        key: key("epoch"),
    };
    let keys = VersionKeys {
        descriptor: key("descriptor"),
        content: key("content"),
    };
    golden.add("epoch kid", epoch.kid(scope()).as_bytes());
    golden.add(
        "descriptor kid",
        keys.descriptor_kid(scope(), RECORD, 3).as_bytes(),
    );
    golden.add(
        "content kid",
        keys.content_kid(scope(), RECORD, 3).as_bytes(),
    );
    golden.add(
        "purpose",
        commit_purpose(&bytes("salt"), "second opinion").as_bytes(),
    );
    let parts = [Hash([1; 32]), Hash([2; 32])];
    golden.add("plaintext", records::descriptor().commit(&parts).as_bytes());
    golden.add(
        "signature",
        &SigningKey::from_seed(&bytes("sign")).sign(b"statement"),
    );
    golden.check();
}

/// Slot secrets that are computed with public parameters.
#[test]
fn slots_with_parameters() {
    let mut golden = Golden::new("slots-with-parameters");
    let (passkey, prf) = (passphrases::passkey(), bytes("prf output"));
    let context = context::passkey_slot(scope(), SLOT, &passkey);
    golden.add("passkey context", context.as_bytes());
    let secret = SlotSecret::derive_from_prf(&prf, scope(), SLOT, &passkey);
    golden.add("passkey secret", secret.expose());
    let keys = secret.derive_keys(scope(), SLOT).unwrap();
    let hash = salus_crypto::commitment::sha256(keys.public().as_bytes());
    golden.add("passkey slot public key, sha256", hash.as_bytes());

    let context = context::passphrase_device(scope(), SLOT);
    golden.add("passphrase device context", context.as_bytes());
    let device = DeviceKey::from_bytes(bytes("device key"));
    let passphrase = Passphrase::read("correct horse battery staple").unwrap();
    for (name, second) in [
        ("sheet", passphrases::sheet()),
        (
            "device",
            SecondSecret::Device(device.authenticate(scope(), SLOT)),
        ),
    ] {
        let parameters = passphrases::parameters(second.kind());
        let context = context::passphrase_slot(scope(), SLOT, &parameters);
        golden.add(
            &format!("passphrase with {name}, context"),
            context.as_bytes(),
        );
        let secret = passphrase.derive_secret(scope(), SLOT, &parameters, &second);
        let secret = secret.unwrap();
        golden.add(&format!("passphrase with {name}, secret"), secret.expose());
        let keys = secret.derive_keys(scope(), SLOT).unwrap();
        let hash = salus_crypto::commitment::sha256(keys.public().as_bytes());
        golden.add(
            &format!("passphrase with {name}, slot public key, sha256"),
            hash.as_bytes(),
        );
    }
    let text = SheetKey::from_bytes(bytes("sheet key")).to_text();
    golden.add("sheet key", text.as_bytes());
    golden.check();
}

#[test]
fn slots() {
    let mut golden = Golden::new("slots");
    let keys = slot_keys();
    // What the derivation gives, written out: the anchor key and the seed of this slot.
    let secret: [u8; 32] = bytes("slot secret");
    let anchor_info = context::slot_anchor_key(scope(), SLOT, b"file");
    let anchor = hazmat::hkdf::derive_sha256(&secret, anchor_info.as_bytes());
    let seed_info = context::slot_seed(scope(), SLOT, b"file");
    let seed = hazmat::hkdf::derive_sha256(&secret, seed_info.as_bytes());
    let sealed = keys.seal_anchor(scope(), SLOT, LINK).unwrap();
    let context = context::slot_anchor(scope(), SLOT);
    let sealed = fixed(&Key::from_bytes(*anchor), &context, &sealed, "anchor");
    assert_eq!(keys.open_anchor(scope(), SLOT, &sealed), Ok(LINK));
    golden.add("anchor", &sealed);
    let wrap = wrap_amk(keys.public(), scope(), SLOT, &amk(1)).unwrap();
    let context = context::slot_wrap(scope(), SLOT, 1);
    let wrap = fixed_envelope(
        &hpke::SecretSeed::from_bytes(*seed),
        &context,
        &wrap,
        "wrap",
    );
    assert_eq!(keys.unwrap_amk(scope(), SLOT, 1, &wrap).unwrap(), amk(1));
    golden.add("wrap", &wrap);
    golden.check();
}

#[test]
fn hierarchy() {
    let mut golden = Golden::new("hierarchy");
    let seeds = |name: &str| IdentitySeeds {
        link: Hash(bytes(name)),
        hpke: seed(name),
        signing: SigningKey::from_seed(&bytes(&format!("{name} signing"))),
    };
    let mut bundle = IdentityBundle::new(seeds("first"));
    bundle.rotate(seeds("second"));
    bundle.retire_amk(amk(1));
    let master = amk_key(2);
    let sealed = bundle.seal(&amk(2), scope()).unwrap();
    let sealed = fixed(&master, &context::bundle(scope(), 2), &sealed, "bundle");
    assert_eq!(
        IdentityBundle::open(&amk(2), scope(), &sealed).unwrap(),
        bundle
    );
    golden.add("bundle", &sealed);

    let epoch = EpochKey {
        compartment: COMPARTMENT,
        epoch: 2,
        key: key("epoch"),
    };
    let sealed = epoch.wrap(&amk(2), scope()).unwrap();
    let sealed = fixed(
        &master,
        &context::epoch_wrap(scope(), COMPARTMENT, 2, 2),
        &sealed,
        "epoch",
    );
    assert_eq!(
        EpochKey::unwrap(&amk(2), scope(), COMPARTMENT, 2, &sealed),
        Ok(epoch.clone())
    );
    golden.add("epoch", &sealed);

    let keys = VersionKeys {
        descriptor: key("descriptor"),
        content: key("content"),
    };
    let mut wrapped = epoch.wrap_version_keys(scope(), RECORD, 3, &keys).unwrap();
    let context = context::descriptor_key_wrap(scope(), RECORD, 3, COMPARTMENT, 2);
    wrapped.descriptor = fixed(&epoch.key, &context, &wrapped.descriptor, "descriptor wrap");
    let context = context::content_key_wrap(scope(), RECORD, 3, COMPARTMENT, 2);
    wrapped.content = fixed(&epoch.key, &context, &wrapped.content, "content wrap");
    assert_eq!(
        epoch.unwrap_version_keys(scope(), RECORD, 3, &wrapped),
        Ok(keys.clone())
    );
    golden.add("descriptor key", &wrapped.descriptor);
    golden.add("content key", &wrapped.content);

    let owner = seed("owner");
    let sealed = keys
        .seal_to_drop_box(&owner.public().unwrap(), &at())
        .unwrap();
    let sealed = fixed_envelope(&owner, &context::drop_box(&at()), &sealed, "drop box");
    assert_eq!(VersionKeys::open_drop_box(&owner, &at(), &sealed), Ok(keys));
    golden.add("drop box", &sealed);
    golden.check();
}

#[test]
fn notes() {
    let mut golden = Golden::new("notes");
    let (amk, master) = (amk(1), amk_key(1));
    let sealed = note::seal_compartment_name(&amk, scope(), COMPARTMENT, "Blood").unwrap();
    let context = context::compartment_name(scope(), COMPARTMENT, 1);
    let sealed = fixed(&master, &context, &sealed, "name");
    let opened = note::open_compartment_name(&amk, scope(), COMPARTMENT, &sealed);
    assert_eq!(opened.as_deref(), Ok("Blood"));
    golden.add("compartment name", &sealed);

    let sealed = note::seal_slot_label(&amk, scope(), SLOT, "Laptop").unwrap();
    let sealed = fixed(
        &master,
        &context::slot_label(scope(), SLOT, 1),
        &sealed,
        "label",
    );
    let opened = note::open_slot_label(&amk, scope(), SLOT, &sealed);
    assert_eq!(opened.as_deref(), Ok("Laptop"));
    golden.add("slot label", &sealed);

    let sealed = note::seal_owner_note(&amk, scope(), GRANT, b"note").unwrap();
    let sealed = fixed(
        &master,
        &context::owner_note(scope(), GRANT, 1),
        &sealed,
        "note",
    );
    assert_eq!(
        note::open_owner_note(&amk, scope(), GRANT, &sealed).unwrap()[..],
        *b"note"
    );
    golden.add("owner note", &sealed);

    let sealed = note::seal_profile_note(&amk, scope(), b"profile").unwrap();
    let sealed = fixed(
        &master,
        &context::profile_note(scope(), 1),
        &sealed,
        "profile",
    );
    assert_eq!(
        note::open_profile_note(&amk, scope(), &sealed).unwrap()[..],
        *b"profile"
    );
    golden.add("profile note", &sealed);

    let local = LocalKey::derive(&amk, scope());
    let info = context::local_key(scope(), 1);
    let key = Key::from_bytes(*hazmat::hkdf::derive_sha256(
        master.expose(),
        info.as_bytes(),
    ));
    let upload = UploadId([6; 16]);
    let sealed = local.seal_journal(scope(), upload, b"journal").unwrap();
    let sealed = fixed(
        &key,
        &context::upload_journal(scope(), upload),
        &sealed,
        "journal",
    );
    assert_eq!(
        local.open_journal(scope(), upload, &sealed).unwrap()[..],
        *b"journal"
    );
    golden.add("upload journal", &sealed);
    let sealed = local.seal_cache(scope(), b"records", b"cache").unwrap();
    let sealed = fixed(
        &key,
        &context::sealed_cache(scope(), b"records"),
        &sealed,
        "cache",
    );
    assert_eq!(
        local.open_cache(scope(), b"records", &sealed).unwrap()[..],
        *b"cache"
    );
    golden.add("sealed cache", &sealed);
    golden.check();
}

#[test]
fn versions() {
    let mut golden = Golden::new("versions");
    let sealed = records::descriptor()
        .seal(&key("descriptor"), &at())
        .unwrap();
    let context = context::descriptor(&at());
    let sealed = fixed(&key("descriptor"), &context, &sealed, "descriptor salt");
    let opened = Descriptor::open(&key("descriptor"), &at(), &sealed);
    assert_eq!(opened, Ok(records::descriptor()));
    golden.add("descriptor", &sealed);

    let text = stream("part", 300);
    let sealed = seal_part(&key("content"), &at(), 1, &text).unwrap().sealed;
    let sealed = fixed(
        &key("content"),
        &context::content(&at(), 1),
        &sealed,
        "part salt",
    );
    assert_eq!(
        open_part(&key("content"), &at(), 1, &sealed).unwrap().bytes[..],
        text
    );
    golden.add("part", &sealed);

    let hash = salus_crypto::commitment::sha256(&text);
    let mut sealer =
        salus_crypto::record::PartSealer::resumable(&key("content"), &at(), 1, 300, hash).unwrap();
    let mut sealed = sealer.update(&text).unwrap();
    sealed.extend(sealer.finish().unwrap().0);
    golden.add("resumable part", &sealed);
    golden.check();
}

#[test]
fn envelopes() {
    let mut golden = Golden::new("envelopes");
    let grantee = seed("grantee");
    let public = grantee.public().unwrap();
    let sealed = envelopes::grant()
        .seal(&public, scope(), GRANT, 1, GRANTEE, LINK)
        .unwrap();
    let context = context::grant_envelope(scope(), GRANT, 1, GRANTEE, LINK);
    let sealed = fixed_envelope(&grantee, &context, &sealed, "grant");
    let opened = GrantContents::open(&grantee, scope(), GRANT, 1, GRANTEE, LINK, &sealed);
    assert_eq!(opened.unwrap(), envelopes::grant());
    golden.add("grant", &sealed);

    let sealed = envelopes::request()
        .seal(&public, scope(), REQUEST, GRANTEE, LINK)
        .unwrap();
    let context = context::request_envelope(scope(), REQUEST, GRANTEE, LINK);
    let sealed = fixed_envelope(&grantee, &context, &sealed, "request");
    let opened = RequestContents::open(&grantee, scope(), REQUEST, GRANTEE, LINK, &sealed);
    assert_eq!(opened.unwrap(), envelopes::request());
    golden.add("request", &sealed);

    for (name, wish) in [
        ("everything", RequestWish::Everything),
        ("compartments", RequestWish::Compartments(vec![COMPARTMENT])),
        ("records", RequestWish::Records(vec![RECORD])),
    ] {
        let contents = RequestContents {
            wish,
            ..envelopes::request()
        };
        let sealed = contents
            .seal(&public, scope(), REQUEST, GRANTEE, LINK)
            .unwrap();
        let text = hpke::open_with(&grantee, &context, &sealed).unwrap();
        golden.add(
            &format!("request for {name}, contents"),
            pad::unpad(&text).unwrap(),
        );
    }
    golden.check();
}
