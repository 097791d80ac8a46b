//! What a patient and a provider do, and which budget each call has. Must not know how a vault is
//! filled.

use crate::accounts::Person;
use crate::meter::{Mark, Meter, median};
use anyhow::{Context as _, Result, bail};
use salus_client::{
    APPEND, Ask, CompartmentId, Contact, Draft, Environment as _, GrantId, NewRecord, PartDraft,
    Quiet, READ, ReceivedGrant, Scope, SystemClock, Terms, Unlocked, Wish,
};
use salus_tests::network::Network;
use salus_types::limits;
use std::collections::BTreeMap;
use std::time::Instant;

/// The patient's compartment with ten records.
pub(crate) const TEN: &str = "Ten";
/// The patient's compartment with a hundred records.
pub(crate) const HUNDRED: &str = "Hundred";
/// The compartment with all the others.
pub(crate) const MANY: &str = "Many";
/// The people's compartments: the patient's, the provider's.
pub(crate) const PEOPLE: [&[&str]; 2] = [&[TEN, HUNDRED, MANY], &["Own"]];
/// Whoever opens an account while it is measured.
const NEWCOMER: u64 = 1 << 40;

/// Costs by the call's name.
pub(crate) type Costs = BTreeMap<&'static str, f64>;

/// A call that is measured.
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) budget: Option<f64>,
    /// Whether its cost may not grow with what is stored.
    pub(crate) hot: bool,
}

const fn hot(name: &'static str, budget: f64) -> Call {
    Call {
        name,
        unit: "instructions",
        budget: Some(budget),
        hot: true,
    }
}

const fn known(name: &'static str) -> Call {
    Call {
        name,
        unit: "instructions",
        budget: None,
        hot: false,
    }
}

const ADD: &str = "add a 4 KiB record";
const ADD_MANY: &str = "the same, each of 100 in one call";
const OPEN: &str = "audited release of one record";
const LIST: &str = "audited release of 100 descriptors";
const OWN_LIST: &str = "owner lists 100 records (query)";
const PIECE: &str = "one 1 MiB piece";
const GRANT_FEW: &str = "grant over 10 records";
const GRANT_MANY: &str = "grant over the fullest compartment";
const APPROVE: &str = "approve a request";
const NOTE_USE: &str = "note that a slot was used";
const INVITE: &str = "make an invitation";
const ASK: &str = "send a request";
const APPEND_NOTE: &str = "provider appends a 4 KiB note";
const ADOPT: &str = "file a record from the drop box";
const REVOKE: &str = "revoke";
const REFILE: &str = "file a record anew, each of 100 in one call";
const ADVANCE: &str = "new epochs for all compartments";
const CREATE: &str = "open an account";
const AUDIT: &str = "a page of the audit trail (query)";
const HEADS: &str = "certified heads (query)";
const INSPECT: &str = "inspection before adding a record";
const ALL: &str = "list and verify the fullest compartment, native";

/// What is measured, in the order of the report. Budgets as in the design.
pub(crate) const CALLS: &[Call] = &[
    hot(ADD, 6e6),
    hot(ADD_MANY, 6e6),
    hot(OPEN, 1.5e6),
    hot(LIST, 8e6),
    hot(OWN_LIST, 5e6),
    hot(PIECE, 85e6),
    hot(GRANT_FEW, 8e6),
    hot(GRANT_MANY, 8e6),
    known(APPROVE),
    known(NOTE_USE),
    known(INVITE),
    known(ASK),
    known(APPEND_NOTE),
    known(ADOPT),
    known(REVOKE),
    known(REFILE),
    known(ADVANCE),
    known(CREATE),
    known(AUDIT),
    known(HEADS),
    known(INSPECT),
    Call {
        name: ALL,
        unit: "s",
        budget: Some(3.0),
        hot: false,
    },
];

/// How often what varies is done; the middle one counts.
const TIMES: usize = 9;

/// What a record says about itself.
pub(crate) fn draft() -> Draft {
    Draft {
        title: "Blood pressure".into(),
        coding: None,
        category: Some("vital-signs".into()),
        clinical_date: Some("2026-05-01".into()),
        source: None,
    }
}

