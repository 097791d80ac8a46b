//! Opening an account: genesis, identity, first slots and compartments, in one call. Must not know
//! where secrets come from.

use super::compartments::Label;
use super::{Profile, Unlocked};
use crate::client::Client;
use crate::error::{ClientError, IntegrityError, Result};
use crate::keys::SlotHold;
use crate::ledger::{Ledger, sign};
use salus_crypto::hierarchy::{Amk, EpochKey, IdentityBundle, IdentitySeeds};
use salus_crypto::phrase::RecoveryPhrase;
use salus_crypto::sign::SigningKey;
use salus_crypto::slot::{SlotKeys, SlotKind as SecretKind, SlotSecret, wrap_amk};
use salus_crypto::{VaultScope, note, random_id};
use salus_protocol::KeyChain;
use salus_protocol::canonical;
use salus_protocol::keychain::{Authority, KeyLink, POSSESSION_LABEL};
use salus_protocol::ledger::{
    Change, LedgerOp, NewCompartment, PasskeyParameters, Slot, SlotKind, SlotParameters,
};
use salus_protocol::statement::{self, Statement};
use salus_types::api::{AccountCreate, AccountInfo, SignedLink};
use salus_types::{AccountId, CompartmentId, Hash, SlotId};
use serde_bytes::ByteBuf;

/// An account to be opened.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// Its id where the caller needed one before, to make a browser's secret; else random.
    pub account: Option<AccountId>,
    /// The recovery phrase, which the person has written down.
    pub phrase: &'a RecoveryPhrase,
    /// What the person wants to be called, and preferences; sealed.
    pub profile: Profile,
    /// The first compartments.
    pub compartments: Vec<Label>,
    /// Ways to unlock besides the phrase.
    pub slots: Vec<NewSlot>,
}

/// A way to unlock to be added.
#[derive(Clone, Debug)]
pub struct NewSlot {
    /// Its id, which a browser's secret depends on.
    pub id: SlotId,
    /// Its secret.
    pub secret: SlotSecret,
    /// What the secret was made with, for a passkey or a passphrase: see
    /// [`Self::passkey`] and [`Client::passphrase_slot`].
    pub parameters: Option<SlotParameters>,
    /// Its sealed label, for instance "Firefox on the laptop"; may be empty.
    pub label: String,
}

impl NewSlot {
    /// With a random id.
    ///
    /// # Errors
    /// No randomness.
    pub fn new(secret: SlotSecret, label: impl Into<String>) -> Result<Self> {
        Ok(Self {
            id: SlotId(random_id()?),
            secret,
            parameters: None,
            label: label.into(),
        })
    }

    /// Of a passkey, which was asked for the PRF extension's output at `parameters.salt`, 32 random
    /// bytes; `secret` was made of that for slot `id`, as [`super::passkey_slot_message`] says.
    pub fn passkey(
        id: SlotId,
        secret: SlotSecret,
        parameters: PasskeyParameters,
        label: impl Into<String>,
    ) -> Self {
        Self {
            id,
            secret,
            parameters: Some(SlotParameters::Passkey(parameters)),
            label: label.into(),
        }
    }
}

pub(crate) fn ledger_kind(kind: SecretKind) -> SlotKind {
    match kind {
        SecretKind::Recovery => SlotKind::Recovery,
        SecretKind::Browser => SlotKind::Browser,
        SecretKind::Passkey => SlotKind::Passkey,
        SecretKind::Passphrase => SlotKind::Passphrase,
        SecretKind::File => SlotKind::File,
    }
}

/// Makes the slot, with the account master key sealed to it.
pub(super) fn make_slot(
    scope: VaultScope<'_>,
    new: &NewSlot,
    genesis: Hash,
    amk: &Amk,
) -> Result<(Slot, SlotKeys)> {
    let keys = new.secret.derive_keys(scope, new.id)?;
    let label = if new.label.is_empty() {
        Vec::new()
    } else {
        note::seal_slot_label(amk, scope, new.id, &new.label)?
    };
    let slot = Slot {
        id: new.id,
        kind: ledger_kind(new.secret.kind()),
        sealing: keys.public().as_bytes().to_vec(),
        anchor: keys.seal_anchor(scope, new.id, genesis)?,
        wrap: wrap_amk(keys.public(), scope, new.id, amk)?,
        label,
        parameters: new.parameters.clone(),
    };
    Ok((slot, keys))
}

