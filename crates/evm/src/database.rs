//! The bridge from our views to revm's `Database`.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use balsa_state::{EMPTY_CODE_HASH, StateError, StateView};
use revm::{
    Database,
    bytecode::Bytecode,
    database_interface::DBErrorMarker,
    state::{AccountId, AccountInfo},
};
use thiserror::Error;

use crate::{BlockHashes, CodeCache};

/// A [`StateError`] on its way through revm.
#[derive(Clone, Debug, Error)]
#[error(transparent)]
pub struct DatabaseError(#[from] pub(crate) StateError);

impl DBErrorMarker for DatabaseError {}

/// A view with what revm asks for beside state.
pub struct ViewDatabase<V> {
    pub(crate) view: V,
    hashes: Arc<BlockHashes>,
    codes: Arc<CodeCache>,
    /// Accounts without nonce and code, but with storage: creations there collide (EIP-7610). Nearly always empty.
    pub(crate) storage_only: Vec<Address>,
}

impl<V> ViewDatabase<V> {
    pub(crate) fn new(view: V, hashes: Arc<BlockHashes>, codes: Arc<CodeCache>) -> Self {
        Self { view, hashes, codes, storage_only: Vec::new() }
    }
}

impl<V: StateView> Database for ViewDatabase<V> {
    type Error = DatabaseError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, DatabaseError> {
        let Some(account) = self.view.account(&address)? else { return Ok(None) };
        let info = account.info;
        if account.has_storage && info.nonce == 0 && info.code_hash == EMPTY_CODE_HASH {
            self.storage_only.push(address);
        }
        Ok(Some(AccountInfo {
            balance: info.balance,
            nonce: info.nonce,
            code_hash: info.code_hash,
            account_id: account.ordinal.and_then(|ordinal| AccountId::new(ordinal as usize)),
            code: None,
        }))
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, DatabaseError> {
        if code_hash == EMPTY_CODE_HASH {
            return Ok(Bytecode::default());
        }
        Ok(self.codes.code(&code_hash, || self.view.code(&code_hash))?)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, DatabaseError> {
        Ok(self.view.storage(&address, None, &slot)?)
    }

    fn storage_by_account_id(&mut self, address: Address, id: AccountId, slot: U256) -> Result<U256, DatabaseError> {
        Ok(self.view.storage(&address, Some(id.get() as u32), &slot)?)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, DatabaseError> {
        Ok(self.hashes.of(number)?)
    }
}
