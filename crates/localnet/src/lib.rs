//! A local Internet Computer for development and tests: one node, embedded wasmtime, real
//! certificates and signatures, so that unmodified agents and browsers work with every check on.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use salus_localnet::{Config, Localnet};
//! let localnet = Localnet::start(Config {
//!     state_dir: "target/localnet".into(),
//!     ..Config::default()
//! })
//! .await?;
//! println!("{} {:02x?}", localnet.url(), localnet.root_key());
//! localnet.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! What it must never know: anything about the canisters it runs, or any other crate of this
//! workspace.

mod certify;
#[doc(hidden)]
pub mod decoders;
mod exec;
mod gateway;
mod http;
mod identity;
mod management;
mod node;
mod persist;
mod server;
mod wire;

pub use node::NodeError;
pub use node::admin::AdminError;
pub use persist::PersistError;
pub use server::{Config, Localnet, StartError};