/// Makes a compartment with a fresh first epoch.
pub(super) fn make_compartment(
    scope: VaultScope<'_>,
    id: CompartmentId,
    label: &Label,
    amk: &Amk,
) -> Result<(NewCompartment, EpochKey)> {
    let key = EpochKey::generate(id, 1)?;
    let compartment = NewCompartment {
        id,
        name: note::seal_compartment_name(amk, scope, id, &label.to_text())?,
        kid: key.kid(scope),
        wrap: key.wrap(amk, scope)?,
    };
    Ok((compartment, key))
}

/// Signs a link, both ways.
pub(super) fn sign_link(link: &KeyLink, authority: &SigningKey, own: &SigningKey) -> SignedLink {
    let bytes = canonical::encode(link);
    let signature = authority.sign(&statement::signing_bytes(KeyLink::LABEL, &bytes));
    let possession = own.sign(&statement::signing_bytes(POSSESSION_LABEL, &bytes));
    SignedLink {
        statement: ByteBuf::from(bytes),
        signature: ByteBuf::from(signature.to_vec()),
        possession: ByteBuf::from(possession.to_vec()),
    }
}

impl Client {
    /// Opens an account for the caller and gives it unlocked.
    ///
    /// # Errors
    /// [`ClientError::HasAccount`]; the vault's [`salus_types::Error::SignUpClosed`]; whatever does
    /// not verify.
    pub async fn create_account(&self, new: NewAccount<'_>) -> Result<Unlocked> {
        if self.account().await?.is_some() {
            return Err(ClientError::HasAccount);
        }
        let account = match new.account {
            Some(id) => id,
            None => AccountId(random_id()?),
        };
        let scope = self.scope(account);
        let now = self.now();
        let recovery = new.phrase.derive_signing_key(self.vault_bytes());
        let mut seeds = IdentitySeeds::generate()?;
        let link = KeyLink {
            vault: self.vault_bytes().to_vec(),
            account,
            index: 0,
            previous: None,
            signing: seeds.signing.public(),
            sealing: seeds.hpke.public()?.as_bytes().to_vec(),
            recovery: recovery.public(),
            by: Authority::Recovery,
            at: now,
        };
        let genesis = sign_link(&link, &recovery, &seeds.signing);
        let chain = KeyChain::genesis(&genesis, self.vault_bytes())?;
        let fingerprint = chain.genesis_fingerprint();
        seeds.link = fingerprint;
        let signing = seeds.signing.clone();

        let amk = Amk::generate(1)?;
        let phrase_slot = NewSlot::new(new.phrase.slot_secret(), "")?;
        let (slot, slot_keys) = make_slot(scope, &phrase_slot, fingerprint, &amk)?;
        let mut slots = vec![slot];
        for extra in &new.slots {
            slots.push(make_slot(scope, extra, fingerprint, &amk)?.0);
        }
        let mut compartments = Vec::with_capacity(new.compartments.len());
        for label in &new.compartments {
            let id = CompartmentId(random_id()?);
            compartments.push(make_compartment(scope, id, label, &amk)?.0);
        }
        let op = LedgerOp {
            vault: self.vault_bytes().to_vec(),
            account,
            seq: 0,
            previous: None,
            link: fingerprint,
            at: now,
            change: Change::Open {
                slots,
                bundle: IdentityBundle::new(seeds).seal(&amk, scope)?,
                compartments,
            },
        };
        let op = sign(&op, &signing);
        let mut ledger = Ledger::empty(&chain);
        ledger.push(&op, self.vault_bytes(), account, &chain)?;
        let create = AccountCreate {
            genesis,
            ledger: op,
            profile: ByteBuf::from(new.profile.seal(&amk, scope)?),
        };
        let answer: Result<AccountInfo> = self.update("account_create", (create,)).await;
        let info = match answer {
            // Nobody knows whether it was carried out: look.
            Err(ClientError::Transport(error)) if error.is_ambiguous() => {
                match self.account().await {
                    Ok(Some(info)) => info,
                    _ => return Err(error.into()),
                }
            }
            other => other?,
        };
        if info.account != account {
            return Err(IntegrityError::OtherAccount.into());
        }
        let chain = self.accept_chain(account, &info.chain).await?;
        if chain.genesis_fingerprint() != fingerprint {
            return Err(IntegrityError::KeyChanged { account }.into());
        }
        let hold = SlotHold {
            slot: phrase_slot.id,
            keys: slot_keys,
        };
        Unlocked::open(self, info, chain, ledger, hold).await
    }
}
