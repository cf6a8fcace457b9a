//! The threads that listen to the node on the watchers' behalf.

use std::{
    io,
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use balsa_node::{HeadEvent, Heard, Listener, Node};

use super::Watchers;
use crate::eth::chain::SyncStatus;

/// How often a thread looks whether it is still wanted.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Starts them. They end with the watchers, or with the node.
pub(super) fn start(node: &Node, watchers: &Arc<Watchers>) -> io::Result<()> {
    let (node, heads, transactions) = (node.clone(), node.heads(), node.transactions());
    let mut was_syncing = false;
    let weak = Arc::downgrade(watchers);
    let told = weak.clone();
    thread::Builder::new().name("rpc-heads".into()).spawn(move || {
        listen(&heads, &told, |watchers, event| match event {
            Happened::Event(HeadEvent { change, .. }) => {
                watchers.inclusions.included(change.applied.iter().flat_map(|kept| &kept.transaction_hashes));
                watchers.tell(|topic| topic.of_change(&change));
            }
            Happened::Gap => watchers.inclusions.missed(),
            Happened::Nothing => {
                let is_syncing = node.syncing().is_some();
                if std::mem::replace(&mut was_syncing, is_syncing) != is_syncing {
                    let status = SyncStatus::of(&node);
                    watchers.tell(|topic| topic.of_syncing(&status).into_iter().collect());
                }
            }
        });
    })?;
    thread::Builder::new().name("rpc-pending".into()).spawn(move || {
        listen(&transactions, &weak, |watchers, transaction| {
            let Happened::Event(transaction) = transaction else { return };
            watchers.tell(|topic| topic.of_transaction(&transaction).into_iter().collect());
        });
    })?;
    Ok(())
}

/// What a thread that listens finds.
enum Happened<T> {
    Event(T),
    /// Events were lost.
    Gap,
    /// It is time to look at what makes no events.
    Nothing,
}

fn listen<T>(listener: &Listener<T>, watchers: &Weak<Watchers>, mut tell: impl FnMut(&Watchers, Happened<T>)) {
    loop {
        let heard = listener.hear(LOOK_INTERVAL);
        let Some(watchers) = watchers.upgrade() else { return };
        match heard {
            Heard::Event(event) => tell(&watchers, Happened::Event(event)),
            Heard::Missed(count) => {
                tracing::warn!(count, "subscriptions missed events: too many came at once");
                tell(&watchers, Happened::Gap);
            }
            Heard::Nothing => tell(&watchers, Happened::Nothing),
            Heard::Closed => return,
        }
    }
}
