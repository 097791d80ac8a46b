//! The vault: stable memory, surroundings, settings, and the rule that a refusal changes nothing.
//! Must not know any endpoint.

use crate::rates::Rates;
use crate::rows::{AccountIdRow, AccountRow, OutlineRow, PrincipalRow, SettingsRow};
use crate::runtime::{Call, Runtime};
use crate::storage::{StorageError, Store};
use candid::Principal;
use ic_stable_structures::Memory;
use salus_protocol::statement::StatementError;
use salus_types::api::{InitArgs, SignUp};
use salus_types::{AccountId, Error, Result, limits};

/// All of the vault. Updates take it `&mut`, queries `&`: what a query cannot do, such as writing
/// an audit entry, does not compile in one.
pub struct Vault<R: Runtime, M: Memory> {
    pub(crate) store: Store<M>,
    pub(crate) runtime: R,
    pub(crate) settings: SettingsRow,
    pub(crate) canister: Vec<u8>,
    rates: Rates,
    settled: u64,
}

/// An account that is being worked on: what [`Vault::save`] writes back.
#[derive(Clone)]
pub(crate) struct Owner {
    pub(crate) number: u64,
    pub(crate) account: AccountRow,
    pub(crate) outline: OutlineRow,
}

impl Owner {
    /// What was made for an earlier state of the ledger: its keys or epochs were replaced.
    pub(crate) fn stale(&self) -> Error {
        self.account.stale()
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Full => Self::Temporary {
                reason: "storage is full".into(),
            },
            StorageError::TooLong => Self::TooLarge {
                field: "bytes".into(),
                limit: limits::PIECE_BYTES,
            },
            other => Self::Internal {
                place: other.to_string(),
            },
        }
    }
}

/// A refused statement as its sender gets it.
pub(crate) fn refused(error: StatementError) -> Error {
    match error {
        StatementError::NotCanonical(name) => Error::NotCanonical {
            statement: short(name).into(),
        },
        StatementError::BadSignature(name) => Error::BadSignature {
            statement: short(name).into(),
        },
        StatementError::ForeignVault(name) => Error::Invalid {
            field: "vault".into(),
            reason: format!("{}: made for another vault", short(name)),
        },
    }
}

fn short(label: &str) -> &str {
    label
        .strip_prefix(salus_protocol::statement::LABEL_PREFIX)
        .unwrap_or(label)
}

/// Refuses more bytes than a field may have.
pub(crate) fn at_most(field: &str, len: usize, limit: u64) -> Result<()> {
    if len as u64 > limit {
        return Err(Error::TooLarge {
            field: field.into(),
            limit,
        });
    }
    Ok(())
}

/// Refuses a statement made later than now, beyond what clocks may differ.
pub(crate) fn not_from_the_future(at: u64, now: u64) -> Result<()> {
    if at > now.saturating_add(limits::CLOCK_SKEW_MS) {
        return Err(Error::invalid(
            "at",
            "lies in the future; check this device's clock",
        ));
    }
    Ok(())
}

impl<R: Runtime, M: Memory> Vault<R, M> {
    /// Opens what is in stable memory, or begins in empty memory; `upgraded` counts an upgrade.
    /// Sets the certified data, which the platform clears on every upgrade.
    ///
    /// # Errors
    /// [`Error::Internal`] if stable memory holds what this build cannot open.
    pub fn open(memory: M, runtime: R, args: Option<InitArgs>, upgraded: bool) -> Result<Self> {
        let mut store = Store::init(memory)?;
        let stored: Option<SettingsRow> = store.get(&SettingsRow::key())?;
        let mut settings = stored.unwrap_or(SettingsRow {
            open_sign_up: true,
            account_quota: limits::ACCOUNT_QUOTA_BYTES,
            upgrades: 0,
            directory: 0,
            pairings: None,
        });
        if let Some(args) = args {
            if let Some(sign_up) = args.sign_up {
                settings.open_sign_up = sign_up == SignUp::Open;
            }
            if let Some(quota) = args.account_quota {
                settings.account_quota = quota;
            }
        }
        settings.upgrades += u64::from(upgraded);
        store.put(SettingsRow::key(), &settings);
        let canister = runtime.canister().as_slice().to_vec();
        let settled = store.writes();
        let mut vault = Self {
            store,
            runtime,
            settings,
            canister,
            rates: Rates::default(),
            settled,
        };
        vault.certify();
        Ok(vault)
    }

