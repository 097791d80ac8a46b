//! Invitations and requests: how a provider finds a patient and asks, and how the patient sees who
//! asks for what. Must not decide anything.

use super::link::{CODE_LEN, Link, LinkError};
use crate::error::{ClientError, IntegrityError, Result};
use crate::ledger::sign;
use crate::people::{Contact, Trust, verify_under};
use crate::session::Unlocked;
use minicbor::{Decode, Encode};
use salus_crypto::envelope::{RequestContents, RequestWish};
use salus_crypto::local::LocalKey;
use salus_crypto::{random_id, random_salt};
use salus_protocol::canonical;
use salus_protocol::request::{Invitation, Request, invitation_id};
use salus_protocol::statement::sha256;
use salus_types::api::{
    Counterparty, InvitationOpen, InvitationReceipt, RequestPage, RequestSend, RequestStatus,
    RequestView,
};
use salus_types::{Error, RequestId};
use serde_bytes::ByteBuf;

/// What a provider asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Access to what.
    pub wish: RequestWish,
    /// [`crate::READ`] and [`crate::APPEND`], or'ed.
    pub rights: u8,
    /// For how long, in seconds from approval on.
    pub duration_s: u64,
    /// What for, in words.
    pub purpose: String,
    /// Who asks.
    pub requester_name: String,
    /// In what capacity.
    pub specialty: Option<String>,
    /// A message to the patient.
    pub message: Option<String>,
}

/// A request for one's own records.
#[derive(Clone, Debug)]
pub struct IncomingRequest {
    /// Which.
    pub id: RequestId,
    /// Who asks; the signature verifies under their keys.
    pub requester: Contact,
    /// What is asked for.
    pub ask: Ask,
    /// Whether it came with an invitation's code, as the requester's envelope says.
    pub invited: bool,
    /// How it stands.
    pub status: RequestStatus,
    /// When the vault got it, ms since 1970.
    pub at: u64,
}

/// A request of one's own.
#[derive(Clone, Debug)]
pub struct OutgoingRequest {
    /// Which.
    pub id: RequestId,
    /// Who was asked.
    pub patient: Contact,
    /// What was asked for, if this device asked.
    pub ask: Option<Ask>,
    /// How it stands.
    pub status: RequestStatus,
    /// When the vault got it, ms since 1970.
    pub at: u64,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Asked {
    #[n(0)]
    contents: RequestContents,
}

impl Ask {
    fn from_contents(contents: &RequestContents) -> Self {
        Self {
            wish: contents.wish.clone(),
            rights: contents.rights,
            duration_s: contents.duration_s,
            purpose: contents.purpose.clone(),
            requester_name: contents.requester_name.clone(),
            specialty: contents.specialty.clone(),
            message: contents.message.clone(),
        }
    }
}

impl Unlocked {
    /// Makes an invitation that may be used once until `expires` (ms since 1970, at most 30 days
    /// ahead), and gives its link.
    ///
    /// # Errors
    /// The vault's limits.
    pub async fn invite(&self, expires: u64) -> Result<(Link, InvitationReceipt)> {
        let code = random_id()?;
        debug_assert_eq!(code.len(), CODE_LEN);
        let statement = self.with(|keys| {
            let invitation = Invitation {
                vault: self.vault(),
                account: self.account(),
                link: keys.link()?.hash,
                id: invitation_id(&code),
                expires,
                at: self.client().now(),
            };
            Ok(sign(&invitation, &keys.bundle.current.signing))
        })?;
        let receipt: InvitationReceipt = self
            .client()
            .update("invitation_create", (statement,))
            .await?;
        let link = Link {
            code: Some(code.to_vec()),
            ..self.link()
        };
        Ok((link, receipt))
    }

    /// One's own link without a code: for those who already deal with one.
    pub fn link(&self) -> Link {
        Link {
            vault: self.client().vault(),
            patient: self.client().caller(),
            genesis: self.genesis(),
            code: None,
        }
    }

