//! A new device that is let in by an unlocked one. Must not know what a test is about.

use super::{Device, World};
use salus_client::{Approving, ClientError, Joining, SlotId, SlotSecret, Words};

/// A new device and what it will unlock with.
pub struct New {
    /// The device.
    pub device: Device,
    /// Its half of a pairing.
    pub joining: Joining,
    /// The slot it offers.
    pub slot: SlotId,
}

/// Whoever signs in as `seed` begins on a fresh device.
pub async fn begin(world: &World, seed: u8) -> New {
    let device = world.device(seed);
    let joining = device.client.pairing_begin().await.unwrap();
    New {
        device,
        joining,
        slot: SlotId(salus_client::random_id().unwrap()),
    }
}

impl New {
    /// Looks for an answer and offers its slot.
    ///
    /// # Errors
    /// The client's.
    pub async fn offer(&mut self) -> Result<(), ClientError> {
        let account = self.joining.answered().await?;
        account.unwrap();
        let secret = SlotSecret::from_browser_hmac([self.slot.0[0]; 32]);
        self.joining.offer(self.slot, secret).await
    }
}

/// As far as the words: what the new device shows, and what the unlocked one does.
pub async fn worded(new: &mut New, approving: &mut Approving) -> (Words, Words) {
    assert_eq!(approving.words().await, Ok(None), "nothing is offered yet");
    new.offer().await.unwrap();
    assert_eq!(new.joining.words().await, Ok(None), "nothing is opened yet");
    let theirs = approving.words().await.unwrap().unwrap();
    let own = new.joining.words().await.unwrap().unwrap();
    (own, theirs)
}
