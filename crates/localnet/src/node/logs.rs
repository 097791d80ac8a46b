//! What a canister printed and why it trapped: the latest records that fit a limit. Data only.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Bytes counted for a record besides its content: its number and its time.
const RECORD: u64 = 16;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogRecord {
    /// Numbers the records of a canister.
    pub(crate) index: u64,
    /// When it was written, ns.
    pub(crate) at: u64,
    /// What was written.
    #[serde(with = "serde_bytes")]
    pub(crate) content: Vec<u8>,
}

/// A canister's records.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Logs {
    next: u64,
    bytes: u64,
    records: VecDeque<LogRecord>,
}

impl Logs {
    /// Adds a record, cut to the limit, and forgets the oldest ones beyond it.
    pub(crate) fn add(&mut self, mut content: Vec<u8>, at: u64, limit: u64) {
        let index = self.next;
        self.next += 1;
        let room = limit.saturating_sub(RECORD);
        if limit < RECORD {
            return;
        }
        content.truncate(usize::try_from(room).unwrap_or(usize::MAX));
        self.bytes += RECORD + content.len() as u64;
        self.records.push_back(LogRecord { index, at, content });
        self.fit(limit);
    }

    /// Forgets the oldest records beyond the limit.
    pub(crate) fn fit(&mut self, limit: u64) {
        while self.bytes > limit {
            match self.records.pop_front() {
                Some(record) => self.bytes -= RECORD + record.content.len() as u64,
                None => return,
            }
        }
    }

    /// Forgets all records; numbers go on.
    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.bytes = 0;
    }

    /// The records, oldest first.
    pub(crate) fn records(&self) -> impl Iterator<Item = &LogRecord> {
        self.records.iter()
    }

    /// Bytes counted.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_that_fit_are_kept_and_numbers_go_on() {
        let mut logs = Logs::default();
        for i in 0..10 {
            logs.add(vec![i; 84], 7, 250);
        }
        let kept: Vec<u64> = logs.records().map(|record| record.index).collect();
        assert_eq!(kept, [8, 9]);
        logs.add(vec![1; 1000], 8, 250);
        assert_eq!(logs.bytes(), 250);
        logs.clear();
        logs.add(b"x".to_vec(), 9, 250);
        let kept: Vec<u64> = logs.records().map(|record| record.index).collect();
        assert_eq!(kept, [11]);
        logs.add(b"x".to_vec(), 9, 0);
        assert_eq!(logs.records().count(), 1);
        logs.fit(0);
        assert_eq!(logs.bytes(), 0);
    }
}
