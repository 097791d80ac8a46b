//! A localnet of its own as a process, which can be killed.

use ic_agent::Agent;
use ic_agent::identity::BasicIdentity;
use serde::Deserialize;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What a ready localnet tells.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Told {
    pub(crate) url: String,
    pub(crate) root_key: String,
}

impl Told {
    /// An agent with every check on.
    pub(crate) fn agent(&self, key: u8) -> Agent {
        let agent = Agent::builder()
            .with_url(&self.url)
            .with_identity(BasicIdentity::from_raw_key(&[key; 32]))
            .build()
            .unwrap();
        agent.set_root_key(hex::decode(&self.root_key).unwrap());
        agent
    }
}

/// The process; killed when dropped, without warning.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a localnet on the state in `dir` and waits until it is ready.
pub(crate) fn spawn(dir: &Path, options: &[&str]) -> (Process, Told) {
    let file = dir.join("ready");
    let child = Command::new(env!("CARGO_BIN_EXE_salus-localnet"))
        .args(["--stop-after", "600", "--state"])
        .arg(dir.join("state"))
        .arg("--ready")
        .arg(&file)
        .args(options)
        .args(
            module_path!()
                .starts_with("portable::")
                .then_some("--portable"),
        )
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut process = Process(child);
    loop {
        if let Ok(bytes) = std::fs::read(&file) {
            std::fs::remove_file(&file).unwrap();
            return (process, serde_json::from_slice(&bytes).unwrap());
        }
        assert!(process.0.try_wait().unwrap().is_none(), "it ended");
        std::thread::yield_now();
    }
}
