//! The pre-state of one block access index, made from the list.

use alloy_primitives::{Address, B256, Bytes, U256};

use crate::{AccountInfo, Columns, EMPTY_ROOT, StateError, StateView, ViewAccount};

/// State just before a block access index: what the list says was changed at lower indexes, over the parent's values
/// (EIP-7928). Reading a key that the list does not name is an error, and says so.
///
/// What the list says is a claim. It is proved when each index below has been run and found to make exactly the
/// changes listed for it, so nothing that comes of this view counts until all of them have.
#[derive(Clone, Copy)]
pub struct ListView<'a> {
    columns: &'a Columns,
    index: u32,
}

impl<'a> ListView<'a> {
    /// The view of block access index `index`.
    pub fn new(columns: &'a Columns, index: u32) -> Self {
        Self { columns, index }
    }

    /// The index that the view belongs to.
    pub fn index(&self) -> u32 {
        self.index
    }
}

impl StateView for ListView<'_> {
    fn account(&mut self, address: &Address) -> Result<Option<ViewAccount>, StateError> {
        let list = self.columns.list();
        let ordinal = list.ordinal(address).ok_or(StateError::UnlistedAccount(*address))?;
        let parent = self.columns.account(ordinal)?;
        let nonce = list.nonce_before(ordinal, self.index);
        let balance = list.balance_before(ordinal, self.index);
        let code = list.code_ordinal_before(ordinal, self.index);
        let is_changed = nonce.is_some() || balance.is_some() || code.is_some();
        if parent.is_none() && !is_changed {
            return Ok(None);
        }
        let before = parent.unwrap_or_default();
        let info = AccountInfo {
            nonce: nonce.unwrap_or(before.nonce),
            balance: balance.unwrap_or(before.balance),
            code_hash: code.map_or(before.code_hash, |code| self.columns.code_hash(code)),
        };
        // An account emptied earlier in the block does not exist (EIP-161); one that the parent holds does.
        if is_changed && info.is_empty() {
            return Ok(None);
        }
        Ok(Some(ViewAccount { info, has_storage: before.storage_root != EMPTY_ROOT, ordinal: Some(ordinal) }))
    }

    fn storage(&mut self, address: &Address, ordinal: Option<u32>, slot: &U256) -> Result<U256, StateError> {
        let list = self.columns.list();
        let ordinal = match ordinal {
            Some(ordinal) => ordinal,
            None => list.ordinal(address).ok_or(StateError::UnlistedAccount(*address))?,
        };
        let unlisted = StateError::UnlistedSlot { address: *address, slot: *slot };
        let slot_ordinal = list.slot_ordinal(ordinal, slot).ok_or(unlisted)?;
        match list.slot_before(slot_ordinal, self.index) {
            Some(value) => Ok(value),
            None => self.columns.slot(ordinal, slot_ordinal),
        }
    }

    fn code(&mut self, code_hash: &B256) -> Result<Bytes, StateError> {
        let list = self.columns.list();
        // Few codes are set in a block, and the caller keeps what it was given: a scan will do.
        match (0..list.codes_len() as u32).find(|code| self.columns.code_hash(*code) == *code_hash) {
            Some(code) => Ok(list.code(code)),
            None => self.columns.parent().code(code_hash),
        }
    }
}
