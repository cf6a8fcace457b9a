//! What a connection has read of a message that is not whole yet, counted against the room for messages.
//!
//! HTTP announces how long a message is, and room is taken before it is read. WebSocket and IPC do not: there the bytes
//! are counted as they come. A connection for whose message there is no room, or whose message takes too long, ends.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use crate::{
    Dispatcher,
    dispatcher::{Room, SMALL_BYTES, Taken},
    limits::BODY_TIME_MAX,
};

/// What a connection has read of a message.
#[derive(Debug, Default)]
pub(crate) struct ReadMeter(Mutex<Reading>);

#[derive(Debug, Default)]
struct Reading {
    /// Where it takes room; nothing is counted before that is known.
    room: Option<Room>,
    bytes: usize,
    /// No message is longer: what comes beyond is refused elsewhere.
    bytes_max: usize,
    taken: Taken,
    /// Since when it is large.
    large_since: Option<Instant>,
}

impl ReadMeter {
    /// Counts from now on.
    pub(crate) fn start(&self, dispatcher: &Dispatcher) {
        let mut reading = self.lock();
        reading.room = Some(dispatcher.reading.clone());
        reading.bytes_max = dispatcher.limits.request_bytes_max;
    }

    /// So many bytes are in memory; `false` if there is no room for them.
    pub(crate) fn hold(&self, bytes: usize) -> bool {
        self.lock().hold(bytes)
    }

    /// So many bytes came; `false` if there is no room for them.
    pub(crate) fn more(&self, bytes: usize) -> bool {
        let mut reading = self.lock();
        let bytes = reading.bytes.saturating_add(bytes);
        reading.hold(bytes)
    }

    /// So many of the bytes that came belong to no message.
    pub(crate) fn less(&self, bytes: usize) {
        let mut reading = self.lock();
        let bytes = reading.bytes.saturating_sub(bytes);
        // Less room is always there.
        reading.hold(bytes);
    }

    /// The room of the message, which is whole now. The next one begins.
    pub(crate) fn take(&self) -> Taken {
        let mut reading = self.lock();
        reading.bytes = 0;
        reading.large_since = None;
        std::mem::take(&mut reading.taken)
    }

    /// Whether a large message takes too long.
    pub(crate) fn is_overdue(&self) -> bool {
        self.lock().large_since.is_some_and(|since| since.elapsed() >= BODY_TIME_MAX)
    }

    /// Whether there is a message that takes room.
    pub(crate) fn is_large(&self) -> bool {
        self.lock().large_since.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    fn hold(&mut self, bytes: usize) -> bool {
        let Some(room) = &self.room else { return true };
        self.bytes = bytes.min(self.bytes_max);
        if self.bytes <= SMALL_BYTES {
            self.taken = Taken::default();
            self.large_since = None;
            return true;
        }
        self.large_since.get_or_insert_with(Instant::now);
        room.resize(&mut self.taken, self.bytes)
    }
}

/// A stream whose bytes are counted as they come.
pub(crate) struct MeteredStream<S> {
    stream: S,
    meter: Arc<ReadMeter>,
}

impl<S> MeteredStream<S> {
    pub(crate) fn new(stream: S, meter: Arc<ReadMeter>) -> Self {
        Self { stream, meter }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for MeteredStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let came = buffer.filled().len() - before;
        if self.meter.more(came) { Poll::Ready(Ok(())) } else { Poll::Ready(Err(io::ErrorKind::OutOfMemory.into())) }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for MeteredStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: usize = 2 * SMALL_BYTES;

    fn meter(room: &Room) -> ReadMeter {
        let meter = ReadMeter::default();
        assert!(meter.more(usize::MAX), "nothing is counted yet");
        *meter.lock() = Reading { room: Some(room.clone()), bytes_max: 4 * LARGE, ..Reading::default() };
        meter
    }

    #[tokio::test]
    async fn large_messages_take_room_as_they_come() {
        let room = Room::new(2 * LARGE);
        let (one, other) = (meter(&room), meter(&room));
        assert!(one.more(LARGE) && other.more(LARGE));
        assert!(!one.more(1 << 10), "the other has the rest");
        other.less(LARGE);
        assert!(one.more(LARGE / 2));
        let message = one.take();
        assert!(one.more(10) && !other.more(LARGE), "a message keeps its room until it is answered");
        drop(message);
        assert!(other.hold(LARGE));
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_message_has_a_time() {
        let room = Room::new(2 * LARGE);
        let meter = meter(&room);
        assert!(meter.more(100));
        tokio::time::advance(2 * BODY_TIME_MAX).await;
        assert!(!meter.is_overdue(), "what is small may wait");
        assert!(meter.more(LARGE) && !meter.is_overdue());
        tokio::time::advance(BODY_TIME_MAX).await;
        assert!(meter.is_overdue());
        drop(meter.take());
        assert!(!meter.is_overdue());
    }
}
