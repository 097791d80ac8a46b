//! What the clients of the chaos share: where the node is now, what it acknowledged, and the
//! checks of that.

use super::common::process::Told;
use super::common::{IC, about, certified_data, create, install, install_arg};
use super::snapshots::Snapshots;
use candid::{Decode, Principal};
use ic_agent::agent::{CallResponse, RequestStatusResponse};
use ic_agent::{Agent, AgentError, RequestId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::watch;

const LOG: &str = include_str!("../common/chaos_log.wat");
/// How long anything may take that is not stuck.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
/// Who controls what the clients share.
pub(crate) const OWNER: u8 = 200;

/// Repeatable choices.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// A module that says which version it is.
pub(crate) fn versioned(version: u32) -> Vec<u8> {
    of_version(include_str!("../common/chaos_version.wat"), version)
}

/// A module in text, of a version.
pub(crate) fn of_version(text: &str, version: u32) -> Vec<u8> {
    let bytes = version.to_le_bytes().map(|b| format!("\\{b:02x}")).concat();
    wat::parse_str(text.replace("\"VERSION\"", &format!("\"{bytes}\""))).unwrap()
}

/// What was answered.
pub(crate) struct Answer {
    key: u8,
    id: RequestId,
    effective: Principal,
    reply: Vec<u8>,
}

/// An installation of the versioned canister: its number and the version.
pub(crate) type Installation = (u32, u32);

#[derive(Default)]
struct Known {
    entries: BTreeSet<[u8; 8]>,
    answers: Vec<Answer>,
    chunks: BTreeMap<u8, Vec<[u8; 32]>>,
    tried: Vec<Installation>,
    installed: Installation,
}

/// What the clients share.
pub(crate) struct World {
    told: watch::Sender<Told>,
    count: watch::Sender<u64>,
    known: Mutex<Known>,
    /// Entries go here.
    pub(crate) log: Principal,
    /// And some by way of this one.
    pub(crate) relay: Principal,
    /// This one is installed again and again.
    pub(crate) versions: Principal,
    /// This one is there only to keep chunks.
    pub(crate) store: Principal,
    /// And one whose snapshots are taken and loaded.
    pub(crate) snapshots: Snapshots,
}

impl World {
    /// Makes the canisters.
    pub(crate) async fn found(told: Told) -> Self {
        let owner = told.agent(OWNER);
        let log = install(&owner, LOG).await;
        let relay = install(&owner, LOG).await;
        let store = create(&owner, None).await.unwrap();
        let versions = create(&owner, None).await.unwrap();
        let snapshots = Snapshots::found(&owner).await;
        let world = Self {
            told: watch::Sender::new(told),
            count: watch::Sender::new(0),
            known: Mutex::default(),
            log,
            relay,
            versions,
            store,
            snapshots,
        };
        let first = (0, 1);
        world.tries(first);
        let arg = install_arg(versions, "install", versioned(1), &0_u32.to_le_bytes());
        world
            .call(OWNER, versions, IC, "install_code", arg)
            .await
            .unwrap();
        world.installed(first);
        world
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    /// Resolves when so many calls were acknowledged.
    pub(crate) async fn acknowledged(&self, calls: u64) {
        let mut count = self.count.subscribe();
        let reached = count.wait_for(|count| *count >= calls);
        tokio::time::timeout(LIMIT, reached).await.unwrap().unwrap();
    }

    /// Tells everybody where the node is now.
    pub(crate) fn goes_on(&self, told: Told) {
        self.told.send_replace(told);
    }

    /// Makes one call until it is answered: always the same request, which the node must not
    /// carry out twice.
    pub(crate) async fn call(
        &self,
        key: u8,
        effective: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Result<Vec<u8>, AgentError> {
        let mut told = self.told.subscribe();
        let signed = told
            .borrow()
            .agent(key)
            .update(&canister, method)
            .with_effective_canister_id(effective)
            .with_arg(arg)
            .sign()
            .unwrap();
        loop {
            let agent = told.borrow_and_update().agent(key);
            let request = signed.signed_update.clone();
            let mut answer = agent.update_signed(effective, request).await;
            if let Ok(CallResponse::Poll(id)) = answer {
                let waited = agent.wait(&id, effective).await;
                answer = waited.map(|(reply, _)| CallResponse::Response(reply));
            }
            match answer {
                Ok(CallResponse::Response(reply)) => {
                    self.known().answers.push(Answer {
                        key,
                        id: signed.request_id,
                        effective,
                        reply: reply.clone(),
                    });
                    self.count.send_modify(|count| *count += 1);
                    return Ok(reply);
                }
                Err(error @ AgentError::CertifiedReject { .. }) => return Err(error),
                Ok(CallResponse::Poll(_)) | Err(AgentError::TransportError(_)) => {
                    let back = tokio::time::timeout(LIMIT, told.changed());
                    back.await.unwrap().unwrap();
                }
                Err(error) => panic!("{method}: {error}"),
            }
        }
    }

    /// Asks until there is an answer.
    pub(crate) async fn ask(&self, canister: Principal, method: &str) -> Vec<u8> {
        let mut told = self.told.subscribe();
        loop {
            let agent = told.borrow_and_update().agent(OWNER);
            match agent.query(&canister, method).call().await {
                Ok(reply) => return reply,
                Err(AgentError::TransportError(_)) => {
                    let back = tokio::time::timeout(LIMIT, told.changed());
                    back.await.unwrap().unwrap();
                }
                Err(error) => panic!("{method}: {error}"),
            }
        }
    }

    /// Notes an entry that was acknowledged.
    pub(crate) fn wrote(&self, entry: [u8; 8]) {
        self.known().entries.insert(entry);
    }

    /// Notes a chunk that was acknowledged.
    pub(crate) fn uploaded(&self, key: u8, hash: [u8; 32]) {
        self.known().chunks.entry(key).or_default().push(hash);
    }

    /// Notes an installation before it is tried.
    pub(crate) fn tries(&self, installation: Installation) {
        self.known().tried.push(installation);
    }

    /// Notes an installation that was acknowledged.
    pub(crate) fn installed(&self, installation: Installation) {
        self.known().installed = installation;
    }

    /// Checks a node that has just come back.
    pub(crate) async fn check(&self, told: &Told, random: &mut Random) {
        let agent = told.agent(OWNER);
        let entries = self.log(&agent).await;
        let missing: Vec<_> = self.known().entries.difference(&entries).copied().collect();
        assert!(missing.is_empty(), "acknowledged and missing: {missing:?}");
        self.check_installation(&agent).await;
        self.check_chunks(&agent).await;
        self.snapshots.check(told).await;
        let picked: Vec<Answer> = {
            let mut known = self.known();
            (0..20.min(known.answers.len()))
                .map(|_| {
                    let at = random.below(known.answers.len() as u64) as usize;
                    known.answers.swap_remove(at)
                })
                .collect()
        };
        for answer in picked {
            let agent = told.agent(answer.key);
            // The agent verifies the certificate.
            let status = agent.request_status_raw(&answer.id, answer.effective).await;
            match status.unwrap().0 {
                RequestStatusResponse::Replied(reply) => assert_eq!(reply.arg, answer.reply),
                other => panic!("an answered request is now {other:?}"),
            }
        }
    }

    /// The entries of the log, each there once.
    async fn log(&self, agent: &Agent) -> BTreeSet<[u8; 8]> {
        let data = certified_data(agent, self.log).await;
        let certified = if data.is_empty() { 0 } else { number(&data) };
        let reply = agent.query(&self.log, "log").call().await.unwrap();
        let (head, entries) = reply.split_at(32);
        let entries: Vec<[u8; 8]> = entries.as_chunks().0.to_vec();
        for count in [&head[..8], &head[8..16], &head[24..]] {
            assert_eq!(number(count), entries.len() as u64);
        }
        // Answers may still be on their way between canisters.
        assert!(certified <= entries.len() as u64);
        let set: BTreeSet<[u8; 8]> = entries.iter().copied().collect();
        assert_eq!(set.len(), entries.len(), "something was applied twice");
        set
    }

    async fn check_installation(&self, agent: &Agent) {
        let id = self.versions;
        let shown = agent.query(&id, "show").call().await.unwrap();
        let numbers: Vec<u32> = shown
            .as_chunks()
            .0
            .iter()
            .map(|b| u32::from_le_bytes(*b))
            .collect();
        let [number, version, code, stable_number, stable_version, _] = numbers[..] else {
            panic!("{numbers:?}");
        };
        assert_eq!((version, number), (code, stable_number), "{numbers:?}");
        assert_eq!(version, stable_version, "{numbers:?}");
        assert_eq!(certified_data(agent, id).await, shown[..8]);
        let hash = agent.read_state_canister_info(id, "module_hash");
        assert_eq!(hash.await.unwrap(), sha256(&versioned(version)));
        let known = self.known();
        assert!(known.tried.contains(&(number, version)), "{numbers:?}");
        assert!(number >= known.installed.0, "an installation is missing");
    }

    async fn check_chunks(&self, agent: &Agent) {
        #[derive(candid::CandidType, serde::Deserialize)]
        struct Chunk {
            hash: serde_bytes::ByteBuf,
        }
        let expected: Vec<[u8; 32]> = self.known().chunks.values().flatten().copied().collect();
        let reply = agent
            .update(&IC, "stored_chunks")
            .with_effective_canister_id(self.store)
            .with_arg(about(self.store))
            .call_and_wait()
            .await
            .unwrap();
        let stored = Decode!(&reply, Vec<Chunk>).unwrap();
        for hash in expected {
            assert!(stored.iter().any(|chunk| chunk.hash.as_slice() == hash));
        }
    }

    /// Checks that everything came to its end.
    pub(crate) async fn check_end(&self) {
        let told = self.told.borrow().clone();
        let agent = told.agent(OWNER);
        let entries = self.log(&agent).await;
        assert_eq!(entries, self.known().entries);
        let relayed = self.ask(self.relay, "log").await;
        let half = |at: usize| u32::from_le_bytes(relayed[at..at + 4].try_into().unwrap());
        assert_eq!(half(16), half(20), "calls and answers");
        // A canister stops when every call it works on has ended.
        let stop = self.call(OWNER, self.relay, IC, "stop_canister", about(self.relay));
        tokio::time::timeout(LIMIT, stop).await.unwrap().unwrap();
        self.check_installation(&agent).await;
        self.check_chunks(&agent).await;
        self.snapshots.check(&told).await;
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap())
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}