    /// Looks up whom a link leads to. Does not use up its code.
    ///
    /// # Errors
    /// [`LinkError::OtherVault`]; [`ClientError::NotFound`] when the code is used up, over or wrong;
    /// [`IntegrityError::KeyChanged`] when the vault shows other keys than the link's fingerprint.
    pub async fn open_link(&self, link: &Link) -> Result<Contact> {
        if link.vault != self.client().vault() {
            return Err(LinkError::OtherVault.into());
        }
        let open = InvitationOpen {
            patient: link.patient,
            code: ByteBuf::from(link.code.clone().unwrap_or_default()),
        };
        let shown: Counterparty = match self.client().query("invitation_open", (open,)).await {
            Err(ClientError::Vault(Error::NotFound | Error::Expired { .. })) => {
                return Err(ClientError::NotFound("invitation"));
            }
            other => other?,
        };
        let mut contact = self.client().contact(&shown).await?;
        if contact.genesis() != link.genesis {
            return Err(IntegrityError::KeyChanged {
                account: contact.account,
            }
            .into());
        }
        contact.trust = contact.trust.max(Trust::Certified);
        self.weigh(contact).await
    }

    /// Asks someone for access: `link` is the invitation, absent where a grant is live between the
    /// two.
    ///
    /// # Errors
    /// [`ClientError::Invalid`] for an empty purpose or no rights; [`ClientError::KeysChanged`]; the
    /// vault's.
    pub async fn ask(
        &self,
        patient: &Contact,
        link: Option<&Link>,
        ask: &Ask,
    ) -> Result<RequestId> {
        if ask.purpose.trim().is_empty() {
            return Err(ClientError::Invalid {
                field: "purpose",
                reason: "empty",
            });
        }
        if ask.rights == 0 {
            return Err(ClientError::Invalid {
                field: "rights",
                reason: "none",
            });
        }
        let patient = &self.weigh(patient.clone()).await?;
        let id = RequestId(random_id()?);
        let code = link.and_then(|l| l.code.clone());
        let contents = RequestContents {
            purpose: ask.purpose.clone(),
            purpose_salt: random_salt()?,
            requester_name: ask.requester_name.clone(),
            specialty: ask.specialty.clone(),
            message: ask.message.clone(),
            invitation_code: code.clone(),
            wish: ask.wish.clone(),
            rights: ask.rights,
            duration_s: ask.duration_s,
        };
        let envelope = contents.seal(
            &patient.sealing()?,
            self.client().scope(patient.account),
            id,
            self.account(),
            self.genesis(),
        )?;
        let statement = self.with(|keys| {
            let request = Request {
                vault: self.vault(),
                id,
                requester: self.account(),
                requester_genesis: self.genesis(),
                requester_link: keys.link()?.hash,
                patient: patient.account,
                patient_genesis: patient.genesis(),
                patient_link: patient.current()?.hash,
                envelope: sha256(&envelope),
                at: self.client().now(),
            };
            Ok(sign(&request, &keys.bundle.current.signing))
        })?;
        let send = RequestSend {
            statement,
            envelope: ByteBuf::from(envelope),
            code: code.map(ByteBuf::from),
        };
        // Before it is sent, so that what was sent is never unknown here.
        self.remember_ask(id, &contents).await?;
        let answer: RequestId = self.client().update("request_send", (send,)).await?;
        if answer == id {
            Ok(id)
        } else {
            Err(IntegrityError::Request("the id").into())
        }
    }

    fn ask_key(&self, id: RequestId) -> String {
        self.client()
            .memory_key(&format!("asked/{id}"), &self.account())
    }

    async fn remember_ask(&self, id: RequestId, contents: &RequestContents) -> Result<()> {
        let sealed = self.with(|keys| {
            let local = LocalKey::derive(&keys.amk, self.scope());
            let bytes = canonical::encode(&Asked {
                contents: contents.clone(),
            });
            Ok(local.seal_cache(self.scope(), id.as_bytes(), &bytes)?)
        })?;
        Ok(self
            .client()
            .memory()
            .save(&self.ask_key(id), &sealed)
            .await?)
    }

