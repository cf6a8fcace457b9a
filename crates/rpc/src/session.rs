//! A connection that stays open, and over which a client can be notified.

use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc};

use crate::{Limits, RpcError, methods::Answer, request::Call};

/// Messages that wait for a client to take them; a client for which more would wait is too slow.
const OUTGOING_MAX: usize = 256;

/// The server's side of a WebSocket or IPC connection.
pub(crate) struct Session {
    outgoing: mpsc::Sender<Outgoing>,
    closed: Notify,
}

/// A message to a client.
pub(crate) struct Outgoing {
    /// The message.
    pub(crate) text: Bytes,
    /// Given back when the message is written.
    pub(crate) _turn: Option<OwnedSemaphorePermit>,
}

impl Session {
    /// A session, and the messages that it wants sent.
    pub(crate) fn new(_limits: &Limits) -> (Self, mpsc::Receiver<Outgoing>) {
        let (outgoing, messages) = mpsc::channel(OUTGOING_MAX);
        (Self { outgoing, closed: Notify::new() }, messages)
    }

    /// Sends an answer, when there is room for it.
    pub(crate) async fn send(&self, message: Outgoing) {
        // Nobody is there any more if it fails.
        let _ = self.outgoing.send(message).await;
    }

    /// Ends when the connection is to be ended from this side.
    pub(crate) async fn closed(&self) {
        self.closed.notified().await;
    }

    /// Ends the connection.
    pub(crate) fn close(&self) {
        self.closed.notify_one();
    }

    /// The answer to a call that is about the connection; `None` for all other calls.
    pub(crate) fn answer(session: Option<&Arc<Self>>, call: &Call<'_>) -> Option<Answer> {
        if session.is_some() || !matches!(&*call.method, "eth_subscribe" | "eth_unsubscribe") {
            return None;
        }
        Some(Err(RpcError::new(RpcError::METHOD_NOT_FOUND, "notifications not supported")))
    }
}
