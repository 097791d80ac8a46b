//! Threads that run canister code for queries: with stacks large enough for it, whoever's
//! runtime this process lives in. Threads are started as they are needed, so that what is short
//! need not wait for what is long, and nobody gets more than a share of them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Stack of a thread that runs canister code, bytes; virtual until used.
pub(crate) const STACK: usize = 32 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// For whom a job is done.
type Party = Vec<u8>;

#[derive(Default)]
struct State {
    jobs: VecDeque<(Party, Job)>,
    running: BTreeMap<Party, usize>,
    threads: usize,
    idle: usize,
    ended: bool,
}

impl State {
    /// The first job of a party that has not its share yet.
    fn take(&mut self, share: usize) -> Option<(Party, Job)> {
        let at = self
            .jobs
            .iter()
            .position(|(party, _)| self.running.get(party).is_none_or(|n| *n < share))?;
        let (party, job) = self.jobs.remove(at)?;
        *self.running.entry(party.clone()).or_default() += 1;
        Some((party, job))
    }

    fn done(&mut self, party: &Party) {
        if let Some(running) = self.running.get_mut(party) {
            *running -= 1;
            if *running == 0 {
                self.running.remove(party);
            }
        }
    }
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Threads at most.
    most: usize,
    /// Threads one party gets at most.
    share: usize,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.state();
        loop {
            if let Some((party, job)) = state.take(self.share) {
                drop(state);
                job();
                state = self.state();
                state.done(&party);
                continue;
            }
            if state.ended {
                return;
            }
            state.idle += 1;
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

/// A set of threads. They end when it is dropped.
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

impl Pool {
    /// At most `most` threads, of which each party gets at most `share`.
    pub(crate) fn new(most: usize, share: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                changed: Condvar::new(),
                most,
                share,
            }),
        }
    }

    /// Runs `job` for nobody in particular.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        self.run_for(&[], job).await
    }

    /// Runs `job` for a party on one of the threads; none when it panicked or there is no thread.
    pub(crate) async fn run_for<T: Send + 'static>(
        &self,
        party: &[u8],
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (done, result) = tokio::sync::oneshot::channel();
        self.add(
            party.to_vec(),
            Box::new(move || {
                let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
                if let Ok(value) = caught {
                    let _ = done.send(value);
                }
            }),
        );
        result.await.ok()
    }

    fn add(&self, party: Party, job: Job) {
        let mut state = self.shared.state();
        state.jobs.push_back((party, job));
        if state.idle < state.jobs.len() && state.threads < self.shared.most {
            let shared = Arc::clone(&self.shared);
            let started = std::thread::Builder::new()
                .name(format!("localnet-pool-{}", state.threads))
                .stack_size(STACK)
                .spawn(move || shared.work());
            if started.is_ok() {
                state.threads += 1;
            } else if state.threads == 0 {
                // Nobody would ever do it.
                state.jobs.clear();
            }
        }
        drop(state);
        self.shared.changed.notify_one();
    }

    /// Jobs that wait, and threads that work.
    pub(crate) fn load(&self) -> (usize, usize) {
        let state = self.shared.state();
        (state.jobs.len(), state.threads - state.idle)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn who_has_their_share_does_not_keep_others_waiting() {
        let pool = Pool::new(3, 2);
        let (end, ended) = mpsc::channel::<()>();
        let ended = Arc::new(Mutex::new(ended));
        let long = || {
            let ended = Arc::clone(&ended);
            move || ended.lock().unwrap().recv().unwrap()
        };
        let mut waiting: Vec<_> = (0..4)
            .map(|_| Box::pin(pool.run_for(b"a", long())))
            .collect();
        for job in &mut waiting {
            assert!(futures::poll!(job.as_mut()).is_pending());
        }
        assert_eq!(pool.run_for(b"b", || 7).await, Some(7));
        for _ in &waiting {
            end.send(()).unwrap();
        }
        for job in waiting {
            job.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_panic_is_nobody_elses() {
        let pool = Pool::new(1, 1);
        assert_eq!(pool.run(|| -> u8 { panic!("on purpose") }).await, None);
        assert_eq!(pool.run(|| 1).await, Some(1));
    }
}
