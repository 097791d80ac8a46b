mod accounts;
mod ledger;
mod records;
mod release;
mod requests;
mod rights;
mod uploads;