/// A compartment by its name.
pub(crate) fn compartment(of: &Unlocked, name: &str) -> Result<CompartmentId> {
    let compartments = of.compartments()?;
    let found = compartments.iter().find(|c| c.label.name == name);
    Ok(found.with_context(|| format!("no compartment {name}"))?.id)
}

fn part(len: usize) -> PartDraft {
    let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
    PartDraft::of_bytes("content", "application/octet-stream", bytes)
}

struct Scene<'a> {
    meter: &'a Meter,
    costs: Costs,
    patient: Unlocked,
    provider: Unlocked,
    ten: CompartmentId,
    hundred: CompartmentId,
    many: CompartmentId,
}

/// Does everything once on a filled vault.
pub(crate) async fn measure(network: &Network, meter: &Meter) -> Result<Costs> {
    let patient = Person::nth(0).unlock(network).await?;
    let provider = Person::nth(1).unlock(network).await?;
    let mut scene = Scene {
        meter,
        costs: Costs::new(),
        ten: compartment(&patient, TEN)?,
        hundred: compartment(&patient, HUNDRED)?,
        many: compartment(&patient, MANY)?,
        patient,
        provider,
    };
    scene.listing().await?;
    scene.adding().await?;
    let asked = scene.asking().await?;
    scene.granting(&asked.requester).await?;
    scene.reading(asked.grant).await?;
    scene.trail().await?;
    scene.uploading().await?;
    scene.revoking(asked.grant).await?;
    scene.rotating().await?;
    scene.opening(network).await?;
    Ok(scene.costs)
}

struct Asked {
    grant: GrantId,
    requester: Contact,
}

