//! Whether a body fits its header. Nothing here needs state.

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Transaction as _};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::B256;
use balsa_chainspec::{Fork, GAS_PER_BLOB, Rules};
use balsa_keccak::keccak256;
use balsa_trie::ordered_root;
use thiserror::Error;

use crate::SealedBlock;

/// A body that does not fit its header. One variant a rule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BodyError {
    /// EIP-7934.
    #[error("block of {len} bytes is above the limit of {max}")]
    Size {
        /// Length of its RLP.
        len: usize,
        /// The fork's limit.
        max: usize,
    },
    /// Root of the transactions.
    #[error("transactions root is {found}, the header says {header}")]
    TransactionsRoot {
        /// Of the body.
        found: B256,
        /// In the header.
        header: B256,
    },
    /// Hash of the ommers.
    #[error("ommers hash is {found}, the header says {header}")]
    OmmersHash {
        /// Of the body.
        found: B256,
        /// In the header.
        header: B256,
    },
    /// More ommers than two, or any after the merge.
    #[error("{0} ommers")]
    OmmersCount(usize),
    /// Withdrawals missing from Shanghai on, or there before (EIP-4895).
    #[error("withdrawals present: {present}, expected: {expected}")]
    WithdrawalsPresence {
        /// In the body.
        present: bool,
        /// By the fork.
        expected: bool,
    },
    /// Root of the withdrawals.
    #[error("withdrawals root is {found}, the header says {header}")]
    WithdrawalsRoot {
        /// Of the body.
        found: B256,
        /// In the header.
        header: B256,
    },
    /// Blob gas of the transactions against the header (EIP-4844).
    #[error("blob gas of the transactions is {found}, the header says {header}")]
    BlobGasUsed {
        /// Of the transactions.
        found: u64,
        /// In the header.
        header: u64,
    },
    /// More blobs than a block may carry (EIP-4844).
    #[error("blob gas of the transactions is {found}, the block's limit is {max}")]
    BlobGasLimit {
        /// Of the transactions.
        found: u64,
        /// By the fork.
        max: u64,
    },
}

/// Compares each part of the body with what the header commits to.
///
/// # Errors
/// The first rule that does not hold.
pub fn check_body(rules: &Rules, block: &SealedBlock) -> Result<(), BodyError> {
    check_size(rules, block)?;
    check_transactions(block)?;
    check_ommers(rules, block)?;
    check_withdrawals(rules, block)?;
    check_blobs(rules, block)
}

fn check_size(rules: &Rules, block: &SealedBlock) -> Result<(), BodyError> {
    match rules.block_bytes_max {
        Some(max) if block.rlp_len > max => Err(BodyError::Size { len: block.rlp_len, max }),
        _ => Ok(()),
    }
}

fn check_transactions(block: &SealedBlock) -> Result<(), BodyError> {
    let encoded: Vec<Vec<u8>> = block.transactions.iter().map(|transaction| transaction.encoded_2718()).collect();
    let (found, header) = (ordered_root(&encoded), block.header.transactions_root);
    if found == header { Ok(()) } else { Err(BodyError::TransactionsRoot { found, header }) }
}

fn check_ommers(rules: &Rules, block: &SealedBlock) -> Result<(), BodyError> {
    let count_max = if rules.has(Fork::Paris) { 0 } else { 2 };
    if block.ommers.len() > count_max {
        return Err(BodyError::OmmersCount(block.ommers.len()));
    }
    let header = block.header.ommers_hash;
    let found =
        if block.ommers.is_empty() { EMPTY_OMMER_ROOT_HASH } else { keccak256(&alloy_rlp::encode(&block.ommers)) };
    if found == header { Ok(()) } else { Err(BodyError::OmmersHash { found, header }) }
}

fn check_withdrawals(rules: &Rules, block: &SealedBlock) -> Result<(), BodyError> {
    let (present, expected) = (block.withdrawals.is_some(), rules.has(Fork::Shanghai));
    if present != expected {
        return Err(BodyError::WithdrawalsPresence { present, expected });
    }
    let Some((withdrawals, header)) = block.withdrawals.as_ref().zip(block.header.withdrawals_root) else {
        return Ok(());
    };
    let encoded: Vec<Vec<u8>> = withdrawals.iter().map(alloy_rlp::encode).collect();
    let found = ordered_root(&encoded);
    if found == header { Ok(()) } else { Err(BodyError::WithdrawalsRoot { found, header }) }
}

fn check_blobs(rules: &Rules, block: &SealedBlock) -> Result<(), BodyError> {
    let blobs = |transaction: &balsa_evm::Transaction| transaction.blob_count().unwrap_or(0);
    let found = block.transactions.iter().map(blobs).sum::<u64>() * GAS_PER_BLOB;
    let max = rules.blobs.map_or(0, |blobs| blobs.max_blob_gas());
    if found > max && rules.blobs.is_some() {
        return Err(BodyError::BlobGasLimit { found, max });
    }
    match block.header.blob_gas_used {
        Some(header) if header != found => Err(BodyError::BlobGasUsed { found, header }),
        _ => Ok(()),
    }
}
