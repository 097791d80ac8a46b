//! A way to the vault that tells the truth until it is told to lie: it alters answers, replays old
//! ones, or loses them. What it cannot do is sign. Must not know what a client makes of it.

use async_trait::async_trait;
use candid::{CandidType, Principal};
use salus_client::certificate::CertificateError;
use salus_client::{CertifiedData, Transport, TransportError};
use serde::de::DeserializeOwned;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

type Alter = Rc<dyn Fn(&[u8], Vec<u8>) -> Vec<u8>>;
type Question = Rc<dyn Fn(&[u8]) -> Vec<u8>>;
type Ear = Rc<dyn Fn(&[u8])>;
type Call = (String, Vec<u8>);

/// When a device dies.
#[derive(Clone, Copy)]
struct Death {
    /// Calls until then.
    left: u64,
    /// Whether queries count as calls.
    queries: bool,
    /// Whether the last call is carried out.
    carried: bool,
}

#[derive(Default)]
struct Told {
    ears: BTreeMap<String, Ear>,
    questions: BTreeMap<String, Question>,
    alterations: BTreeMap<String, Alter>,
    recorded: BTreeMap<Call, Vec<u8>>,
    calls: BTreeMap<String, u64>,
}

/// What a [`Lying`] transport is told to do.
#[derive(Clone, Default)]
pub struct Lies {
    told: Rc<RefCell<Told>>,
    recording: Rc<Cell<bool>>,
    replaying: Rc<Cell<bool>>,
    losing: Rc<RefCell<Option<String>>>,
    failing: Rc<RefCell<Option<(String, u64)>>>,
    dying: Rc<Cell<Option<Death>>>,
    dead: Rc<Cell<bool>>,
    updates: Rc<Cell<u64>>,
}

/// An answer's value.
///
/// # Panics
/// When the answer is an error or of another type: the test is wrong then.
pub fn decode_answer<T: CandidType + DeserializeOwned>(answer: &[u8]) -> salus_types::Result<T> {
    #[expect(
        clippy::expect_used,
        reason = "a lie that does not fit is the test's mistake"
    )]
    candid::decode_one(answer).expect("an answer of the method's type")
}

/// The bytes of an answer.
///
/// # Panics
/// Never, for the vault's types.
pub fn encode_answer<T: CandidType>(answer: &salus_types::Result<T>) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "the vault's types can be encoded")]
    candid::encode_one(answer).expect("an answer")
}

#[expect(
    clippy::expect_used,
    reason = "a lie that does not fit is the test's mistake"
)]
fn decode_question<T: CandidType + DeserializeOwned>(arg: &[u8]) -> T {
    candid::decode_one(arg).expect("a question of the method's type")
}

#[expect(clippy::expect_used, reason = "the vault's types can be encoded")]
fn encode_question<T: CandidType>(question: &T) -> Vec<u8> {
    candid::encode_one(question).expect("a question")
}

