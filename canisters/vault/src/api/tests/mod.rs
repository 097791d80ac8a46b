//! What the vault answers, endpoint by endpoint: one module of tests for each part of the interface.
mod accounts;
mod batches;
mod filing;
mod ledger;
mod pairing;
mod pins;
mod records;
mod release;
mod requests;
mod rights;
mod slots;
mod uploads;
