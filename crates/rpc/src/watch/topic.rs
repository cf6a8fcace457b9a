//! What can be watched.

use alloy_rpc_types_eth::Filter;
use balsa_chain::{HeadChange, KeptBlock};
use balsa_txpool::PoolTransaction;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::eth::{block::rpc_header, chain::SyncStatus, logs::logs_of_kept, transaction::pending};

/// What can be watched.
#[derive(Clone, Debug)]
pub(crate) enum Topic {
    /// Headers of blocks that become canonical.
    NewHeads,
    /// Their hashes.
    BlockHashes,
    /// Logs of blocks that become canonical, or are not any more.
    Logs(Box<Filter>),
    /// Hashes of transactions that come into the pool.
    PendingHashes,
    /// The transactions themselves.
    PendingTransactions,
    /// Whether blocks are missing.
    Syncing,
}

/// Something to tell.
pub(crate) type Item = Box<RawValue>;

impl Topic {
    /// What a change of the canonical chain means for the topic, in order.
    pub(crate) fn of_change(&self, change: &HeadChange) -> Vec<Item> {
        let applied = change.applied.iter();
        match self {
            Self::NewHeads => applied.filter_map(|kept| item(&header(kept))).collect(),
            Self::BlockHashes => applied.filter_map(|kept| item(&kept.hash())).collect(),
            Self::Logs(filter) => {
                let gone = change.reverted.iter().flat_map(|kept| logs_of_kept(kept, filter, true));
                let come = applied.flat_map(|kept| logs_of_kept(kept, filter, false));
                gone.chain(come).filter_map(|log| item(&log)).collect()
            }
            Self::PendingHashes | Self::PendingTransactions | Self::Syncing => Vec::new(),
        }
    }

    /// What it means for the topic that blocks are missing now, or are not any more.
    pub(crate) fn of_syncing(&self, status: &SyncStatus) -> Option<Item> {
        match (self, status) {
            (Self::Syncing, SyncStatus::Done(_)) => item(&false),
            (Self::Syncing, behind) => item(&serde_json::json!({ "syncing": true, "status": behind })),
            _ => None,
        }
    }

    /// What a transaction that came into the pool means for the topic.
    pub(crate) fn of_transaction(&self, transaction: &PoolTransaction) -> Option<Item> {
        match self {
            Self::PendingHashes => item(transaction.hash()),
            Self::PendingTransactions => item(&pending(transaction)),
            Self::NewHeads | Self::BlockHashes | Self::Logs(_) | Self::Syncing => None,
        }
    }
}

fn header(kept: &KeptBlock) -> alloy_rpc_types_eth::Header {
    rpc_header(kept.hash(), kept.block.header.clone(), kept.block.rlp_len)
}

fn item(value: &impl Serialize) -> Option<Item> {
    // None of these values has a part that cannot be written.
    serde_json::value::to_raw_value(value).ok()
}
