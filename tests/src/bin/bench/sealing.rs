//! How fast contents are sealed and opened natively.

use crate::report::Report;
use anyhow::{Context as _, Result, ensure};
use salus_crypto::record::{open_part, seal_part};
use salus_crypto::{Key, VaultScope, VersionScope};
use salus_types::{AccountId, Hash, RecordId};
use std::time::{Duration, Instant};

const GROUP: &str = "sealing, native";
const MIB: usize = 16;
const TIMES: usize = 5;

/// Measures sealing and opening a part of 16 MiB; the fastest of a few times counts.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let key = Key::from_bytes([1; 32]);
    let at = VersionScope {
        scope: VaultScope {
            vault: &[2; 10],
            account: AccountId([3; 16]),
        },
        record: RecordId([4; 16]),
        version: 1,
        author: Hash([5; 32]),
    };
    let plain = vec![6; MIB << 20];
    let (mut sealing, mut opening) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let began = Instant::now();
        let sealed = seal_part(&key, &at, 0, &plain)?;
        sealing.push(began.elapsed());
        let began = Instant::now();
        let opened = open_part(&key, &at, 0, &sealed.sealed)?;
        opening.push(began.elapsed());
        ensure!(opened.bytes.as_slice() == plain, "opened something else");
    }
    for (name, times) in [("seal 16 MiB", sealing), ("open 16 MiB", opening)] {
        report.known(GROUP, name, rate(&times)?, "MiB/s");
    }
    Ok(())
}

fn rate(times: &[Duration]) -> Result<f64> {
    let best = times.iter().min().context("nothing measured")?;
    Ok(MIB as f64 / best.as_secs_f64())
}
