//! Who waits for a transaction to be in a block.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use alloy_primitives::B256;
use tokio::sync::Notify;

/// Transactions that somebody waits for. Those who wait bound it.
#[derive(Debug, Default)]
pub(crate) struct Inclusions(Mutex<HashMap<B256, Weak<Notify>>>);

impl Inclusions {
    /// Is notified, all who wait at once, when the transaction is in a canonical block.
    pub(crate) fn of(&self, hash: B256) -> Arc<Notify> {
        let mut waited = self.lock();
        if let Some(known) = waited.get(&hash).and_then(Weak::upgrade) {
            return known;
        }
        // Whoever gave up leaves an entry behind.
        waited.retain(|_, notify| notify.strong_count() > 0);
        let notify = Arc::new(Notify::new());
        waited.insert(hash, Arc::downgrade(&notify));
        notify
    }

    /// These are in a canonical block now.
    pub(super) fn included<'h>(&self, hashes: impl IntoIterator<Item = &'h B256>) {
        let mut waited = self.lock();
        if waited.is_empty() {
            return;
        }
        for hash in hashes {
            if let Some(notify) = waited.remove(hash).and_then(|notify| notify.upgrade()) {
                notify.notify_waiters();
            }
        }
    }

    /// Blocks came of which nothing is known: everyone is to look.
    pub(super) fn missed(&self) {
        for notify in self.lock().drain().filter_map(|(_, notify)| notify.upgrade()) {
            notify.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<B256, Weak<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::Future, pin::pin, task};

    fn is_told(waiting: std::pin::Pin<&mut impl Future>) -> bool {
        waiting.poll(&mut task::Context::from_waker(task::Waker::noop())).is_ready()
    }

    #[test]
    fn those_who_wait_are_told_and_forgotten() {
        let (inclusions, hash) = (Inclusions::default(), B256::with_last_byte);
        let (one, same, other) = (inclusions.of(hash(1)), inclusions.of(hash(1)), inclusions.of(hash(2)));
        let (mut first, mut second, mut third) = (pin!(one.notified()), pin!(same.notified()), pin!(other.notified()));
        inclusions.included([&hash(1), &hash(3)]);
        assert!(is_told(first.as_mut()) && is_told(second.as_mut()) && !is_told(third.as_mut()));
        inclusions.missed();
        assert!(is_told(third.as_mut()) && inclusions.lock().is_empty());
    }

    #[test]
    fn those_who_gave_up_take_no_room() {
        let inclusions = Inclusions::default();
        for byte in 0..100 {
            drop(inclusions.of(B256::with_last_byte(byte)));
        }
        assert_eq!(inclusions.lock().len(), 1);
    }
}
