//! What people do with their keys, each flow from its beginning to its end: all instructions of the
//! vault's calls, and how long the client took on a network without latency. Must not know records.

use crate::accounts::Person;
use crate::meter::Meter;
use crate::report::Report;
use anyhow::{Context as _, Result};
use salus_client::{Comparison, NewSlot, SlotId, SlotSecret, Unlocked, random_id};
use salus_tests::network::{Network, Options};
use std::time::Instant;

const GROUP: &str = "keys";
const COMPARTMENTS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];
/// Who does all this, and what they sign in as besides.
const SOMEONE: u64 = 1;
const OTHER_SIGN_IN: u64 = 2;
const NEW_DEVICE: u64 = 3;
const PROVIDER: u64 = 4;

struct Flows<'a> {
    report: &'a mut Report,
    meter: Meter,
}

impl Flows<'_> {
    async fn flow<T>(&mut self, name: &str, run: impl Future<Output = Result<T>>) -> Result<T> {
        let mark = self.meter.mark()?;
        let began = Instant::now();
        let outcome = run.await.with_context(|| name.to_owned())?;
        let took = began.elapsed().as_secs_f64() * 1_000.0;
        let cost = self.meter.total_since(mark)? as f64;
        self.report.known(GROUP, name, cost, "instructions");
        self.report.known(GROUP, name, took, "ms");
        Ok(outcome)
    }
}

/// Measures each flow of an account of eight compartments.
pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let network = &Network::start(Options::default())?;
    let meter = Meter::new(network.url(), network.vault());
    let mut flows = Flows { report, meter };
    let someone = Person::nth(SOMEONE);
    let client = someone.on(network)?;
    let own = flows
        .flow("open an account", someone.open(&client, &COMPARTMENTS))
        .await?;
    unlocking(&mut flows, network, &someone, &own).await?;
    pairing(&mut flows, network, &own).await?;
    comparing(&mut flows, network, &own).await?;
    flows
        .flow("make the identity keys anew", async {
            Ok(own.rotate_identity().await?)
        })
        .await?;
    let fresh = someone.on(network)?;
    flows
        .flow("take the account back with the phrase", async {
            someone.recover(&fresh).await
        })
        .await?;
    Ok(())
}

async fn unlocking(
    flows: &mut Flows<'_>,
    network: &Network,
    someone: &Person,
    own: &Unlocked,
) -> Result<()> {
    let fresh = someone.on(network)?;
    flows
        .flow("unlock by the phrase", someone.unlock_by_phrase(&fresh))
        .await?;
    let secret = SlotSecret::generate_for_file()?;
    let slot = NewSlot::new(secret.clone(), "A file")?;
    let add = async { Ok(own.add_slot(&slot).await?) };
    flows.flow("add a way to unlock", add).await?;
    let fresh = someone.on(network)?;
    let unlock = async { Ok(fresh.unlock_with_slot(slot.id, &secret).await?) };
    flows.flow("unlock by a slot", unlock).await?;
    let remove = async { Ok(own.remove_slots(&[slot.id]).await?) };
    flows.flow("remove a way to unlock", remove).await?;
    let other = Person::nth(OTHER_SIGN_IN).on(network)?;
    let join = async {
        let claim = own.authorise(other.caller())?;
        Ok(other.claim(claim).await?)
    };
    flows.flow("let another sign-in in", join).await?;
    Ok(())
}

async fn pairing(flows: &mut Flows<'_>, network: &Network, own: &Unlocked) -> Result<()> {
    let device = Person::nth(NEW_DEVICE).on(network)?;
    let secret = SlotSecret::from_browser_hmac([7; 32]);
    let pair = async {
        let mut joining = device.pairing_begin().await?;
        let mut approving = own.pairing_answer(joining.code()).await?;
        joining.answered().await?.context("not answered")?;
        joining.offer(SlotId(random_id()?), secret).await?;
        let shown = approving.words().await?.context("not offered")?;
        let words = joining.words().await?.context("not opened")?;
        anyhow::ensure!(shown == words, "the words differ");
        approving.approve("A browser").await?;
        joining.unlocked().await?.context("not let in")
    };
    flows.flow("let another device in", pair).await?;
    Ok(())
}

async fn comparing(flows: &mut Flows<'_>, network: &Network, own: &Unlocked) -> Result<()> {
    let provider = Person::nth(PROVIDER);
    let theirs = provider.open(&provider.on(network)?, &["Own"]).await?;
    theirs.register_provider("Dr. Example", "Any").await?;
    own.refresh().await?;
    let found = own.provider(provider.principal()?).await?;
    let number = own.safety_number_with(&found);
    let compare = async {
        let shown = Comparison::Number(&number);
        Ok(own.verify_contact(&found, shown).await?)
    };
    flows
        .flow("record that keys were compared", compare)
        .await?;
    Ok(())
}
