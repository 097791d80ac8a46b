//! Who may run next. Every canister has a lane of messages, taken in the order in which they came;
//! messages of different canisters run beside each other. Data only: no threads, no execution.

use super::executor::Work;
use candid::Principal;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A message that waits.
struct Job {
    work: Work,
    /// Canisters it changes beside its own, as far as is known.
    others: BTreeSet<Principal>,
}

/// A message taken to be run, with the canisters nobody else may run meanwhile.
pub(crate) struct Turn {
    /// Its lane.
    pub(crate) lane: Principal,
    /// What to do.
    pub(crate) work: Work,
    /// The canisters it holds.
    pub(crate) held: BTreeSet<Principal>,
}

/// All messages that wait, and when timers are due.
#[derive(Default)]
pub(crate) struct Schedule {
    lanes: BTreeMap<Principal, VecDeque<Job>>,
    /// Lanes with messages, whoever waits longest first.
    turns: VecDeque<Principal>,
    busy: BTreeSet<Principal>,
    timers: BTreeSet<(u64, Principal)>,
    due: BTreeMap<Principal, u64>,
}

impl Schedule {
    /// Adds a message at the end of a lane.
    pub(crate) fn add(&mut self, lane: Principal, work: Work) {
        let others = BTreeSet::new();
        self.line_up(lane);
        let jobs = self.lanes.entry(lane).or_default();
        jobs.push_back(Job { work, others });
    }

    /// Puts a message back to the head of its lane and the lane to the head of all: it turned out
    /// to need these canisters too.
    pub(crate) fn put_back(&mut self, lane: Principal, work: Work, others: BTreeSet<Principal>) {
        self.turns.retain(|turn| *turn != lane);
        self.turns.push_front(lane);
        let jobs = self.lanes.entry(lane).or_default();
        jobs.push_front(Job { work, others });
    }

    fn line_up(&mut self, lane: Principal) {
        if self.lanes.get(&lane).is_none_or(VecDeque::is_empty) {
            self.turns.push_back(lane);
        }
    }

    /// The next message that can run now.
    pub(crate) fn take(&mut self) -> Option<Turn> {
        let at = self.turns.iter().position(|lane| {
            let head = self.lanes.get(lane).and_then(VecDeque::front);
            !self.busy.contains(lane) && head.is_some_and(|job| job.others.is_disjoint(&self.busy))
        })?;
        let lane = self.turns.remove(at)?;
        let jobs = self.lanes.get_mut(&lane)?;
        let Job { work, others } = jobs.pop_front()?;
        if jobs.is_empty() {
            self.lanes.remove(&lane);
        } else {
            self.turns.push_back(lane);
        }
        let mut held = others;
        held.insert(lane);
        self.busy.extend(held.iter().copied());
        Some(Turn { lane, work, held })
    }

    /// Reserves one more canister for a message that runs; false when another has it.
    pub(crate) fn claim(&mut self, id: Principal) -> bool {
        self.busy.insert(id)
    }

    /// Gives canisters free.
    pub(crate) fn release(&mut self, held: &BTreeSet<Principal>) {
        self.busy.retain(|id| !held.contains(id));
    }

    /// Says when a canister is to be looked at; none for never.
    pub(crate) fn set_timer(&mut self, id: Principal, due: Option<u64>) {
        if let Some(before) = self.due.remove(&id) {
            self.timers.remove(&(before, id));
        }
        if let Some(due) = due {
            self.due.insert(id, due);
            self.timers.insert((due, id));
        }
    }

    /// When the next timer is due.
    pub(crate) fn next_timer(&self) -> Option<u64> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// Lines up the timers that are due at `now`.
    pub(crate) fn fire(&mut self, now: u64) {
        while let Some((due, id)) = self.timers.first().copied()
            && due <= now
        {
            self.set_timer(id, None);
            self.add(id, Work::Timer);
        }
    }

    /// How many messages wait for each canister.
    pub(crate) fn waiting(&self) -> BTreeMap<Principal, usize> {
        let lanes = self.lanes.iter();
        lanes.map(|(id, jobs)| (*id, jobs.len())).collect()
    }

    /// The canisters at work.
    pub(crate) fn busy(&self) -> &BTreeSet<Principal> {
        &self.busy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> Principal {
        Principal::from_slice(&[n, 1])
    }

    fn lanes(turns: &[Turn]) -> Vec<Principal> {
        turns.iter().map(|turn| turn.lane).collect()
    }

    #[test]
    fn one_message_of_a_canister_at_a_time_and_lanes_take_turns() {
        let mut schedule = Schedule::default();
        for lane in [1, 1, 1, 2] {
            schedule.add(id(lane), Work::Timer);
        }
        let first = [schedule.take().unwrap(), schedule.take().unwrap()];
        assert_eq!(lanes(&first), [id(1), id(2)]);
        assert!(schedule.take().is_none());
        schedule.add(id(2), Work::Timer);
        for turn in &first {
            schedule.release(&turn.held);
        }
        let next = [schedule.take().unwrap(), schedule.take().unwrap()];
        assert_eq!(lanes(&next), [id(1), id(2)]);
        assert_eq!(schedule.waiting(), BTreeMap::from([(id(1), 1)]));
    }

    #[test]
    fn who_needs_two_runs_as_soon_as_both_are_free() {
        let mut schedule = Schedule::default();
        schedule.add(id(1), Work::Timer);
        schedule.add(id(2), Work::Timer);
        schedule.add(id(2), Work::Timer);
        let one = schedule.take().unwrap();
        let two = schedule.take().unwrap();
        assert!(!schedule.claim(id(2)));
        schedule.release(&one.held);
        schedule.put_back(one.lane, one.work, BTreeSet::from([id(2)]));
        assert!(schedule.take().is_none());
        schedule.release(&two.held);
        let both = schedule.take().unwrap();
        assert_eq!(both.held, BTreeSet::from([id(1), id(2)]));
        assert!(schedule.take().is_none());
        schedule.release(&both.held);
        assert_eq!(schedule.take().unwrap().lane, id(2));
    }

    #[test]
    fn a_timer_fires_once_and_only_the_last_setting_counts() {
        let mut schedule = Schedule::default();
        schedule.set_timer(id(1), Some(5));
        schedule.set_timer(id(1), Some(7));
        schedule.set_timer(id(2), Some(6));
        schedule.set_timer(id(2), None);
        assert_eq!(schedule.next_timer(), Some(7));
        schedule.fire(6);
        assert!(schedule.take().is_none());
        schedule.fire(7);
        assert_eq!(schedule.take().unwrap().lane, id(1));
        assert_eq!(schedule.next_timer(), None);
    }
}
