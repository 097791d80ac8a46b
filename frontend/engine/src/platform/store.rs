//! IndexedDB: what this browser keeps between visits. Must not know what it keeps.
//!
//! One database, three object stores: `keys` holds `CryptoKey` objects that cannot be extracted,
//! `session` the delegation, `remembered` small blobs by text key. Nothing in it is secret on its
//! own. A write counts when its transaction is complete.

use super::PlatformError;
use async_trait::async_trait;
use idb::{Database, Factory, KeyRange, ObjectStoreParams, TransactionMode};
use js_sys::Uint8Array;
use salus_client::memory::{Memory, MemoryError};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};

const DATABASE: &str = "salus";
const VERSION: u32 = 1;

/// One of the object stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shelf {
    /// Keys that cannot be read out.
    Keys,
    /// The sign-in session.
    Session,
    /// What a client remembers.
    Remembered,
}

impl Shelf {
    const ALL: [Self; 3] = [Self::Keys, Self::Session, Self::Remembered];

    const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Session => "session",
            Self::Remembered => "remembered",
        }
    }
}

/// The open database.
#[derive(Debug)]
pub(crate) struct Store {
    database: Database,
}

fn failed(doing: &'static str) -> impl Fn(idb::Error) -> PlatformError {
    move |error| PlatformError::from_text(doing, error)
}

impl Store {
    /// Opens the database, making it on the first visit.
    pub(crate) async fn open() -> Result<Rc<Self>, PlatformError> {
        let failed = failed("open its storage");
        let factory = Factory::new().map_err(&failed)?;
        let mut request = factory.open(DATABASE, Some(VERSION)).map_err(&failed)?;
        request.on_upgrade_needed(|event| {
            use idb::DatabaseEvent as _;
            if let Ok(database) = event.database() {
                for shelf in Shelf::ALL {
                    if !database.store_names().iter().any(|n| n == shelf.name()) {
                        // A failure here aborts the upgrade, and opening fails.
                        let _ =
                            database.create_object_store(shelf.name(), ObjectStoreParams::new());
                    }
                }
            }
        });
        let database = request.await.map_err(&failed)?;
        Ok(Rc::new(Self { database }))
    }

    /// What lies under `key`.
    pub(crate) async fn get(
        &self,
        shelf: Shelf,
        key: &str,
    ) -> Result<Option<JsValue>, PlatformError> {
        let failed = failed("read its storage");
        let transaction = self
            .database
            .transaction(&[shelf.name()], TransactionMode::ReadOnly)
            .map_err(&failed)?;
        let store = transaction.object_store(shelf.name()).map_err(&failed)?;
        store
            .get(JsValue::from_str(key))
            .map_err(&failed)?
            .await
            .map_err(&failed)
    }

    /// Puts something under `key`, replacing what was there.
    pub(crate) async fn put(
        &self,
        shelf: Shelf,
        key: &str,
        value: &JsValue,
    ) -> Result<(), PlatformError> {
        let failed = failed("write its storage");
        let transaction = self
            .database
            .transaction(&[shelf.name()], TransactionMode::ReadWrite)
            .map_err(&failed)?;
        let store = transaction.object_store(shelf.name()).map_err(&failed)?;
        store
            .put(value, Some(&JsValue::from_str(key)))
            .map_err(&failed)?
            .await
            .map_err(&failed)?;
        transaction.await.map_err(&failed)?;
        Ok(())
    }

    /// Puts something under `key` unless something is there, and gives what is there then. Two tabs
    /// that do this at once agree, because the transactions follow one another.
    pub(crate) async fn get_or_put(
        &self,
        shelf: Shelf,
        key: &str,
        value: &JsValue,
    ) -> Result<JsValue, PlatformError> {
        let put = self.put_if(shelf, key, value, |there| there.is_none());
        let there = put.await?.err().flatten();
        Ok(there.unwrap_or_else(|| value.clone()))
    }

