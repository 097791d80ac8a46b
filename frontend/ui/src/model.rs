//! What the whole page knows, and how it changes. Pure: must not know browser or worker.

use crate::route::{Route, Side};
use crate::texts::Language;
use salus_messages::{
    AccountId, AccountView, Environment, Failure, Intent, SessionState, SlotView, Stage, Topic,
};
use std::rc::Rc;
use yew::{Callback, Reducible};

/// How far the worker has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Boot {
    Starting,
    Failed(Failure),
    Ready(Environment, SessionState),
    /// What was shown is out of sight, and the worker lets go of the keys.
    Leaving,
    /// Nothing of what this document had in memory may stay: it is loaded anew.
    Left,
}

/// How far a long operation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) stage: Stage,
    pub(crate) done: u64,
    pub(crate) total: u64,
}

/// A short message that something was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) id: u32,
    pub(crate) text: String,
}

/// The state of the page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    pub(crate) language: Language,
    pub(crate) route: Route,
    pub(crate) side: Side,
    pub(crate) boot: Boot,
    pub(crate) unread: u32,
    /// Of each operation under way; there are never many.
    progress: Vec<(u32, Progress)>,
    pub(crate) said: Vec<Said>,
    /// Patients whose records were listed since the page was opened: the person has been
    /// told that listing is recorded, and has said yes.
    listed: Vec<AccountId>,
    /// In how many seconds the idle lock strikes, while people are warned of it.
    pub(crate) locking_in: Option<u32>,
    /// Whether making every key anew was stopped half-way.
    pub(crate) renewal_left: bool,
    /// What waits for the owner to show that they are.
    pub(crate) to_prove: Option<Callback<()>>,
    said_count: u32,
    revisions: [u32; TOPICS],
}

const TOPICS: usize = 8;

fn place(topic: Topic) -> usize {
    match topic {
        Topic::Records => 0,
        Topic::Compartments => 1,
        Topic::Requests => 2,
        Topic::Grants => 3,
        Topic::Activity => 4,
        Topic::Patients => 5,
        Topic::Inbox => 6,
        Topic::Security => 7,
    }
}

/// What can happen to the page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    Started(Environment, SessionState),
    StartFailed(Failure),
    Session(SessionState),
    /// How many ways to unlock there are.
    Ways(Vec<SlotView>),
    /// Whether making every key anew waits to be gone on with.
    RenewalLeft(bool),
    /// The person locks or signs out: everything goes out of sight at once.
    Leave,
    /// The keys are gone.
    Locked,
    LockingIn(Option<u32>),
    /// The owner is to show that they are; then this is done.
    ToProve(Callback<()>),
    /// They did, or would not.
    Proved,
    Unread(u32),
    Changed(Vec<Topic>),
    Progress(u32, Progress),
    /// The operation has ended, well or not.
    Ended(u32),
    Went(Route),
    Speak(Language),
    Say(String),
    Dismiss(u32),
    Listed(AccountId),
}

impl Model {
    pub(crate) fn new(language: Language, route: Route) -> Self {
        Self {
            language,
            side: route.side().unwrap_or(Side::Health),
            route,
            boot: Boot::Starting,
            unread: 0,
            progress: Vec::new(),
            said: Vec::new(),
            listed: Vec::new(),
            locking_in: None,
            renewal_left: false,
            to_prove: None,
            said_count: 0,
            revisions: [0; TOPICS],
        }
    }

    /// A number that grows whenever one of `topics` changed.
    pub(crate) fn revision(&self, topics: &[Topic]) -> u32 {
        topics
            .iter()
            .filter_map(|topic| self.revisions.get(place(*topic)))
            .fold(0, |sum, revision| sum.wrapping_add(*revision))
    }

    /// Whether this browser opens the account by itself, and whether it does so beside the words alone.
    pub(crate) fn stays_unlocked(&self) -> (bool, bool) {
        match &self.boot {
            Boot::Ready(_, SessionState::Unlocked(account)) => {
                (account.stays_unlocked, account.only_words)
            }
            Boot::Ready(_, SessionState::Locked { slots, .. }) => (
                salus_messages::stays_unlocked(slots),
                salus_messages::only_words(slots),
            ),
            _ => (false, false),
        }
    }