    /// Whether something was written since the last [`Self::settle`]. A refusal that leaves this
    /// true must be rolled back by its caller: on the platform by a trap.
    pub fn is_unsettled(&self) -> bool {
        self.store.writes() != self.settled
    }

    /// Declares that what has been written is whole.
    pub fn settle(&mut self) {
        self.settled = self.store.writes();
    }

    /// Gives the random generator to whoever seeds it.
    pub fn runtime_mut(&mut self) -> &mut R {
        &mut self.runtime
    }

    /// Random bytes, or a typed error while the generator is not seeded.
    pub(crate) fn random(&mut self) -> Result<[u8; 32]> {
        let none = || Error::Temporary {
            reason: "randomness is being fetched".into(),
        };
        self.runtime.random().ok_or_else(none)
    }

    /// Refuses the anonymous caller and whoever calls too often. Every update begins with it.
    pub(crate) fn admit(&mut self, call: &Call) -> Result<()> {
        self.admit_work(call, 1)
    }

    /// As [`Self::admit`], for a call that does the work of so many.
    pub(crate) fn admit_work(&mut self, call: &Call, times: u32) -> Result<()> {
        if call.caller == Principal::anonymous() {
            return Err(Error::Anonymous);
        }
        self.rates.count(call, times)
    }

    /// The number of the account that the caller calls for.
    pub(crate) fn caller_number(&self, call: &Call) -> Result<u64> {
        if call.caller == Principal::anonymous() {
            return Err(Error::Anonymous);
        }
        self.principal_number(&call.caller)?.ok_or(Error::NotFound)
    }

    /// The account number of a principal.
    pub(crate) fn principal_number(&self, principal: &Principal) -> Result<Option<u64>> {
        let row: Option<PrincipalRow> = self.store.get(&PrincipalRow::key(principal.as_slice()))?;
        Ok(row.map(|row| row.0))
    }

    /// The number of an account id.
    pub(crate) fn account_number(&self, id: &AccountId) -> Result<Option<u64>> {
        let row: Option<AccountIdRow> = self.store.get(&AccountIdRow::key(id))?;
        Ok(row.map(|row| row.0))
    }

    /// An account that must be there.
    pub(crate) fn account(&self, number: u64) -> Result<AccountRow> {
        self.store
            .get(&AccountRow::key(number))?
            .ok_or_else(|| Error::internal("account"))
    }

    /// Writes an account of which nothing certified has changed.
    pub(crate) fn put_account(&mut self, number: u64, account: &AccountRow) {
        self.store.put(AccountRow::key(number), account);
    }

    /// An account with its outline, to be worked on.
    pub(crate) fn load(&self, number: u64) -> Result<Owner> {
        let account = self.account(number)?;
        let outline: Option<OutlineRow> = self.store.get(&OutlineRow::key(number))?;
        let outline = outline.ok_or_else(|| Error::internal("outline"))?;
        Ok(Owner {
            number,
            account,
            outline,
        })
    }

    /// The account that the caller calls for, to be worked on.
    pub(crate) fn load_caller(&self, call: &Call) -> Result<Owner> {
        self.load(self.caller_number(call)?)
    }

    /// Writes an account back, renews its certified leaf, and declares the update whole.
    pub(crate) fn save(&mut self, owner: Owner) -> Result<()> {
        self.save_all([owner])
    }

    /// As [`Self::save`], for several accounts.
    pub(crate) fn save_all(&mut self, owners: impl IntoIterator<Item = Owner>) -> Result<()> {
        for owner in owners {
            let digest = crate::certified::account_digest(&owner.account, &owner.outline);
            self.store
                .put(AccountRow::key(owner.number), &owner.account);
            self.store
                .put(OutlineRow::key(owner.number), &owner.outline);
            self.store.merkle.update(owner.number, &digest)?;
        }
        self.certify();
        self.settle();
        Ok(())
    }

    /// Reserves bytes of an account's quota.
    pub(crate) fn charge(&self, account: &mut AccountRow, bytes: u64) -> Result<()> {
        let limit = self.settings.account_quota;
        let total = account.bytes.saturating_add(bytes);
        if total > limit {
            return Err(Error::QuotaExceeded {
                used: account.bytes,
                limit,
            });
        }
        account.bytes = total;
        Ok(())
    }
}
