//! The life of a key, executable: from making an account to losing every way into it but one, from a
//! grant to its revocation, against the vault's own code and through a transport that lies. Every
//! lie must end in the refusal that names it.

// What a test may do and the product may not: stop at the first thing that is wrong.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests stop at the first thing that is wrong"
)]

use candid::Principal;
use salus_client::agent::AgentTransport;
use salus_client::agent::ic_agent::identity::BasicIdentity;
use salus_client::{
    APPEND, AccountId, Ask, Authorship, Chain, Client, ClientError, CompartmentId, Draft,
    Environment, GrantPhase, IncomingRequest, IntegrityError, Label, NewAccount, NewSlot,
    PartDraft, Profile, Quiet, READ, ReceivedGrant, RecoveryPhrase, Scope, SlotKind, SlotSecret,
    SystemClock, Terms, Transport, Unlocked, VersionRef, Wish, memory::Volatile,
};
use salus_tests::network::{Network, Options};
use salus_tests::transports::{Lies, Lying, Native, TestClock};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Stories that hold against the vault's own code and on a network alike: each as a test, and all of
/// them one after another on a network.
macro_rules! stories {
    ($($name:ident,)*) => {
        mod native {
            use super::super::super::{World, run};
            $(#[test]
            fn $name() {
                run(super::$name(World::new()));
            })*
        }

        pub(crate) async fn on(network: &Rc<Network>) {
            $(println!("{}", stringify!($name));
            $name(World::on(network)).await;)*
        }
    };
}

mod key_life {
    pub(crate) mod accounts;
    pub(crate) mod dishonest;
    pub(crate) mod following;
    pub(crate) mod lies_about_accounts;
    pub(crate) mod lies_about_audits;
    pub(crate) mod lies_about_people;
    pub(crate) mod lies_about_records;
    pub(crate) mod many;
    pub(crate) mod records;
    pub(crate) mod rotation;
    pub(crate) mod rotation_at_length;
    pub(crate) mod sharing;
    pub(crate) mod stolen;
    pub(crate) mod thief;
    pub(crate) mod unlocking;
}

const NOW: u64 = 1_800_000_000_000;
const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test)
}

/// A vault with people around it.
struct World {
    clock: TestClock,
    vault: Native,
    /// Instead of `vault`, and which world on it this is: nobody lives in two.
    network: Option<(Rc<Network>, u8)>,
}

#[test]
fn the_same_holds_on_a_network() {
    let network = Rc::new(Network::start(Options::default()).unwrap());
    run(async {
        key_life::accounts::on(&network).await;
        key_life::unlocking::on(&network).await;
        key_life::records::on(&network).await;
        key_life::many::on(&network).await;
        key_life::following::on(&network).await;
        key_life::sharing::on(&network).await;
    });
}

/// Someone at a device: a principal, what the device remembers, and a transport that may lie.
#[derive(Clone)]
struct Device {
    client: Client,
    lies: Lies,
}

impl World {
    fn new() -> Self {
        let clock = TestClock::at(NOW);
        let vault = Native::start(&clock).unwrap();
        Self {
            clock,
            vault,
            network: None,
        }
    }

    /// Another world on a running network.
    fn on(network: &Rc<Network>) -> Self {
        static WORLDS: AtomicU8 = AtomicU8::new(0);
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        Self {
            network: Some((Rc::clone(network), number)),
            ..Self::new()
        }
    }

    /// The way to the vault of whoever signs in as `seed`, and their clock.
    fn connect(&self, seed: u8) -> (Rc<dyn Transport>, Rc<dyn Environment>) {
        let Some((network, number)) = &self.network else {
            let caller = Principal::self_authenticating([seed; 32]);
            let native = self.vault.for_caller(caller);
            return (Rc::new(native), Rc::new(self.clock.clone()));
        };
        let mut key = [seed; 32];
        key[0] = *number;
        let identity = BasicIdentity::from_raw_key(&key);
        let vault = Principal::from_text(network.vault()).unwrap();
        let root_key = network.root_key().unwrap();
        let agent =
            AgentTransport::connect(network.url(), vault, Arc::new(identity), Some(root_key));
        (Rc::new(agent.unwrap()), Rc::new(SystemClock))
    }

    /// A fresh device of whoever signs in as `seed`.
    fn device(&self, seed: u8) -> Device {
        let lies = Lies::default();
        let (honest, clock) = self.connect(seed);
        let transport = Rc::new(Lying::over(honest, &lies));
        let client = Client::new(transport, Rc::new(Volatile::default()), clock);
        Device { client, lies }
    }

