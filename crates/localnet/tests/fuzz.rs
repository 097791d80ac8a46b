//! The decoders on bytes nobody meant: valid requests, answers and pages, changed at random in
//! their structure and in their bytes. Nothing panics, nothing overflows the stack of a server's
//! thread, and neither memory nor the number of allocations grows beyond what the length allows:
//! work is bounded by size, not measured by a clock.
//!
//! `LOCALNET_FUZZ_ROUNDS` sets how often (for hours by hand), `LOCALNET_FUZZ_SEED` repeats a run.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::panic, reason = "a test that cannot go on fails")]
#![allow(unsafe_code, reason = "an allocator that counts")]

mod common;
#[path = "spec_interface/raw.rs"]
#[allow(dead_code, reason = "only some of it is of use here")]
mod raw;

use candid::{CandidType, Encode, Principal};
use raw::{Signer, anonymous, asking, blob, hash_of_map, map, nat, reading, signed};
use salus_localnet::decoders;
use serde_cbor::Value;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
    static TIMES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all is done by the system's allocator; the counters are plain cells of this thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = HELD.try_with(|held| {
            held.set(held.get().wrapping_add(layout.size()));
            MOST.with(|most| most.set(most.get().max(held.get())));
            TIMES.with(|times| times.set(times.get() + 1));
        });
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let _ = HELD.try_with(|held| held.set(held.get().wrapping_sub(layout.size())));
        // SAFETY: as the caller's.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Memory and allocations of `work`, beyond what was held before.
fn measure(work: impl FnOnce()) -> (usize, usize) {
    let before = HELD.get();
    MOST.set(before);
    TIMES.set(0);
    work();
    (MOST.get().saturating_sub(before), TIMES.get())
}

/// Bytes of memory a byte of input may take, and what may be taken besides.
const PER_BYTE: usize = 400;
const BESIDES: usize = 2 << 20;

/// xorshift64*: repeatable, and good enough to choose bytes by.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n.max(1)
    }

    fn one<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }
}

fn rounds(default: usize) -> usize {
    let wanted = std::env::var("LOCALNET_FUZZ_ROUNDS").ok();
    wanted.map_or(default, |text| text.parse().unwrap())
}

fn seeded(what: &str) -> Random {
    let wanted = std::env::var("LOCALNET_FUZZ_SEED").ok();
    let seed = wanted.map_or_else(
        || u64::from_le_bytes(raw::random()) | 1,
        |text| text.parse().unwrap(),
    );
    // Past the capture of output: a stack overflow would take the captured with it.
    let _ = writeln!(std::io::stderr(), "{what}: LOCALNET_FUZZ_SEED={seed}");
    Random(seed)
}

/// Heads of CBOR and Candid that claim much.
const CLAIMS: &[&[u8]] = &[
    b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xbb\x00\x00\x00\x00\xff\xff\xff\xff",
    b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\x9f",
    b"\xbf",
    b"\x5f",
    b"\xd9\xd9\xf7",
    b"\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81",
    b"\xff\xff\xff\xff\x0f",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"DIDL\x01\x6d\x7f\x01\x00\xff\xff\xff\xff\x0f",
    b"DIDL\x01\x6e\x00\x01\x00",
    b"\x30\x82\xff\xff",
    b"\x30\x84\xff\xff\xff\xff",
];

/// Changes bytes: one to four times one of flip, replace, insert, remove, repeat, cut, splice.
fn change(random: &mut Random, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(40)).min(bytes.len());
        match random.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.next() as u8,
            2 => bytes.insert(at, random.next() as u8),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let part = bytes[at..end].to_vec();
                for _ in 0..random.below(50) {
                    bytes.splice(at..at, part.iter().copied());
                }
            }
            5 => bytes.truncate(at),
            6 => {
                let other = random.one(others);
                let from = random.below(other.len() + 1);
                bytes.splice(at..end, other[from..].iter().copied());
            }
            _ => drop(bytes.splice(at..at, random.one(CLAIMS).iter().copied())),
        }
    }
    bytes.truncate(1 << 20);
}

