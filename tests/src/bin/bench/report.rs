//! What was measured, as rows. The file's form is what `cargo xtask bench` reads.

use anyhow::{Context as _, Result};
use serde::Serialize;
use std::path::Path;

/// One measured number.
#[derive(Debug, Serialize)]
struct Row {
    group: String,
    name: String,
    value: f64,
    unit: String,
    budget: Option<f64>,
}

/// Everything measured so far.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// A number that has a budget: at most so much, or for units per second at least.
    pub(crate) fn budgeted(
        &mut self,
        group: &str,
        name: &str,
        value: f64,
        unit: &str,
        budget: f64,
    ) {
        self.push(group, name, value, unit, Some(budget));
    }

    /// A number to compare with or to know.
    pub(crate) fn known(&mut self, group: &str, name: &str, value: f64, unit: &str) {
        self.push(group, name, value, unit, None);
    }

    fn push(&mut self, group: &str, name: &str, value: f64, unit: &str, budget: Option<f64>) {
        eprintln!("measured {group}: {name}: {value:.3} {unit}");
        self.rows.push(Row {
            group: group.into(),
            name: name.into(),
            value,
            unit: unit.into(),
            budget,
        });
    }

    /// Writes `{"rows": […]}`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        std::fs::write(path, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("could not write {}", path.display()))
    }
}
