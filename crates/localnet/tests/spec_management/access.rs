//! "The IC management canister": who may call what, and what this node does not offer.

use crate::common::management::{PROXY, encoded, forward_to, refused, with};
use crate::common::{COUNTER, IC};
use candid::Encode;
use ic_management_canister_types::CanisterIdRecord;

/// Methods an agent may call about a canister it controls.
const CONTROLLED: &[&str] = &[
    "canister_status",
    "clear_chunk_store",
    "delete_canister",
    "delete_canister_snapshot",
    "install_code",
    "list_canister_snapshots",
    "load_canister_snapshot",
    "read_canister_snapshot_data",
    "read_canister_snapshot_metadata",
    "start_canister",
    "stop_canister",
    "stored_chunks",
    "take_canister_snapshot",
    "uninstall_code",
    "update_settings",
    "upload_canister_snapshot_data",
    "upload_canister_snapshot_metadata",
    "upload_chunk",
];

/// Methods that are for canisters.
const FOR_CANISTERS: &[&str] = &[
    "canister_metadata",
    "create_canister",
    "deposit_cycles",
    "raw_rand",
    "vetkd_derive_key",
    "vetkd_public_key",
];

/// Methods this node does not offer to anybody.
const NOT_OFFERED: &[&str] = &[
    "bitcoin_get_balance",
    "bitcoin_get_block_headers",
    "bitcoin_get_current_fee_percentiles",
    "bitcoin_get_utxos",
    "bitcoin_send_transaction",
    "canister_metrics",
    "ecdsa_public_key",
    "flexible_http_request",
    "http_request",
    "list_canisters",
    "node_metrics_history",
    "schnorr_public_key",
    "sign_with_ecdsa",
    "sign_with_schnorr",
    "subnet_info",
    "subnet_metrics",
];

/// §"IC management canister": a stranger is refused before the call is taken.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused_by_every_method() {
    let (net, _owner, id) = with(COUNTER).await;
    let stranger = net.agent().await;
    for method in CONTROLLED {
        let error = stranger
            .update(&IC, *method)
            .with_effective_canister_id(id)
            .with_arg(encoded(CanisterIdRecord { canister_id: id }))
            .call_and_wait()
            .await
            .unwrap_err();
        assert!(
            matches!(error, ic_agent::AgentError::UncertifiedReject { .. }),
            "{method}: {error:?}"
        );
        refused(error).is(5, "IC0512", method);
    }
}

/// §"IC management canister": what is for canisters is refused to agents by name.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_canisters_is_refused_to_agents() {
    let (_net, agent, id) = with(COUNTER).await;
    for method in FOR_CANISTERS {
        let error = agent
            .update(&IC, *method)
            .with_effective_canister_id(id)
            .with_arg(encoded(CanisterIdRecord { canister_id: id }))
            .call_and_wait()
            .await
            .unwrap_err();
        let message = format!("Only canisters can call ic00 method {method}");
        refused(error).is(4, "IC0406", &message);
    }
}

/// What this node does not offer is refused by name, to agents and to canisters, and so is what
/// nobody offers; cycles come back.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_offered_is_refused_by_name() {
    let (_net, agent, proxy) = with(PROXY).await;
    for method in NOT_OFFERED {
        let error = agent
            .update(&IC, *method)
            .with_effective_canister_id(proxy)
            .with_arg(Encode!().unwrap())
            .call_and_wait()
            .await
            .unwrap_err();
        let message =
            format!("This node does not offer the management canister's method '{method}'");
        refused(error).is(5, "IC0536", &message);
        let arg = Encode!().unwrap();
        let (answer, refunded) = forward_to(&agent, proxy, IC, method, &arg, 77).await;
        assert_eq!(answer.unwrap_err(), (5, message));
        assert_eq!(refunded, 77);
    }
    let error = agent
        .update(&IC, "make_coffee")
        .with_effective_canister_id(proxy)
        .with_arg(Encode!().unwrap())
        .call_and_wait()
        .await
        .unwrap_err();
    let message = "Management canister has no method 'make_coffee'";
    refused(error).is(5, "IC0536", message);
}

/// An argument that is not what the method takes is refused and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_arguments_are_refused() {
    let (_net, agent, id) = with(COUNTER).await;
    for (method, arg) in [
        ("stop_canister", b"nonsense".to_vec()),
        ("stop_canister", Encode!(&7_u8).unwrap()),
        (
            "install_code",
            encoded(CanisterIdRecord { canister_id: id }),
        ),
    ] {
        let error = agent
            .update(&IC, method)
            .with_effective_canister_id(id)
            .with_arg(arg)
            .call_and_wait()
            .await
            .unwrap_err();
        refused(error).is(4, "IC0408", "Error decoding candid");
    }
    agent.update(&id, "inc").call_and_wait().await.unwrap();
}
