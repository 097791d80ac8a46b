//! Behaviour of the certified site, without a network: statuses, encodings, headers, root hash.

use super::*;
use ic_http_certification::HeaderField;

const FILES: &[File] = &[
    File {
        path: "/index.html",
        identity: b"<!doctype html><title>Salus</title>",
        brotli: Some(b"page in brotli"),
        gzip: Some(b"page in gzip"),
    },
    File {
        path: "/engine-0123456789abcdef.js",
        identity: b"export {}",
        brotli: None,
        gzip: None,
    },
];

fn site() -> Site {
    Site::new(FILES, Config::default()).expect("the sample site is sound")
}

fn get(site: &Site, url: &str, accept: Option<&str>) -> HttpResponse<'static> {
    let headers: Vec<HeaderField> = accept
        .map(|value| ("Accept-Encoding".to_owned(), value.to_owned()))
        .into_iter()
        .collect();
    let request = HttpRequest::get(url).with_headers(headers).build();
    site.respond(b"certificate", &request)
}

fn header<'a>(response: &'a HttpResponse<'_>, name: &str) -> Option<&'a str> {
    response
        .headers()
        .iter()
        .find(|(have, _)| have.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

#[test]
fn the_root_is_the_index_page() {
    let site = site();
    let (root, page) = (get(&site, "/", None), get(&site, "/index.html", None));
    assert_eq!(root.status_code(), StatusCode::OK);
    assert_eq!(root.body(), FILES[0].identity);
    assert_eq!(root.body(), page.body());
    assert_eq!(
        header(&root, "content-type"),
        Some("text/html; charset=utf-8")
    );
}

#[test]
fn the_best_encoding_the_visitor_accepts_is_served() {
    let site = site();
    for (accept, encoding, body) in [
        (Some("gzip, deflate, br"), Some("br"), FILES[0].brotli),
        (Some("gzip"), Some("gzip"), FILES[0].gzip),
        (Some("identity"), None, Some(FILES[0].identity)),
        (None, None, Some(FILES[0].identity)),
    ] {
        let response = get(&site, "/", accept);
        assert_eq!(
            header(&response, "content-encoding"),
            encoding,
            "{accept:?}"
        );
        assert_eq!(Some(response.body()), body, "{accept:?}");
        assert_eq!(header(&response, "vary"), Some("accept-encoding"));
    }
}

#[test]
fn what_is_no_file_is_a_certified_404_with_every_header() {
    let site = site();
    for path in ["/nowhere", "/deep/er", "/index.html.br", "/index.html.gz"] {
        let response = get(&site, path, None);
        assert_eq!(response.status_code(), StatusCode::NOT_FOUND, "{path}");
        assert!(header(&response, "ic-certificate").is_some(), "{path}");
        assert!(
            header(&response, "content-security-policy").is_some(),
            "{path}"
        );
    }
}

#[test]
fn a_query_string_names_the_same_file() {
    let response = get(&site(), "/?canisterId=aaaaa-aa", None);
    assert_eq!(response.status_code(), StatusCode::OK);
}

#[test]
fn names_made_from_content_are_kept_and_others_are_asked_for_again() {
    let site = site();
    let kept = get(&site, "/engine-0123456789abcdef.js", None);
    assert_eq!(
        header(&kept, "cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    let asked = get(&site, "/", None);
    assert_eq!(header(&asked, "cache-control"), Some("public, no-cache"));
}

#[test]
fn the_deployment_is_served_from_the_install_argument_not_from_the_build() {
    const STALE: &[File] = &[File {
        path: "/config.json",
        identity: b"{}",
        brotli: None,
        gzip: None,
    }];
    let config = Config {
        node: Some("http://localhost:4943".to_owned()),
        alternative_origins: vec!["https://salus.example".to_owned()],
        ..Config::default()
    };
    let site = Site::new(STALE, config).expect("sound");
    let served = get(&site, CONFIG, None);
    assert!(String::from_utf8_lossy(served.body()).contains("http://localhost:4943"));
    let origins = get(&site, ALTERNATIVE_ORIGINS, None);
    assert_eq!(
        origins.body(),
        br#"{"alternativeOrigins":["https://salus.example"]}"#
    );
    assert_eq!(header(&origins, "content-type"), Some("application/json"));
    assert_eq!(header(&origins, "access-control-allow-origin"), Some("*"));
}

#[test]
fn the_root_hash_moves_with_any_byte_and_any_header() {
    const OTHER: &[File] = &[
        FILES[0],
        File {
            path: "/engine-0123456789abcdef.js",
            identity: b"export {};",
            brotli: None,
            gzip: None,
        },
    ];
    let plain = site().root_hash();
    assert_eq!(plain, site().root_hash());
    let other_byte = Site::new(OTHER, Config::default()).expect("sound");
    assert_ne!(plain, other_byte.root_hash());
    let other_header = Site::new(
        FILES,
        Config {
            node: Some("https://node.example".to_owned()),
            ..Config::default()
        },
    )
    .expect("sound");
    assert_ne!(plain, other_header.root_hash());
}

#[test]
fn a_refused_configuration_serves_nothing() {
    let config = Config {
        node: Some("https://a; script-src *".to_owned()),
        ..Config::default()
    };
    assert!(matches!(
        Site::new(FILES, config),
        Err(SiteError::Config(ConfigError::Origin { .. }))
    ));
}

#[test]
fn the_list_of_files_names_every_form_and_its_hash() {
    let digests = site().digests();
    let of = |path: &str| digests.iter().filter(|digest| digest.path == path).count();
    assert_eq!(of("/index.html"), 3);
    assert_eq!(of("/engine-0123456789abcdef.js"), 1);
    assert_eq!(
        (of(CONFIG), of(ALTERNATIVE_ORIGINS), of(NOT_FOUND)),
        (1, 1, 1)
    );
    assert!(digests.iter().all(|digest| digest.sha256.len() == 64));
}
