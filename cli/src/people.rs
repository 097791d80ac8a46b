//! Whom a PATIENT or PROVIDER on the command line means, and the grants that lead to a patient's
//! records. Names lead only to accounts already dealt with; keys are the client's to check.

use crate::error::{Error, Kind, Result};
use crate::session::Session;
use salus_client::{
    AccountId, Contact, GrantPhase, Link, OpenVersion, Principal, ReceivedGrant, RecordId,
};

/// Someone to be asked, with the invitation that leads to them if there is one.
pub(crate) struct Asked {
    /// Who.
    pub(crate) contact: Contact,
    /// By which link.
    pub(crate) link: Option<Link>,
    /// Their principal, if it is known.
    pub(crate) principal: Option<Principal>,
}

impl Session<'_> {
    /// Remembers what someone is called.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(crate) fn learn(
        &self,
        contact: &Contact,
        principal: Option<Principal>,
        name: Option<&str>,
    ) -> Result<()> {
        let name = contact.name().or(name);
        self.contacts
            .borrow_mut()
            .learn(contact.account, principal, name)
    }

    /// The account of someone known by name, account or principal.
    fn known(&self, text: &str) -> Result<Option<(AccountId, Option<Principal>)>> {
        let contacts = self.contacts.borrow();
        let found = contacts.find(text)?;
        Ok(found.and_then(|person| Some((person.account()?, person.principal()))))
    }

    /// A patient to be asked for access: by link, or someone there is a grant with.
    ///
    /// # Errors
    /// When nobody is meant, or several people are.
    pub(crate) async fn patient_to_ask(&self, text: &str) -> Result<Asked> {
        if let Some(link) = link(text)? {
            let known = self.known(&link.patient.to_text())?;
            let contact = match (&link.code, known) {
                (None, Some((account, _))) => {
                    let contact = self.unlocked.person(account).await?;
                    if contact.genesis() != link.genesis {
                        return Err(Error::new(
                            Kind::Integrity,
                            "integrity",
                            "the link is not of the person known under this principal",
                        ));
                    }
                    contact
                }
                _ => self.unlocked.open_link(&link).await?,
            };
            self.learn(&contact, Some(link.patient), None)?;
            return Ok(Asked {
                contact,
                principal: Some(link.patient),
                link: Some(link),
            });
        }
        self.learn_from_grants().await?;
        match self.known(text)? {
            Some((account, principal)) => Ok(Asked {
                contact: self.unlocked.person(account).await?,
                link: None,
                principal,
            }),
            None => Err(nobody("patient", text)
                .hint("ask them for an invitation: `salus invitation create` makes a link")),
        }
    }

    /// A provider to be granted access: by principal or link from the directory, by name among
    /// those dealt with and in the directory.
    ///
    /// # Errors
    /// When nobody is meant, or several people are.
    pub(crate) async fn provider(&self, text: &str) -> Result<Contact> {
        if let Some(link) = link(text)? {
            let contact = self.unlocked.open_link(&link).await?;
            self.learn(&contact, Some(link.patient), None)?;
            return Ok(contact);
        }
        if let Ok(principal) = Principal::from_text(text.trim()) {
            let contact = self.unlocked.provider(principal).await?;
            self.learn(&contact, Some(principal), None)?;
            return Ok(contact);
        }
        let mut cursor = None;
        loop {
            let (page, next) = self.client().directory(cursor).await?;
            for (principal, contact) in &page {
                self.learn(contact, Some(*principal), None)?;
            }
            if next.is_none() {
                break;
            }
            cursor = next;
        }
        let (account, principal) = self.known(text)?.ok_or_else(|| {
            nobody("provider", text).hint("`salus provider list` shows who is in the directory")
        })?;
        let contact = self.unlocked.person(account).await?;
        Ok(self.client().confirm(contact, principal).await?)
    }

    /// Everyone whose keys are recorded, and who gave or asked for access, their names learnt.
    ///
    /// # Errors
    /// When something they signed does not verify.
    pub(crate) async fn people(&self) -> Result<Vec<Contact>> {
        self.learn_from_grants().await?;
        for request in self.unlocked.incoming_requests().await? {
            let name = Some(request.ask.requester_name.as_str());
            self.learn(&request.requester, None, name)?;
        }
        let all = self.unlocked.contacts().await?;
        for contact in &all {
            self.learn(contact, None, None)?;
        }
        Ok(all)
    }

    /// Someone one deals with or who is in the directory, by link, principal, account or name.
    ///
    /// # Errors
    /// When nobody is meant, or several people are.
    pub(crate) async fn someone(&self, text: &str) -> Result<Contact> {
        if link(text)?.is_some() {
            return self.provider(text).await;
        }
        self.people().await?;
        let mut known = self.known(text)?.map(|(account, _)| account);
        if let (None, Ok(principal)) = (known, Principal::from_text(text.trim())) {
            let received = self.unlocked.received().await?;
            known = self.account_of(principal, &received).await?;
        }
        match known {
            Some(account) => Ok(self.unlocked.person(account).await?),
            None => self.provider(text).await,
        }
    }

    /// Grants received, with the names in them learnt.
    ///
    /// # Errors
    /// When one is not what its owner signed.
    pub(crate) async fn learn_from_grants(&self) -> Result<Vec<ReceivedGrant>> {
        let received = self.unlocked.received().await?;
        for grant in &received {
            self.learn(&grant.owner, None, grant.owner_name())?;
        }
        Ok(received)
    }

    /// The grants in force from a patient, newest first.
    ///
    /// # Errors
    /// When nobody is meant, several people are, or there is no grant in force.
    pub(crate) async fn grants_from(&self, text: &str) -> Result<Vec<ReceivedGrant>> {
        let mut theirs = self.all_grants_from(text).await?;
        let last = theirs.first().map(|grant| grant.phase);
        theirs.retain(|grant| grant.phase == GrantPhase::Active);
        if theirs.is_empty() {
            return Err(no_grant(last));
        }
        Ok(theirs)
    }

    /// A patient one has or had a grant from.
    ///
    /// # Errors
    /// When nobody is meant, or several people are.
    pub(crate) async fn patient_of_any_grant(&self, text: &str) -> Result<Contact> {
        let theirs = self.all_grants_from(text).await?;
        let first = theirs.into_iter().next();
        first.map(|grant| grant.owner).ok_or_else(|| no_grant(None))
    }

    async fn all_grants_from(&self, text: &str) -> Result<Vec<ReceivedGrant>> {
        let mut received = self.learn_from_grants().await?;
        let link = link(text)?;
        let principal = match &link {
            Some(link) => Some(link.patient),
            None => Principal::from_text(text.trim()).ok(),
        };
        let known = match principal {
            Some(principal) => self.known(&principal.to_text())?,
            None => self.known(text)?,
        };
        let account = match (known, principal) {
            (Some((account, _)), _) => Some(account),
            (None, Some(principal)) => self.account_of(principal, &received).await?,
            (None, None) => None,
        };
        let account = account.ok_or_else(|| nobody("patient", text))?;
        received.retain(|grant| grant.owner.account == account);
        Ok(received)
    }

    /// Whose principal it is, among those one has a grant from: the network certifies it.
    async fn account_of(
        &self,
        principal: Principal,
        received: &[ReceivedGrant],
    ) -> Result<Option<AccountId>> {
        let mut tried: Vec<AccountId> = Vec::new();
        for grant in received {
            let account = grant.owner.account;
            if tried.contains(&account) || grant.phase != GrantPhase::Active {
                continue;
            }
            tried.push(account);
            let confirmed = self
                .client()
                .confirm(grant.owner.clone(), Some(principal))
                .await;
            if confirmed.is_ok() {
                self.learn(&grant.owner, Some(principal), None)?;
                return Ok(Some(account));
            }
        }
        Ok(None)
    }

    /// Opens one version of a patient's record, the newest unless one is named, under the first
    /// grant that covers it; says which. The patient's audit trail says so before it happens.
    ///
    /// # Errors
    /// When no grant covers it.
    pub(crate) async fn open_granted<'g>(
        &self,
        grants: &'g [ReceivedGrant],
        record: RecordId,
        version: Option<u32>,
    ) -> Result<(&'g ReceivedGrant, OpenVersion)> {
        let (covering, mut refused) = self.covering(grants, record).await?;
        for (newest, grant) in covering {
            let wanted = [(record, Some(version.unwrap_or(newest)))];
            match self.unlocked.open_granted(grant, &wanted).await {
                Ok(opened) => {
                    if let Some(opened) = opened.into_iter().next() {
                        return Ok((grant, opened));
                    }
                }
                Err(error) => refused = Some(not_found(error)?),
            }
        }
        Err(refused.unwrap_or_else(not_covered))
    }

    /// Opens all versions of a patient's record, newest first; otherwise as
    /// [`Self::open_granted`].
    ///
    /// # Errors
    /// When no grant covers it.
    pub(crate) async fn open_granted_history(
        &self,
        grants: &[ReceivedGrant],
        record: RecordId,
    ) -> Result<Vec<OpenVersion>> {
        let (covering, mut refused) = self.covering(grants, record).await?;
        for (_, grant) in covering {
            match self.unlocked.open_granted(grant, &[(record, None)]).await {
                Ok(opened) => return Ok(opened),
                Err(error) => refused = Some(not_found(error)?),
            }
        }
        Err(refused.unwrap_or_else(not_covered))
    }

    /// Grants that cover a record, with the newest version each leads to, the newest first; and why
    /// one does not lead anywhere any more. Asks for no release.
    async fn covering<'g>(
        &self,
        grants: &'g [ReceivedGrant],
        record: RecordId,
    ) -> Result<(Vec<(u32, &'g ReceivedGrant)>, Option<Error>)> {
        let (mut covering, mut refused) = (Vec::new(), None);
        for grant in grants {
            if grant.grant.rights & salus_client::READ == 0 {
                continue;
            }
            match self.unlocked.newest_granted(grant, record).await {
                Ok(Some(newest)) => covering.push((newest, grant)),
                Ok(None) => {}
                Err(error) => refused = Some(not_found(error)?),
            }
        }
        covering.sort_by_key(|(newest, _)| std::cmp::Reverse(*newest));
        Ok((covering, refused))
    }
}

