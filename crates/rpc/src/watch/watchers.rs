//! All watchers of a node.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Instant,
};

use alloy_primitives::U128;
use balsa_node::Node;

use super::{Topic, feed, filter_queue::FilterQueue, inclusions::Inclusions, topic::Item};
use crate::{RpcError, session::Session};

/// Filters that live at once.
const FILTERS_MAX: usize = 256;

/// Subscriptions that live at once, over all connections.
const SUBSCRIPTIONS_MAX: usize = 16 << 10;

/// All watchers of a node. The threads that feed them end with it.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    watchers: Mutex<HashMap<U128, Watcher>>,
    /// Who waits for a transaction to be in a block.
    pub(crate) inclusions: Inclusions,
}

#[derive(Debug)]
struct Watcher {
    topic: Topic,
    sink: Sink,
}

/// Where a watcher's items go.
#[derive(Debug)]
enum Sink {
    Subscription(Weak<Session>),
    Filter(FilterQueue),
}

impl Watchers {
    /// No watchers yet, and the threads that will feed them.
    pub(crate) fn start(node: &Node) -> Arc<Self> {
        let watchers = Arc::new(Self::default());
        if let Err(error) = feed::start(node, &watchers) {
            tracing::error!(%error, "no thread for subscriptions: nothing will be told");
        }
        watchers
    }

    /// A subscription of a connection.
    ///
    /// # Errors
    /// -32005 if there are too many, of this connection or of all.
    pub(crate) fn subscribe(&self, topic: Topic, session: &Arc<Session>) -> Result<U128, RpcError> {
        let now = Instant::now();
        let mut watchers = self.lock();
        watchers.retain(|_, watcher| watcher.is_alive(now));
        let subscriptions = watchers.values().filter_map(|watcher| watcher.session());
        let (mut all, mut own) = (0, 0);
        for subscribed in subscriptions {
            all += 1;
            own += usize::from(std::ptr::eq(subscribed.as_ptr(), Arc::as_ptr(session)));
        }
        if all >= SUBSCRIPTIONS_MAX || own >= session.subscriptions_max {
            return Err(RpcError::new(RpcError::LIMIT_EXCEEDED, "too many subscriptions"));
        }
        let id = rand::random::<u128>();
        let id = U128::from(id);
        watchers.insert(id, Watcher { topic, sink: Sink::Subscription(Arc::downgrade(session)) });
        Ok(id)
    }

    /// Ends a subscription; `false` if the connection has none such.
    pub(crate) fn unsubscribe(&self, id: U128, session: &Arc<Session>) -> bool {
        let mut watchers = self.lock();
        let subscribed = watchers.get(&id).and_then(Watcher::session);
        let own = subscribed.is_some_and(|subscribed| std::ptr::eq(subscribed.as_ptr(), Arc::as_ptr(session)));
        own && watchers.remove(&id).is_some()
    }

    /// A filter, to be asked from now on.
    ///
    /// # Errors
    /// -32005 if there are too many.
    pub(crate) fn add_filter(&self, topic: Topic) -> Result<U128, RpcError> {
        let now = Instant::now();
        let mut watchers = self.lock();
        watchers.retain(|_, watcher| watcher.is_alive(now));
        let filters = watchers.values().filter(|watcher| matches!(watcher.sink, Sink::Filter(_))).count();
        if filters >= FILTERS_MAX {
            return Err(RpcError::new(RpcError::LIMIT_EXCEEDED, "too many filters"));
        }
        let id = U128::from(rand::random::<u128>());
        watchers.insert(id, Watcher { topic, sink: Sink::Filter(FilterQueue::new(now)) });
        Ok(id)
    }

    /// What a filter has caught since it was last asked; `None` if there is no such filter.
    pub(crate) fn changes(&self, id: &U128) -> Option<Vec<Item>> {
        let now = Instant::now();
        match self.lock().get_mut(id)? {
            Watcher { sink: Sink::Filter(queue), .. } if queue.is_alive(now) => Some(queue.take(now)),
            _ => None,
        }
    }

    /// What a filter is about; `None` if there is no such filter.
    pub(crate) fn filter_topic(&self, id: &U128) -> Option<Topic> {
        let now = Instant::now();
        match self.lock().get_mut(id)? {
            Watcher { topic, sink: Sink::Filter(queue) } if queue.is_alive(now) => {
                queue.touch(now);
                Some(topic.clone())
            }
            _ => None,
        }
    }

    /// Ends a filter; `false` if there is none such.
    pub(crate) fn remove_filter(&self, id: &U128) -> bool {
        let mut watchers = self.lock();
        let is_filter = watchers.get(id).is_some_and(|watcher| matches!(watcher.sink, Sink::Filter(_)));
        is_filter && watchers.remove(id).is_some()
    }

    /// Tells all watchers what `items` finds for their topics. Who cannot take it is forgotten.
    pub(super) fn tell(&self, items: impl Fn(&Topic) -> Vec<Item>) {
        let now = Instant::now();
        self.lock().retain(|id, watcher| {
            watcher.is_alive(now) && items(&watcher.topic).iter().all(|item| watcher.sink.take(id, item))
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<U128, Watcher>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    fn session(&self) -> Option<&Weak<Session>> {
        match &self.sink {
            Sink::Subscription(session) => Some(session),
            Sink::Filter(_) => None,
        }
    }

    fn is_alive(&self, now: Instant) -> bool {
        match &self.sink {
            Sink::Subscription(session) => session.strong_count() > 0,
            Sink::Filter(queue) => queue.is_alive(now),
        }
    }
}

impl Sink {
    /// Takes an item; `false` if that was too much.
    fn take(&mut self, id: &U128, item: &Item) -> bool {
        match self {
            Self::Filter(queue) => queue.push(item),
            Self::Subscription(session) => {
                let Some(session) = session.upgrade() else { return false };
                session.notify(format!(
                    r#"{{"jsonrpc":"2.0","method":"eth_subscription","params":{{"subscription":"{id:#x}","result":{}}}}}"#,
                    item.get()
                ))
            }
        }
    }
}
