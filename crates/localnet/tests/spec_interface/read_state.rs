//! "Request: Read state": who may read which path where.

use crate::common::{COUNTER, Net};
use crate::effective::subnet;
use crate::path;
use crate::raw::{
    Answer, MINUTE, Signer, anonymous, asking, at, bytes, certified, hash_of_map, now, post,
    reading, send, signed,
};
use candid::Principal;

type Path = Vec<Vec<u8>>;

struct Scene {
    net: Net,
    id: Principal,
    other: Principal,
    /// Controls neither canister.
    signer: Signer,
    /// Controls both.
    owner: Signer,
}

/// A counter with public and private metadata, and an empty canister.
async fn scene() -> Scene {
    let net = Net::start().await;
    let owner = ic_ed25519::PrivateKey::generate();
    let seed = owner.serialize_raw();
    let der = owner.public_key().serialize_rfc8410_der();
    let owner = Signer::new(der, move |message| owner.sign_message(message).to_vec());
    let identity = ic_agent::identity::BasicIdentity::from_raw_key(&seed);
    let agent = net.agent_as(identity).await;
    let code = COUNTER.trim_end().strip_suffix(')').unwrap().to_owned()
        + r#"(@custom "icp:public open" "for all") (@custom "icp:private shut" "for some"))"#;
    let id = net.install(&agent, &code, b"").await;
    let other = net.create(&agent).await;
    Scene {
        net,
        id,
        other,
        signer: Signer::ed25519(),
        owner,
    }
}

impl Scene {
    /// Asks for paths at an endpoint, in nobody's name.
    async fn ask(&self, endpoint: &str, paths: &[Path]) -> Answer {
        let body = bytes(&anonymous(&reading(Principal::anonymous(), paths)));
        post(&self.net, &format!("{endpoint}/read_state"), body).await
    }

    async fn ask_as(&self, signer: &Signer, paths: &[Path]) -> Answer {
        let fields = reading(signer.principal(), paths);
        send(&self.net, self.id, &signed(&fields, signer)).await
    }

