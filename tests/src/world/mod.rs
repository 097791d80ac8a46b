//! People with devices around a vault: the set-up that stories of keys and attacks on them share. The
//! vault's own code runs in this process, or a canister on a network; between it and every device is a
//! transport that can be told to lie. Must not know what any test asserts.

// What a test may do and the product may not: stop at the first thing that is wrong.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::new_without_default,
    reason = "tests stop at the first thing that is wrong"
)]

pub mod dishonest;
pub mod pairing;
pub mod passphrase;
mod thief;

pub use thief::{Thief, slot};

use crate::network::Network;
use crate::transports::{Lies, Lying, Native, TestClock};
use candid::Principal;
use salus_client::agent::AgentTransport;
use salus_client::agent::ic_agent::identity::BasicIdentity;
use salus_client::memory::Volatile;
use salus_client::{
    APPEND, AccountId, Ask, Client, ClientError, CompartmentId, Draft, Environment,
    IncomingRequest, IntegrityError, Kept, Label, NewAccount, PartDraft, Profile, Quiet, READ,
    ReceivedGrant, RecordItem, RecoveryPhrase, Scope, Stored, SystemClock, Terms, Transport,
    Unlocked, Wish,
};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// When every story begins, ms since 1970.
pub const NOW: u64 = 1_800_000_000_000;
/// In milliseconds.
pub const MINUTE: u64 = 60_000;
/// In milliseconds.
pub const DAY: u64 = 24 * 60 * MINUTE;

/// Runs a story to its end, on this thread.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test)
}

/// A vault with people around it.
pub struct World {
    /// What time it is.
    pub clock: TestClock,
    /// The vault.
    pub vault: Native,
    /// Instead of `vault`, and which world on it this is: nobody lives in two.
    network: Option<(Rc<Network>, u8)>,
}

/// Someone at a device: a principal, what the device remembers, and a transport that may lie.
#[derive(Clone)]
pub struct Device {
    /// What runs there.
    pub client: Client,
    /// What its transport is told.
    pub lies: Lies,
}

impl World {
    /// An empty vault.
    pub fn new() -> Self {
        let clock = TestClock::at(NOW);
        let vault = Native::start(&clock).unwrap();
        Self {
            clock,
            vault,
            network: None,
        }
    }

    /// The same time and other people around another vault.
    pub fn over(&self, vault: Native) -> Self {
        Self {
            clock: self.clock.clone(),
            vault,
            network: None,
        }
    }

    /// Another world on a running network.
    pub fn on(network: &Rc<Network>) -> Self {
        static WORLDS: AtomicU8 = AtomicU8::new(0);
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        Self {
            network: Some((Rc::clone(network), number)),
            ..Self::new()
        }
    }

    /// The way to the vault of whoever signs in as `seed`, and their clock.
    pub fn connect(&self, seed: u8) -> (Rc<dyn Transport>, Rc<dyn Environment>) {
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
    pub fn device(&self, seed: u8) -> Device {
        let lies = Lies::default();
        let (honest, clock) = self.connect(seed);
        let transport = Rc::new(Lying::over(honest, &lies));
        let client = Client::new(transport, Rc::new(Volatile::default()), clock);
        Device { client, lies }
    }

    /// Someone with an account, on the device it was made on.
    pub async fn person(&self, seed: u8) -> Person {
        self.person_with(seed, None).await
    }

    /// The same under an id of the test's choosing.
    pub async fn person_with(&self, seed: u8, account: Option<AccountId>) -> Person {
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

/// Someone with an account.
pub struct Person {
    /// Where the account was made.
    pub device: Device,
    /// Their recovery phrase.
    pub phrase: RecoveryPhrase,
    /// Their account, unlocked there.
    pub own: Unlocked,
    /// Who they sign in as.
    pub seed: u8,
}

impl Person {
    /// Their compartment of that name.
    pub fn compartment(&self, name: &str) -> CompartmentId {
        self.compartment_of(&self.own, name)
    }

    /// The same, as another device of theirs has unlocked it.
    pub fn compartment_of(&self, own: &Unlocked, name: &str) -> CompartmentId {
        let all = own.compartments().unwrap();
        all.iter().find(|c| c.label.name == name).unwrap().id
    }

    /// Files a record with a title that is its content too.
    pub async fn write(&self, title: &str) -> Stored {
        let medicines = self.compartment("Medicines");
        self.file(medicines, title).await.unwrap()
    }

    /// Files a record in a compartment, or fails to.
    pub async fn file(
        &self,
        compartment: CompartmentId,
        title: &str,
    ) -> Result<Stored, ClientError> {
        let (draft, text) = (draft(title), text(title));
        let add = self.own.add_record(compartment, &draft, &text, &Quiet);
        add.await
    }

    /// Writes the next version of a record.
    pub async fn amend(&self, item: &RecordItem, title: &str) -> Stored {
        let (draft, text) = (draft(title), text(title));
        let amend = self.own.amend_record(item, &draft, &text, &Quiet);
        amend.await.unwrap()
    }

    /// Leaves a record in the drop box of whoever gave the grant.
    pub async fn leave(&self, grant: &ReceivedGrant, title: &str) -> Stored {
        let (draft, text) = (draft(title), text(title));
        let append = self.own.append_record(grant, None, &draft, &text, &Quiet);
        append.await.unwrap()
    }

    /// Takes the account back with the phrase and keeps nothing but it and this device's sign-in.
    pub async fn take_back(&self) -> Result<Unlocked, ClientError> {
        let recovery = self.device.client.recovery(&self.phrase).await?;
        recovery.take_back(&Kept::default()).await
    }

    /// Titles of the records among the medicines.
    pub async fn titles(&self) -> Vec<String> {
        let items = self.own.records(self.compartment("Medicines")).await;
        items
            .unwrap()
            .into_iter()
            .map(|i| i.descriptor.title)
            .collect()
    }
}

/// A record of that title.
pub fn draft(title: &str) -> Draft {
    Draft {
        title: title.into(),
        ..Draft::default()
    }
}

/// A record's only part.
pub fn text(text: &str) -> Vec<PartDraft> {
    vec![PartDraft::of_bytes("note.txt", "text/plain", text)]
}

/// What a lie was refused for.
pub fn integrity<T>(result: Result<T, ClientError>) -> IntegrityError {
    match result {
        Err(error) => match error.integrity() {
            Some(found) => *found,
            None => panic!("refused, but not for a lie: {error:?}"),
        },
        Ok(_) => panic!("the lie was believed"),
    }
}

/// Terms of a grant for 30 days.
pub fn terms(scope: Scope, rights: u8) -> Terms {
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

/// A request for 30 days.
pub fn ask(wish: Wish, rights: u8) -> Ask {
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
pub async fn asked(patient: &Person, doctor: &Person, ask: &Ask) -> IncomingRequest {
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
pub async fn granted(world: &World) -> (Person, Person, ReceivedGrant) {
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
pub async fn registered(world: &World, seed: u8) -> Person {
    let doctor = world.person(seed).await;
    let name = if seed == 66 { "Mallory" } else { "Dr Bo" };
    let registered = doctor.own.register_provider(name, "family medicine");
    registered.await.unwrap();
    doctor
}
