//! A connection that stays open, and over which a client can be notified.

use axum::body::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc};

use crate::Limits;

/// Messages that wait for a client to take them; a client for which more would wait is too slow.
const OUTGOING_MAX: usize = 256;

/// The server's side of a WebSocket or IPC connection.
#[derive(Debug)]
pub(crate) struct Session {
    outgoing: mpsc::Sender<Outgoing>,
    closed: Notify,
    /// Subscriptions that the connection may have.
    pub(crate) subscriptions_max: usize,
}

/// A message to a client.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// The message.
    pub(crate) text: Bytes,
    /// Given back when the message is written.
    pub(crate) _turn: Option<OwnedSemaphorePermit>,
}

impl Session {
    /// A session, and the messages that it wants sent.
    pub(crate) fn new(limits: &Limits) -> (Self, mpsc::Receiver<Outgoing>) {
        let (outgoing, messages) = mpsc::channel(OUTGOING_MAX);
        (Self { outgoing, closed: Notify::new(), subscriptions_max: limits.subscriptions_max }, messages)
    }

    /// Sends an answer, when there is room for it.
    pub(crate) async fn send(&self, message: Outgoing) {
        // Nobody is there any more if it fails.
        let _ = self.outgoing.send(message).await;
    }

    /// Sends a notification if there is room for it; if not, the client is too slow, and the connection ends.
    pub(crate) fn notify(&self, text: String) -> bool {
        let sent = self.outgoing.try_send(Outgoing { text: text.into(), _turn: None }).is_ok();
        if !sent {
            self.close();
        }
        sent
    }

    /// Ends when the connection is to be ended from this side.
    pub(crate) async fn closed(&self) {
        self.closed.notified().await;
    }

    /// Ends the connection.
    pub(crate) fn close(&self) {
        self.closed.notify_one();
    }
}