    async fn person(&self, seed: u8) -> Person {
        self.person_with(seed, None).await
    }

    async fn person_with(&self, seed: u8, account: Option<AccountId>) -> Person {
        let device = self.device(seed);
        let phrase = RecoveryPhrase::generate().unwrap();
        let own = device
            .client
            .create_account(NewAccount {
                account,
                phrase: &phrase,
                profile: Profile {
                    display_name: format!("Person {seed}"),
                    ..Profile::default()
                },
                compartments: vec![
                    Label::tagged("Medicines", "medications"),
                    Label::named("Letters"),
                ],
                slots: Vec::new(),
            })
            .await
            .unwrap();
        Person {
            device,
            phrase,
            own,
            seed,
        }
    }
}

struct Person {
    device: Device,
    phrase: RecoveryPhrase,
    own: Unlocked,
    seed: u8,
}

impl Person {
    fn compartment(&self, name: &str) -> CompartmentId {
        self.compartment_of(&self.own, name)
    }

    fn compartment_of(&self, own: &Unlocked, name: &str) -> CompartmentId {
        let all = own.compartments().unwrap();
        all.iter().find(|c| c.label.name == name).unwrap().id
    }

    async fn write(&self, title: &str) -> salus_client::Stored {
        let compartment = self.compartment("Medicines");
        self.own
            .add_record(compartment, &draft(title), &text(title), &Quiet)
            .await
            .unwrap()
    }

    async fn titles(&self) -> Vec<String> {
        let items = self.own.records(self.compartment("Medicines")).await;
        items
            .unwrap()
            .into_iter()
            .map(|i| i.descriptor.title)
            .collect()
    }
}

fn draft(title: &str) -> Draft {
    Draft {
        title: title.into(),
        ..Draft::default()
    }
}

fn text(text: &str) -> Vec<PartDraft> {
    vec![PartDraft::of_bytes("note.txt", "text/plain", text)]
}

fn integrity<T>(result: Result<T, ClientError>) -> IntegrityError {
    match result {
        Err(ClientError::Integrity(error)) => error,
        Err(other) => panic!("refused, but not for a lie: {other:?}"),
        Ok(_) => panic!("the lie was believed"),
    }
}

fn terms(scope: Scope, rights: u8) -> Terms {
    Terms {
        scope,
        rights,
        follows: false,
        not_before: None,
        expires: NOW + 30 * DAY,
        purpose: "treatment of a cough".into(),
        owner_name: Some("Ana".into()),
        grantee_name: None,
        specialty: None,
    }
}

fn ask(wish: Wish, rights: u8) -> Ask {
    Ask {
        wish,
        rights,
        duration_s: 30 * 86_400,
        purpose: "treatment of a cough".into(),
        requester_name: "Dr Bo".into(),
        specialty: Some("family medicine".into()),
        message: None,
    }
}

/// Invitation, request, and the request as the patient sees it.
async fn asked(patient: &Person, doctor: &Person, ask: &Ask) -> IncomingRequest {
    let (link, _) = patient
        .own
        .invite(patient.own.client().now() + 7 * DAY)
        .await
        .unwrap();
    let met = doctor.own.open_link(&link).await.unwrap();
    doctor.own.ask(&met, Some(&link), ask).await.unwrap();
    let requests = patient.own.incoming_requests().await.unwrap();
    requests.into_iter().next().unwrap()
}

/// A patient who has granted a doctor everything, to read and to append.
async fn granted(world: &World) -> (Person, Person, ReceivedGrant) {
    let patient = world.person(1).await;
    let doctor = world.person(2).await;
    patient.write("aspirin").await;
    let request = asked(&patient, &doctor, &ask(Wish::Everything, READ | APPEND)).await;
    let terms = terms(Scope::Everything, READ | APPEND);
    patient.own.approve(&request, &terms).await.unwrap();
    let grant = doctor.own.received().await.unwrap().into_iter().next();
    (patient, doctor, grant.unwrap())
}

/// Someone who published themself in the directory.
async fn registered(world: &World, seed: u8) -> Person {
    let doctor = world.person(seed).await;
    let name = if seed == 66 { "Mallory" } else { "Dr Bo" };
    let registered = doctor.own.register_provider(name, "family medicine");
    registered.await.unwrap();
    doctor
}