/// Changes a document's structure: one of its values becomes another, is doubled or taken out.
fn restructure(random: &mut Random, value: &mut Value) {
    let odd = |random: &mut Random| match random.below(9) {
        0 => Value::Null,
        1 => Value::Integer(i128::from(random.next())),
        2 => Value::Integer(-1),
        3 => Value::Bytes(vec![7; random.below(2_000)]),
        4 => Value::Text("x".repeat(random.below(2_000))),
        5 => Value::Array(vec![Value::Array(Vec::new()); random.below(1_200)]),
        6 => Value::Map([(Value::Text("x".into()), Value::Null)].into()),
        7 => Value::Float(1.5),
        _ => Value::Bool(true),
    };
    match value {
        Value::Map(entries) if !entries.is_empty() && random.below(6) > 0 => {
            let keys: Vec<Value> = entries.keys().cloned().collect();
            let key = random.one(&keys).clone();
            match random.below(8) {
                0 => drop(entries.remove(&key)),
                1 => {
                    let strange = odd(random);
                    entries.insert(strange, Value::Null);
                }
                _ => restructure(random, entries.get_mut(&key).unwrap()),
            }
        }
        Value::Array(items) if !items.is_empty() && random.below(6) > 0 => {
            let at = random.below(items.len());
            match random.below(8) {
                0 => drop(items.remove(at)),
                1 => items.extend(vec![items[at].clone(); random.below(1_100)]),
                _ => restructure(random, &mut items[at]),
            }
        }
        Value::Bytes(bytes) if random.below(3) > 0 => {
            let other = [vec![random.next() as u8; 3]];
            change(random, bytes, &other);
        }
        other => *other = odd(random),
    }
}

/// Tries bytes on a decoder.
#[track_caller]
fn attempt(bytes: &[u8], decoder: impl Fn(&[u8])) {
    let tried = std::panic::AssertUnwindSafe(|| measure(|| decoder(bytes)));
    let Ok((memory, times)) = std::panic::catch_unwind(tried) else {
        panic!("a decoder panics on {}", hex::encode(bytes));
    };
    let limit = PER_BYTE * bytes.len() + BESIDES;
    assert!(
        memory <= limit && times <= limit,
        "{memory} bytes in {times} allocations for {} bytes: {}",
        bytes.len(),
        hex::encode(&bytes[..bytes.len().min(2_000)])
    );
}

/// Runs on a thread with the stack that a server's threads have.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(work).unwrap().join().unwrap();
}

const NOW: u64 = 1_700_000_000_000_000_000;

/// Valid requests of every kind and scheme.
fn requests() -> Vec<Value> {
    let id = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 7, 1, 1]);
    let mut envelopes = Vec::new();
    for signer in [
        Signer::ed25519(),
        Signer::secp256k1(),
        Signer::p256(),
        Signer::webauthn_es256(),
        Signer::webauthn_eddsa(),
    ] {
        let path = path!["request_status", [1; 32], "reply"];
        for mut fields in [
            asking("call", signer.principal(), id, "inc"),
            reading(signer.principal(), &[path]),
        ] {
            fields.insert("ingress_expiry".into(), nat(NOW + 1));
            envelopes.push(signed(&fields, &signer));
        }
        let session = Signer::ed25519();
        let mut fields = asking("query", signer.principal(), id, "get");
        fields.insert("ingress_expiry".into(), nat(NOW + 1));
        let delegation = raw::Fields::from([
            ("pubkey".into(), blob(&session.der)),
            ("expiration".into(), nat(NOW + 1)),
            ("targets".into(), Value::Array(vec![blob(id)])),
        ]);
        let hash = hash_of_map(&delegation);
        let message = [b"\x1Aic-request-auth-delegation".as_slice(), &hash].concat();
        let link = map([
            ("delegation", raw::content(&delegation)),
            ("signature", blob(signer.sign(&message))),
        ]);
        let mut envelope = signed(&fields, &session);
        envelope.insert("sender_pubkey".into(), blob(&signer.der));
        envelope.insert("sender_delegation".into(), Value::Array(vec![link]));
        envelopes.push(envelope);
    }
    envelopes.push(anonymous(&asking("query", Principal::anonymous(), id, "x")));
    envelopes.iter().map(raw::content).collect()
}

#[test]
fn requests_are_read_or_refused() {
    let mut random = seeded("requests");
    on_a_small_stack(move || {
        let key = vec![1; 96];
        let valid = requests();
        let bytes: Vec<Vec<u8>> = valid.iter().map(raw::tagged).collect();
        for good in &bytes {
            decoders::request(good, NOW, &key).unwrap();
        }
        for _ in 0..rounds(6_000) {
            let mut changed = if random.below(2) == 0 {
                let mut value = random.one(&valid).clone();
                restructure(&mut random, &mut value);
                raw::tagged(&value)
            } else {
                random.one(&bytes).clone()
            };
            if random.below(3) > 0 {
                change(&mut random, &mut changed, &bytes);
            }
            attempt(&changed, |bytes| drop(decoders::request(bytes, NOW, &key)));
            attempt(&changed, |bytes| {
                let _ = decoders::is_cbor(bytes);
            });
        }
    });
}

