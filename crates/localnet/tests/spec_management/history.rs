//! "IC method canister_info", "IC method canister_metadata": what anybody may know.

use crate::common::management::{
    PROXY, call, encoded, events, forward, info, install_as, query, refused, set, with,
};
use crate::common::{COUNTER, IC, Net};
use ic_management_canister_types::{
    CanisterIdRecord, CanisterInfoArgs, CanisterInfoResult, CanisterInstallMode,
    CanisterMetadataArgs, CanisterMetadataResult, CanisterSettings, ChangeDetails, ChangeOrigin,
    CodeDeploymentMode, EnvironmentVariable, ProvisionalCreateCanisterWithCyclesArgs,
    UninstallCodeArgs, UpdateSettingsArgs,
};
use sha2::Digest as _;

/// §canister_info: creation, code deployments with mode and hash, uninstallation and changes of
/// controllers are recorded, each with the canister's version after it and with its author.
#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_recorded() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let me = agent.get_principal().unwrap();
    let id = net.create(&agent).await;
    let wasm = wat::parse_str(COUNTER).unwrap();
    let hash = sha2::Sha256::digest(&wasm).to_vec();
    for mode in [
        CanisterInstallMode::Install,
        CanisterInstallMode::Reinstall,
        CanisterInstallMode::Upgrade(None),
    ] {
        install_as(&agent, id, mode, &wasm).await.unwrap();
    }
    net.manage(&agent, id, "uninstall_code").await.unwrap();
    let settings = CanisterSettings {
        controllers: Some(vec![me, id]),
        freezing_threshold: Some(1_u8.into()),
        ..CanisterSettings::default()
    };
    set(&agent, id, settings).await.unwrap();
    // Other settings leave no trace.
    let settings = CanisterSettings {
        freezing_threshold: Some(2_u8.into()),
        ..CanisterSettings::default()
    };
    set(&agent, id, settings).await.unwrap();

    let info = info(&agent, id, 20).await;
    assert_eq!(info.total_num_changes, 6);
    assert_eq!(info.module_hash, None);
    let mut controllers = vec![me, id];
    controllers.sort_unstable();
    assert_eq!(info.controllers, controllers);
    let mut versions = Vec::new();
    let mut times = Vec::new();
    for change in &info.recent_changes {
        versions.push(change.canister_version);
        times.push(change.timestamp_nanos);
        let ChangeOrigin::FromUser(user) = &change.origin else {
            panic!("{change:?}");
        };
        assert_eq!(user.user_id, me);
    }
    assert_eq!(versions, [0, 1, 2, 3, 4, 5]);
    assert!(times.is_sorted());
    let details: Vec<_> = info
        .recent_changes
        .into_iter()
        .map(|change| change.details.unwrap())
        .collect();
    let deployed: Vec<_> = details
        .iter()
        .filter_map(|details| match details {
            ChangeDetails::CodeDeployment(record) => {
                Some((record.mode, record.module_hash.clone()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        deployed,
        [
            (CodeDeploymentMode::Install, hash.clone()),
            (CodeDeploymentMode::Reinstall, hash.clone()),
            (CodeDeploymentMode::Upgrade, hash),
        ]
    );
    assert_eq!(details[4], ChangeDetails::CodeUninstall);
    let (ChangeDetails::Creation(created), ChangeDetails::ControllersChange(changed)) =
        (&details[0], &details[5])
    else {
        panic!("{details:?}");
    };
    assert_eq!(created.controllers, [me]);
    assert_eq!(created.environment_variables_hash, None);
    assert_eq!(changed.controllers, controllers);
}

/// §canister_info: at least the latest twenty changes are kept, all are counted, and as many are
/// shown as were asked for; nothing of it is lost with a restart.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_changes_are_kept_and_all_are_counted() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.create(&agent).await;
    let me = agent.get_principal().unwrap();
    for _ in 0..24 {
        let settings = CanisterSettings {
            controllers: Some(vec![me]),
            ..CanisterSettings::default()
        };
        set(&agent, id, settings).await.unwrap();
    }
    let all = info(&agent, id, 100).await;
    assert_eq!(all.total_num_changes, 25);
    assert_eq!(all.recent_changes.len(), 20);
    let some = info(&agent, id, 3).await;
    assert_eq!(some.recent_changes, all.recent_changes[17..]);
    let args = CanisterInfoArgs {
        canister_id: id,
        num_requested_changes: None,
    };
    let (none,): (CanisterInfoResult,) = query(&agent, id, "canister_info", (args,)).await.unwrap();
    assert!(none.recent_changes.is_empty());

    let net = net.restart().await;
    let anybody = net.agent().await;
    assert_eq!(info(&anybody, id, 100).await, all);
}

/// §canister_info: a change made by a canister names it, and its version when it says so; every
/// canister may ask, agents may not by updates.
#[tokio::test(flavor = "multi_thread")]
async fn a_canister_that_changes_another_is_named() {
    let (net, agent, proxy) = with(PROXY).await;
    let id = net.create(&agent).await;
    let me = agent.get_principal().unwrap();
    let settings = CanisterSettings {
        controllers: Some(vec![me, proxy]),
        ..CanisterSettings::default()
    };
    set(&agent, id, settings).await.unwrap();
    let args = UninstallCodeArgs {
        canister_id: id,
        sender_canister_version: Some(7),
    };
    let (done, _) = forward::<()>(&agent, proxy, "uninstall_code", (args,), 0).await;
    done.unwrap();
    let args = UpdateSettingsArgs {
        canister_id: id,
        settings: CanisterSettings {
            controllers: Some(vec![me]),
            ..CanisterSettings::default()
        },
        sender_canister_version: None,
    };
    let (done, _) = forward::<()>(&agent, proxy, "update_settings", (args,), 0).await;
    done.unwrap();
    let args = || CanisterInfoArgs {
        canister_id: id,
        num_requested_changes: Some(2),
    };
    let (answer, _) =
        forward::<(CanisterInfoResult,)>(&agent, proxy, "canister_info", (args(),), 0).await;
    let (info,) = answer.unwrap();
    let versions: Vec<_> = info
        .recent_changes
        .iter()
        .map(|change| match &change.origin {
            ChangeOrigin::FromCanister(origin) => {
                assert_eq!(origin.canister_id, proxy);
                origin.canister_version
            }
            ChangeOrigin::FromUser(_) => panic!("{change:?}"),
        })
        .collect();
    assert_eq!(versions, [Some(7), None]);

    let error = call::<(CanisterInfoResult,)>(&agent, id, "canister_info", (args(),))
        .await
        .unwrap_err();
    error.is(4, "IC0406", "canister_info");
}

/// §create_canister, "Hash of map": the creation records the hash of the environment variables.
#[tokio::test(flavor = "multi_thread")]
async fn creation_records_the_hash_of_the_environment() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let variable = |name: &str, value: &str| EnvironmentVariable {
        name: name.into(),
        value: value.into(),
    };
    let args = ProvisionalCreateCanisterWithCyclesArgs {
        settings: Some(CanisterSettings {
            environment_variables: Some(vec![variable("b", "2"), variable("a", "1")]),
            ..CanisterSettings::default()
        }),
        ..ProvisionalCreateCanisterWithCyclesArgs::default()
    };
    let method = "provisional_create_canister_with_cycles";
    let (created,): (CanisterIdRecord,) = call(&agent, IC, method, (args,)).await.unwrap();
    let hash = |bytes: &[u8]| sha2::Sha256::digest(bytes).to_vec();
    let mut pairs = [
        [hash(b"a"), hash(b"1")].concat(),
        [hash(b"b"), hash(b"2")].concat(),
    ];
    pairs.sort();
    let past = events(&agent, created.canister_id).await;
    let [ChangeDetails::Creation(record)] = past.as_slice() else {
        panic!("{past:?}");
    };
    assert_eq!(
        record.environment_variables_hash,
        Some(hash(&pairs.concat()))
    );
}

/// §canister_metadata: public sections for every canister, private ones for controllers, none for
/// agents.
#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_for_canisters_and_the_private_kind_for_controllers() {
    let (net, agent, proxy) = with(PROXY).await;
    let text = r#"(module
        (@custom "icp:public one" "seen by all")
        (@custom "icp:private two" "seen by some")
        (memory 1))"#;
    let id = net.install(&agent, text, b"").await;
    let read = async |name: &str| {
        let args = CanisterMetadataArgs {
            canister_id: id,
            name: name.into(),
        };
        let (answer, _) =
            forward::<(CanisterMetadataResult,)>(&agent, proxy, "canister_metadata", (args,), 0)
                .await;
        answer.map(|(result,)| result.value)
    };
    assert_eq!(read("one").await.unwrap(), b"seen by all");
    let (code, message) = read("two").await.unwrap_err();
    assert_eq!(code, 4);
    assert!(message.contains("no metadata section"), "{message}");
    read("three").await.unwrap_err();
    let settings = CanisterSettings {
        controllers: Some(vec![agent.get_principal().unwrap(), proxy]),
        ..CanisterSettings::default()
    };
    set(&agent, id, settings).await.unwrap();
    assert_eq!(read("two").await.unwrap(), b"seen by some");

    let error = agent
        .update(&IC, "canister_metadata")
        .with_effective_canister_id(id)
        .with_arg(encoded(CanisterMetadataArgs {
            canister_id: id,
            name: "one".into(),
        }))
        .call_and_wait()
        .await
        .unwrap_err();
    refused(error).is(4, "IC0406", "Only canisters can call ic00 method");
    let empty = net.create(&agent).await;
    let args = CanisterMetadataArgs {
        canister_id: empty,
        name: "one".into(),
    };
    let (answer, _) =
        forward::<(CanisterMetadataResult,)>(&agent, proxy, "canister_metadata", (args,), 0).await;
    assert!(answer.unwrap_err().1.contains("no Wasm module"));
}
