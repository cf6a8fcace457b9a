//! One speaker, any number of listeners, none of which can hold the speaker up.
//!
//! Each listener has a queue of its own. One that is slow loses events: once its queue is full nothing more is put into
//! it until the listener has emptied it and was told how many it missed, so what it hears is in order, gaps included.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

/// Where events are told.
#[derive(Debug)]
pub(crate) struct Broadcast<T> {
    listeners: Mutex<Vec<Weak<Queue<T>>>>,
    /// Events that a listener may have before it.
    queue_max: usize,
}

/// Where events are heard.
#[derive(Debug)]
pub struct Listener<T>(Arc<Queue<T>>);

/// What a listener hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<T> {
    /// An event.
    Event(T),
    /// So many events were lost here.
    Missed(u64),
    /// Nothing, for as long as the listener was ready to wait.
    Nothing,
    /// There will be no more.
    Closed,
}

#[derive(Debug)]
struct Queue<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
}

#[derive(Debug)]
struct State<T> {
    events: VecDeque<T>,
    missed: u64,
    closed: bool,
}

impl<T: Clone> Broadcast<T> {
    pub(crate) fn new(queue_max: usize) -> Self {
        Self { listeners: Mutex::new(Vec::new()), queue_max }
    }

    /// Hears everything from now on.
    pub(crate) fn subscribe(&self) -> Listener<T> {
        let state = State { events: VecDeque::new(), missed: 0, closed: false };
        let queue = Arc::new(Queue { state: Mutex::new(state), arrived: Condvar::new() });
        let mut listeners = lock(&self.listeners);
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(Arc::downgrade(&queue));
        Listener(queue)
    }

    /// Tells an event to all who listen.
    pub(crate) fn publish(&self, event: &T) {
        self.to_all(|state| {
            if state.missed > 0 || state.events.len() == self.queue_max {
                state.missed += 1;
            } else {
                state.events.push_back(event.clone());
            }
        });
    }

    /// Tells all who listen that there will be no more.
    pub(crate) fn close(&self) {
        self.to_all(|state| state.closed = true);
    }

    fn to_all(&self, tell: impl Fn(&mut State<T>)) {
        lock(&self.listeners).retain(|listener| {
            let Some(queue) = listener.upgrade() else { return false };
            tell(&mut lock(&queue.state));
            queue.arrived.notify_one();
            true
        });
    }
}

impl<T> Listener<T> {
    /// The next event, waited for at most so long.
    pub fn hear(&self, timeout: Duration) -> Heard<T> {
        let deadline = Instant::now() + timeout;
        let mut state = lock(&self.0.state);
        loop {
            if let Some(event) = state.events.pop_front() {
                return Heard::Event(event);
            }
            if state.missed > 0 {
                return Heard::Missed(std::mem::take(&mut state.missed));
            }
            if state.closed {
                return Heard::Closed;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Heard::Nothing;
            }
            state = self.0.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_listener_is_told_what_it_missed_and_where() {
        let speaker = Broadcast::new(2);
        let slow = speaker.subscribe();
        (1..=5).for_each(|event| speaker.publish(&event));
        let now = Duration::ZERO;
        assert_eq!([slow.hear(now), slow.hear(now)], [Heard::Event(1), Heard::Event(2)]);
        speaker.publish(&6);
        assert_eq!(slow.hear(now), Heard::Missed(4));
        speaker.publish(&7);
        speaker.close();
        assert_eq!([slow.hear(now), slow.hear(now)], [Heard::Event(7), Heard::Closed]);
    }

    #[test]
    fn each_listener_hears_what_came_after_it() {
        let speaker = Broadcast::new(8);
        let first = speaker.subscribe();
        speaker.publish(&1);
        let second = speaker.subscribe();
        speaker.publish(&2);
        let now = Duration::ZERO;
        assert_eq!(
            [first.hear(now), first.hear(now), first.hear(now)],
            [Heard::Event(1), Heard::Event(2), Heard::Nothing]
        );
        assert_eq!([second.hear(now), second.hear(now)], [Heard::Event(2), Heard::Nothing]);
        drop(first);
        speaker.publish(&3);
        assert_eq!(lock(&speaker.listeners).len(), 1);
    }

    #[test]
    fn a_listener_that_waits_is_woken() {
        let speaker = Arc::new(Broadcast::new(1));
        let listener = speaker.subscribe();
        let thread = std::thread::spawn(move || listener.hear(Duration::from_secs(30)));
        speaker.publish(&1);
        assert_eq!(thread.join().unwrap(), Heard::Event(1));
    }
}
