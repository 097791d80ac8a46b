//! "Authentication": chains of delegations.

use crate::common::{CALLS, COUNTER, Net};
use crate::raw::{
    Answer, Fields, MINUTE, SECOND, Signer, asking, blob, content, hash_of_map, map, nat, now,
    reading, send, text,
};
use candid::Principal;
use serde_cbor::Value;

/// What a delegation says, to be changed before it is signed.
fn delegation(to: &Signer) -> Fields {
    Fields::from([
        ("pubkey".into(), blob(&to.der)),
        ("expiration".into(), nat(now() + 10 * MINUTE)),
    ])
}

fn sign(from: &Signer, delegation: &Fields) -> Value {
    let hash = hash_of_map(delegation);
    let message = [b"\x1Aic-request-auth-delegation".as_slice(), &hash].concat();
    map([
        ("delegation", content(delegation)),
        ("signature", blob(from.sign(&message))),
    ])
}

/// A request by `root` that the key at the end of the chain signs.
fn delegated(fields: &Fields, root: &Signer, chain: Vec<Value>, last: &Signer) -> Fields {
    let message = [b"\x0Aic-request".as_slice(), &hash_of_map(fields)].concat();
    Fields::from([
        ("content".into(), content(fields)),
        ("sender_pubkey".into(), blob(&root.der)),
        ("sender_delegation".into(), Value::Array(chain)),
        ("sender_sig".into(), blob(last.sign(&message))),
    ])
}

struct Scene {
    net: Net,
    id: Principal,
    other: Principal,
    root: Signer,
    session: Signer,
}

async fn scene() -> Scene {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    let other = net.install(&agent, CALLS, b"").await;
    Scene {
        net,
        id,
        other,
        root: Signer::ed25519(),
        session: Signer::p256(),
    }
}

impl Scene {
    /// A call and a query through one delegation changed by `change`.
    async fn both(&self, change: impl Fn(&mut Fields)) -> [Answer; 2] {
        let mut link = delegation(&self.session);
        change(&mut link);
        let mut answers = Vec::new();
        for (kind, method) in [("call", "inc"), ("query", "get")] {
            let fields = asking(kind, self.root.principal(), self.id, method);
            answers.push(self.send(&fields, &link).await);
        }
        answers.try_into().ok().unwrap()
    }

    async fn send(&self, fields: &Fields, link: &Fields) -> Answer {
        let chain = vec![sign(&self.root, link)];
        let envelope = delegated(fields, &self.root, chain, &self.session);
        send(&self.net, self.id, &envelope).await
    }
}