/// The failure, if it only means that this grant does not lead there.
fn not_found(error: salus_client::ClientError) -> Result<Error> {
    let error = Error::from(error);
    if error.kind == Kind::NotFound {
        Ok(error)
    } else {
        Err(error)
    }
}

fn not_covered() -> Error {
    Error::new(
        Kind::NotFound,
        "not_covered",
        "there is no such record, or no grant lets you read it",
    )
}

/// A link, if that is what it looks like.
fn link(text: &str) -> Result<Option<Link>> {
    let text = text.trim();
    let looks = text.contains("ask/") || (text.len() > 100 && !text.contains(char::is_whitespace));
    if !looks {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|error: salus_client::LinkError| salus_client::ClientError::from(error).into())
}

fn nobody(whom: &str, text: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "unknown_person",
        format!("`{text}` is no {whom} you deal with"),
    )
}

fn no_grant(last: Option<GrantPhase>) -> Error {
    match last {
        Some(GrantPhase::Expired) => Error::new(
            Kind::NotFound,
            "expired",
            "the grant from this patient has expired",
        ),
        Some(GrantPhase::Revoked { .. }) => Error::new(
            Kind::NotFound,
            "revoked",
            "the patient has taken the grant back",
        ),
        Some(GrantPhase::Upcoming) => Error::new(
            Kind::NotFound,
            "not_yet",
            "the grant from this patient is not in force yet",
        ),
        _ => Error::new(
            Kind::NotFound,
            "no_grant",
            "you have no grant from this patient",
        ),
    }
}
