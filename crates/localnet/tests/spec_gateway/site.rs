//! A canister that serves a site, written in text: for each path an answer made beforehand, in
//! which only the certificate, base64, is put in when it is asked.

use candid::{CandidType, Encode, Principal, define_function};
use ic_http_certification::utils::add_v2_certificate_header;
use ic_http_certification::{
    CERTIFICATE_EXPRESSION_HEADER_NAME, DefaultCelBuilder, DefaultResponseCertification,
    HttpCertification, HttpCertificationPath, HttpCertificationTree, HttpCertificationTreeEntry,
    HttpResponse, StatusCode,
};
use serde_bytes::ByteBuf;

/// Stands for the certificate until there is one.
const MARK: &[u8] = b"certificate of the canister";

define_function!(pub(crate) Next : (u64) -> (Part) query);

#[derive(CandidType)]
pub(crate) struct Part {
    pub(crate) body: ByteBuf,
    pub(crate) token: Option<u64>,
}

#[derive(CandidType)]
pub(crate) enum Strategy {
    Callback { callback: Next, token: u64 },
}

#[derive(CandidType, Default)]
pub(crate) struct Answer {
    pub(crate) status_code: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: ByteBuf,
    pub(crate) upgrade: Option<bool>,
    pub(crate) streaming_strategy: Option<Strategy>,
}

