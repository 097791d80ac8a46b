//! Filing what someone left in the drop box. Must not judge where it belongs.

use super::read::Authors;
use super::{Authorship, RecordItem, Stored};
use crate::error::{ClientError, IntegrityError, Result};
use crate::ledger::{is_stale, sign};
use crate::session::Unlocked;
use salus_protocol::statement::sha256;
use salus_protocol::version::Adoption;
use salus_types::CompartmentId;
use salus_types::api::{Adopt, Filing, VersionReceipt, VersionView};
use serde_bytes::ByteBuf;

impl Unlocked {
    /// Files a version from the drop box into a compartment, where others with access to it see it
    /// from now on. Its author's signature must verify.
    ///
    /// # Errors
    /// [`ClientError::NotFound`]; [`ClientError::Invalid`] if it is filed already or its author is
    /// not known; [`IntegrityError`].
    pub async fn adopt(&self, item: &RecordItem, compartment: CompartmentId) -> Result<Stored> {
        if item.compartment.is_some() || item.owner != self.account() {
            return Err(ClientError::Invalid {
                field: "record",
                reason: "does not wait in the drop box",
            });
        }
        let views = self.record_views(item.record, Some(item.version)).await?;
        let view = views.first().ok_or(ClientError::NotFound("record"))?;
        match self.try_adopt(view, compartment).await {
            Err(error) if is_stale(&error) => {
                self.refresh().await?;
                self.try_adopt(view, compartment).await
            }
            other => other,
        }
    }

    async fn try_adopt(&self, view: &VersionView, compartment: CompartmentId) -> Result<Stored> {
        let (item, shown, version_keys) = self.own_item(&mut Authors::default(), view).await?;
        if item.author.authorship == Authorship::Unknown {
            return Err(ClientError::Invalid {
                field: "record",
                reason: "its author's keys are not known",
            });
        }
        let adopt = self.with(|keys| {
            let epoch = keys.newest_epoch(&compartment)?;
            let wrapped =
                epoch.wrap_version_keys(self.scope(), item.record, item.version, &version_keys)?;
            let adoption = Adoption {
                vault: self.vault(),
                owner: self.account(),
                owner_link: keys.link()?.hash,
                record: item.record,
                version: item.version,
                statement: shown.statement,
                compartment,
                epoch: epoch.epoch,
                wrap_descriptor: sha256(&wrapped.descriptor),
                wrap_content: sha256(&wrapped.content),
                at: self.client().now(),
            };
            Ok(Adopt {
                statement: sign(&adoption, &keys.bundle.current.signing),
                filing: Filing {
                    compartment,
                    epoch: epoch.epoch,
                    wrap_descriptor: ByteBuf::from(wrapped.descriptor),
                    wrap_content: ByteBuf::from(wrapped.content),
                },
            })
        })?;
        let receipt: VersionReceipt = self.client().update("version_adopt", (adopt,)).await?;
        if (receipt.record, receipt.version) != (item.record, item.version) {
            return Err(IntegrityError::Malformed("a receipt for another version").into());
        }
        Ok(Stored {
            record: item.record,
            version: item.version,
            unfiled: false,
        })
    }
}