impl Lies {
    /// From now on `change` is applied to every good answer of `method`.
    pub fn alter<T>(&self, method: &str, change: impl Fn(&mut T) + 'static)
    where
        T: CandidType + DeserializeOwned + 'static,
    {
        let alter = move |_: &[u8], answer: Vec<u8>| match decode_answer::<T>(&answer) {
            Ok(mut value) => {
                change(&mut value);
                encode_answer(&Ok(value))
            }
            Err(_) => answer,
        };
        let mut told = self.told.borrow_mut();
        told.alterations.insert(method.into(), Rc::new(alter));
    }

    /// From now on `method` answers this, whatever the truth.
    pub fn pretend<T: CandidType>(&self, method: &str, answer: T) {
        let bytes = encode_answer(&Ok(answer));
        let mut told = self.told.borrow_mut();
        told.alterations
            .insert(method.into(), Rc::new(move |_: &[u8], _| bytes.clone()));
    }

    /// From now on queries of `method` are answered as if something else had been asked.
    pub fn redirect<T>(&self, method: &str, change: impl Fn(&mut T) + 'static)
    where
        T: CandidType + DeserializeOwned + 'static,
    {
        let redirect = move |arg: &[u8]| {
            let mut question = decode_question::<T>(arg);
            change(&mut question);
            encode_question(&question)
        };
        let mut told = self.told.borrow_mut();
        told.questions.insert(method.into(), Rc::new(redirect));
    }

    /// From now on `ear` is given the arguments of every call of `method`, before anything else.
    pub fn overhear(&self, method: &str, ear: impl Fn(&[u8]) + 'static) {
        let mut told = self.told.borrow_mut();
        told.ears.insert(method.into(), Rc::new(ear));
    }

    /// Remembers every answer to a query from now on.
    pub fn record(&self) {
        self.recording.set(true);
    }

    /// Answers every query that was recorded as it was answered then.
    pub fn replay(&self) {
        self.recording.set(false);
        self.replaying.set(true);
    }

    /// Carries out the next call of `method` but loses its answer.
    pub fn lose_answer(&self, method: &str) {
        self.losing.replace(Some(method.into()));
    }

    /// Lets `after` more calls of `method` through; from then on none arrives.
    pub fn cut_off(&self, method: &str, after: u64) {
        self.failing.replace(Some((method.into(), after)));
    }

    /// Lets so many more calls through, whatever they are. The one after them is still `carried` out,
    /// or not, but its answer is lost; and from then on none arrives.
    pub fn die(&self, after: u64, carried: bool) {
        self.dying.set(Some(Death {
            left: after,
            queries: true,
            carried,
        }));
    }

    /// The same, where only updates count.
    pub fn die_at_update(&self, after: u64, carried: bool) {
        self.dying.set(Some(Death {
            left: after,
            queries: false,
            carried,
        }));
    }

    /// How many updates there were.
    pub fn updates(&self) -> u64 {
        self.updates.get()
    }

    /// How often `method` was called.
    pub fn calls(&self, method: &str) -> u64 {
        let told = self.told.borrow();
        told.calls.get(method).copied().unwrap_or(0)
    }

    /// Tells the truth again.
    pub fn stop(&self) {
        let mut told = self.told.borrow_mut();
        told.ears.clear();
        told.questions.clear();
        told.alterations.clear();
        told.recorded.clear();
        self.recording.set(false);
        self.replaying.set(false);
        self.losing.replace(None);
        self.failing.replace(None);
        self.dying.set(None);
        self.dead.set(false);
    }

    /// Whether the answer of the next call is lost.
    fn last_breath(&self, query: bool) -> Result<bool, TransportError> {
        if self.dead.get() {
            return Err(TransportError::Unreachable("dead".into()));
        }
        match self.dying.get() {
            Some(death) if query && !death.queries => Ok(false),
            None => Ok(false),
            Some(death) if death.left == 0 => {
                self.dead.set(true);
                if death.carried {
                    Ok(true)
                } else {
                    Err(TransportError::Unreachable("dead".into()))
                }
            }
            Some(death) => {
                let left = death.left - 1;
                self.dying.set(Some(Death { left, ..death }));
                Ok(false)
            }
        }
    }

    fn hear(&self, method: &str, arg: &[u8]) {
        let ear = self.told.borrow().ears.get(method).cloned();
        if let Some(ear) = ear {
            ear(arg);
        }
    }

    fn count(&self, method: &str) -> Result<(), TransportError> {
        let mut told = self.told.borrow_mut();
        *told.calls.entry(method.into()).or_default() += 1;
        if let Some((cut, left)) = self.failing.borrow_mut().as_mut()
            && cut == method
        {
            if *left == 0 {
                return Err(TransportError::Unreachable("cut off".into()));
            }
            *left -= 1;
        }
        Ok(())
    }

    fn answer(&self, method: &str, arg: &[u8], answer: Vec<u8>) -> Vec<u8> {
        let alteration = self.told.borrow().alterations.get(method).cloned();
        match alteration {
            Some(alter) => alter(arg, answer),
            None => answer,
        }
    }
}

/// A transport that lies when told to. Those who call at the same time take turns.
pub struct Lying {
    honest: Rc<dyn Transport>,
    lies: Lies,
}

impl Lying {
    /// Over an honest one.
    pub fn over(honest: Rc<dyn Transport>, lies: &Lies) -> Self {
        Self {
            honest,
            lies: lies.clone(),
        }
    }
}

#[async_trait(?Send)]
impl Transport for Lying {
    fn vault(&self) -> Principal {
        self.honest.vault()
    }

    fn caller(&self) -> Principal {
        self.honest.caller()
    }

    async fn query(&self, method: &str, arg: &[u8]) -> Result<Vec<u8>, TransportError> {
        tokio::task::yield_now().await;
        self.lies.hear(method, arg);
        self.lies.count(method)?;
        let lost = self.lies.last_breath(true)?;
        let call = (method.to_owned(), arg.to_vec());
        if self.lies.replaying.get()
            && let Some(old) = self.lies.told.borrow().recorded.get(&call)
        {
            return Ok(old.clone());
        }
        let question = self.lies.told.borrow().questions.get(method).cloned();
        let answer = match question {
            Some(other) => self.honest.query(method, &other(arg)).await?,
            None => self.honest.query(method, arg).await?,
        };
        if lost {
            return Err(TransportError::TimedOut);
        }
        if self.lies.recording.get() {
            let mut told = self.lies.told.borrow_mut();
            told.recorded.insert(call, answer.clone());
        }
        Ok(self.lies.answer(method, arg, answer))
    }

    async fn update(&self, method: &str, arg: &[u8]) -> Result<Vec<u8>, TransportError> {
        tokio::task::yield_now().await;
        self.lies.hear(method, arg);
        self.lies.count(method)?;
        let dying = self.lies.last_breath(false)?;
        self.lies.updates.set(self.lies.updates.get() + 1);
        let answer = self.honest.update(method, arg).await?;
        if dying {
            return Err(TransportError::TimedOut);
        }
        let lost = self.lies.losing.borrow().as_deref() == Some(method);
        if lost {
            self.lies.losing.replace(None);
            return Err(TransportError::TimedOut);
        }
        Ok(self.lies.answer(method, arg, answer))
    }

    fn verify_certificate(&self, bytes: &[u8]) -> Result<CertifiedData, CertificateError> {
        self.honest.verify_certificate(bytes)
    }

    fn root_key(&self) -> Vec<u8> {
        self.honest.root_key()
    }
}