fn targets(ids: &[Principal]) -> Value {
    Value::Array(ids.iter().map(blob).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegated_key_speaks_for_the_first() {
    let scene = scene().await;
    for answer in scene.both(|_| {}).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let fields = asking("query", scene.root.principal(), scene.other, "whoami");
    let chain = vec![sign(&scene.root, &delegation(&scene.session))];
    let envelope = delegated(&fields, &scene.root, chain, &scene.session);
    let answer = send(&scene.net, scene.other, &envelope).await.fields();
    let arg = map([("arg", blob(scene.root.principal()))]);
    assert_eq!(answer["reply"], arg);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_is_signed_by_the_one_before_and_the_request_by_the_last() {
    let scene = scene().await;
    let (root, middle, last) = (&scene.root, Signer::secp256k1(), &scene.session);
    let fields = asking("call", root.principal(), scene.id, "inc");
    let first = sign(root, &delegation(&middle));
    let second = sign(&middle, &delegation(last));
    let try_chain = async |chain: Vec<Value>, by: &Signer| {
        let envelope = delegated(&fields, root, chain, by);
        send(&scene.net, scene.id, &envelope).await
    };
    let good = vec![first.clone(), second.clone()];
    for by in [root, &middle] {
        let answer = try_chain(good.clone(), by).await;
        answer.refused(400, "request: the signature does not verify");
    }
    for bad in [
        vec![second.clone()],
        vec![second.clone(), first.clone()],
        vec![first.clone(), sign(root, &delegation(last))],
        vec![sign(&middle, &delegation(last))],
    ] {
        let answer = try_chain(bad, last).await;
        answer.refused(400, "delegation: the signature does not verify");
    }
    let cut = try_chain(vec![first], last).await;
    cut.refused(400, "request: the signature does not verify");
    assert_eq!(try_chain(good, last).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegation_ends_when_it_says() {
    let scene = scene().await;
    for expiration in [0, now() - SECOND] {
        for answer in scene
            .both(|link| {
                link.insert("expiration".into(), nat(expiration));
            })
            .await
        {
            answer.refused(400, "expired");
        }
    }
    for answer in scene
        .both(|link| {
            link.insert("expiration".into(), nat(u64::MAX));
        })
        .await
    {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_limit_the_canisters() {
    let scene = scene().await;
    for (ids, status) in [
        (vec![scene.id], 200),
        (vec![scene.other, scene.id], 200),
        (vec![scene.other], 400),
        (Vec::new(), 400),
    ] {
        for answer in scene
            .both(|link| {
                link.insert("targets".into(), targets(&ids));
            })
            .await
        {
            assert_eq!(answer.status, status, "{}", answer.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_targets_of_a_chain_are_those_of_every_link() {
    let scene = scene().await;
    let (root, middle, last) = (&scene.root, Signer::ed25519(), &scene.session);
    let fields = asking("call", root.principal(), scene.id, "inc");
    for (one, two, status) in [
        (scene.id, scene.id, 200),
        (scene.id, scene.other, 400),
        (scene.other, scene.id, 400),
    ] {
        let (mut first, mut second) = (delegation(&middle), delegation(last));
        first.insert("targets".into(), targets(&[one]));
        second.insert("targets".into(), targets(&[two]));
        let chain = vec![sign(root, &first), sign(&middle, &second)];
        let envelope = delegated(&fields, root, chain, last);
        let answer = send(&scene.net, scene.id, &envelope).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_targets_and_no_more() {
    let scene = scene().await;
    let mut ids = vec![scene.other; 999];
    ids.push(scene.id);
    for answer in scene
        .both(|link| {
            link.insert("targets".into(), targets(&ids));
        })
        .await
    {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    ids.push(scene.id);
    for answer in scene
        .both(|link| {
            link.insert("targets".into(), targets(&ids));
        })
        .await
    {
        answer.refused(400, "more than 1000 targets");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_delegations_and_no_more() {
    let scene = scene().await;
    let fields = asking("call", scene.root.principal(), scene.id, "inc");
    let mut keys = vec![Signer::ed25519()];
    let mut chain = vec![sign(&scene.root, &delegation(&keys[0]))];
    while chain.len() < 20 {
        let next = Signer::ed25519();
        chain.push(sign(&keys[keys.len() - 1], &delegation(&next)));
        keys.push(next);
    }
    let last = &keys[19];
    let envelope = delegated(&fields, &scene.root, chain.clone(), last);
    let answer = send(&scene.net, scene.id, &envelope).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    chain.push(sign(last, &delegation(&scene.session)));
    let envelope = delegated(&fields, &scene.root, chain, &scene.session);
    let answer = send(&scene.net, scene.id, &envelope).await;
    answer.refused(400, "more than 20 delegations");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_occurs_twice_in_a_chain() {
    let scene = scene().await;
    let (root, session) = (&scene.root, &scene.session);
    let fields = asking("call", root.principal(), scene.id, "inc");
    let to_session = sign(root, &delegation(session));
    for (chain, by) in [
        // To itself; and back to the first.
        (vec![sign(root, &delegation(root))], root),
        (
            vec![to_session.clone(), sign(session, &delegation(root))],
            root,
        ),
        (
            vec![to_session.clone(), sign(session, &delegation(session))],
            session,
        ),
    ] {
        let envelope = delegated(&fields, root, chain, by);
        let answer = send(&scene.net, scene.id, &envelope).await;
        answer.refused(400, "cycle");
    }
}

/// Permissions "queries" are for queries and read_states, "all" for everything, others for
/// nothing.
#[tokio::test(flavor = "multi_thread")]
async fn permissions_limit_the_kinds_of_requests() {
    let scene = scene().await;
    let with = |permissions: Value| {
        move |link: &mut Fields| {
            link.insert("permissions".into(), permissions.clone());
        }
    };
    let [call, query] = scene.both(with(text("queries"))).await;
    call.refused(400, "permits queries only");
    assert_eq!(query.status, 200, "{}", query.text());
    let mut link = delegation(&scene.session);
    with(text("queries"))(&mut link);
    let read = reading(scene.root.principal(), &[crate::path!["time"]]);
    assert_eq!(scene.send(&read, &link).await.status, 200);
    for answer in scene.both(with(text("all"))).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for wrong in [text("updates"), text(""), text("ALL"), nat(1), blob(b"all")] {
        for answer in scene.both(with(wrong.clone())).await {
            answer.refused(400, "permissions");
        }
        let mut link = delegation(&scene.session);
        with(wrong)(&mut link);
        scene.send(&read, &link).await.refused(400, "permissions");
    }
}

/// A limit that is stripped from what was signed is missed.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_delegation_says_is_signed() {
    let scene = scene().await;
    let fields = asking("call", scene.root.principal(), scene.id, "inc");
    let mut link = delegation(&scene.session);
    link.insert("targets".into(), targets(&[scene.other]));
    link.insert("permissions".into(), text("queries"));
    let Value::Map(signed) = sign(&scene.root, &link) else {
        unreachable!()
    };
    for name in ["targets", "permissions"] {
        let mut stripped = link.clone();
        stripped.remove("targets");
        stripped.remove("permissions");
        if name == "permissions" {
            stripped.insert("targets".into(), targets(&[scene.id]));
        }
        let mut changed = signed.clone();
        changed.insert(text("delegation"), content(&stripped));
        let chain = vec![Value::Map(changed)];
        let envelope = delegated(&fields, &scene.root, chain, &scene.session);
        let answer = send(&scene.net, scene.id, &envelope).await;
        answer.refused(400, "delegation: the signature does not verify");
    }
    let mut link = delegation(&scene.session);
    link.insert("senders".into(), targets(&[scene.id]));
    scene
        .send(&fields, &link)
        .await
        .refused(400, "\"senders\" is unknown");
}

/// A request's status is shown to a delegated key only when its targets have the canister called.
#[tokio::test(flavor = "multi_thread")]
async fn targets_limit_whose_answers_may_be_read() {
    let scene = scene().await;
    let fields = asking("call", scene.root.principal(), scene.id, "inc");
    let link = delegation(&scene.session);
    assert_eq!(scene.send(&fields, &link).await.status, 200);
    let path = crate::path!["request_status", hash_of_map(&fields)];
    let read = reading(scene.root.principal(), &[path]);
    for (id, status) in [(scene.id, 200), (scene.other, 403)] {
        let mut link = delegation(&scene.session);
        link.insert("targets".into(), targets(&[id]));
        let answer = scene.send(&read, &link).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}
