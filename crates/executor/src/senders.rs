//! Who sent each transaction: recovered from signatures, in parallel and in no order.

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U256, uint};
use balsa_chainspec::{Fork, Rules};
use balsa_evm::Transaction;
use rayon::prelude::*;
use thiserror::Error;

use crate::InvalidBlock;

/// Half the order of secp256k1, rounded down: the largest `s` that EIP-2 allows.
const HALF_ORDER: U256 = uint!(0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0_U256);

/// A signature that names no sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SenderError {
    /// EIP-2.
    #[error("signature's s is in the upper half")]
    HighS,
    /// No point on the curve, or a value out of range.
    #[error("signature does not recover")]
    Unrecoverable,
    /// EIP-155 before its fork, or another chain's id.
    #[error("chain id {0} is not this chain's")]
    ChainId(u64),
}

/// The sender of each transaction, on the current rayon pool.
///
/// # Errors
/// The fault of the first transaction, in order, that has one.
pub fn recover_senders(rules: &Rules, transactions: &[Transaction]) -> Result<Vec<Address>, InvalidBlock> {
    let senders: Vec<_> = transactions.par_iter().map(|transaction| recover_sender(rules, transaction)).collect();
    let indexed = senders.into_iter().enumerate();
    indexed.map(|(index, sender)| sender.map_err(|error| InvalidBlock::Sender { index, error })).collect()
}

/// The sender of one transaction.
pub fn recover_sender(rules: &Rules, transaction: &Transaction) -> Result<Address, SenderError> {
    if let Some(id) = transaction.chain_id()
        && (id != rules.chain_id || transaction.is_legacy() && !rules.has(Fork::SpuriousDragon))
    {
        return Err(SenderError::ChainId(id));
    }
    let signature = transaction.signature();
    if rules.has(Fork::Homestead) && signature.s() > HALF_ORDER {
        return Err(SenderError::HighS);
    }
    alloy_consensus::crypto::secp256k1::recover_signer_unchecked(signature, transaction.signature_hash())
        .map_err(|_| SenderError::Unrecoverable)
}
