//! Reading a canister's logs.

use super::{Call, encode};
use crate::node::logs::{LogRecord, Logs};
use crate::wire::response::CallResult;
use ic_management_canister_types::{
    CanisterLogFilter, CanisterLogRecord, FetchCanisterLogsArgs, FetchCanisterLogsResult,
};

impl Call<'_, '_> {
    pub(super) fn fetch_logs(&mut self) -> CallResult {
        let (args,): (FetchCanisterLogsArgs,) = self.decode()?;
        let loaded = self.allowed(args.canister_id)?;
        encode((fetch(&loaded.logs, args.filter.as_ref()),))
    }
}

/// The records a filter lets through.
pub(super) fn fetch(logs: &Logs, filter: Option<&CanisterLogFilter>) -> FetchCanisterLogsResult {
    let wanted = |record: &&LogRecord| match filter {
        None => true,
        Some(CanisterLogFilter::ByIdx { start, end }) => (start..end).contains(&&record.index),
        Some(CanisterLogFilter::ByTimestampNanos { start, end }) => {
            (start..end).contains(&&record.at)
        }
    };
    FetchCanisterLogsResult {
        canister_log_records: logs
            .records()
            .filter(wanted)
            .map(|record| CanisterLogRecord {
                idx: record.index,
                timestamp_nanos: record.at,
                content: record.content.clone(),
            })
            .collect(),
    }
}