    async fn recall_ask(&self, id: RequestId) -> Result<Option<Ask>> {
        let Some(sealed) = self.client().memory().load(&self.ask_key(id)).await? else {
            return Ok(None);
        };
        self.with(|keys| {
            let local = LocalKey::derive(&keys.amk, self.scope());
            let opened = local.open_cache(self.scope(), id.as_bytes(), &sealed).ok();
            Ok(opened
                .and_then(|bytes| canonical::decode::<Asked>(&bytes).ok())
                .map(|asked| Ask::from_contents(&asked.contents)))
        })
    }

    /// Requests for one's own records, newest first. One that does not verify is not shown, and
    /// fails the whole list.
    ///
    /// # Errors
    /// [`IntegrityError`]; [`ClientError::Open`].
    pub async fn incoming_requests(&self) -> Result<Vec<IncomingRequest>> {
        let mut out = Vec::new();
        for view in self.request_views("request_inbox").await? {
            out.push(self.read_request(&view).await?);
        }
        Ok(out)
    }

    async fn request_views(&self, method: &'static str) -> Result<Vec<RequestView>> {
        let mut out = Vec::new();
        let mut cursor: Option<u64> = None;
        loop {
            let page: RequestPage = self.client().query(method, (cursor,)).await?;
            let empty = page.items.is_empty();
            out.extend(page.items);
            if page.next.is_none() {
                return Ok(out);
            }
            if empty || page.next == cursor {
                return Err(IntegrityError::Malformed("a page that leads nowhere").into());
            }
            cursor = page.next;
        }
    }

    async fn read_request(&self, view: &RequestView) -> Result<IncomingRequest> {
        let requester = self.client().contact(&view.counterparty).await?;
        let requester = self.weigh(requester).await?;
        let request = self.check_request(view, &requester, true)?;
        if request.envelope != sha256(&view.envelope) {
            return Err(IntegrityError::Request("the envelope").into());
        }
        let contents = self.with(|keys| {
            let seeds = keys
                .bundle
                .seeds(request.patient_link)
                .ok_or(IntegrityError::Request("the patient's key"))?;
            Ok(RequestContents::open(
                &seeds.hpke,
                self.scope(),
                request.id,
                request.requester,
                request.requester_genesis,
                &view.envelope,
            )?)
        })?;
        Ok(IncomingRequest {
            id: view.request,
            requester,
            ask: Ask::from_contents(&contents),
            invited: contents.invitation_code.is_some(),
            status: view.status.clone(),
            at: view.at,
        })
    }

    /// Verifies a request between this account and the counterparty.
    fn check_request(
        &self,
        view: &RequestView,
        other: &Contact,
        incoming: bool,
    ) -> Result<Request> {
        let own_chain = self.with(|keys| Ok(keys.chain.clone()))?;
        let signer = if incoming { &other.chain } else { &own_chain };
        let request = verify_under(
            &view.statement,
            self.client().vault_bytes(),
            signer,
            |r: &Request| r.requester_link,
        )?;
        let (me, them) = (
            (self.account(), self.genesis()),
            (other.account, other.genesis()),
        );
        let (from, to) = if incoming { (them, me) } else { (me, them) };
        let fits = request.id == view.request
            && (request.requester, request.requester_genesis) == from
            && (request.patient, request.patient_genesis) == to;
        if fits {
            Ok(request)
        } else {
            Err(IntegrityError::Request("who asks whom").into())
        }
    }

    /// One's own requests, newest first.
    ///
    /// # Errors
    /// [`IntegrityError`].
    pub async fn outgoing_requests(&self) -> Result<Vec<OutgoingRequest>> {
        let mut out = Vec::new();
        for view in self.request_views("request_outbox").await? {
            let patient = self.client().contact(&view.counterparty).await?;
            let patient = self.weigh(patient).await?;
            self.check_request(&view, &patient, false)?;
            out.push(OutgoingRequest {
                id: view.request,
                patient,
                ask: self.recall_ask(view.request).await?,
                status: view.status.clone(),
                at: view.at,
            });
        }
        Ok(out)
    }
}
