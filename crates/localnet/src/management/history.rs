//! What anybody may know about a canister: its past, its controllers, its module's hash and its
//! metadata.

use super::{Call, encode, refuse};
use crate::node::history::{Author, Change, Deployment, Event};
use crate::node::loaded::Loaded;
use crate::node::snapshot::Source;
use crate::node::state::Origin;
use crate::wire::response::{CallResult, Reject};
use candid::{Principal, Reserved};
use ic_management_canister_types::{
    CanisterInfoArgs, CanisterInfoResult, CanisterMetadataArgs, CanisterMetadataResult,
    Change as ShownChange, ChangeDetails, ChangeOrigin, CodeDeploymentMode, CodeDeploymentRecord,
    ControllersChangeRecord, CreationRecord, FromCanisterRecord, FromUserRecord,
    LoadSnapshotRecord, SnapshotSource,
};

impl Call<'_, '_> {
    /// Adds what the caller did to the canister's past; the canister's version is the one after it.
    pub(super) fn record(
        &mut self,
        id: Principal,
        caller_version: Option<u64>,
        event: Event,
    ) -> Result<(), Reject> {
        let author = match self.origin {
            Origin::Canister { .. } => Author::Canister(self.caller, caller_version),
            Origin::Ingress(_) | Origin::System => Author::User(self.caller),
        };
        let at = self.now();
        let state = &mut self.existing(id)?.state;
        let version = state.version;
        state.history.add(Change {
            at,
            version,
            author,
            event,
        });
        Ok(())
    }

    pub(super) fn canister_info(&mut self) -> CallResult {
        let (args,): (CanisterInfoArgs,) = self.decode()?;
        let loaded = self.allowed(args.canister_id)?;
        encode((info(loaded, args.num_requested_changes),))
    }

    pub(super) fn canister_metadata(&mut self) -> CallResult {
        let (args,): (CanisterMetadataArgs,) = self.decode()?;
        let (caller, id, name) = (self.caller, args.canister_id, args.name);
        let loaded = self.allowed(id)?;
        let module = loaded.module.as_ref().ok_or_else(|| {
            refuse(format!(
                "The canister {id} has no Wasm module and hence no metadata is available."
            ))
        })?;
        let controls = loaded.state.controllers.contains(&caller);
        let section = module
            .anatomy
            .metadata
            .get(&name)
            .filter(|section| section.public || controls)
            .ok_or_else(|| {
                refuse(format!(
                    "The canister {id} has no metadata section with the name {name}."
                ))
            })?;
        encode((CanisterMetadataResult {
            value: section.content.clone(),
        },))
    }
}

/// A canister's past and present.
pub(super) fn info(loaded: &Loaded, wanted: Option<u64>) -> CanisterInfoResult {
    let history = &loaded.state.history;
    let wanted = usize::try_from(wanted.unwrap_or(0)).unwrap_or(usize::MAX);
    let skipped = history.recent.len().saturating_sub(wanted);
    CanisterInfoResult {
        total_num_changes: history.total,
        recent_changes: history.recent.iter().skip(skipped).map(shown).collect(),
        module_hash: loaded.state.module.map(|hash| hash.to_vec()),
        controllers: loaded.state.controllers.clone(),
    }
}

fn shown(change: &Change) -> ShownChange {
    ShownChange {
        timestamp_nanos: change.at,
        canister_version: change.version,
        origin: match &change.author {
            Author::User(user_id) => ChangeOrigin::FromUser(FromUserRecord { user_id: *user_id }),
            Author::Canister(canister_id, canister_version) => {
                ChangeOrigin::FromCanister(FromCanisterRecord {
                    canister_id: *canister_id,
                    canister_version: *canister_version,
                })
            }
        },
        details: Some(details(&change.event)),
    }
}

fn details(event: &Event) -> ChangeDetails {
    match event {
        Event::Created(controllers, environment) => ChangeDetails::Creation(CreationRecord {
            controllers: controllers.clone(),
            environment_variables_hash: environment.map(|hash| hash.to_vec()),
        }),
        Event::Uninstalled => ChangeDetails::CodeUninstall,
        Event::Deployed(mode, hash) => ChangeDetails::CodeDeployment(CodeDeploymentRecord {
            mode: match mode {
                Deployment::Install => CodeDeploymentMode::Install,
                Deployment::Reinstall => CodeDeploymentMode::Reinstall,
                Deployment::Upgrade => CodeDeploymentMode::Upgrade,
            },
            module_hash: hash.to_vec(),
        }),
        Event::Loaded {
            from,
            snapshot,
            version,
            taken_at,
            uploaded,
        } => ChangeDetails::LoadSnapshot(LoadSnapshotRecord {
            from_canister_id: *from,
            snapshot_id: snapshot.clone(),
            canister_version: *version,
            taken_at_timestamp: *taken_at,
            source: source(*uploaded),
        }),
        Event::Controllers(controllers) => {
            ChangeDetails::ControllersChange(ControllersChangeRecord {
                controllers: controllers.clone(),
            })
        }
    }
}

/// How a snapshot came about, as it is shown.
pub(super) fn source(uploaded: bool) -> SnapshotSource {
    if uploaded {
        SnapshotSource::MetadataUpload(Reserved)
    } else {
        SnapshotSource::TakenFromCanister(Reserved)
    }
}

/// Whether a snapshot was uploaded.
pub(super) fn is_uploaded(source: Source) -> bool {
    source == Source::Uploaded
}
