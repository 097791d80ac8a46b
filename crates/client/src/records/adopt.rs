//! Filing by signed orders, many in one call: what someone left in the drop box, and what is filed
//! already. Must not judge where anything belongs.

use super::read::Authors;
use super::{Authorship, RecordItem, Stored};
use crate::error::{ClientError, IntegrityError, Result};
use crate::ledger::{is_stale, sign};
use crate::session::Unlocked;
use salus_crypto::hierarchy::VersionKeys;
use salus_protocol::statement::sha256;
use salus_protocol::version::Adoption;
use salus_types::api::{Adopt, Filing, VersionReceipt};
use salus_types::{CompartmentId, Hash, RecordId, limits};
use serde_bytes::ByteBuf;

/// A version to be filed, with its keys, which were compared with what its author signed.
pub(super) struct Order {
    pub(super) record: RecordId,
    pub(super) version: u32,
    pub(super) statement: Hash,
    pub(super) compartment: CompartmentId,
    pub(super) keys: VersionKeys,
}

impl Unlocked {
    /// Files a version from the drop box into a compartment, where others with access to it see it
    /// from now on. Its author's signature must verify.
    ///
    /// # Errors
    /// [`ClientError::NotFound`]; [`ClientError::Invalid`] if it is filed already or its author is
    /// not known; [`IntegrityError`].
    pub async fn adopt(&self, item: &RecordItem, compartment: CompartmentId) -> Result<Stored> {
        let mut answers = self.adopt_all(&[(item, compartment)]).await?;
        answers
            .pop()
            .ok_or(IntegrityError::Malformed("no receipt for a version"))?
    }

    /// Files versions from the drop box, as many in a call as fit; what became of each, in their
    /// order.
    ///
    /// # Errors
    /// Of the call. Each answers as [`Self::adopt`].
    pub async fn adopt_all(
        &self,
        items: &[(&RecordItem, CompartmentId)],
    ) -> Result<Vec<Result<Stored>>> {
        let mut prepared = Vec::with_capacity(items.len());
        for (item, compartment) in items {
            prepared.push(self.adoption_order(item, *compartment).await);
        }
        let orders: Vec<&Order> = prepared.iter().flatten().collect();
        let mut answers = self.file_all(&orders).await?.into_iter();
        let answer = |prepared: Result<Order>| match prepared {
            Ok(_) => {
                answers.next().unwrap_or(Err(
                    IntegrityError::Malformed("no receipt for a version").into()
                ))
            }
            Err(error) => Err(error),
        };
        Ok(prepared.into_iter().map(answer).collect())
    }

    async fn adoption_order(&self, item: &RecordItem, compartment: CompartmentId) -> Result<Order> {
        if item.compartment.is_some() || item.owner != self.account() {
            return Err(ClientError::Invalid {
                field: "record",
                reason: "does not wait in the drop box",
            });
        }
        let views = self.record_views(item.record, Some(item.version)).await?;
        let view = views.first().ok_or(ClientError::NotFound("record"))?;
        let (item, shown, keys) = self.own_item(&mut Authors::default(), view).await?;
        if item.author.authorship == Authorship::Unknown {
            return Err(ClientError::Invalid {
                field: "record",
                reason: "its author's keys are not known",
            });
        }
        Ok(Order {
            record: item.record,
            version: item.version,
            statement: shown.statement,
            compartment,
            keys,
        })
    }

    /// Files versions under the newest epochs of their compartments, as many in a call as fit. What
    /// is refused because keys or epochs moved on is signed anew and sent once more, and only that.
    pub(super) async fn file_all(&self, orders: &[&Order]) -> Result<Vec<Result<Stored>>> {
        let mut out = Vec::with_capacity(orders.len());
        let most = usize::try_from(limits::BATCH_VERSIONS).unwrap_or(1);
        for batch in orders.chunks(most) {
            out.extend(self.file_batch(batch).await?);
        }
        Ok(out)
    }

    async fn file_batch(&self, orders: &[&Order]) -> Result<Vec<Result<Stored>>> {
        let mut answers = self.try_file(orders).await?;
        let stale: Vec<(usize, &Order)> = (0..)
            .zip(&answers)
            .zip(orders)
            .filter(|((_, answer), _)| matches!(answer, Err(error) if is_stale(error)))
            .map(|((at, _), order)| (at, *order))
            .collect();
        if !stale.is_empty() {
            self.refresh().await?;
            let late: Vec<&Order> = stale.iter().map(|(_, order)| *order).collect();
            let again = self.try_file(&late).await?;
            for ((at, _), again) in stale.into_iter().zip(again) {
                if let Some(answer) = answers.get_mut(at) {
                    *answer = again;
                }
            }
        }
        Ok(answers)
    }

    async fn try_file(&self, orders: &[&Order]) -> Result<Vec<Result<Stored>>> {
        let adopts: Vec<Adopt> = orders
            .iter()
            .map(|order| self.sign_order(order))
            .collect::<Result<_>>()?;
        let answer: Result<Vec<salus_types::Result<VersionReceipt>>> =
            match self.client().update("versions_adopt", (&adopts,)).await {
                // The very same bytes again: the vault answers the same if it has them.
                Err(ClientError::Transport(error)) if error.is_ambiguous() => {
                    self.client().update("versions_adopt", (&adopts,)).await
                }
                other => other,
            };
        let receipts = answer?;
        if receipts.len() != orders.len() {
            return Err(IntegrityError::Malformed("not one receipt for each version").into());
        }
        let stored = |(order, receipt): (&&Order, salus_types::Result<VersionReceipt>)| {
            let receipt = receipt?;
            if (receipt.record, receipt.version) != (order.record, order.version) {
                return Err(IntegrityError::Malformed("a receipt for another version").into());
            }
            Ok(Stored {
                record: order.record,
                version: order.version,
                unfiled: false,
            })
        };
        Ok(orders.iter().zip(receipts).map(stored).collect())
    }

    fn sign_order(&self, order: &Order) -> Result<Adopt> {
        self.with(|keys| {
            let epoch = keys.newest_epoch(&order.compartment)?;
            let wrapped =
                epoch.wrap_version_keys(self.scope(), order.record, order.version, &order.keys)?;
            let adoption = Adoption {
                vault: self.vault(),
                owner: self.account(),
                owner_link: keys.link()?.hash,
                record: order.record,
                version: order.version,
                statement: order.statement,
                compartment: order.compartment,
                epoch: epoch.epoch,
                wrap_descriptor: sha256(&wrapped.descriptor),
                wrap_content: sha256(&wrapped.content),
                at: self.client().now(),
            };
            Ok(Adopt {
                statement: sign(&adoption, &keys.bundle.current.signing),
                filing: Filing {
                    compartment: order.compartment,
                    epoch: epoch.epoch,
                    wrap_descriptor: ByteBuf::from(wrapped.descriptor),
                    wrap_content: ByteBuf::from(wrapped.content),
                },
            })
        })
    }
}