impl Scene<'_> {
    fn note(&mut self, name: &'static str, kind: &str, method: &str, mark: Mark) -> Result<()> {
        let costs = self.meter.since(mark, kind, method)?;
        self.costs.insert(name, median(&costs)? as f64);
        Ok(())
    }

    async fn listing(&mut self) -> Result<()> {
        let began = Instant::now();
        self.patient.records(self.many).await?;
        self.costs.insert(ALL, began.elapsed().as_secs_f64());
        let mark = self.meter.mark()?;
        self.patient.records(self.hundred).await?;
        self.note(OWN_LIST, "query", "record_list", mark)?;
        self.note(HEADS, "query", "heads", mark)
    }

    async fn adding(&mut self) -> Result<()> {
        let mark = self.meter.mark()?;
        for _ in 0..TIMES {
            let parts = [part(4096)];
            self.patient
                .add_record(self.many, &draft(), &parts, &Quiet)
                .await?;
        }
        self.note(ADD, "update", "versions_add", mark)?;
        self.note(INSPECT, "inspect", "versions_add", mark)?;
        let mark = self.meter.mark()?;
        let many = limits::BATCH_VERSIONS;
        let records = (0..many as usize).map(|_| NewRecord {
            place: self.many,
            draft: draft(),
            parts: vec![part(4096)],
        });
        self.patient.add_records(records, &|_| (), &Quiet).await?;
        let calls = self.meter.since(mark, "update", "versions_add")?;
        let [cost] = calls.as_slice() else {
            bail!("{many} records took {} calls", calls.len());
        };
        self.costs.insert(ADD_MANY, *cost as f64 / many as f64);
        Ok(())
    }

    async fn asking(&mut self) -> Result<Asked> {
        let mark = self.meter.mark()?;
        self.patient.note_use().await?;
        self.note(NOTE_USE, "update", "slot_used", mark)?;
        let mark = self.meter.mark()?;
        let (link, _) = self
            .patient
            .invite(SystemClock.now_ms() + 3_600_000)
            .await?;
        self.note(INVITE, "update", "invitation_create", mark)?;
        let patient = self.provider.open_link(&link).await?;
        let ask = Ask {
            wish: Wish::Everything,
            rights: READ | APPEND,
            duration_s: 30 * 86_400,
            purpose: "Follow-up".into(),
            requester_name: "Dr. Example".into(),
            specialty: None,
            message: None,
        };
        self.provider.ask(&patient, Some(&link), &ask).await?;
        self.note(ASK, "update", "request_send", mark)?;
        let requests = self.patient.incoming_requests().await?;
        let request = requests.first().context("no request arrived")?;
        let terms = terms(self.hundred);
        let grant = self.patient.approve(request, &terms).await?;
        self.note(APPROVE, "update", "ledger_append", mark)?;
        Ok(Asked {
            grant,
            requester: request.requester.clone(),
        })
    }

    async fn granting(&mut self, to: &Contact) -> Result<()> {
        for (name, compartment) in [(GRANT_FEW, self.ten), (GRANT_MANY, self.many)] {
            let mark = self.meter.mark()?;
            for _ in 0..3 {
                self.patient.give(to, &terms(compartment)).await?;
            }
            self.note(name, "update", "ledger_append", mark)?;
        }
        Ok(())
    }

    async fn received(&self, id: GrantId) -> Result<ReceivedGrant> {
        let received = self.provider.received().await?;
        let found = received.into_iter().find(|g| g.grant.id == id);
        found.context("the grant did not arrive")
    }

    async fn reading(&mut self, grant: GrantId) -> Result<()> {
        let grant = self.received(grant).await?;
        let mark = self.meter.mark()?;
        let items = self.provider.granted_records(&grant, self.hundred).await?;
        self.note(LIST, "update", "release_list", mark)?;
        for item in items.iter().take(TIMES) {
            let wanted = [(item.record, None)];
            self.provider.open_granted(&grant, &wanted).await?;
        }
        self.note(OPEN, "update", "release_open", mark)?;
        let mark = self.meter.mark()?;
        self.provider
            .append_record(&grant, Some(self.hundred), &draft(), &[part(4096)], &Quiet)
            .await?;
        self.note(APPEND_NOTE, "update", "versions_add", mark)?;
        let waiting = self.patient.drop_box().await?;
        let item = waiting.first().context("nothing in the drop box")?;
        self.patient.adopt(item, self.hundred).await?;
        self.note(ADOPT, "update", "versions_adopt", mark)
    }

    async fn trail(&mut self) -> Result<()> {
        let mark = self.meter.mark()?;
        self.patient.audit_trail(&Quiet).await?;
        let pages = self.meter.since(mark, "query", "audit_page")?;
        let dearest = pages.iter().max().context("no page")?;
        self.costs.insert(AUDIT, *dearest as f64);
        Ok(())
    }

    async fn rotating(&mut self) -> Result<()> {
        let mark = self.meter.mark()?;
        self.patient.rotate_everything(&Quiet).await?;
        // A whole batch costs most; the last one is smaller.
        let calls = self.meter.since(mark, "update", "versions_adopt")?;
        let dearest = calls.iter().max().context("nothing was filed anew")?;
        let cost = *dearest as f64 / limits::BATCH_VERSIONS as f64;
        self.costs.insert(REFILE, cost);
        let calls = self.meter.since(mark, "update", "ledger_append")?;
        let last = calls.last().context("no epoch was advanced")?;
        self.costs.insert(ADVANCE, *last as f64);
        Ok(())
    }

    async fn uploading(&mut self) -> Result<()> {
        let mark = self.meter.mark()?;
        let parts = [part(5 << 20)];
        self.patient
            .add_record(self.many, &draft(), &parts, &Quiet)
            .await?;
        self.note(PIECE, "update", "upload_piece", mark)
    }

    async fn revoking(&mut self, grant: GrantId) -> Result<()> {
        let mark = self.meter.mark()?;
        self.patient.revoke(grant).await?;
        self.note(REVOKE, "update", "ledger_append", mark)
    }

    async fn opening(&mut self, network: &Network) -> Result<()> {
        let mark = self.meter.mark()?;
        let newcomer = Person::nth(NEWCOMER);
        newcomer.open(&newcomer.on(network)?, &[MANY]).await?;
        self.note(CREATE, "update", "account_create", mark)
    }
}

fn terms(compartment: CompartmentId) -> Terms {
    Terms {
        scope: Scope::Compartments(vec![compartment]),
        rights: READ | APPEND,
        follows: false,
        not_before: None,
        expires: SystemClock.now_ms() + 30 * 86_400_000,
        purpose: "Follow-up".into(),
        owner_name: None,
        grantee_name: None,
        specialty: None,
    }
}