#[test]
fn keys_and_signatures_are_read_or_refused() {
    let mut random = seeded("signatures");
    on_a_small_stack(move || {
        let signers = [
            Signer::ed25519(),
            Signer::secp256k1(),
            Signer::p256(),
            Signer::webauthn_es256(),
            Signer::webauthn_eddsa(),
        ];
        let root = vec![1; 96];
        let canister_key = [
            b"\x30\x1e\x30\x0c\x06\x0a\x2b\x06\x01\x04\x01\x83\xb8\x43\x01\x02\x03\x0e\x00\x0a"
                .as_slice(),
            &[0, 0, 0, 0, 0, 0, 0, 7, 1, 1],
            b"se",
        ]
        .concat();
        // A canister's signature as far as it goes without a key: a tree and a certificate.
        let tree = Value::Array(vec![
            nat(2),
            blob("sig"),
            Value::Array(vec![nat(3), blob("")]),
        ]);
        let certificate = raw::tagged(&map([("tree", tree.clone()), ("signature", blob([1; 48]))]));
        let by_canister = raw::tagged(&map([("certificate", blob(certificate)), ("tree", tree)]));
        let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = signers
            .iter()
            .map(|signer| (signer.der.clone(), signer.sign(b"message")))
            .collect();
        for (key, signature) in &pairs {
            decoders::signature(key, b"message", signature, &root).unwrap();
        }
        assert!(decoders::is_public_key(&canister_key));
        pairs.push((canister_key, by_canister));
        let keys: Vec<Vec<u8>> = pairs.iter().map(|(key, _)| key.clone()).collect();
        let made: Vec<Vec<u8>> = pairs.iter().map(|(_, made)| made.clone()).collect();
        for _ in 0..rounds(3_000) {
            let (mut key, mut signature) = random.one(&pairs).clone();
            if random.below(2) == 0 {
                change(&mut random, &mut key, &keys);
            } else {
                change(&mut random, &mut signature, &made);
            }
            attempt(&key, |key| {
                let _ = decoders::is_public_key(key);
            });
            let both = [key.as_slice(), &signature].concat();
            attempt(&both, |both| {
                let (key, signature) = both.split_at(key.len());
                drop(decoders::signature(key, b"message", signature, &root));
            });
        }
    });
}

#[derive(CandidType)]
enum Deep {
    End,
    More(Box<Self>),
}

#[derive(CandidType)]
struct Part {
    body: serde_bytes::ByteBuf,
    token: Option<Token>,
}

#[derive(CandidType)]
struct Token {
    key: String,
    deep: Deep,
    list: Vec<Option<u64>>,
}

candid::define_function!(Next : (Token) -> (Part) query);

#[derive(CandidType)]
enum Strategy {
    Callback { callback: Next, token: Token },
}

#[derive(CandidType)]
struct Answer {
    status_code: u16,
    headers: Vec<(String, String)>,
    body: serde_bytes::ByteBuf,
    upgrade: Option<bool>,
    streaming_strategy: Option<Strategy>,
}

fn token(depth: usize) -> Token {
    let mut deep = Deep::End;
    for _ in 0..depth {
        deep = Deep::More(Box::new(deep));
    }
    Token {
        key: "/a".into(),
        deep,
        list: vec![None, Some(7)],
    }
}

fn answers() -> Vec<Vec<u8>> {
    let canister = Principal::management_canister();
    let mut answers = vec![b"DIDL\0\0".to_vec()];
    for depth in [0, 3, 300] {
        answers.push(
            Encode!(&Answer {
                status_code: 200,
                headers: vec![("content-type".into(), "text/plain".into())],
                body: b"hello".to_vec().into(),
                upgrade: Some(false),
                streaming_strategy: Some(Strategy::Callback {
                    callback: Next::new(canister, "more".into()),
                    token: token(depth),
                }),
            })
            .unwrap(),
        );
        answers.push(
            Encode!(&Part {
                body: b"more".to_vec().into(),
                token: Some(token(depth)),
            })
            .unwrap(),
        );
    }
    answers
}

#[derive(CandidType)]
struct About {
    canister_id: Principal,
    target_canister: Principal,
    wasm_module: serde_bytes::ByteBuf,
}

#[test]
fn what_canisters_and_callers_say_in_candid_is_read_or_refused() {
    let mut random = seeded("candid");
    on_a_small_stack(move || {
        let mut valid = answers();
        for good in &valid[1..] {
            assert!(
                decoders::site_answer(good),
                "{} {}",
                good.len(),
                hex::encode(good)
            );
        }
        let id = Principal::anonymous();
        let about = Encode!(&About {
            canister_id: id,
            target_canister: id,
            wasm_module: vec![0; 100].into(),
        })
        .unwrap();
        for method in ["install_code", "install_chunked_code"] {
            assert_eq!(decoders::management_argument(method, &about), Some(id));
        }
        valid.push(about);
        for _ in 0..rounds(6_000) {
            let mut changed = random.one(&valid).clone();
            change(&mut random, &mut changed, &valid);
            attempt(&changed, |bytes| {
                let _ = decoders::site_answer(bytes);
            });
            for method in ["install_code", "install_chunked_code"] {
                attempt(&changed, |bytes| {
                    let _ = decoders::management_argument(method, bytes);
                });
            }
        }
    });
}

