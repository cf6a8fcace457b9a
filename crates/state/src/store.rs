//! What lies below the layers: flat state keyed by hashes.

use alloy_primitives::{B256, Bytes, U256};

use crate::{Account, StateError};

/// Persisted flat state, as of the last block that was flushed.
///
/// Keys are keccak256 of the address and of the slot's 32 big-endian bytes. The batch forms take keys in ascending
/// order, which is the order of the store, and call back once for every key, by its position.
pub trait FlatStore: Send + Sync {
    /// The account, `None` if it does not exist.
    fn account(&self, address_hash: &B256) -> Result<Option<Account>, StateError>;

    /// The value of a slot, zero if never written.
    fn slot(&self, address_hash: &B256, slot_hash: &B256) -> Result<U256, StateError>;

    /// Code by its hash; `None` if the store has never seen it.
    fn code(&self, code_hash: &B256) -> Result<Option<Bytes>, StateError>;

    /// Many accounts at once.
    fn accounts(
        &self,
        address_hashes: &[B256],
        found: &mut dyn FnMut(usize, Option<Account>),
    ) -> Result<(), StateError> {
        for (position, hash) in address_hashes.iter().enumerate() {
            found(position, self.account(hash)?);
        }
        Ok(())
    }

    /// Many slots of one account at once.
    fn slots(
        &self,
        address_hash: &B256,
        slot_hashes: &[B256],
        found: &mut dyn FnMut(usize, U256),
    ) -> Result<(), StateError> {
        for (position, hash) in slot_hashes.iter().enumerate() {
            found(position, self.slot(address_hash, hash)?);
        }
        Ok(())
    }
}
