//! Finding the canister, verification, upgrades, limits and headers.

use crate::common::{COUNTER, Net};
use crate::site::{Answer, Certified, Site};
use candid::Principal;
use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Said {
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, why: &str) {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        assert!(text.contains(why), "{text}");
    }
}

async fn send(request: reqwest::RequestBuilder) -> Said {
    let response = request.send().await.unwrap();
    Said {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.bytes().await.unwrap().to_vec(),
    }
}

fn client() -> reqwest::Client {
    let none = reqwest::redirect::Policy::none();
    reqwest::Client::builder().redirect(none).build().unwrap()
}

pub(crate) async fn get(net: &Net, id: Principal, path: &str) -> Said {
    let url = format!("{}{path}?canisterId={id}", net.localnet.url());
    send(client().get(url)).await
}

pub(crate) async fn serve(site: Site) -> (Net, Principal) {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, &site.code(), b"").await;
    (net, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_certified_is_served_and_nothing_beside_it() {
    let page = Answer::plain(b"hello").header("x-injected", "1");
    let moved = Answer {
        status_code: 307,
        ..Answer::plain(b"").header("location", "/a")
    };
    let part = Answer {
        status_code: 206,
        ..Answer::plain(b"ell").header("content-range", "bytes 1-3/5")
    };
    let site = Site::default()
        .page("/a", Certified::Response, page)
        .page("/moved", Certified::Response, moved)
        .page("/range", Certified::Response, part);
    let (net, id) = serve(site).await;
    let said = get(&net, id, "/a").await;
    assert_eq!((said.status, said.body.as_slice()), (200, &b"hello"[..]));
    assert_eq!(said.headers["content-type"], "text/plain");
    assert!(!said.headers.contains_key("x-injected"));
    let said = get(&net, id, "/moved").await;
    assert_eq!(said.status, 307);
    assert_eq!(said.headers["location"], "/a");
    let said = get(&net, id, "/range").await;
    assert_eq!((said.status, said.body.as_slice()), (206, &b"ell"[..]));
    assert_eq!(said.headers["content-range"], "bytes 1-3/5");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_certified_is_refused_with_an_explanation() {
    let site = Site::default()
        .page("/none", Certified::No, Answer::plain(b"secret <b>"))
        .page("/body", Certified::Response, Answer::plain(b"true"))
        .then(|answer| answer.body = b"lies".to_vec().into())
        .page("/status", Certified::Response, Answer::plain(b"true"))
        .then(|answer| answer.status_code = 201)
        .page("/type", Certified::Response, Answer::plain(b"true"))
        .then(|answer| answer.headers[0].1 = "text/html".into())
        .page("/weaker", Certified::Response, Answer::plain(b"true"))
        .then(|answer| {
            let header = answer.headers.last_mut().unwrap();
            header.1 = "default_certification(ValidationArgs{no_certification:Empty{}})".into();
        });
    let (net, id) = serve(site).await;
    for path in ["/none", "/body", "/status", "/type", "/weaker"] {
        let said = get(&net, id, path).await;
        said.refused(502, "is not certified");
        for text in ["secret", "lies", "true"] {
            assert!(!String::from_utf8_lossy(&said.body).contains(text));
        }
    }
    // Certified for another path.
    let url = format!("{}/b?x=/body&canisterId={id}", net.localnet.url());
    send(client().get(url))
        .await
        .refused(502, "is not certified");
    let url = format!("{}/none?canisterId={id}", net.localnet.url());
    let said = send(client().get(url).header("accept", "text/html,*/*")).await;
    said.refused(502, "is not certified");
    let page = String::from_utf8(said.body).unwrap();
    assert!(page.starts_with("<!doctype html>") && !page.contains("<script"));
    assert_eq!(said.headers["content-type"], "text/html; charset=utf-8");
    let policy = said.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"));
    assert_eq!(said.headers["x-content-type-options"], "nosniff");
    assert_eq!(said.headers["cache-control"], "no-store");
}

/// `no_certification`, which is itself certified.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_canister_certifies_not_to_certify_is_served() {
    let page = Answer::plain(b"anything").header("x-any", "1");
    let (net, id) = serve(Site::default().page("/a", Certified::Skip, page)).await;
    let said = get(&net, id, "/a").await;
    assert_eq!((said.status, said.body.as_slice()), (200, &b"anything"[..]));
    assert_eq!(said.headers["x-any"], "1");
}

/// "Legacy Response Verification" and "Response Verification Version Assertion".
#[tokio::test(flavor = "multi_thread")]
async fn version_1_is_for_canisters_that_know_no_other() {
    let name = "supported_certificate_versions";
    for (sections, status) in [
        (String::new(), 200),
        (format!("(@custom \"icp:public {name}\" \"1\")"), 200),
        (format!("(@custom \"icp:public {name}\" \"1,2\")"), 502),
        (format!("(@custom \"icp:public {name}\" \"2\")"), 502),
        (format!("(@custom \"icp:public {name}\" \"x\")"), 502),
        (format!("(@custom \"icp:private {name}\" \"1\")"), 502),
    ] {
        let site = Site {
            sections: sections.clone(),
            ..Site::default()
        };
        let site = site.page("/a", Certified::Old, Answer::plain(b"old"));
        let (net, id) = serve(site).await;
        let said = get(&net, id, "/a").await;
        assert_eq!(said.status, status, "{sections}");
        if status == 200 {
            assert_eq!(said.body, b"old");
            assert_eq!(said.headers["content-type"], "text/plain");
        }
    }
    let site = Site::default()
        .page("/a", Certified::Old, Answer::plain(b"old"))
        .then(|answer| answer.body = b"new".to_vec().into());
    let (net, id) = serve(site).await;
    get(&net, id, "/a").await.refused(502, "is not certified");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_is_answered_by_an_update() {
    let ask_again = Answer {
        upgrade: Some(true),
        ..Answer::default()
    };
    let answer = Answer {
        status_code: 201,
        // What it says of another upgrade is ignored.
        upgrade: Some(true),
        ..Answer::plain(b"made").header("x-any", "1")
    };
    let site = Site {
        update: Some(answer),
        ..Site::default()
    };
    let (net, id) = serve(site.page("/a", Certified::No, ask_again)).await;
    let url = format!("{}/a?canisterId={id}", net.localnet.url());
    let said = send(client().post(url).body("x")).await;
    assert_eq!((said.status, said.body.as_slice()), (201, &b"made"[..]));
    assert_eq!(said.headers["x-any"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_without_an_update_is_refused() {
    let ask_again = Answer {
        upgrade: Some(true),
        ..Answer::plain(b"")
    };
    let (net, id) = serve(Site::default().page("/a", Certified::Response, ask_again)).await;
    get(&net, id, "/a")
        .await
        .refused(502, "http_request_update");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_canister_is_named_by_subdomain_or_query_and_never_raw() {
    let site = Site::default().page("/a", Certified::Response, Answer::plain(b"hello"));
    let (net, id) = serve(site).await;
    let at = async |host: &str, query: &str| {
        let url = format!("{}/a{query}", net.localnet.url());
        let port = net.localnet.port();
        send(client().get(url).header("host", format!("{host}:{port}"))).await
    };
    let by_query = format!("?canisterId={id}");
    for (host, query) in [
        (format!("{id}.localhost"), ""),
        (id.to_text().to_uppercase() + ".LOCALHOST", ""),
        ("localhost".into(), by_query.as_str()),
        ("127.0.0.1".into(), by_query.as_str()),
    ] {
        let said = at(&host, query).await;
        assert_eq!((said.status, said.body.as_slice()), (200, &b"hello"[..]));
    }
    at(&format!("{id}.raw.localhost"), "")
        .await
        .refused(400, "no raw");
    for (host, query) in [
        ("localhost", ""),
        ("localhost", "?canisterId=nonsense"),
        ("nonsense.localhost", ""),
        // A name that somebody made lead here.
        ("example.com", by_query.as_str()),
    ] {
        at(host, query).await.refused(404, "which canister?");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn canisters_that_are_not_there_stopped_or_no_site() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    get(&net, id, "/a").await.refused(502, "http_request");
    net.manage(&agent, id, "stop_canister").await.unwrap();
    get(&net, id, "/a").await.refused(503, "stopped");
    let nobody = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 9, 1, 1]);
    get(&net, nobody, "/a").await.refused(404, "not found");
    let (net, id) = serve(Site::default()).await;
    get(&net, id, "/a").await.refused(502, "no such page");
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_go_to_the_canister_and_head_has_no_body() {
    let site = Site::default().page("/a", Certified::Response, Answer::plain(b"hello"));
    let (net, id) = serve(site).await;
    let url = format!("{}/a?canisterId={id}", net.localnet.url());
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let said = send(client().request(method, &url)).await;
        assert_eq!((said.status, said.body.as_slice()), (200, &b"hello"[..]));
    }
    let said = send(client().head(&url)).await;
    assert_eq!((said.status, said.body.len()), (200, 0));
    assert_eq!(said.headers["content-length"], "5");
    let said = send(client().request(Method::TRACE, &url)).await;
    said.refused(405, "TRACE is not passed on");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_and_headers_have_limits() {
    let site = Site::default().page("/a", Certified::Response, Answer::plain(b"hello"));
    let (net, id) = serve(site).await;
    let url = format!("{}/a?canisterId={id}", net.localnet.url());
    let large = vec![0; (2 << 20) + 1];
    let said = send(client().post(&url).body(large)).await;
    said.refused(413, "larger than 2 MiB");
    let mut many = client().get(&url);
    for i in 0..200 {
        many = many.header(format!("x-{i}"), "x");
    }
    assert_eq!(send(many).await.status, 431);
    let long = client().get(&url).header("x-long", "x".repeat(1 << 20));
    assert_eq!(send(long).await.status, 431);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_about_the_connection_are_not_the_canisters_to_set() {
    let mut page = Answer::plain(b"hello");
    for (name, value) in [
        ("Connection", "close"),
        ("Keep-Alive", "timeout=1"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "1"),
        ("Upgrade", "x"),
        ("Trailer", "x"),
        ("TE", "x"),
        ("Proxy-Authenticate", "x"),
    ] {
        page = page.header(name, value);
    }
    let (net, id) = serve(Site::default().page("/a", Certified::Skip, page)).await;
    let said = get(&net, id, "/a").await;
    assert_eq!((said.status, said.body.as_slice()), (200, &b"hello"[..]));
    assert_eq!(said.headers["content-length"], "5");
    for name in [
        "connection",
        "keep-alive",
        "transfer-encoding",
        "upgrade",
        "trailer",
        "te",
        "proxy-authenticate",
    ] {
        assert!(!said.headers.contains_key(name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_answers_are_refused() {
    let split = Answer::plain(b"x").header("x-a", "1\r\nx-b: 2");
    let named = Answer::plain(b"x").header("x a", "1");
    let continued = Answer {
        status_code: 100,
        ..Answer::plain(b"")
    };
    let high = Answer {
        status_code: 1_000,
        ..Answer::plain(b"")
    };
    let site = Site::default()
        .page("/split", Certified::Skip, split)
        .page("/named", Certified::Skip, named)
        .page("/continued", Certified::Skip, continued)
        .page("/high", Certified::No, high);
    let (net, id) = serve(site).await;
    get(&net, id, "/split")
        .await
        .refused(502, "impossible header");
    get(&net, id, "/named")
        .await
        .refused(502, "impossible header");
    get(&net, id, "/continued")
        .await
        .refused(502, "impossible status");
    get(&net, id, "/high").await.refused(502, "status");
}

/// What is not HTTP is answered and the connection closed; the node goes on.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_http_is_refused() {
    let site = Site::default().page("/a", Certified::Response, Answer::plain(b"hello"));
    let (net, id) = serve(site).await;
    for request in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET /\x7f\x01 HTTP/1.1\r\n\r\n",
    ] {
        let address = ("127.0.0.1", net.localnet.port());
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        let said = String::from_utf8_lossy(&said);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    }
    assert_eq!(get(&net, id, "/a").await.status, 200);
}

/// The status page is this machine's own: under a canister's name the same path is the site's.
#[tokio::test(flavor = "multi_thread")]
async fn the_status_page_shows_what_runs_without_scripts() {
    let site = Site::default().page("/_/", Certified::Response, Answer::plain(b"the site's"));
    let (net, id) = serve(site).await;
    let url = format!("{}/_/", net.localnet.url());
    let said = send(client().get(&url)).await;
    assert_eq!(said.status, 200);
    let page = String::from_utf8(said.body).unwrap();
    assert!(page.contains(&id.to_text()) && page.contains("running"));
    assert!(page.contains("Canisters’ clock") && page.contains("Delay"));
    assert!(!page.contains("<script") && !page.contains("style="));
    let policy = said.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'; style-src 'self'"));
    let host = format!("{id}.localhost:{}", net.localnet.port());
    let said = send(client().get(&url).header("host", host)).await;
    assert_eq!(said.body, b"the site's");
    let said = send(client().get(&url).header("host", "example.com")).await;
    said.refused(404, "which canister?");
}