    /// The account, when it is unlocked.
    pub(crate) fn account(&self) -> Option<&AccountView> {
        match &self.boot {
            Boot::Ready(_, SessionState::Unlocked(account)) => Some(account),
            _ => None,
        }
    }

    /// How far an operation has come.
    pub(crate) fn progress_of(&self, operation: u32) -> Option<Progress> {
        self.progress
            .iter()
            .find(|(id, _)| *id == operation)
            .map(|(_, progress)| *progress)
    }

    /// Whether the person chose to list this patient's records.
    pub(crate) fn has_listed(&self, patient: &AccountId) -> bool {
        self.listed.contains(patient)
    }

    fn apply(&mut self, action: Action) {
        match action {
            Action::Started(environment, session) => {
                self.boot = Boot::Ready(environment, SessionState::SignedOut);
                self.enter(session);
            }
            Action::StartFailed(failure) => self.boot = Boot::Failed(failure),
            Action::Session(session) => self.enter(session),
            Action::Ways(slots) => {
                if let Boot::Ready(_, SessionState::Unlocked(account)) = &mut self.boot {
                    account.only_words = salus_messages::only_words(&slots);
                    account.stays_unlocked = salus_messages::stays_unlocked(&slots);
                }
            }
            Action::RenewalLeft(left) => self.renewal_left = left,
            Action::Leave => self.leave(Boot::Leaving),
            Action::Locked => self.leave(Boot::Left),
            Action::LockingIn(seconds) => self.locking_in = seconds,
            Action::ToProve(then) => self.to_prove = Some(then),
            Action::Proved => self.to_prove = None,
            Action::Unread(unread) => self.unread = unread,
            Action::Changed(topics) => {
                for topic in topics {
                    if let Some(revision) = self.revisions.get_mut(place(topic)) {
                        *revision = revision.wrapping_add(1);
                    }
                }
            }
            Action::Progress(id, progress) => {
                self.progress.retain(|(other, _)| *other != id);
                self.progress.push((id, progress));
            }
            Action::Ended(id) => {
                self.progress.retain(|(other, _)| *other != id);
            }
            Action::Went(route) => {
                self.side = route.side().unwrap_or(self.side);
                self.route = route;
            }
            Action::Speak(language) => self.language = language,
            Action::Say(text) => {
                self.said_count = self.said_count.wrapping_add(1);
                self.said.push(Said {
                    id: self.said_count,
                    text,
                });
            }
            Action::Dismiss(id) => self.said.retain(|said| said.id != id),
            Action::Listed(patient) => {
                if !self.has_listed(&patient) {
                    self.listed.push(patient);
                }
            }
        }
    }

    fn enter(&mut self, session: SessionState) {
        if let SessionState::Unlocked(account) = &session {
            self.unread = account.unread;
        }
        if let Boot::Ready(_, state) = &mut self.boot {
            *state = session;
        }
    }

    /// Nothing of the person who was here stays.
    fn leave(&mut self, boot: Boot) {
        *self = Self {
            boot,
            ..Self::new(self.language, self.route.clone())
        };
    }
}

impl Reducible for Model {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut model = (*self).clone();
        model.apply(action);
        Rc::new(model)
    }
}

