//! Threads that run canister code for queries: with stacks large enough for it, whoever's
//! runtime this process lives in.

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};

/// Stack of a thread that runs canister code, bytes; virtual until used.
pub(crate) const STACK: usize = 32 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// A fixed set of threads.
pub(crate) struct Pool {
    jobs: Sender<Job>,
}

impl Pool {
    /// Starts `threads` threads; they end when the pool is dropped.
    pub(crate) fn new(threads: usize) -> std::io::Result<Self> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let inbox = Arc::new(Mutex::new(inbox));
        for i in 0..threads {
            let inbox = Arc::clone(&inbox);
            std::thread::Builder::new()
                .name(format!("localnet-query-{i}"))
                .stack_size(STACK)
                .spawn(move || {
                    loop {
                        let job = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        match job {
                            Ok(job) => job(),
                            Err(_) => return,
                        }
                    }
                })?;
        }
        Ok(Self { jobs })
    }

    /// Runs `job` on one of the threads; none when it panicked or the pool has ended.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (done, result) = tokio::sync::oneshot::channel();
        self.jobs
            .send(Box::new(move || {
                let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
                if let Ok(value) = caught {
                    let _ = done.send(value);
                }
            }))
            .ok()?;
        result.await.ok()
    }
}
