//! Starting and stopping a node with its HTTP side.

use crate::exec::backing;
use crate::http::{self, App};
use crate::node::admin::{AdminError, ClockChange};
use crate::node::executor::Event;
use crate::node::{Node, NodeError};
use candid::Principal;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How a localnet is to be.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Where its state is kept; made when missing.
    pub state_dir: PathBuf,
    /// The port to listen on; 0 for any free one.
    pub port: u16,
    /// Whether answers take as long as on mainnet.
    pub delay: bool,
    /// Whether memories are looked at in the way that works on any Unix, on Linux too. All
    /// localnets of a process go the same way.
    pub portable: bool,
    /// Whether stable memories may be read and replaced, time moved and costs read over HTTP.
    pub admin: bool,
}

/// Why a localnet does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// How memories are looked at.
    #[error("another localnet of this process looks at memories in the way of Linux")]
    NotPortable,
    /// The port.
    #[error("cannot listen on port {port}: {source}")]
    Listen {
        /// Which.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
}

/// A running localnet. Dropping it tells it to end; `stop` also waits for that.
pub struct Localnet {
    node: Arc<Node>,
    port: u16,
    stop: watch::Sender<bool>,
    servers: Vec<tokio::task::JoinHandle<()>>,
    executor: Vec<JoinHandle<()>>,
}

impl Localnet {
    /// Starts a localnet on the current tokio runtime, listening on loopback only.
    ///
    /// # Errors
    /// When the state folder is in use or damaged, or the port is taken.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        if config.portable && !backing::choose_portable() {
            return Err(StartError::NotPortable);
        }
        let listeners = listen(config.port).await?;
        let port = listeners
            .first()
            .and_then(|l| l.local_addr().ok())
            .map_or(config.port, |a| a.port());
        let state_dir = config.state_dir.clone();
        let started = tokio::task::spawn_blocking(move || Node::start(&state_dir)).await;
        let (node, executor) = started.map_err(|e| {
            NodeError::Io(std::io::Error::other(format!("starting panicked: {e}")))
        })??;
        if config.admin {
            node.costs.want();
        }
        let (stop, stopped) = watch::channel(false);
        let app = Arc::new(App {
            node: Arc::clone(&node),
            delay: config.delay,
            admin: config.admin,
            port,
            stop: stop.clone(),
        });
        let router = http::router(app);
        let servers = listeners
            .into_iter()
            .map(|listener| {
                let router = router.clone();
                let mut stopped = stopped.clone();
                tokio::spawn(async move {
                    let end = async move {
                        let _ = stopped.wait_for(|stop| *stop).await;
                    };
                    let served = axum::serve(listener, router).with_graceful_shutdown(end);
                    if let Err(error) = served.await {
                        eprintln!("localnet: {error}");
                    }
                })
            })
            .collect();
        Ok(Self {
            node,
            port,
            stop,
            servers,
            executor,
        })
    }

    /// Where agents find it: `http://localhost:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The root public key, DER (133 bytes).
    #[must_use]
    pub fn root_key(&self) -> Vec<u8> {
        self.node.keys.root_der.to_vec()
    }

    /// All bytes of a canister's committed stable memory.
    ///
    /// # Errors
    /// When there is no such canister or its file cannot be read.
    pub async fn stable_memory(&self, canister: Principal) -> Result<Vec<u8>, AdminError> {
        let mut image = self.node.image(canister)?;
        let mut bytes = Vec::with_capacity(usize::try_from(image.len()).unwrap_or(0));
        while let Some(piece) = image.next()? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// Replaces a canister's stable memory, rounded up to whole pages of 64 KiB. Its heap stays:
    /// upgrade the canister before anything else calls it.
    ///
    /// # Errors
    /// When there is no such canister or the memory cannot be written.
    pub async fn set_stable_memory(
        &self,
        canister: Principal,
        bytes: Vec<u8>,
    ) -> Result<(), AdminError> {
        let mut upload = self.node.upload(canister)?;
        upload.add(&bytes)?;
        self.node.put(upload).await
    }

    /// Moves canisters' clock (not the protocol's) ahead by so many ns; what they see now, ns
    /// since 1970.
    ///
    /// # Errors
    /// When the node has ended.
    pub async fn advance_time(&self, ns: u64) -> Result<u64, AdminError> {
        self.node.set_clock(ClockChange::Advance(ns)).await
    }

    /// Resolves when somebody told it to stop by `POST /_/stop`.
    pub async fn stopped(&self) {
        let mut stopped = self.stop.subscribe();
        let _ = stopped.wait_for(|stop| *stop).await;
    }

    /// Stops it and waits until it has: what was acknowledged is kept.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        for server in std::mem::take(&mut self.servers) {
            // Requests that do not end must not keep us here.
            let end = server.abort_handle();
            let limit = std::time::Duration::from_millis(500);
            if tokio::time::timeout(limit, server).await.is_err() {
                end.abort();
            }
        }
        self.node.send(Event::Stop);
        let threads = std::mem::take(&mut self.executor);
        let ended = tokio::task::spawn_blocking(move || {
            for thread in threads {
                let _ = thread.join();
            }
        });
        let _ = ended.await;
    }
}

impl Drop for Localnet {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        for server in &self.servers {
            server.abort();
        }
        self.node.send(Event::Stop);
    }
}

/// Listens on 127.0.0.1 and, where there is one, on ::1: browsers resolve localhost to either.
async fn listen(port: u16) -> Result<Vec<TcpListener>, StartError> {
    let failed = |source| StartError::Listen { port, source };
    let mut error = None;
    // A free port of one family may be taken in the other: try others.
    for _ in 0..16 {
        let v4 = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .await
            .map_err(failed)?;
        let bound = v4.local_addr().map_err(failed)?.port();
        match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, bound))).await {
            Ok(v6) => return Ok(vec![v4, v6]),
            Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => error = Some(e),
            Err(_) => return Ok(vec![v4]),
        }
        if port != 0 {
            break;
        }
    }
    Err(failed(
        error.unwrap_or_else(|| std::io::ErrorKind::AddrInUse.into()),
    ))
}
