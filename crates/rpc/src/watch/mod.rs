//! Who wants to hear of what: subscriptions, which are told at once, and filters, which are asked.
//!
//! Calls that wait for a transaction's receipt are woken here too (`inclusions.rs`).
//!
//! Two threads listen to the node, one for blocks, one for transactions. Each event becomes JSON once for each topic, and
//! is handed to the watchers of the topic without ever waiting: a client that is too slow for its subscriptions loses its
//! connection, a filter that holds too much, or that nobody asks for five minutes, is forgotten.

mod feed;
mod filter_queue;
mod inclusions;
mod topic;
mod watchers;

pub(crate) use topic::Topic;
pub(crate) use watchers::Watchers;