impl Answer {
    pub(crate) fn plain(body: &[u8]) -> Self {
        Self {
            status_code: 200,
            headers: vec![("content-type".into(), "text/plain".into())],
            body: body.to_vec().into(),
            ..Self::default()
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// How a page is certified.
#[derive(Clone, Copy)]
pub(crate) enum Certified {
    /// Not at all.
    No,
    /// Status, content type and body.
    Response,
    /// Expressly not.
    Skip,
    /// The body, version 1.
    Old,
}

pub(crate) struct Page {
    path: String,
    answer: Answer,
    certified: Certified,
    /// What is changed after certification.
    change: fn(&mut Answer),
    /// The whole body, when only the first part of it is in the answer.
    whole: Option<Vec<u8>>,
}

/// A site.
#[derive(Default)]
pub(crate) struct Site {
    pub(crate) pages: Vec<Page>,
    /// What `http_request_update` answers.
    pub(crate) update: Option<Answer>,
    /// What the method `part` answers for tokens 0, 1, …; the last for all above.
    pub(crate) parts: Vec<Part>,
    /// Custom sections.
    pub(crate) sections: String,
}

impl Site {
    pub(crate) fn page(mut self, path: &str, certified: Certified, answer: Answer) -> Self {
        self.pages.push(Page {
            path: path.into(),
            answer,
            certified,
            change: |_| {},
            whole: None,
        });
        self
    }

    /// Changes the answer of the last page after it was certified.
    pub(crate) fn then(mut self, change: fn(&mut Answer)) -> Self {
        self.pages.last_mut().unwrap().change = change;
        self
    }

    /// The last page's answer has only a part of this body.
    pub(crate) fn of(mut self, whole: &[u8]) -> Self {
        self.pages.last_mut().unwrap().whole = Some(whole.to_vec());
        self
    }

    /// The module of this site.
    pub(crate) fn code(self) -> String {
        let mut tree = HttpCertificationTree::default();
        let mut entries = Vec::new();
        for page in &self.pages {
            let entry = entry(page);
            if let Some((entry, _)) = &entry {
                tree.insert(entry);
            }
            entries.push(entry);
        }
        let old = self
            .pages
            .iter()
            .find(|page| matches!(page.certified, Certified::Old))
            .map(old_tree);
        let root = match &old {
            Some(tree) => tree.digest(),
            None => tree.root_hash(),
        };
        let mut data = Data::default();
        let root = data.put(&root);
        let head = data.put(b"certificate=:");
        let mut routes = String::new();
        for (page, entry) in self.pages.into_iter().zip(entries) {
            let needle = data.put(page.path.as_bytes());
            let mut answer = page.answer;
            let header = match (page.certified, entry) {
                (Certified::Old, _) => old.as_ref().map(old_header),
                (_, Some((entry, expression))) => {
                    answer = answer.header(CERTIFICATE_EXPRESSION_HEADER_NAME, &expression);
                    Some(header(&tree, &entry, &page.path))
                }
                _ => None,
            };
            (page.change)(&mut answer);
            routes += &match header {
                None => {
                    let (at, len) = data.put(&Encode!(&answer).unwrap());
                    format!(
                        "(if (call $asks (i32.const {}) (i32.const {})) (then (call $append (i32.const {at}) (i32.const {len})) (call $reply) (return)))\n",
                        needle.0, needle.1
                    )
                }
                Some(value) => {
                    let encoded = Encode!(&answer.header("IC-Certificate", &value)).unwrap();
                    let [before, tail, after] = split(&encoded, &value).map(|b| data.put(&b));
                    format!(
                        "(if (call $asks (i32.const {}) (i32.const {})) (then (call $certified (i32.const {}) (i32.const {}) (i32.const {}) (i32.const {}) (i32.const {}) (i32.const {})) (return)))\n",
                        needle.0, needle.1, before.0, before.1, tail.0, tail.1, after.0, after.1
                    )
                }
            };
        }
        let update = self
            .update
            .map(|answer| data.put(&Encode!(&answer).unwrap()));
        let update = update.map_or(String::new(), |(at, len)| {
            format!(
                "(func (export \"canister_update http_request_update\") (call $append (i32.const {at}) (i32.const {len})) (call $reply))"
            )
        });
        let last = self.parts.len().saturating_sub(1);
        let mut parts = String::new();
        for (i, part) in self.parts.iter().enumerate() {
            let (at, len) = data.put(&Encode!(part).unwrap());
            let condition = if i == last {
                "(i32.const 1)".to_owned()
            } else {
                format!("(i64.eq (local.get 0) (i64.const {i}))")
            };
            parts += &format!(
                "(if {condition} (then (call $append (i32.const {at}) (i32.const {len})) (call $reply) (return)))\n"
            );
        }
        include_str!("site.wat")
            .replace("(; data ;)", &data.segments)
            .replace("(; root ;)", &root.0.to_string())
            .replace("(; head ;)", &head.0.to_string())
            .replace("(; routes ;)", &routes)
            .replace("(; update ;)", &update)
            .replace("(; parts ;)", &parts)
            .replace("(; sections ;)", &self.sections)
    }
}

/// Data segments, one after another.
struct Data {
    next: usize,
    segments: String,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            // Below lie the argument, the certificate and its base64.
            next: 1 << 18,
            segments: String::new(),
        }
    }
}

impl Data {
    fn put(&mut self, bytes: &[u8]) -> (usize, usize) {
        let at = self.next;
        self.next += bytes.len();
        let escaped: String = bytes.iter().map(|b| format!("\\{b:02x}")).collect();
        self.segments += &format!("(data (i32.const {at}) \"{escaped}\")\n");
        (at, bytes.len())
    }
}

fn entry(page: &Page) -> Option<(HttpCertificationTreeEntry<'static>, String)> {
    let path = HttpCertificationPath::exact(page.path.clone());
    let (certification, expression) = match page.certified {
        Certified::No | Certified::Old => return None,
        Certified::Skip => {
            let expression = DefaultCelBuilder::skip_certification();
            (HttpCertification::skip(), expression.to_string())
        }
        Certified::Response => {
            let headers = vec!["content-type", "content-range", "location"];
            let expression = DefaultCelBuilder::response_only_certification()
                .with_response_certification(
                    DefaultResponseCertification::certified_response_headers(headers),
                )
                .build();
            let text = expression.to_string();
            let mut headers = page.answer.headers.clone();
            headers.push((CERTIFICATE_EXPRESSION_HEADER_NAME.into(), text.clone()));
            let body = page.whole.clone().unwrap_or(page.answer.body.to_vec());
            let response = HttpResponse::builder()
                .with_status_code(StatusCode::from_u16(page.answer.status_code).unwrap())
                .with_headers(headers)
                .with_body(body)
                .build();
            let certification =
                HttpCertification::response_only(&expression, &response, None).unwrap();
            (certification, text)
        }
    };
    Some((
        HttpCertificationTreeEntry::new(path, certification),
        expression,
    ))
}

fn header(
    tree: &HttpCertificationTree,
    entry: &HttpCertificationTreeEntry<'_>,
    path: &str,
) -> String {
    let witness = tree.witness(entry, path).unwrap();
    let mut response = HttpResponse::builder().build();
    let path = HttpCertificationPath::exact(path).to_expr_path();
    add_v2_certificate_header(MARK, &mut response, &witness, &path);
    response.headers()[0].1.clone()
}

/// The tree of version 1: a hash of the body for each path.
fn old_tree(page: &Page) -> ic_certification::HashTree {
    use ic_certification::{labeled, leaf};
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(&page.answer.body).to_vec();
    labeled("http_assets", labeled(page.path.as_bytes(), leaf(hash)))
}

fn old_header(tree: &ic_certification::HashTree) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    let cbor = [vec![0xd9, 0xd9, 0xf7], serde_cbor::to_vec(tree).unwrap()].concat();
    let (certificate, tree) = (BASE64.encode(MARK), BASE64.encode(cbor));
    format!("certificate=:{certificate}:, tree=:{tree}:")
}

/// An answer in Candid around the value of its certificate header: what is before the value's
/// length, what is behind the certificate in the value, and what is behind the value.
fn split(encoded: &[u8], value: &str) -> [Vec<u8>; 3] {
    use base64::Engine as _;
    let mark = base64::engine::general_purpose::STANDARD.encode(MARK);
    let (head, tail) = value.split_once(&mark).unwrap();
    assert_eq!(head, "certificate=:");
    let find = |part: &[u8]| encoded.windows(part.len()).position(|w| w == part).unwrap();
    let at = find(value.as_bytes());
    let mut length = Vec::new();
    let mut rest = value.len();
    while rest >= 0x80 {
        length.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    length.push(rest as u8);
    let before = at - length.len();
    assert_eq!(encoded[before..at], length);
    [
        encoded[..before].to_vec(),
        tail.as_bytes().to_vec(),
        encoded[at + value.len()..].to_vec(),
    ]
}

/// A strategy that asks `canister`'s method `part` from token 0 on.
pub(crate) fn stream(canister: Principal) -> Option<Strategy> {
    Some(Strategy::Callback {
        callback: Next::new(canister, "part".into()),
        token: 0,
    })
}