/// Values nested as deep as a reply is long.
#[test]
fn candid_nested_without_end_is_read_or_refused() {
    on_a_small_stack(|| {
        for depth in [10, 1_000, 10_000, 100_000, 1_000_000] {
            // record { token : t; body : blob } where t is opt t.
            let mut bytes =
                b"DIDL\x03\x6c\x02\xf9\x85\xae\xa1\x01\x01\xa2\xf5\xed\x88\x04\x02".to_vec();
            bytes.extend(b"\x6e\x01\x6d\x7b\x01\x00");
            bytes.extend(vec![1; depth]);
            bytes.extend([0, 0]);
            attempt(&bytes, |bytes| {
                let shallow = decoders::site_answer(bytes);
                assert!(shallow || depth > 100, "not the type meant here");
            });
        }
    });
}

#[test]
fn certifications_are_verified_or_refused() {
    let mut random = seeded("certifications");
    on_a_small_stack(move || {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD as BASE64;
        let tree = Value::Array(vec![nat(2), blob("http_expr"), Value::Array(vec![nat(0)])]);
        let certificate = raw::tagged(&map([("tree", tree.clone()), ("signature", blob([1; 48]))]));
        let path = raw::tagged(&Value::Array(vec![
            raw::text("http_expr"),
            raw::text("<$>"),
        ]));
        let header = format!(
            "certificate=:{}:, tree=:{}:, expr_path=:{}:, version=2",
            BASE64.encode(certificate),
            BASE64.encode(raw::tagged(&tree)),
            BASE64.encode(path)
        );
        let expression = "default_certification(ValidationArgs{certification:Certification{\
            no_request_certification:Empty{},response_certification:ResponseCertification{\
            certified_response_headers:ResponseHeaderList{headers:[\"content-type\"]}}}})";
        let valid = [header.into_bytes(), expression.as_bytes().to_vec()];
        let root_key = [vec![0x30; 37], vec![1; 96]].concat();
        let canister = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 7, 1, 1]);
        for _ in 0..rounds(3_000) {
            let mut changed = valid.clone();
            let at = random.below(2);
            change(&mut random, &mut changed[at], &valid);
            let [header, expression] =
                changed.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let both = [header.as_bytes(), expression.as_bytes()].concat();
            attempt(&both, |_| {
                let headers = vec![
                    ("IC-Certificate".into(), header.clone()),
                    ("IC-CertificateExpression".into(), expression.clone()),
                ];
                let url = "/a?b=%zz";
                drop(decoders::certification(
                    url, headers, canister, &root_key, NOW,
                ));
            });
        }
    });
}

/// Requests in HTTP, changed at random: each connection ends, and the node goes on.
#[tokio::test(flavor = "multi_thread")]
async fn http_is_answered_or_refused() {
    let mut random = seeded("http");
    let net = common::Net::start().await;
    let port = net.localnet.port();
    let valid: Vec<Vec<u8>> = [
        "GET /api/v2/status HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "POST /api/v3/canister/aaaaa-aa/query HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/cbor\r\ncontent-length: 4\r\n\r\n\u{1}\u{2}\u{3}\u{4}",
        "GET /a?canisterId=bkyz2-fmaaa-aaaaa-qaaaq-cai HTTP/1.1\r\nhost: localhost\r\nreferer: http://localhost/\r\n\r\n",
        "POST /x HTTP/1.1\r\nhost: bkyz2-fmaaa-aaaaa-qaaaq-cai.localhost\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "OPTIONS /api/v3/canister/x/read_state HTTP/1.0\r\n\r\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    for _ in 0..rounds(500) {
        let mut changed = random.one(&valid).clone();
        change(&mut random, &mut changed, &valid);
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .unwrap();
        // It may have closed its end before it read all.
        let _ = stream.write_all(&changed).await;
        let _ = stream.shutdown().await;
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        let begins = |start: &[u8]| said.starts_with(start);
        assert!(
            said.is_empty() || begins(b"HTTP/1.1 ") || begins(b"HTTP/1.0 "),
            "{changed:?}: {said:?}"
        );
        assert!(!begins(b"HTTP/1.1 500"), "{changed:?}");
    }
    let url = format!("{}/api/v2/status", net.localnet.url());
    assert_eq!(reqwest::get(url).await.unwrap().status(), 200);
}