    /// Puts something under `key` if `same` says so of what is there, which is given back otherwise.
    async fn put_if(
        &self,
        shelf: Shelf,
        key: &str,
        value: &JsValue,
        same: impl FnOnce(Option<&JsValue>) -> bool,
    ) -> Result<Result<(), Option<JsValue>>, PlatformError> {
        let failed = failed("write its storage");
        let transaction = self
            .database
            .transaction(&[shelf.name()], TransactionMode::ReadWrite)
            .map_err(&failed)?;
        let store = transaction.object_store(shelf.name()).map_err(&failed)?;
        let key = JsValue::from_str(key);
        let present = store
            .get(key.clone())
            .map_err(&failed)?
            .await
            .map_err(&failed)?;
        if !same(present.as_ref()) {
            return Ok(Err(present));
        }
        store
            .put(value, Some(&key))
            .map_err(&failed)?
            .await
            .map_err(&failed)?;
        transaction.await.map_err(&failed)?;
        Ok(Ok(()))
    }

    /// Removes what lies under `key`, if anything does.
    pub(crate) async fn remove(&self, shelf: Shelf, key: &str) -> Result<(), PlatformError> {
        let failed = failed("write its storage");
        let transaction = self
            .database
            .transaction(&[shelf.name()], TransactionMode::ReadWrite)
            .map_err(&failed)?;
        let store = transaction.object_store(shelf.name()).map_err(&failed)?;
        store
            .delete(JsValue::from_str(key))
            .map_err(&failed)?
            .await
            .map_err(&failed)?;
        transaction.await.map_err(&failed)?;
        Ok(())
    }

    /// Keys that begin so.
    pub(crate) async fn keys(
        &self,
        shelf: Shelf,
        prefix: &str,
    ) -> Result<Vec<String>, PlatformError> {
        let failed = failed("read its storage");
        let transaction = self
            .database
            .transaction(&[shelf.name()], TransactionMode::ReadOnly)
            .map_err(&failed)?;
        let store = transaction.object_store(shelf.name()).map_err(&failed)?;
        let from =
            KeyRange::lower_bound(&JsValue::from_str(prefix), Some(false)).map_err(&failed)?;
        let found = store
            .get_all_keys(Some(from.into()), None)
            .map_err(&failed)?
            .await
            .map_err(&failed)?;
        Ok(found
            .into_iter()
            .filter_map(|k| k.as_string())
            .take_while(|k| k.starts_with(prefix))
            .collect())
    }
}

/// A client's memory in this browser.
#[derive(Clone, Debug)]
pub(crate) struct Remembered(pub(crate) Rc<Store>);

fn lost(error: PlatformError) -> MemoryError {
    MemoryError(error.to_string())
}

#[async_trait(?Send)]
impl Memory for Remembered {
    async fn load(&self, key: &str) -> Result<Option<Vec<u8>>, MemoryError> {
        let value = self.0.get(Shelf::Remembered, key).await.map_err(lost)?;
        Ok(value.and_then(|v| v.dyn_into::<Uint8Array>().ok().map(|a| a.to_vec())))
    }

    async fn save(&self, key: &str, value: &[u8]) -> Result<(), MemoryError> {
        let bytes = Uint8Array::from(value);
        self.0
            .put(Shelf::Remembered, key, &bytes)
            .await
            .map_err(lost)
    }

    async fn replace(
        &self,
        key: &str,
        before: Option<&[u8]>,
        value: &[u8],
    ) -> Result<bool, MemoryError> {
        let bytes = Uint8Array::from(value);
        let same = |there: Option<&JsValue>| {
            let there = there.and_then(|v| v.dyn_ref::<Uint8Array>());
            there.map(Uint8Array::to_vec).as_deref() == before
        };
        let put = self.0.put_if(Shelf::Remembered, key, &bytes, same);
        Ok(put.await.map_err(lost)?.is_ok())
    }

    async fn remove(&self, key: &str) -> Result<(), MemoryError> {
        self.0.remove(Shelf::Remembered, key).await.map_err(lost)
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>, MemoryError> {
        self.0.keys(Shelf::Remembered, prefix).await.map_err(lost)
    }
}
