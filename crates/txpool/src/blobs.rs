//! Blobs by their versioned hashes, and the sidecars of transactions that left the pool for a block.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use alloy_consensus::Transaction as _;
use alloy_eips::eip7594::BlobTransactionSidecarVariant;
use alloy_primitives::B256;
use foldhash::fast::RandomState;

use crate::PoolTransaction;

/// One blob of a sidecar: blob, commitment and proofs are those at `index`.
#[derive(Clone, Debug)]
pub struct Blob {
    /// All blobs of the transaction.
    pub sidecar: Arc<BlobTransactionSidecarVariant>,
    /// Which one.
    pub index: usize,
}

/// Where each blob of the pool is.
///
/// Two transactions may name the same blob; the one that came last answers for it, and when it leaves the other does.
#[derive(Debug, Default)]
pub(crate) struct BlobIndex {
    holders: HashMap<B256, Vec<(B256, Blob)>, RandomState>,
}

impl BlobIndex {
    pub(crate) fn get(&self, versioned_hash: &B256) -> Option<Blob> {
        self.holders.get(versioned_hash)?.last().map(|(_, blob)| blob.clone())
    }

    pub(crate) fn add(&mut self, transaction: &PoolTransaction) {
        for (versioned_hash, blob) in blobs(transaction) {
            self.holders.entry(versioned_hash).or_default().push((*transaction.hash(), blob));
        }
    }

    pub(crate) fn remove(&mut self, transaction: &PoolTransaction) {
        for (versioned_hash, _) in blobs(transaction) {
            if let Some(holders) = self.holders.get_mut(&versioned_hash) {
                holders.retain(|(hash, _)| hash != transaction.hash());
                if holders.is_empty() {
                    self.holders.remove(&versioned_hash);
                }
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.holders.len()
    }
}

fn blobs(transaction: &PoolTransaction) -> impl Iterator<Item = (B256, Blob)> {
    let hashes = transaction.transaction.blob_versioned_hashes().unwrap_or_default().iter().copied().enumerate();
    let sidecar = transaction.sidecar.clone();
    hashes.filter_map(move |(index, hash)| Some((hash, Blob { sidecar: sidecar.clone()?, index })))
}

/// Sidecars of transactions that a block included, oldest first: blocks do not carry them, and a reorganisation may
/// bring the transactions back. Bounded in bytes.
#[derive(Debug, Default)]
pub(crate) struct IncludedSidecars {
    sidecars: VecDeque<Included>,
    bytes: usize,
}

#[derive(Debug)]
struct Included {
    hash: B256,
    sidecar: Arc<BlobTransactionSidecarVariant>,
    bytes: usize,
}

impl IncludedSidecars {
    pub(crate) fn keep(&mut self, transaction: &PoolTransaction, bytes_max: usize) {
        let Some(sidecar) = transaction.sidecar.clone() else { return };
        let (hash, bytes) = (*transaction.hash(), transaction.bytes);
        self.sidecars.push_back(Included { hash, sidecar, bytes });
        self.bytes += bytes;
        while self.bytes > bytes_max {
            let Some(oldest) = self.sidecars.pop_front() else { return };
            self.bytes -= oldest.bytes;
        }
    }

    pub(crate) fn take(&mut self, hash: &B256) -> Option<Arc<BlobTransactionSidecarVariant>> {
        let position = self.sidecars.iter().position(|included| included.hash == *hash)?;
        let included = self.sidecars.remove(position)?;
        self.bytes -= included.bytes;
        Some(included.sidecar)
    }
}
