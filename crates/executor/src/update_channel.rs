//! The single-shot channel from execution to the merkleizer.
//!
//! Exactly once by type: sending and receiving consume their ends. A sender that is dropped unsent tells the receiver
//! to return before it touches anything: the block has failed elsewhere, and that error is the one to report.

use balsa_trie::Updates;
use crossbeam_channel::{Receiver, Sender, bounded};

/// The end that knows what the block changes.
pub struct UpdateSender(Sender<Updates>);

/// The merkleizer's end.
pub struct UpdateReceiver(Receiver<Updates>);

/// A channel for the updates of one block.
pub fn update_channel() -> (UpdateSender, UpdateReceiver) {
    let (sender, receiver) = bounded(1);
    (UpdateSender(sender), UpdateReceiver(receiver))
}

impl UpdateSender {
    /// Hands the block's updates over, all of them. A receiver that is gone has no use for them.
    pub fn send(self, updates: Updates) {
        let _ = self.0.send(updates);
    }
}

impl UpdateReceiver {
    /// Waits for the updates; `None` if the sender was dropped.
    pub fn recv(self) -> Option<Updates> {
        self.0.recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carries_updates_once() {
        let (sender, receiver) = update_channel();
        let updates = Updates { keep_empty: true, ..Updates::default() };
        sender.send(updates.clone());
        assert_eq!(receiver.recv(), Some(updates));
    }

    #[test]
    fn a_dropped_sender_is_an_early_return() {
        let (sender, receiver) = update_channel();
        drop(sender);
        assert_eq!(receiver.recv(), None);
    }

    #[test]
    fn a_dropped_receiver_does_not_stop_the_sender() {
        let (sender, receiver) = update_channel();
        drop(receiver);
        sender.send(Updates::default());
    }
}
