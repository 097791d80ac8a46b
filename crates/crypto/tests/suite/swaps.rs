//! Everything that is sealed, offered as everything else, under the very same key.

use crate::contexts;
use crate::fixture::*;
use salus_crypto::{OpenError, hpke, seal};

#[test]
fn nothing_sealed_for_one_context_opens_for_another() {
    let contexts = contexts::all();
    let key = key("one key for everything");
    let sealed: Vec<_> = contexts
        .iter()
        .map(|(_, context)| seal::seal(&key, context, b"text").unwrap())
        .collect();
    for (i, (name, context)) in contexts.iter().enumerate() {
        for (j, sealed) in sealed.iter().enumerate() {
            // Every pair of kinds, and every pair within a kind; thinned where both are far apart.
            if i != j && i.abs_diff(j) > 40 && (i * 31 + j) % 17 != 0 {
                continue;
            }
            let opened = seal::open(&key, context, sealed);
            if i == j {
                assert_eq!(opened.as_deref(), Ok(b"text".as_slice()), "{name}");
            } else {
                assert_eq!(
                    opened,
                    Err(OpenError::WrongKeyOrContext),
                    "{name} {}",
                    contexts[j].0
                );
            }
        }
    }
}

fn one_of_each_kind() -> Vec<(String, salus_crypto::Context)> {
    let mut seen = std::collections::HashSet::new();
    let mut all = contexts::all();
    all.retain(|(name, _)| seen.insert(name.split(' ').next().unwrap_or_default().to_owned()));
    all
}

#[test]
fn no_kind_opens_as_another_kind() {
    let contexts = one_of_each_kind();
    assert!(contexts.len() >= 24, "{}", contexts.len());
    let key = key("one key for everything");
    for (name, context) in &contexts {
        let sealed = seal::seal(&key, context, b"text").unwrap();
        for (other, wrong) in contexts.iter().filter(|(other, _)| other != name) {
            let opened = seal::open(&key, wrong, &sealed);
            assert_eq!(
                opened,
                Err(OpenError::WrongKeyOrContext),
                "{name} as {other}"
            );
        }
    }
}

#[test]
fn no_envelope_of_one_kind_opens_as_another_kind() {
    let contexts = one_of_each_kind();
    let seed = seed("one seed for everything");
    let public = seed.public().unwrap();
    for (name, context) in &contexts {
        let envelope = hpke::seal_to(&public, context, b"text").unwrap();
        for (other, wrong) in &contexts {
            let opened = hpke::open_with(&seed, wrong, &envelope);
            if name == other {
                assert_eq!(opened.unwrap()[..], *b"text");
            } else {
                assert_eq!(opened.err(), Some(OpenError::Envelope), "{name} as {other}");
            }
        }
    }
}

#[test]
fn a_sealed_text_is_no_envelope_and_an_envelope_no_sealed_text() {
    let context = salus_crypto::context::drop_box(&at());
    let seed = seed("one seed");
    let key = salus_crypto::Key::from_bytes(*seed.expose());
    let sealed = seal::seal(&key, &context, &stream("text", 2_000)).unwrap();
    assert!(hpke::open_with(&seed, &context, &sealed).is_err());
    let envelope = hpke::seal_to(&seed.public().unwrap(), &context, b"text").unwrap();
    let opened = seal::open(&key, &context, &envelope);
    assert_eq!(opened, Err(OpenError::WrongKeyOrContext));
}
