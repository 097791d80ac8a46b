//! Reads what calls cost from the network's admin side. Must not know what
//! the calls are for.

use anyhow::{Context as _, Result, bail};
use salus_tests::polling;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Cost {
    method: String,
    kind: String,
    instructions: u64,
}

/// Costs of one canister's calls.
pub(crate) struct Meter {
    url: String,
    canister: String,
}

/// How many calls had been made when it was taken.
#[derive(Clone, Copy)]
pub(crate) struct Mark(usize);

impl Meter {
    /// Of this canister.
    pub(crate) fn new(url: &str, canister: &str) -> Self {
        Self {
            url: url.into(),
            canister: canister.into(),
        }
    }

    fn costs(&self) -> Result<Vec<Cost>> {
        let path = format!("/_/canister/{}/costs", self.canister);
        let costs: Vec<Cost> = serde_json::from_slice(&polling::get(&self.url, &path)?)?;
        // The network remembers 10,000; beyond that marks would be off.
        if costs.len() >= 10_000 {
            bail!("more calls were made than the network remembers");
        }
        Ok(costs)
    }

    /// Now.
    pub(crate) fn mark(&self) -> Result<Mark> {
        Ok(Mark(self.costs()?.len()))
    }

    /// Instructions of everything that was executed since `mark`, inspections of messages included.
    pub(crate) fn total_since(&self, mark: Mark) -> Result<u64> {
        let all = self.costs()?;
        Ok(all.iter().skip(mark.0).map(|cost| cost.instructions).sum())
    }

    /// Instructions of each execution of that kind and method since `mark`, in order.
    pub(crate) fn since(&self, mark: Mark, kind: &str, method: &str) -> Result<Vec<u64>> {
        let all = self.costs()?;
        let of_these: Vec<u64> = all
            .iter()
            .skip(mark.0)
            .filter(|cost| cost.kind == kind && cost.method == method)
            .map(|cost| cost.instructions)
            .collect();
        if of_these.is_empty() {
            bail!("no {kind} {method} was executed");
        }
        Ok(of_these)
    }
}

/// The middle one.
pub(crate) fn median(costs: &[u64]) -> Result<u64> {
    let mut sorted = costs.to_vec();
    sorted.sort_unstable();
    sorted
        .get(sorted.len() / 2)
        .copied()
        .context("nothing measured")
}
