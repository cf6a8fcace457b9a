//! A node of its own: no consensus client, blocks as transactions come or by the clock.
//!
//! The sealer is a consensus client in small: it has blocks built, brings them to the writer, and makes them the head, by
//! the same messages.

use std::{
    io,
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use alloy_primitives::{Address, B256, U64, U256};
use balsa_chainspec::Fork;
use balsa_engine::{EngineError, ForkchoiceState, PayloadAttributes, PayloadBlock, PayloadStatusKind};
use tracing::{debug, error};

use crate::{BuildRequest, Heard, Message, Node};

/// How often a sealer that waits for transactions looks whether any are left over.
const IDLE: Duration = Duration::from_secs(1);

/// How blocks come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DevSettings {
    /// One block in this time, empty or not; `None`: a block as soon as there is a transaction, and none without.
    pub period: Option<Duration>,
    /// Who is paid the tips.
    pub fee_recipient: Address,
}

/// A thread that seals blocks. It ends with the node.
#[derive(Debug)]
pub struct Sealer(JoinHandle<()>);

impl Sealer {
    /// Starts sealing.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(node: Node, settings: DevSettings) -> io::Result<Self> {
        let thread = thread::Builder::new().name("sealer".to_owned()).spawn(move || match settings.period {
            Some(period) => seal_by_clock(&node, settings, period),
            None => seal_at_once(&node, settings),
        })?;
        Ok(Self(thread))
    }

    /// Waits for the end, after the node was shut down.
    pub fn join(self) {
        if self.0.join().is_err() {
            error!("the sealer ended with a panic");
        }
    }
}

fn seal_at_once(node: &Node, settings: DevSettings) {
    let transactions = node.transactions();
    loop {
        if matches!(transactions.hear(IDLE), Heard::Closed) {
            return;
        }
        // A block that holds none of what waits would be followed by another like it.
        while node.pool().best().next().is_some() {
            match seal(node, settings.fee_recipient) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    error!(%error, "cannot seal a block");
                    break;
                }
            }
        }
    }
}

fn seal_by_clock(node: &Node, settings: DevSettings, period: Duration) {
    let heads = node.heads();
    let mut next = Instant::now() + period;
    loop {
        let left = next.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            // The node's own blocks are heard too; only its end matters here.
            if matches!(heads.hear(left), Heard::Closed) {
                return;
            }
            continue;
        }
        next += period;
        if let Err(error) = seal(node, settings.fee_recipient) {
            error!(%error, "cannot seal a block");
        }
    }
}

/// Seals a block and makes it the head; returns how many transactions it has.
fn seal(node: &Node, fee_recipient: Address) -> Result<usize, EngineError> {
    let view = node.view();
    let parent = view.head();
    let attributes = attributes(node, fee_recipient);
    let request = BuildRequest { parent: parent.hash(), attributes, transactions: None, extra_data: None };
    let built = node.build_block(request).map_err(|error| EngineError::Internal(error.to_string()))?;
    let (hash, count) = (built.block.hash, built.block.transactions.len());
    let status = node.import(PayloadBlock { block: built.block, list: built.list })?.status;
    if status.status != PayloadStatusKind::Valid {
        return Err(EngineError::Internal(format!("own block {hash}: {status:?}")));
    }
    let state = ForkchoiceState { head_block_hash: hash, safe_block_hash: hash, finalized_block_hash: hash };
    node.ask(|reply| Message::ForkchoiceUpdated { state, next_timestamp: None, reply })?;
    debug!(%hash, transactions = count, "sealed a block");
    Ok(count)
}

/// What a consensus client would ask for now.
fn attributes(node: &Node, fee_recipient: Address) -> PayloadAttributes {
    let view = node.view();
    let parent = &view.head().block.header;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let timestamp = now.max(parent.timestamp + 1);
    let rules = node.spec().rules_at(parent.number + 1, timestamp, true);
    PayloadAttributes {
        timestamp: U64::from(timestamp),
        prev_randao: B256::from(U256::from(timestamp)),
        suggested_fee_recipient: fee_recipient,
        withdrawals: rules.has(Fork::Shanghai).then(Vec::new),
        parent_beacon_block_root: rules.has(Fork::Cancun).then_some(B256::ZERO),
        slot_number: rules.has(Fork::Amsterdam).then(|| U64::from(parent.slot_number.map_or(1, |slot| slot + 1))),
        target_gas_limit: None,
    }
}
