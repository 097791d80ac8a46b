//! "Effective canister id" and "Effective subnet id".

use crate::common::{COUNTER, IC, Net};
use crate::raw::{Answer, Signer, anonymous, asking, blob, bytes, post, reading, signed};
use candid::{CandidType, Encode, Principal};

#[derive(CandidType)]
struct About {
    canister_id: Principal,
}

#[derive(CandidType)]
struct Target {
    target_canister: Principal,
    canister_id: Principal,
}

#[derive(CandidType)]
struct Creation {
    specified_id: Option<Principal>,
}

struct Scene {
    net: Net,
    owner: Signer,
    id: Principal,
    other: Principal,
}

async fn scene() -> Scene {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    let other = net.create(&agent).await;
    let owner = Signer::ed25519();
    Scene {
        net,
        owner,
        id,
        other,
    }
}

impl Scene {
    async fn manage(&self, effective: &str, kind: &str, method: &str, arg: Vec<u8>) -> Answer {
        let mut fields = asking(kind, self.owner.principal(), IC, method);
        fields.insert("arg".into(), blob(arg));
        let path = format!("v3/canister/{effective}/{kind}");
        post(&self.net, &path, bytes(&signed(&fields, &self.owner))).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_a_canister_goes_to_that_canister() {
    let scene = scene().await;
    let anyone = Principal::anonymous();
    for kind in ["call", "query"] {
        let body = bytes(&anonymous(&asking(kind, anyone, scene.id, "get")));
        for (effective, status) in [(scene.id, 200), (scene.other, 400), (IC, 400)] {
            let path = format!("v3/canister/{effective}/{kind}");
            let answer = post(&scene.net, &path, body.clone()).await;
            assert_eq!(answer.status, status, "{}", answer.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_management_call_goes_to_the_canister_of_its_argument() {
    let scene = scene().await;
    let (id, other) = (scene.id, scene.other);
    let about = Encode!(&About { canister_id: id }).unwrap();
    for method in [
        "canister_status",
        "update_settings",
        "stop_canister",
        "install_code",
        "uninstall_code",
        "delete_canister",
        "upload_chunk",
        "provisional_top_up_canister",
    ] {
        for wrong in [other, IC] {
            let answer = scene
                .manage(&wrong.to_text(), "call", method, about.clone())
                .await;
            answer.refused(400, "is not the canister of the request");
        }
        // It gets as far as the question who controls the canister.
        let answer = scene
            .manage(&id.to_text(), "call", method, about.clone())
            .await;
        assert_eq!(answer.status, 200, "{method}: {}", answer.text());
    }
    let wrong = scene
        .manage(&other.to_text(), "query", "canister_status", about)
        .await;
    wrong.refused(400, "is not the canister of the request");
}

#[tokio::test(flavor = "multi_thread")]
async fn installing_chunks_goes_to_the_target() {
    let scene = scene().await;
    let arg = Encode!(&Target {
        target_canister: scene.id,
        canister_id: scene.other,
    })
    .unwrap();
    let method = "install_chunked_code";
    let wrong = scene
        .manage(&scene.other.to_text(), "call", method, arg.clone())
        .await;
    wrong.refused(400, "is not the canister of the request");
    let right = scene.manage(&scene.id.to_text(), "call", method, arg).await;
    assert_eq!(right.status, 200, "{}", right.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn creation_goes_anywhere() {
    let scene = scene().await;
    let arg = Encode!(&Creation { specified_id: None }).unwrap();
    for effective in [scene.id, scene.other, IC, Principal::anonymous()] {
        let method = "provisional_create_canister_with_cycles";
        let answer = scene
            .manage(&effective.to_text(), "call", method, arg.clone())
            .await;
        assert!(answer.fields().contains_key("certificate"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_argument_that_names_no_canister_is_rejected_wherever_it_goes() {
    let scene = scene().await;
    for arg in [Vec::new(), b"DIDL\0\0".to_vec(), b"not candid".to_vec()] {
        for effective in [scene.id, IC] {
            let answer = scene
                .manage(&effective.to_text(), "call", "stop_canister", arg.clone())
                .await;
            let rejected = match answer.fields().get("certificate") {
                None => true,
                Some(certificate) => {
                    let tree = crate::raw::certified(&scene.net, certificate);
                    format!("{tree:?}").contains("rejected")
                }
            };
            assert!(rejected);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_none_and_subnets_that_are_not_ours_are_refused() {
    let scene = scene().await;
    let anyone = Principal::anonymous();
    let read = bytes(&anonymous(&reading(anyone, &[crate::path!["time"]])));
    for (kind, id, status) in [
        ("canister", scene.id.to_text(), 200),
        ("canister", "nonsense".into(), 400),
        ("canister", scene.id.to_text().replace('-', ""), 400),
        // Above the last id of the subnet's canister ranges.
        ("canister", Principal::from_slice(&[255; 29]).to_text(), 400),
        ("subnet", scene.id.to_text(), 400),
        ("subnet", "nonsense".into(), 400),
        ("subnet", subnet(&scene.net).to_text(), 200),
    ] {
        for version in ["v2", "v3"] {
            let path = format!("{version}/{kind}/{id}/read_state");
            let answer = post(&scene.net, &path, read.clone()).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
        }
    }
}

pub(crate) fn subnet(net: &Net) -> Principal {
    Principal::self_authenticating(net.localnet.root_key())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subnet_is_called_only_by_its_admins_and_queried_only_for_its_canisters() {
    let scene = scene().await;
    let subnet = subnet(&scene.net);
    let anyone = Principal::anonymous();
    let call = bytes(&anonymous(&asking("call", anyone, IC, "create_canister")));
    let answer = post(&scene.net, &format!("v4/subnet/{subnet}/call"), call).await;
    answer.refused(400, "this subnet has none");
    let call = bytes(&anonymous(&asking("call", anyone, scene.id, "inc")));
    let answer = post(&scene.net, &format!("v4/subnet/{subnet}/call"), call).await;
    answer.refused(400, "a canister id, not a subnet id");
    let path = format!("v3/subnet/{subnet}/query");
    for (canister, method) in [(scene.id, "get"), (IC, "canister_status")] {
        let body = bytes(&anonymous(&asking("query", anyone, canister, method)));
        assert_eq!(post(&scene.net, &path, body).await.status, 400);
    }
    let body = bytes(&anonymous(&asking("query", anyone, IC, "list_canisters")));
    // No admin, so no list: rejected by the system, not by HTTP.
    let answer = post(&scene.net, &path, body).await;
    assert_eq!(answer.fields()["status"], crate::raw::text("rejected"));
}