/// What is no longer up to date once `intent` has been carried out.
pub(crate) fn touched(intent: &Intent) -> &'static [Topic] {
    use Topic::{Activity, Compartments, Grants, Inbox, Patients, Records, Requests, Security};
    match intent {
        Intent::AddCompartment { .. } => &[Compartments, Activity],
        Intent::AddRecord { .. }
        | Intent::AmendRecord { .. }
        | Intent::FileRecord { .. }
        | Intent::Import { .. } => &[Records, Compartments, Activity],
        Intent::Approve { .. } | Intent::Deny { .. } => {
            &[Requests, Grants, Compartments, Activity, Inbox]
        }
        Intent::Give { .. } | Intent::Revoke { .. } => &[Grants, Compartments, Activity],
        Intent::Invite { .. } | Intent::EndPairing => &[Activity],
        Intent::ApprovePairing { .. } => &[Security, Activity],
        Intent::SetStayUnlocked { .. }
        | Intent::AddPasskey { .. }
        | Intent::AddPassphrase { .. }
        | Intent::RemoveSlot { .. }
        | Intent::SignOutEverywhere
        | Intent::ReplacePhrase { .. }
        | Intent::RemoveSignIn { .. } => &[Security, Activity],
        Intent::RenewKeys | Intent::LostDevice { .. } => &[Security, Grants, Activity],
        Intent::Ask { .. } => &[Requests, Patients],
        Intent::Compare { .. } | Intent::AcceptKeys { .. } => {
            &[Requests, Grants, Patients, Activity]
        }
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn account() -> AccountView {
        AccountView {
            account: "a".into(),
            principal: "p".to_owned(),
            display_name: "Ana".to_owned(),
            safety_number: String::new(),
            provider: None,
            unread: 3,
            only_words: true,
            stays_unlocked: false,
            idle_minutes: 15,
        }
    }

    fn started() -> Rc<Model> {
        let environment = Environment {
            network: "local".to_owned(),
            identity_provider: String::new(),
            derivation_origin: None,
            vault: String::new(),
        };
        Rc::new(Model::new(Language::English, Route::Home)).reduce(Action::Started(
            environment,
            SessionState::Unlocked(Box::new(account())),
        ))
    }

    #[test]
    fn locking_takes_everything_personal_out_of_sight() {
        for lock in [Action::Leave, Action::Locked] {
            let model = started()
                .reduce(Action::Say("saved".to_owned()))
                .reduce(Action::Listed("b".into()))
                .reduce(Action::LockingIn(Some(9)))
                .reduce(Action::ToProve(Callback::noop()))
                .reduce(lock)
                // What was under way when it locked brings nothing back.
                .reduce(Action::Session(SessionState::Unlocked(Box::new(account()))));
            assert!(matches!(model.boot, Boot::Leaving | Boot::Left));
            assert!(model.account().is_none());
            assert!(model.said.is_empty() && model.to_prove.is_none());
            assert_eq!(model.locking_in, None);
            assert!(!model.has_listed(&"b".into()));
        }
    }

    #[test]
    fn a_place_stays_the_same_when_it_is_locked() {
        let model = started()
            .reduce(Action::Went(Route::Sharing))
            .reduce(Action::Locked);
        assert_eq!(model.route, Route::Sharing);
    }

    #[test]
    fn unlocking_brings_the_unread_count() {
        assert_eq!(started().unread, 3);
    }

    #[test]
    fn a_shared_place_keeps_the_side_one_came_from() {
        let model = started()
            .reduce(Action::Went(Route::Patients))
            .reduce(Action::Went(Route::Inbox));
        assert_eq!(model.side, Side::Practice);
        let model = model.reduce(Action::Went(Route::Sharing));
        assert_eq!(model.side, Side::Health);
    }

    #[test]
    fn only_what_changed_gets_a_new_revision() {
        let before = started();
        let after = Rc::clone(&before).reduce(Action::Changed(vec![Topic::Grants]));
        assert_ne!(
            before.revision(&[Topic::Grants]),
            after.revision(&[Topic::Grants])
        );
        assert_eq!(
            before.revision(&[Topic::Records]),
            after.revision(&[Topic::Records])
        );
    }

    #[test]
    fn every_topic_has_a_place_of_its_own() {
        let all = [
            Topic::Records,
            Topic::Compartments,
            Topic::Requests,
            Topic::Grants,
            Topic::Activity,
            Topic::Patients,
            Topic::Inbox,
            Topic::Security,
        ];
        let places: BTreeSet<usize> = all.into_iter().map(place).collect();
        assert_eq!(places.len(), TOPICS);
        assert_eq!(places.last(), Some(&(TOPICS - 1)));
    }

    #[test]
    fn progress_lasts_as_long_as_its_operation() {
        let progress = Progress {
            stage: Stage::Uploading,
            done: 1,
            total: 2,
        };
        let model = started().reduce(Action::Progress(9, progress));
        assert_eq!(model.progress_of(9), Some(progress));
        assert_eq!(model.reduce(Action::Ended(9)).progress_of(9), None);
    }

    #[test]
    fn revoking_makes_grants_and_activity_old() {
        let topics = touched(&Intent::Revoke { grant: "g".into() });
        assert!(topics.contains(&Topic::Grants) && topics.contains(&Topic::Activity));
        assert!(touched(&Intent::Grants).is_empty());
    }
}
