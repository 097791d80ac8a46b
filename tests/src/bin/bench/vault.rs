//! The vault's costs: fills one natively, puts its memory into the canister, upgrades, and calls it;
//! small and large, because nothing hot may grow with what is stored. Must not know the calls.

use crate::accounts::{Person, client};
use crate::baselines;
use crate::calls::{self, Costs, MANY, PEOPLE};
use crate::filling::Filling;
use crate::meter::Meter;
use crate::report::Report;
use anyhow::{Context as _, Result};
use candid::Principal;
use salus_client::{
    CompartmentId, Draft, Environment as _, PartDraft, Quiet, SystemClock, Unlocked,
};
use salus_tests::built;
use salus_tests::network::{Network, Options};
use std::time::Instant;

/// How much a vault holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Accounts, the patient's and the provider's among them.
    accounts: u64,
    /// Records, all accounts' together.
    records: u64,
    /// Records in the patient's fullest compartment.
    patient: u64,
}

impl Size {
    /// What budgets compare with.
    const SMALL: Self = Self {
        accounts: 10,
        records: 1_000,
        patient: 890,
    };
    /// What fits into a minute of filling.
    pub(crate) const LARGE: Self = Self {
        accounts: 5_000,
        records: 50_000,
        patient: 10_000,
    };
    /// For a first look.
    pub(crate) const QUICK: Self = Self {
        accounts: 50,
        records: 2_000,
        patient: 1_000,
    };
    /// What the budgets speak of; takes many minutes and gigabytes.
    pub(crate) const MILLION: Self = Self {
        accounts: 100_000,
        records: 1_000_000,
        patient: 10_000,
    };

    fn name(self) -> String {
        format!("{} records, {} accounts", self.records, self.accounts)
    }
}

/// Measures everything about canisters.
pub(crate) async fn measure(report: &mut Report, large: Size) -> Result<()> {
    let mut network = Network::start(Options::default())?;
    baselines::measure(report, &network).await?;
    let vault = Principal::from_text(network.vault())?;
    let filler = Filler::start(vault, large).await?;
    let mut sizes = Vec::new();
    let mut filler = filler;
    for size in [Size::SMALL, large] {
        let began = Instant::now();
        filler.fill(size).await?;
        let image = filler.vault.image();
        network.set_stable_memory(&image)?;
        let megabytes = image.len() as f64 / 1e6;
        drop(image);
        eprintln!("filled with {} in {:.1?}", size.name(), began.elapsed());
        let meter = Meter::new(network.url(), network.vault());
        let mark = meter.mark()?;
        network.deploy(&built::canisters()?)?;
        let upgrade = meter.since(mark, "post_upgrade", "")?;
        let costs = calls::measure(&network, &meter).await?;
        sizes.push((
            size,
            megabytes,
            *upgrade.last().context("no upgrade")?,
            costs,
        ));
    }
    let [(small, _, _, before), (large, megabytes, upgrade, after)] = sizes.as_slice() else {
        anyhow::bail!("two sizes were to be measured");
    };
    write(report, *small, before, *large, after);
    report.budgeted(
        "upgrade",
        &format!("with {}", large.name()),
        *upgrade as f64,
        "instructions",
        50e6,
    );
    report.known("upgrade", "stable memory then", *megabytes, "MB");
    Ok(())
}

fn write(report: &mut Report, small: Size, before: &Costs, large: Size, after: &Costs) {
    let group = format!("calls, {}", large.name());
    for call in calls::CALLS {
        let Some(cost) = after.get(call.name) else {
            continue;
        };
        match call.budget {
            Some(budget) => report.budgeted(&group, call.name, *cost, call.unit, budget),
            None => report.known(&group, call.name, *cost, call.unit),
        }
    }
    let group = format!("growth since {}", small.name());
    for call in calls::CALLS.iter().filter(|call| call.hot) {
        if let (Some(cost), Some(first)) = (after.get(call.name), before.get(call.name)) {
            report.budgeted(&group, call.name, cost / first, "times", 2.0);
        }
    }
}

/// Fills a vault up to a size, and then further.
struct Filler {
    vault: Filling,
    patient: Unlocked,
    many: CompartmentId,
    accounts: u64,
    records: u64,
    in_many: u64,
}

impl Filler {
    async fn start(id: Principal, last: Size) -> Result<Self> {
        let updates = last.records + last.accounts;
        let vault = Filling::start(id, SystemClock.now_ms(), updates)?;
        let mut unlocked = None;
        for (n, compartments) in (0..).zip(PEOPLE) {
            let person = Person::nth(n);
            let over = vault.for_caller(person.principal()?);
            let opened = person
                .open(&client(over, vault.clock()), compartments)
                .await?;
            unlocked.get_or_insert(opened);
        }
        let patient = unlocked.context("nobody")?;
        let mut filler = Self {
            many: calls::compartment(&patient, MANY)?,
            patient,
            vault,
            accounts: PEOPLE.len() as u64,
            records: 0,
            in_many: 0,
        };
        for (name, count) in [(calls::TEN, 10), (calls::HUNDRED, 100)] {
            let compartment = calls::compartment(&filler.patient, name)?;
            for _ in 0..count {
                add(&filler.patient, compartment, filler.records).await?;
                filler.records += 1;
            }
        }
        Ok(filler)
    }

    async fn fill(&mut self, size: Size) -> Result<()> {
        while self.in_many < size.patient {
            add(&self.patient, self.many, self.records).await?;
            self.in_many += 1;
            self.records += 1;
        }
        while self.accounts < size.accounts {
            let person = Person::nth(self.accounts);
            let over = self.vault.for_caller(person.principal()?);
            let opened = person
                .open(&client(over, self.vault.clock()), &[MANY])
                .await?;
            let compartment = calls::compartment(&opened, MANY)?;
            let left = size.records.saturating_sub(self.records);
            for _ in 0..left / (size.accounts - self.accounts) {
                add(&opened, compartment, self.records).await?;
                self.records += 1;
            }
            self.accounts += 1;
        }
        Ok(())
    }
}

async fn add(to: &Unlocked, compartment: CompartmentId, n: u64) -> Result<()> {
    let draft = Draft {
        title: format!("Record {n}"),
        ..calls::draft()
    };
    let part = PartDraft::of_bytes("note.txt", "text/plain", format!("Note {n}"));
    to.add_record(compartment, &draft, &[part], &Quiet).await?;
    Ok(())
}
