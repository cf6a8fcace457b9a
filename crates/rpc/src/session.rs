//! A connection that stays open, and over which a client can be notified.
//!
//! A client learns the name of a subscription by the answer to its call. So notifications wait while an answer of that kind
//! is on its way ([`Exchange::answer_first`]): whatever happens meanwhile is told after it.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use axum::body::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc};

use crate::{Dispatcher, dispatcher::Room};

/// Messages that wait for a client to take them; a client for which more would wait is too slow.
const OUTGOING_MAX: usize = 256;

/// The server's side of a WebSocket or IPC connection.
#[derive(Debug)]
pub(crate) struct Session {
    outgoing: mpsc::Sender<Outgoing>,
    closed: Notify,
    held: Mutex<Held>,
    /// Where notifications take room, as answers do.
    writing: Room,
    /// Subscriptions that the connection may have.
    pub(crate) subscriptions_max: usize,
}

/// Notifications that wait for answers.
#[derive(Debug, Default)]
struct Held {
    answers: usize,
    notifications: Vec<Outgoing>,
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
    pub(crate) fn new(dispatcher: &Dispatcher) -> (Self, mpsc::Receiver<Outgoing>) {
        let (outgoing, messages) = mpsc::channel(OUTGOING_MAX);
        let session = Self {
            outgoing,
            closed: Notify::new(),
            held: Mutex::default(),
            writing: dispatcher.writing.clone(),
            subscriptions_max: dispatcher.limits.subscriptions_max,
        };
        (session, messages)
    }

    /// Sends an answer, when there is room for it.
    pub(crate) async fn send(&self, message: Outgoing) {
        // Nobody is there any more if it fails.
        let _ = self.outgoing.send(message).await;
    }

    /// Sends a notification if there is room for it; if not, the client is too slow, and the connection ends.
    pub(crate) fn notify(&self, text: String) -> bool {
        let sent = self.try_notify(text).is_some();
        if !sent {
            self.close();
        }
        sent
    }

    fn try_notify(&self, text: String) -> Option<()> {
        let text = self.writing.take_always(text.len())?.around(text);
        let message = Outgoing { text, _turn: None };
        let mut held = self.held();
        if held.answers == 0 {
            return self.outgoing.try_send(message).ok();
        }
        let fits = held.notifications.len() < OUTGOING_MAX;
        fits.then(|| held.notifications.push(message))
    }

    /// An answer is on its way: what waited for it goes after it, unless there are more.
    fn answered(&self) {
        let mut held = self.held();
        held.answers -= 1;
        if held.answers > 0 {
            return;
        }
        for message in std::mem::take(&mut held.notifications) {
            if self.outgoing.try_send(message).is_err() {
                return self.close();
            }
        }
    }

    /// Ends when the connection is to be ended from this side.
    pub(crate) async fn closed(&self) {
        self.closed.notified().await;
    }

    /// Ends the connection.
    pub(crate) fn close(&self) {
        self.closed.notify_one();
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One message of a client, until its answer is on its way.
#[derive(Debug)]
pub(crate) struct Exchange {
    session: Arc<Session>,
    holds: AtomicBool,
}

impl Exchange {
    pub(crate) fn new(session: Arc<Session>) -> Self {
        Self { session, holds: AtomicBool::new(false) }
    }

    /// The connection.
    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// From now on notifications wait until the answer is on its way.
    pub(crate) fn answer_first(&self) {
        if !self.holds.swap(true, Ordering::Relaxed) {
            self.session.held().answers += 1;
        }
    }

    /// Sends the answer, and then what waited for it.
    pub(crate) async fn answer(self, answer: Option<Outgoing>) {
        if let Some(answer) = answer {
            self.session.send(answer).await;
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if *self.holds.get_mut() {
            self.session.answered();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(room: usize) -> (Arc<Session>, mpsc::Receiver<Outgoing>) {
        let (outgoing, messages) = mpsc::channel(OUTGOING_MAX);
        let (held, writing) = (Mutex::default(), Room::new(room));
        (Arc::new(Session { outgoing, closed: Notify::new(), held, writing, subscriptions_max: 1 }), messages)
    }

    fn next(messages: &mut mpsc::Receiver<Outgoing>) -> Option<String> {
        messages.try_recv().ok().map(|message| String::from_utf8(message.text.to_vec()).unwrap())
    }

    fn outgoing(text: &'static str) -> Option<Outgoing> {
        Some(Outgoing { text: text.into(), _turn: None })
    }

    #[tokio::test]
    async fn notifications_wait_for_the_answer_that_names_them() {
        let (session, mut messages) = session(1 << 20);
        let (first, second) = (Exchange::new(session.clone()), Exchange::new(session.clone()));
        assert!(session.notify("before".into()));
        assert_eq!(next(&mut messages).as_deref(), Some("before"));
        first.answer_first();
        first.answer_first();
        second.answer_first();
        assert!(session.notify("one".into()) && session.notify("two".into()));
        assert_eq!(next(&mut messages), None);
        first.answer(outgoing("first answer")).await;
        assert_eq!(next(&mut messages).as_deref(), Some("first answer"));
        assert_eq!(next(&mut messages), None, "the second answer is not on its way");
        second.answer(outgoing("second answer")).await;
        for expected in ["second answer", "one", "two"] {
            assert_eq!(next(&mut messages).as_deref(), Some(expected));
        }
        // A message that comes to nothing holds nothing up.
        let third = Exchange::new(session.clone());
        third.answer_first();
        drop(third);
        assert!(session.notify("three".into()));
        assert_eq!(next(&mut messages).as_deref(), Some("three"));
    }

    #[tokio::test]
    async fn notifications_take_room_until_they_are_written() {
        let (session, mut messages) = session(4 << 10);
        let kilobyte = || "x".repeat(1 << 10);
        assert!((0..4).all(|_| session.notify(kilobyte())));
        assert!(!session.notify("x".into()), "there is no room for one more");
        session.closed().await;
        assert!(next(&mut messages).is_some());
        assert!(session.notify(kilobyte()) && !session.notify(kilobyte()));
    }

    #[tokio::test]
    async fn those_that_wait_are_bounded() {
        let (session, _messages) = session(1 << 20);
        let exchange = Exchange::new(session.clone());
        exchange.answer_first();
        assert!((0..OUTGOING_MAX).all(|_| session.notify("x".into())));
        assert!(!session.notify("x".into()));
        session.closed().await;
    }
}
