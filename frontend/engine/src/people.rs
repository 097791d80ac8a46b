//! Everyone this account deals with, by account, as far as grants and requests name them. Must not know
//! what they were given.

use crate::views;
use futures::join;
use salus_client::{AccountId, Contact, Unlocked};
use salus_messages::Person;
use std::collections::BTreeMap;

/// People by account.
#[derive(Debug, Default)]
pub(crate) struct People(BTreeMap<AccountId, Person>);

impl People {
    /// Gathers them. What cannot be read names nobody here, and fails where it is itself looked at.
    pub(crate) async fn of(unlocked: &Unlocked) -> Self {
        let (given, incoming, received, outgoing) = join!(
            unlocked.grants(),
            unlocked.incoming_requests(),
            unlocked.received(),
            unlocked.outgoing_requests(),
        );
        let mut people = Self::default();
        for grant in given.unwrap_or_default() {
            people.add(&grant.grantee, grant.grantee_name.as_deref());
        }
        for request in incoming.unwrap_or_default() {
            people.add(&request.requester, Some(&request.ask.requester_name));
        }
        for grant in received.unwrap_or_default() {
            people.add(&grant.owner, grant.owner_name());
        }
        for request in outgoing.unwrap_or_default() {
            people.add(&request.patient, None);
        }
        people
    }

    fn add(&mut self, contact: &Contact, name: Option<&str>) {
        let person = views::named(contact, name);
        match self.0.get_mut(&contact.account) {
            Some(known) if known.name.is_empty() => *known = person,
            Some(_) => {}
            None => {
                self.0.insert(contact.account, person);
            }
        }
    }

    /// Someone, known or not.
    pub(crate) fn find(&self, account: AccountId) -> Person {
        let known = self.0.get(&account).cloned();
        known.unwrap_or_else(|| views::stranger(account))
    }
}
