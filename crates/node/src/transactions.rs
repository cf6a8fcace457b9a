//! Transactions that users send and ask for.

use alloy_primitives::B256;
use balsa_chain::{FoundTransaction, LookupError};
use balsa_storage::BlockPointer;
use balsa_txindex::IndexError;
use balsa_txpool::{Admitted, PoolError, decode};
use thiserror::Error;

use crate::Node;

/// A transaction could not be looked up.
#[derive(Debug, Error)]
pub enum TransactionLookupError {
    /// The chain could not be read.
    #[error(transparent)]
    Chain(#[from] LookupError),
    /// The index could not be read.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl Node {
    /// Takes in a transaction in the encoding of `eth_sendRawTransaction`, and tells those who listen.
    ///
    /// # Errors
    /// The pool's own. One that the index of directories knows is answered without a look at its sender.
    pub fn send_raw_transaction(&self, bytes: &[u8]) -> Result<Admitted, PoolError> {
        let raw = decode(bytes)?;
        if let Some(index) = &self.0.index
            && index.may_contain(raw.hash())
            && matches!(self.transaction(raw.hash()), Ok(Some(_)))
        {
            return Err(PoolError::AlreadyKnown);
        }
        let admitted = self.0.pool.add_decoded(raw)?;
        if let Some(transaction) = self.0.pool.get(&admitted.hash) {
            self.0.transactions.publish(&transaction);
        }
        Ok(admitted)
    }

    /// Where a canonical transaction is: in memory, in the engine's table, or in the index of directories if there is one.
    ///
    /// # Errors
    /// If the chain or the index cannot be read.
    pub fn transaction(&self, hash: &B256) -> Result<Option<FoundTransaction>, TransactionLookupError> {
        let view = self.view();
        let Some(index) = &self.0.index else { return Ok(view.transaction(hash)?) };
        let Some(position) = index.position(hash)? else { return Ok(None) };
        let Some(block_hash) = view.canonical_hash(position.block_number)? else { return Ok(None) };
        let Some(block) = view.block(&block_hash)? else { return Ok(None) };
        // After a crash the index may name a block that is not canonical any more.
        let position_in_block = position.index as usize;
        let is_there = block.transactions.get(position_in_block).is_some_and(|found| found.tx_hash() == hash);
        let block = BlockPointer { number: position.block_number, hash: block_hash };
        Ok(is_there.then_some(FoundTransaction { block, index: position_in_block }))
    }
}
