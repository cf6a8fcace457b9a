//! The threads that listen to the node on the watchers' behalf.

use std::{
    io,
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use balsa_node::{HeadEvent, Heard, Listener, Node};

use super::Watchers;

/// How often a thread looks whether it is still wanted.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Starts them. They end with the watchers, or with the node.
pub(super) fn start(node: &Node, watchers: &Arc<Watchers>) -> io::Result<()> {
    let (heads, transactions) = (node.heads(), node.transactions());
    let weak = Arc::downgrade(watchers);
    let told = weak.clone();
    thread::Builder::new().name("rpc-heads".into()).spawn(move || {
        listen(&heads, &told, |watchers, event| match event {
            Some(HeadEvent { change, .. }) => {
                watchers.inclusions.included(change.applied.iter().flat_map(|kept| &kept.transaction_hashes));
                watchers.tell(|topic| topic.of_change(&change));
            }
            None => watchers.inclusions.missed(),
        });
    })?;
    thread::Builder::new().name("rpc-pending".into()).spawn(move || {
        listen(&transactions, &weak, |watchers, transaction| {
            let Some(transaction) = transaction else { return };
            watchers.tell(|topic| topic.of_transaction(&transaction).into_iter().collect());
        });
    })?;
    Ok(())
}

/// Tells of events, and with `None` of a gap between them.
fn listen<T>(listener: &Listener<T>, watchers: &Weak<Watchers>, tell: impl Fn(&Watchers, Option<T>)) {
    loop {
        let heard = listener.hear(LOOK_INTERVAL);
        let Some(watchers) = watchers.upgrade() else { return };
        match heard {
            Heard::Event(event) => tell(&watchers, Some(event)),
            Heard::Missed(count) => {
                tracing::warn!(count, "subscriptions missed events: too many came at once");
                tell(&watchers, None);
            }
            Heard::Nothing => {}
            Heard::Closed => return,
        }
    }
}
