//! Flat state and trie nodes as of a snapshot: the two seams to the layers above.

use alloy_primitives::{B256, Bytes, U256};
use balsa_state::{Account, FlatStore, StateError};
use balsa_trie::{Branch, NodeSource, Path, SourceError};

use crate::{Snapshot, StoreError, Table, schema, snapshot::decoded};

impl FlatStore for Snapshot {
    fn account(&self, address_hash: &B256) -> Result<Option<Account>, StateError> {
        let key = address_hash.as_slice();
        Ok(decoded(&self.view, Table::Accounts, key, schema::decode_account)?)
    }

    fn slot(&self, address_hash: &B256, slot_hash: &B256) -> Result<U256, StateError> {
        let key = schema::slot_key(address_hash, slot_hash);
        Ok(decoded(&self.view, Table::Slots, &key, schema::value_of_slot)?.unwrap_or_default())
    }

    fn code(&self, code_hash: &B256) -> Result<Option<Bytes>, StateError> {
        Ok(self.bytes(Table::Codes, code_hash.as_slice())?)
    }
}

impl NodeSource for Snapshot {
    fn account_branch(&self, path: &Path) -> Result<Option<Branch>, SourceError> {
        self.branch(Table::AccountBranches, &path.to_bytes()).map_err(source_error)
    }

    fn storage_branch(&self, address_hash: &B256, path: &Path) -> Result<Option<Branch>, SourceError> {
        self.branch(Table::StorageBranches, &schema::storage_path_key(address_hash, path)).map_err(source_error)
    }

    fn accounts_under(&self, prefix: &Path, limit: usize) -> Result<Vec<(B256, Account)>, SourceError> {
        self.read_accounts(prefix, limit).map_err(source_error)
    }

    fn slots_under(&self, address_hash: &B256, prefix: &Path, limit: usize) -> Result<Vec<(B256, U256)>, SourceError> {
        self.read_slots(address_hash, prefix, limit).map_err(source_error)
    }
}

impl Snapshot {
    fn branch(&self, table: Table, key: &[u8]) -> Result<Option<Branch>, StoreError> {
        let Some(row) = self.bytes(table, key)? else { return Ok(None) };
        match Branch::from_bytes(row) {
            Ok(branch) => Ok(Some(branch)),
            Err(_) => Err(StoreError::malformed(table, key)),
        }
    }

    fn read_accounts(&self, prefix: &Path, limit: usize) -> Result<Vec<(B256, Account)>, StoreError> {
        let (first, last) = (prefix.first_key(), prefix.last_key());
        let rows = self.view.rows(Table::Accounts, first.as_slice()..=last.as_slice());
        rows.take(limit)
            .map(|row| {
                let (key, value) = row?;
                let account = B256::try_from(&key[..]).ok().zip(schema::decode_account(&value));
                account.ok_or_else(|| StoreError::malformed(Table::Accounts, &key))
            })
            .collect()
    }

    fn read_slots(&self, address_hash: &B256, prefix: &Path, limit: usize) -> Result<Vec<(B256, U256)>, StoreError> {
        let first = schema::slot_key(address_hash, &prefix.first_key());
        let last = schema::slot_key(address_hash, &prefix.last_key());
        let rows = self.view.rows(Table::Slots, &first[..]..=&last[..]);
        rows.take(limit)
            .map(|row| {
                let (key, value) = row?;
                let slot_hash = key.get(32..).and_then(|hash| B256::try_from(hash).ok());
                let slot = slot_hash.zip(schema::value_of_slot(&value));
                slot.ok_or_else(|| StoreError::malformed(Table::Slots, &key))
            })
            .collect()
    }
}

fn source_error(error: StoreError) -> SourceError {
    SourceError(Box::new(error))
}
