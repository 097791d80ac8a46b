//! How long it takes to unlock an account natively, in each way: everything but the network, over a
//! vault in this process.

use crate::accounts::{Person, client};
use crate::report::Report;
use anyhow::{Context as _, Result};
use salus_client::{
    NewSlot, Passphrase, SecondSecret, SheetKey, SlotParameters, SlotSecret, SystemClock,
};
use salus_tests::transports::{Native, TestClock};
use std::time::Instant;

const GROUP: &str = "unlocking, native";
const TIMES: usize = 5;
const COMPARTMENTS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];

/// Measures each way to unlock an account of eight compartments; the fastest of a few times counts.
pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    // Certificates bear the time of this clock, and clients go by it.
    let now = salus_client::Environment::now_ms(&SystemClock);
    let clock = TestClock::at(now);
    let vault = Native::start(&clock)?;
    let someone = Person::nth(1);
    let fresh = || -> Result<_> {
        let transport = vault.for_caller(someone.principal()?);
        Ok(client(transport, clock.clone()))
    };
    let own = someone.open(&fresh()?, &COMPARTMENTS).await?;
    let secret = SlotSecret::from_file([7; 32]);
    let file = NewSlot::new(secret.clone(), "")?;
    own.add_slot(&file).await?;
    let passphrase = Passphrase::generate()?;
    let sheet = SecondSecret::Sheet(SheetKey::generate()?);
    let slot = own
        .client()
        .passphrase_slot(own.account(), None, &passphrase, &sheet, "")?;
    own.add_slot(&slot).await?;
    let Some(SlotParameters::Passphrase(parameters)) = &slot.parameters else {
        anyhow::bail!("a passphrase has parameters");
    };

    let mut times = [const { Vec::new() }; 4];
    for _ in 0..TIMES {
        let began = Instant::now();
        someone.unlock_by_phrase(&fresh()?).await?;
        times[0].push(began.elapsed());
        let began = Instant::now();
        fresh()?.unlock_with_slot(file.id, &secret).await?;
        times[1].push(began.elapsed());
        let began = Instant::now();
        let fresh = fresh()?;
        fresh
            .unlock_with_passphrase(slot.id, &passphrase, &sheet)
            .await?;
        times[2].push(began.elapsed());
        let began = Instant::now();
        let vault = fresh.vault();
        let scope = salus_crypto::VaultScope {
            vault: vault.as_slice(),
            account: own.account(),
        };
        passphrase.derive_secret(scope, slot.id, parameters, &sheet)?;
        times[3].push(began.elapsed());
    }
    let names = [
        "by the recovery phrase",
        "by a slot's secret",
        "by a passphrase",
        "of which Argon2id at 64 MiB and 3 passes",
    ];
    for (name, times) in names.into_iter().zip(times) {
        let best = times.iter().min().context("nothing measured")?;
        report.known(GROUP, name, best.as_secs_f64() * 1_000.0, "ms");
    }
    Ok(())
}