    /// The status of each path alone, at versions 2 and 3.
    async fn statuses(&self, kind: &str, id: Principal, paths: &[Path]) -> Vec<[u16; 2]> {
        let mut statuses = Vec::new();
        for path in paths {
            let mut pair = [0; 2];
            for (status, version) in pair.iter_mut().zip(["v2", "v3"]) {
                let endpoint = format!("{version}/{kind}/{id}");
                let answer = self.ask(&endpoint, std::slice::from_ref(path)).await;
                *status = answer.status;
            }
            statuses.push(pair);
        }
        statuses
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_is_always_shown_and_the_rest_when_asked_for() {
    let scene = scene().await;
    let id = scene.id;
    for paths in [vec![], vec![path!["time"]], vec![path!["subnet"]]] {
        let answer = scene.ask(&format!("v3/canister/{id}"), &paths).await;
        let tree = certified(&scene.net, &answer.fields()["certificate"]);
        assert!(at(&tree, &path!["time"]).is_some());
        let root = subnet(&scene.net);
        let shown = at(&tree, &path!["subnet", root, "public_key"]);
        assert_eq!(shown.is_some(), paths.contains(&path!["subnet"]));
        assert!(at(&tree, &path!["canister", id, "module_hash"]).is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_always_be_asked_for() {
    let scene = scene().await;
    let root = subnet(&scene.net);
    let always = [
        path!["time"],
        path!["api_boundary_nodes"],
        path!["api_boundary_nodes", [1]],
        path!["api_boundary_nodes", [1], "domain"],
        path!["api_boundary_nodes", [1], "ipv4_address"],
        path!["api_boundary_nodes", [1], "ipv6_address"],
        path!["subnet"],
        path!["subnet", root],
        path!["subnet", root, "public_key"],
        path!["subnet", root, "type"],
        path!["subnet", root, "node"],
        path!["subnet", root, "node", [1]],
        path!["subnet", root, "node", [1], "public_key"],
        path!["subnet", root, "canister_ranges"],
        path!["subnet", [1], "public_key"],
    ];
    for (kind, id) in [("canister", scene.id), ("subnet", root)] {
        for (path, statuses) in always.iter().zip(scene.statuses(kind, id, &always).await) {
            assert_eq!(statuses, [200, 200], "{kind}: {path:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_not_is_not_found() {
    let scene = scene().await;
    let (root, id) = (subnet(&scene.net), scene.id);
    let never = [
        path![""],
        path!["x"],
        path!["time", "x"],
        path!["canister"],
        path!["canister", id],
        // Only canisters see it, by the System API.
        path!["canister", id, "certified_data"],
        path!["canister", id, "metadata"],
        path!["canister", id, "metadata", "open", "x"],
        path!["canister", id, "module_hash", "x"],
        path!["request_status"],
        path!["request_status", [0; 32], "time"],
        path!["request_status", [0; 32], "status", "x"],
        path!["subnet", root, "x"],
        path!["subnet", root, "node", [1], "x"],
        path!["canister_ranges"],
        path!["canister_ranges", root, id],
        path!["api_boundary_nodes", [1], "x"],
        path!["streams"],
        // Refused by name: not kept by this node.
        path!["subnet", root, "metrics"],
    ];
    for (kind, at) in [("canister", id), ("subnet", root)] {
        for (path, statuses) in never.iter().zip(scene.statuses(kind, at, &never).await) {
            assert_eq!(statuses, [404, 404], "{kind}: {path:?}");
        }
    }
    let endpoint = format!("v3/canister/{id}");
    let answer = scene.ask(&endpoint, &[Path::new()]).await;
    assert_eq!(answer.status, 404);
    let named = scene
        .ask(&endpoint, &[path!["subnet", root, "metrics"]])
        .await;
    named.refused(404, "keeps no metrics");
}

#[tokio::test(flavor = "multi_thread")]
async fn canister_ranges_are_read_at_the_subnet_and_of_one_subnet() {
    let scene = scene().await;
    let root = subnet(&scene.net);
    let path = [path!["canister_ranges", root]];
    let statuses = scene.statuses("subnet", root, &path).await;
    assert_eq!(statuses, [[200, 200]]);
    let statuses = scene.statuses("canister", scene.id, &path).await;
    assert_eq!(statuses, [[404, 404]]);
    let answer = scene.ask(&format!("v3/subnet/{root}"), &path).await;
    let tree = certified(&scene.net, &answer.fields()["certificate"]);
    let first = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1];
    assert!(at(&tree, &path!["canister_ranges", root, first]).is_some());
    let two = [path[0].clone(), path!["canister_ranges", [1]]];
    let answer = scene.ask(&format!("v3/subnet/{root}"), &two).await;
    answer.refused(400, "more than one subnet id");
    // The older list: of the root subnet always, of others at version 2.
    let older = [path!["subnet", [1], "canister_ranges"]];
    for (kind, id) in [("subnet", root), ("canister", scene.id)] {
        assert_eq!(scene.statuses(kind, id, &older).await, [[200, 404]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canisters_paths_are_read_at_that_canister() {
    let scene = scene().await;
    let paths = |id: Principal| {
        [
            path!["canister", id, "module_hash"],
            path!["canister", id, "controllers"],
            path!["canister", id, "canister_creation_timestamp"],
            path!["canister", id, "last_install_timestamp"],
            path!["canister", id, "metadata", "open"],
            path!["canister", id, "metadata", "no such"],
        ]
    };
    let nobody = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 9, 1, 1]);
    for id in [scene.id, scene.other, nobody] {
        let statuses = scene.statuses("canister", id, &paths(id)).await;
        assert_eq!(statuses, [[200, 200]; 6]);
    }
    let statuses = scene
        .statuses("canister", scene.other, &paths(scene.id))
        .await;
    assert_eq!(statuses, [[400, 400]; 6]);
    let statuses = scene
        .statuses("subnet", subnet(&scene.net), &paths(scene.id))
        .await;
    assert_eq!(statuses, [[400, 400]; 6]);
    let answer = scene
        .ask(&format!("v3/canister/{}", scene.id), &paths(scene.id))
        .await;
    let tree = certified(&scene.net, &answer.fields()["certificate"]);
    let [hash, controllers, created, deployed, open, missing] = paths(scene.id);
    assert_eq!(at(&tree, &hash).unwrap().len(), 32);
    let controllers = at(&tree, &controllers).unwrap();
    assert!(controllers.ends_with(scene.owner.principal().as_slice()));
    assert_eq!(at(&tree, &open), Some(b"for all".as_slice()));
    assert_eq!(at(&tree, &missing), None);
    let time = |path: &[Vec<u8>]| {
        let leb = at(&tree, path).unwrap();
        let bits = leb.iter().rev();
        bits.fold(0_u64, |n, byte| n << 7 | u64::from(byte & 0x7f))
    };
    let minute_ago = now() - MINUTE;
    assert!(minute_ago < time(&created) && time(&created) < time(&deployed));
    assert!(time(&deployed) < now());
    // An empty canister was never installed.
    let path = [
        path!["canister", scene.other, "canister_creation_timestamp"],
        path!["canister", scene.other, "last_install_timestamp"],
    ];
    let answer = scene
        .ask(&format!("v3/canister/{}", scene.other), &path)
        .await;
    let tree = certified(&scene.net, &answer.fields()["certificate"]);
    assert!(at(&tree, &path[0]).is_some() && at(&tree, &path[1]).is_none());
    let endpoint = format!("v3/canister/{}", scene.id);
    let odd = path!["canister", scene.id, "metadata", [0xff]];
    scene.ask(&endpoint, &[odd]).await.refused(400, "not UTF-8");
    let odd = path!["canister", [1; 30], "module_hash"];
    scene
        .ask(&endpoint, &[odd])
        .await
        .refused(400, "no principal");
}

#[tokio::test(flavor = "multi_thread")]
async fn private_metadata_are_for_controllers() {
    let scene = scene().await;
    let shut = [path!["canister", scene.id, "metadata", "shut"]];
    let endpoint = format!("v3/canister/{}", scene.id);
    let answer = scene.ask(&endpoint, &shut).await;
    answer.refused(403, "for its controllers");
    let answer = scene.ask_as(&scene.signer, &shut).await;
    answer.refused(403, "for its controllers");
    let answer = scene.ask_as(&scene.owner, &shut).await;
    let tree = certified(&scene.net, &answer.fields()["certificate"]);
    assert_eq!(at(&tree, &shut[0]), Some(b"for some".as_slice()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requests_status_is_for_its_sender_where_it_was_made() {
    let scene = scene().await;
    let (signer, id) = (&scene.signer, scene.id);
    let fields = asking("call", signer.principal(), id, "inc");
    let answer = send(&scene.net, id, &signed(&fields, signer)).await;
    assert_eq!(answer.status, 200);
    let request = hash_of_map(&fields);
    let mut paths = vec![path!["request_status", request]];
    for name in [
        "status",
        "reply",
        "reject_code",
        "reject_message",
        "error_code",
    ] {
        paths.push(path!["request_status", request, name]);
    }
    let answer = scene.ask_as(signer, &paths).await;
    let tree = certified(&scene.net, &answer.fields()["certificate"]);
    assert_eq!(at(&tree, &paths[1]), Some(b"replied".as_slice()));
    for path in &paths {
        let path = std::slice::from_ref(path);
        let answer = scene.ask_as(&scene.owner, path).await;
        answer.refused(403, "somebody else");
        let answer = scene.ask(&format!("v3/canister/{id}"), path).await;
        answer.refused(403, "somebody else");
        // At another canister, and at the subnet.
        let body = bytes(&signed(&reading(signer.principal(), path), signer));
        for place in [
            format!("canister/{}", scene.other),
            format!("subnet/{}", subnet(&scene.net)),
        ] {
            let endpoint = format!("v3/{place}/read_state");
            let answer = post(&scene.net, &endpoint, body.clone()).await;
            answer.refused(403, "another effective canister id");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_id_at_a_time_and_an_unknown_one_is_absent() {
    let scene = scene().await;
    let endpoint = format!("v3/canister/{}", scene.id);
    let unknown = path!["request_status", [7; 32], "status"];
    let answer = scene.ask(&endpoint, std::slice::from_ref(&unknown)).await;
    let tree = certified(&scene.net, &answer.fields()["certificate"]);
    assert!(matches!(
        tree.lookup_path(&unknown),
        ic_certification::LookupResult::Absent
    ));
    let two = [unknown, path!["request_status", [8; 32]]];
    scene
        .ask(&endpoint, &two)
        .await
        .refused(400, "more than one request id");
    for len in [0, 31, 33] {
        let odd = [path!["request_status", vec![7; len], "status"]];
        scene.ask(&endpoint, &odd).await.refused(400, "32 bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_paths_of_127_labels_and_no_more() {
    let scene = scene().await;
    let endpoint = format!("v3/canister/{}", scene.id);
    let thousand = vec![path!["time"]; 1_000];
    assert_eq!(scene.ask(&endpoint, &thousand).await.status, 200);
    let more = vec![path!["time"]; 1_001];
    scene
        .ask(&endpoint, &more)
        .await
        .refused(400, "more than 1000 paths");
    let long = vec![b"x".to_vec(); 127];
    assert_eq!(scene.ask(&endpoint, &[long]).await.status, 404);
    let longer = vec![b"x".to_vec(); 128];
    scene
        .ask(&endpoint, &[longer])
        .await
        .refused(400, "more than 127 labels");
}
