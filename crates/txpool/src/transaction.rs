//! A transaction that the pool holds.

use std::sync::Arc;

use alloy_consensus::Transaction as _;
use alloy_eips::{eip2718::Encodable2718, eip7594::BlobTransactionSidecarVariant};
use alloy_primitives::{Address, B256, U256};
use balsa_chainspec::GAS_PER_BLOB;
use balsa_evm::Transaction;

use crate::{PoolError, decode};

/// A transaction with its sender, judged by every rule that needs no state. Immutable.
#[derive(Clone, Debug)]
pub struct PoolTransaction {
    /// As it stands in blocks: blobs by their hashes only.
    pub transaction: Transaction,
    /// Blobs, commitments and proofs of a type-3 transaction.
    pub sidecar: Option<Arc<BlobTransactionSidecarVariant>>,
    /// Recovered from the signature.
    pub sender: Address,
    /// Value and all fees at their maximum, in wei.
    pub cost: U256,
    /// Length of the encoding, the sidecar included.
    pub bytes: usize,
    /// Recovered signers of its authorizations (EIP-7702).
    pub authorities: Vec<Address>,
    /// Order of arrival.
    pub sequence: u64,
}

impl PoolTransaction {
    /// The transaction's hash.
    pub fn hash(&self) -> &B256 {
        self.transaction.tx_hash()
    }

    /// The sender's count of transactions before it.
    pub fn nonce(&self) -> u64 {
        self.transaction.nonce()
    }

    /// Whether it carries blobs (EIP-4844).
    pub fn has_blobs(&self) -> bool {
        self.transaction.is_eip4844()
    }

    /// How many blobs it carries.
    pub fn blob_count(&self) -> u64 {
        self.transaction.blob_versioned_hashes().map_or(0, |hashes| hashes.len() as u64)
    }

    /// What the fee recipient gets at this base fee, in wei a gas; below zero if the base fee is not paid.
    pub(crate) fn tip(&self, base_fee: u64) -> i128 {
        let signed = |fee: u128| i128::try_from(fee).unwrap_or(i128::MAX);
        let priority_fee = signed(self.transaction.max_priority_fee_per_gas().unwrap_or(u128::MAX));
        priority_fee.min(signed(self.transaction.max_fee_per_gas()) - i128::from(base_fee))
    }

    /// The EIP-2718 encoding for the network: with the sidecar, if it has one.
    pub fn encoded(&self) -> Vec<u8> {
        match &self.sidecar {
            Some(sidecar) => decode::with_sidecar(&self.transaction, (**sidecar).clone()),
            None => self.transaction.encoded_2718(),
        }
    }
}

/// The most that a transaction can take from its sender.
pub(crate) fn cost(transaction: &Transaction) -> Result<U256, PoolError> {
    let gas = U256::from(transaction.gas_limit()).checked_mul(U256::from(transaction.max_fee_per_gas()));
    let blobs = transaction.blob_versioned_hashes().map_or(0, |hashes| hashes.len() as u64);
    let blob_gas = U256::from(blobs) * U256::from(GAS_PER_BLOB);
    let blob_fee = blob_gas.checked_mul(U256::from(transaction.max_fee_per_blob_gas().unwrap_or_default()));
    let fees = gas.zip(blob_fee).and_then(|(gas, blobs)| gas.checked_add(blobs));
    fees.and_then(|fees| fees.checked_add(transaction.value())).ok_or(PoolError::CostOverflow)
}
