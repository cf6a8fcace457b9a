//! A block in progress on the sequential path.

use std::collections::HashMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use balsa_keccak::keccak256;
use foldhash::fast::RandomState;

use crate::{Account, AccountInfo, EMPTY_ROOT, State, StateError, StateView, ViewAccount};

/// What the transactions so far wrote, over the state after the parent block.
pub struct BlockState<'a> {
    parent: &'a State,
    accounts: HashMap<Address, BlockAccount, RandomState>,
    codes: HashMap<B256, Bytes, RandomState>,
}

/// One account that was read or written in this block.
struct BlockAccount {
    address_hash: B256,
    parent: Option<Account>,
    info: Option<AccountInfo>,
    /// The parent's storage is gone; only `slots` counts.
    storage_cleared: bool,
    slots: HashMap<U256, BlockSlot, RandomState>,
}

/// One slot that was read or written in this block.
struct BlockSlot {
    parent: U256,
    value: U256,
}

/// What one transaction left behind of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written<'a> {
    /// The account after the transaction; `None` if it does not exist any more.
    pub info: Option<AccountInfo>,
    /// All storage that it had before the transaction is gone.
    pub storage_cleared: bool,
    /// Slots written, with their values after the transaction.
    pub slots: Vec<(U256, U256)>,
    /// Code that was set, with its hash.
    pub code: Option<(B256, &'a [u8])>,
}

/// What the block made of one account, net.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedAccount {
    /// keccak256 of the address.
    pub address_hash: B256,
    /// After the block; `None` if the account does not exist any more.
    pub info: Option<AccountInfo>,
    /// All storage that the parent state had is gone.
    pub storage_cleared: bool,
    /// Slot hash and value, ascending; only those that differ from the parent, or from zero if storage was cleared.
    pub slots: Vec<(B256, U256)>,
}

impl<'a> BlockState<'a> {
    /// Starts on the state after the parent block.
    pub fn new(parent: &'a State) -> Self {
        Self { parent, accounts: HashMap::default(), codes: HashMap::default() }
    }

    /// Takes over what a transaction left behind of an account.
    pub fn write(&mut self, address: &Address, written: Written<'_>) -> Result<(), StateError> {
        if let Some((hash, code)) = written.code {
            self.codes.entry(hash).or_insert_with(|| Bytes::copy_from_slice(code));
        }
        let parent = self.parent;
        let account = self.load(address)?;
        account.info = written.info;
        if written.storage_cleared {
            account.storage_cleared = true;
            account.slots.clear();
        }
        for (slot, value) in written.slots {
            account.slot(parent, &slot)?.value = value;
        }
        Ok(())
    }

    /// What the block changed so far: accounts ascending by hash, and the code that they name for the first time.
    pub fn changes(&self) -> (Vec<ChangedAccount>, Vec<(B256, Bytes)>) {
        let mut changed: Vec<_> = self.accounts.values().filter_map(BlockAccount::change).collect();
        changed.sort_unstable_by_key(|account| account.address_hash);
        let mut new_codes: Vec<_> = self.accounts.values().filter_map(|account| self.new_code(account)).collect();
        new_codes.sort_unstable_by_key(|(hash, _)| *hash);
        new_codes.dedup_by_key(|(hash, _)| *hash);
        (changed, new_codes)
    }

    /// Every account that the block reached so far, and its slots, in no order.
    pub fn reached(&self) -> impl Iterator<Item = (Address, Vec<U256>)> {
        self.accounts.iter().map(|(address, account)| (*address, account.slots.keys().copied().collect()))
    }

    /// The account's code, if the block gave it one that it did not have.
    fn new_code(&self, account: &BlockAccount) -> Option<(B256, Bytes)> {
        let hash = account.info?.code_hash;
        if account.parent.is_some_and(|parent| parent.code_hash == hash) {
            return None;
        }
        Some((hash, self.codes.get(&hash)?.clone()))
    }

    fn load(&mut self, address: &Address) -> Result<&mut BlockAccount, StateError> {
        use std::collections::hash_map::Entry;
        match self.accounts.entry(*address) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => {
                let address_hash = keccak256(address.as_slice());
                let parent = self.parent.account(&address_hash)?;
                Ok(new.insert(BlockAccount {
                    address_hash,
                    parent,
                    info: parent.map(|account| account.info()),
                    storage_cleared: false,
                    slots: HashMap::default(),
                }))
            }
        }
    }
}

