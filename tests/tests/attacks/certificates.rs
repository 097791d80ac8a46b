//! 22: certificates that are forged, too old, or about something else; those of the test's own root key,
//! and those of a running network through the agent.

use super::super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use candid::CandidType;
use ic_certification::hash_tree::label;
use salus_client::agent::AgentTransport;
use salus_client::agent::ic_agent::identity::BasicIdentity;
use salus_client::certificate::{CertificateError, verify};
use salus_client::memory::Volatile;
use salus_client::{Client, Environment, Label, Principal, SystemClock, Transport, TransportError};
use salus_protocol::certified::{
    ACCOUNTS, AccountLeaves, Feeds, FeedsShown, Shown, WitnessError, account_tree, read_witness,
};
use salus_protocol::hash_tree;
use salus_tests::network::{Network, Options};
use salus_tests::transports::{Lying, TestClock, decode_answer};
use salus_types::AccountId;
use salus_types::api::{AccountInfo, CertifiedHeads};
use serde::Deserialize;
use std::rc::Rc;
use std::sync::Arc;

/// What the vault answers someone, undistorted.
async fn honest<T>(transport: &dyn Transport, method: &str, arg: Vec<u8>) -> T
where
    T: CandidType + serde::de::DeserializeOwned,
{
    decode_answer(&transport.query(method, &arg).await.unwrap()).unwrap()
}

async fn heads_of(transport: &dyn Transport, account: AccountId) -> CertifiedHeads {
    honest(transport, "heads", candid::encode_one(account).unwrap()).await
}

#[test]
fn a22_an_expired_certificate() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let fresh = world.device(1);
        fresh.lies.record();
        let own = fresh.client.unlock_with_phrase(&person.phrase).await;
        drop(own.unwrap());
        world.clock.pass(6 * MINUTE);
        fresh.lies.replay();
        let unlock = fresh.client.unlock_with_phrase(&person.phrase);
        let age_ms = 6 * MINUTE;
        let stale = integrity(unmoved(&world, unlock).await);
        assert_eq!(stale, IntegrityError::StaleCertificate { age_ms });
    });
}

#[test]
fn a22_a_forged_certificate_or_witness() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let flip = |bytes: &mut Vec<u8>| {
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
        };
        let lies: [Lie<CertifiedHeads>; 2] = [
            ("a bit of the witness", |heads| {
                let last = heads.witness.len() - 1;
                heads.witness[last] ^= 1;
            }),
            ("another number", |heads| heads.number += 1),
        ];
        for (case, lie) in lies {
            let refused = unlock(&world, &person, |lies| lies.alter("heads", lie)).await;
            assert!(matches!(refused, IntegrityError::Witness(_)), "{case}");
        }
        let forged = unlock(&world, &person, |lies| {
            lies.alter::<CertifiedHeads>("heads", move |heads| flip(&mut heads.certificate));
        });
        let expected = CertificateError::Signature;
        assert_eq!(forged.await, expected.into());
    });
}

#[test]
fn a22_a_witness_made_up_around_a_good_certificate() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let earlier = person.device.client.account().await.unwrap().unwrap();
        let teeth = Label::named("Teeth");
        person.own.add_compartment(&teeth).await.unwrap();
        // The ledger as it was, and a witness that says it is so.
        let refused = unlock(&world, &person, |lies| {
            let (ledger, vault) = (earlier.ledger.clone(), world.vault.clone());
            cut_to(lies, ledger.clone());
            lies.alter::<CertifiedHeads>("heads", move |heads| {
                let certified = vault.verify_certificate(&heads.certificate).unwrap();
                let seen = read_witness(&heads.witness, &certified.data, heads.number).unwrap();
                let leaves = AccountLeaves {
                    account: seen.account,
                    genesis: seen.genesis,
                    audit: seen.audit.unwrap_or(ledger.clone()),
                    feeds: Feeds::Heads(seen.feeds.into_iter().collect()),
                    keys: seen.keys.unwrap(),
                    ledger: ledger.clone(),
                    who: seen.who.clone(),
                };
                let shown = Shown {
                    audit: true,
                    feeds: FeedsShown::All,
                    keys: true,
                    ledger: true,
                    who: seen.who,
                };
                let number = heads.number.to_be_bytes();
                let tree = label(number, account_tree(&leaves, &shown));
                heads.witness = ByteBuf::from(hash_tree::encode(&label(ACCOUNTS, tree)));
            });
        });
        assert_eq!(refused.await, WitnessError::Digest.into());
    });
}

#[test]
fn a22_a_certificate_of_an_account_the_caller_is_not_of() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        // A vault that has someone else call for the account, and hides that from the owner.
        let vault = world.vault.for_caller(person.device.client.caller());
        let none = candid::encode_args(()).unwrap();
        let info: AccountInfo = honest(&vault, "account_show", none).await;
        let from = candid::encode_one(0u64).unwrap();
        let ledger: LedgerPage = honest(&vault, "ledger_page", from).await;
        let heads = heads_of(&vault, person.own.account()).await;
        let other = world.device(9);
        other.lies.pretend("account_show", info);
        other.lies.pretend("ledger_page", ledger);
        other.lies.pretend("heads", heads);
        let unlock = other.client.unlock_with_phrase(&person.phrase);
        let refused = integrity(unmoved(&world, unlock).await);
        assert_eq!(refused, IntegrityError::OtherAccount);
    });
}

