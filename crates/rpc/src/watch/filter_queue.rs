//! What a filter has caught since it was last asked.

use std::time::{Duration, Instant};

use super::topic::Item;

/// How long a filter lives that nobody asks.
pub(super) const FILTER_IDLE_MAX: Duration = Duration::from_secs(5 * 60);

/// Bytes that a filter may hold; one that would hold more is forgotten.
const FILTER_BYTES_MAX: usize = 4 << 20;

/// What a filter has caught.
#[derive(Debug)]
pub(super) struct FilterQueue {
    items: Vec<Item>,
    bytes: usize,
    asked: Instant,
}

impl FilterQueue {
    pub(super) fn new(now: Instant) -> Self {
        Self { items: Vec::new(), bytes: 0, asked: now }
    }

    /// Adds something; `false` if that is too much.
    pub(super) fn push(&mut self, item: &Item) -> bool {
        self.bytes += item.get().len() + size_of::<Item>();
        self.items.push(item.clone());
        self.bytes <= FILTER_BYTES_MAX
    }

    /// Whether somebody still asks.
    pub(super) fn is_alive(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.asked) < FILTER_IDLE_MAX
    }

    /// All that was caught, once.
    pub(super) fn take(&mut self, now: Instant) -> Vec<Item> {
        self.touch(now);
        self.bytes = 0;
        std::mem::take(&mut self.items)
    }

    /// Somebody asked.
    pub(super) fn touch(&mut self, now: Instant) {
        self.asked = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_asks_ends_and_what_holds_too_much_says_so() {
        let start = Instant::now();
        let item = serde_json::value::to_raw_value(&"x".repeat(1 << 20)).unwrap();
        let mut queue = FilterQueue::new(start);
        assert!((0..3).all(|_| queue.push(&item)));
        assert_eq!(queue.take(start + FILTER_IDLE_MAX / 2).len(), 3);
        assert!(queue.is_alive(start + FILTER_IDLE_MAX) && !queue.is_alive(start + FILTER_IDLE_MAX * 2));
        assert!((0..3).all(|_| queue.push(&item)) && !queue.push(&item));
    }
}