impl BlockAccount {
    fn slot(&mut self, parent: &State, slot: &U256) -> Result<&mut BlockSlot, StateError> {
        use std::collections::hash_map::Entry;
        let has_parent_storage =
            !self.storage_cleared && self.parent.is_some_and(|account| account.storage_root != EMPTY_ROOT);
        match self.slots.entry(*slot) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => {
                let value = if has_parent_storage {
                    parent.slot(&self.address_hash, &keccak256(&slot.to_be_bytes::<32>()))?
                } else {
                    U256::ZERO
                };
                Ok(new.insert(BlockSlot { parent: value, value }))
            }
        }
    }

    fn has_storage(&self) -> bool {
        let parent = !self.storage_cleared && self.parent.is_some_and(|account| account.storage_root != EMPTY_ROOT);
        parent || self.slots.values().any(|slot| !slot.value.is_zero())
    }

    fn change(&self) -> Option<ChangedAccount> {
        let before = self.parent.map(|parent| parent.info());
        let had_storage = self.parent.is_some_and(|account| account.storage_root != EMPTY_ROOT);
        let storage_cleared = self.storage_cleared && had_storage;
        let changed = self.slots.iter().filter(|(_, slot)| slot.value != slot.parent);
        let mut slots: Vec<_> =
            changed.map(|(slot, changed)| (keccak256(&slot.to_be_bytes::<32>()), changed.value)).collect();
        if before == self.info && slots.is_empty() && !storage_cleared {
            return None;
        }
        slots.sort_unstable_by_key(|(hash, _)| *hash);
        Some(ChangedAccount { address_hash: self.address_hash, info: self.info, storage_cleared, slots })
    }
}

impl StateView for BlockState<'_> {
    fn account(&mut self, address: &Address) -> Result<Option<ViewAccount>, StateError> {
        let account = self.load(address)?;
        let Some(info) = account.info else { return Ok(None) };
        // Only an account without nonce and code can be created upon; for any other the answer is never asked for.
        let may_collide = info.nonce == 0 && info.code_hash == crate::EMPTY_CODE_HASH;
        Ok(Some(ViewAccount { info, has_storage: may_collide && account.has_storage(), ordinal: None }))
    }

    fn storage(&mut self, address: &Address, _ordinal: Option<u32>, slot: &U256) -> Result<U256, StateError> {
        let parent = self.parent;
        Ok(self.load(address)?.slot(parent, slot)?.value)
    }

    fn code(&mut self, code_hash: &B256) -> Result<Bytes, StateError> {
        match self.codes.get(code_hash) {
            Some(code) => Ok(code.clone()),
            None => self.parent.code(code_hash),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{MemoryStore, StateDiff, StorageDiff};

    const ADDRESS: Address = Address::repeat_byte(1);

    /// A parent state with one account of nonce 1 whose slot 1 holds 10.
    fn parent() -> State {
        let root = B256::repeat_byte(9);
        let account = Account { nonce: 1, storage_root: root, ..Account::default() };
        let address_hash = keccak256(ADDRESS.as_slice());
        let slots = vec![(keccak256(&U256::from(1).to_be_bytes::<32>()), U256::from(10))];
        let mut store = MemoryStore::default();
        store.apply(&StateDiff {
            accounts: vec![(address_hash, Some(account))],
            storage: vec![StorageDiff { address_hash, cleared: false, slots }],
            codes: Vec::new(),
        });
        State::new(Arc::new(store))
    }

    fn info(nonce: u64) -> Option<AccountInfo> {
        Some(AccountInfo { nonce, ..AccountInfo::default() })
    }

    fn slot_value(state: &mut BlockState<'_>, slot: u64) -> U256 {
        state.storage(&ADDRESS, None, &U256::from(slot)).unwrap()
    }

    #[test]
    fn net_change_leaves_out_what_came_back() {
        let parent = parent();
        let mut state = BlockState::new(&parent);
        let set = |value: u64| Written {
            info: info(1),
            slots: vec![(U256::from(1), U256::from(value))],
            ..Default::default()
        };
        state.write(&ADDRESS, set(11)).unwrap();
        assert_eq!(slot_value(&mut state, 1), U256::from(11));
        state.write(&ADDRESS, set(10)).unwrap();
        assert_eq!(state.changes().0, Vec::new());
    }

    #[test]
    fn cleared_storage_forgets_the_parent() {
        let parent = parent();
        let mut state = BlockState::new(&parent);
        assert_eq!(slot_value(&mut state, 1), U256::from(10));
        state.write(&ADDRESS, Written { storage_cleared: true, ..Default::default() }).unwrap();
        assert_eq!(state.account(&ADDRESS).unwrap(), None);
        assert_eq!(slot_value(&mut state, 1), U256::ZERO);
        let slots = vec![(U256::from(2), U256::from(5))];
        state.write(&ADDRESS, Written { info: info(7), slots, ..Default::default() }).unwrap();
        let (changes, _) = state.changes();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].info, info(7));
        assert!(changes[0].storage_cleared);
        assert_eq!(changes[0].slots, vec![(keccak256(&U256::from(2).to_be_bytes::<32>()), U256::from(5))]);
    }
}