/// Another canister's answer, with what the network certifies of it.
#[derive(CandidType, Deserialize)]
struct HttpRequest {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: ByteBuf,
    certificate_version: Option<u16>,
}

#[derive(CandidType, Deserialize)]
struct HttpResponse {
    headers: Vec<(String, String)>,
}

/// The certificate that the site gives along with a page.
async fn certificate_of_the_site(network: &Network, agent: &AgentTransport) -> Vec<u8> {
    let site = Principal::from_text(network.website()).unwrap();
    let request = HttpRequest {
        method: "GET".into(),
        url: "/".into(),
        headers: Vec::new(),
        body: ByteBuf::new(),
        certificate_version: Some(2),
    };
    let answer = agent
        .agent()
        .query(&site, "http_request")
        .with_arg(candid::encode_one(request).unwrap())
        .call()
        .await
        .unwrap();
    let response: HttpResponse = candid::decode_one(&answer).unwrap();
    let certified = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("ic-certificate");
    let (_, value) = response.headers.iter().find(certified).unwrap();
    let from = value.find("certificate=:").unwrap() + "certificate=:".len();
    let text = value[from..].split(':').next().unwrap();
    STANDARD.decode(text).unwrap()
}

#[test]
fn a22_forged_expired_and_foreign_certificates_of_a_network() {
    let network = Rc::new(Network::start(Options::default()).unwrap());
    let root_key = network.root_key().unwrap();
    let vault = Principal::from_text(network.vault()).unwrap();
    let agent = |seed: u8, root: &[u8]| {
        let identity = Arc::new(BasicIdentity::from_raw_key(&[seed; 32]));
        AgentTransport::connect(network.url(), vault, identity, Some(root.to_vec())).unwrap()
    };
    run(async {
        let world = World::on(&network);
        let (person, mallory) = (world.person(1).await, world.person(66).await);
        let (lies, own) = (&person.device.lies, &person.own);
        own.refresh().await.unwrap();

        // Any byte of a good one changed.
        let (transport, _) = world.connect(1);
        let good = heads_of(transport.as_ref(), own.account()).await;
        assert!(verify(&good.certificate, &root_key, vault).is_ok());
        for sixteenth in 0..=16usize {
            lies.alter::<CertifiedHeads>("heads", move |heads| {
                let place = (heads.certificate.len() - 1) * sixteenth / 16;
                heads.certificate[place] ^= 1 << (sixteenth % 8);
            });
            let refused = integrity(own.refresh().await);
            let forged = matches!(refused, IntegrityError::Certificate(_));
            assert!(forged, "{sixteenth} sixteenths in: {refused:?}");
        }
        // None; another canister's; another account's; under another root key.
        lies.alter::<CertifiedHeads>("heads", |heads| heads.certificate.clear());
        let refused = integrity(own.refresh().await);
        assert_eq!(refused, CertificateError::Malformed.into());
        let foreign = certificate_of_the_site(&network, &agent(9, &root_key)).await;
        let site = Principal::from_text(network.website()).unwrap();
        assert!(
            verify(&foreign, &root_key, site).is_ok(),
            "it is a good one"
        );
        let shown = ByteBuf::from(foreign);
        lies.alter::<CertifiedHeads>("heads", move |heads| heads.certificate = shown.clone());
        let refused = integrity(own.refresh().await);
        assert_eq!(refused, CertificateError::Missing.into());
        let (theirs, _) = world.connect(66);
        let theirs = heads_of(theirs.as_ref(), mallory.own.account()).await;
        lies.pretend("heads", theirs);
        let refused = integrity(own.refresh().await);
        assert_eq!(refused, IntegrityError::OtherAccount);
        lies.stop();
        let other_root = world.vault.root_key();
        let refused = verify(&good.certificate, &other_root, vault).map(drop);
        assert_eq!(refused, Err(CertificateError::Signature));
        // With another root key the agent believes no answer of this network.
        let (elsewhere, none) = (agent(9, &other_root), candid::encode_args(()).unwrap());
        let deceived = elsewhere.query("status", &none).await;
        assert!(matches!(deceived, Err(TransportError::Unverified(_))));

        // One that was good, six minutes later.
        let later = SystemClock.now_ms() + 6 * MINUTE;
        let clock = Rc::new(TestClock::at(later));
        let (transport, _) = world.connect(1);
        let lying = Rc::new(Lying::over(transport, &Lies::default()));
        let client = Client::new(lying, Rc::new(Volatile::default()), clock);
        let refused = integrity(client.unlock_with_phrase(&person.phrase).await);
        let stale =
            matches!(refused, IntegrityError::StaleCertificate { age_ms } if age_ms > 5 * MINUTE);
        assert!(stale, "{refused:?}");
        own.refresh().await.unwrap();
    });
}
