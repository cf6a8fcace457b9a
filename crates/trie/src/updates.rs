//! What a block changed, as the trie takes it: partial accounts, since a block access list names only what changed.

use crate::{TrieError, error::TrieId};
use alloy_primitives::{Address, B256, U256};
use balsa_keccak::keccak256_many;
use balsa_state::Account;
use std::ops::Range;

/// The change of one account. `None` keeps what the account has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountUpdate {
    /// keccak256 of the address.
    pub address_hash: B256,
    /// Nonce after the block.
    pub nonce: Option<u64>,
    /// Balance after the block, in wei.
    pub balance: Option<U256>,
    /// keccak256 of the code after the block.
    pub code_hash: Option<B256>,
    /// The account of the parent state is gone, with its storage. The other fields then describe what stands in its
    /// place, counted from an empty account; with none of them, nothing does.
    pub destroyed: bool,
    /// The storage of the parent state is gone; `slots` are counted from an empty storage.
    pub storage_cleared: bool,
    /// Slots by keccak256 of the slot number, strictly ascending, with their value after the block; zero deletes.
    pub slots: Vec<(B256, U256)>,
}

/// The changes of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updates {
    /// By address hash, strictly ascending.
    pub accounts: Vec<AccountUpdate>,
    /// Whether an updated account that is empty afterwards stays: so before EIP-161 (Spurious Dragon), and in a genesis.
    pub keep_empty: bool,
}

/// An account of a genesis allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenesisAccount {
    /// Its address.
    pub address: Address,
    /// Nonce.
    pub nonce: u64,
    /// In wei.
    pub balance: U256,
    /// keccak256 of the code; nothing for no code.
    pub code_hash: Option<B256>,
    /// Slot number and value, in any order, no slot twice; zeros are left out.
    pub slots: Vec<(U256, U256)>,
}

impl Updates {
    /// The updates that make the state of a genesis from the empty state. Accounts come in any order, none twice.
    pub fn of_genesis(alloc: impl IntoIterator<Item = GenesisAccount>) -> Self {
        let mut accounts: Vec<_> = alloc.into_iter().map(AccountUpdate::of_genesis).collect();
        accounts.sort_unstable_by_key(|account| account.address_hash);
        Self { accounts, keep_empty: true }
    }

    /// Whether accounts, and the slots of each, come one after the other.
    pub(crate) fn check_order(&self) -> Result<(), TrieError> {
        (0..self.accounts.len()).try_for_each(|i| {
            self.check_account(i)?;
            self.check_slots(i, 0..self.accounts[i].slots.len())
        })
    }

    /// Whether account number `i` comes after the one before it.
    pub(crate) fn check_account(&self, i: usize) -> Result<(), TrieError> {
        if i > 0 && self.accounts[i - 1].address_hash >= self.accounts[i].address_hash {
            return Err(TrieError::Unsorted { trie: TrieId::Accounts, index: i });
        }
        Ok(())
    }

    /// Whether each of these slots of account number `i` comes after the one before it.
    pub(crate) fn check_slots(&self, i: usize, slots: Range<usize>) -> Result<(), TrieError> {
        let AccountUpdate { address_hash, slots: all, .. } = &self.accounts[i];
        let start = slots.start.saturating_sub(1);
        match all[start..slots.end].windows(2).position(|pair| pair[0].0 >= pair[1].0) {
            Some(before) => {
                Err(TrieError::Unsorted { trie: TrieId::Storage(*address_hash), index: start + before + 1 })
            }
            None => Ok(()),
        }
    }
}

impl AccountUpdate {
    fn of_genesis(account: GenesisAccount) -> Self {
        let numbers: Vec<B256> = account.slots.iter().map(|(slot, _)| B256::from(*slot)).collect();
        let mut slots: Vec<_> = hashes(&numbers)
            .into_iter()
            .zip(account.slots)
            .map(|(hash, (_, value))| (hash, value))
            .filter(|(_, value)| !value.is_zero())
            .collect();
        slots.sort_unstable_by_key(|(hash, _)| *hash);
        Self {
            address_hash: alloy_primitives::keccak256(account.address),
            nonce: Some(account.nonce),
            balance: Some(account.balance),
            code_hash: account.code_hash,
            slots,
            ..Self::default()
        }
    }

    /// The account after this update, its storage root left as in `old`; `None` if it is gone or never was.
    pub(crate) fn applied(&self, old: Option<Account>, keep_empty: bool) -> Option<Account> {
        let old = old.filter(|_| !self.destroyed);
        let touched =
            self.nonce.is_some() || self.balance.is_some() || self.code_hash.is_some() || !self.slots.is_empty();
        if old.is_none() && !touched {
            return None;
        }
        let old = old.unwrap_or_default();
        let new = Account {
            nonce: self.nonce.unwrap_or(old.nonce),
            balance: self.balance.unwrap_or(old.balance),
            storage_root: old.storage_root,
            code_hash: self.code_hash.unwrap_or(old.code_hash),
        };
        (keep_empty || !new.info().is_empty()).then_some(new)
    }
}

/// keccak256 of each input.
fn hashes(inputs: &[B256]) -> Vec<B256> {
    let slices: Vec<&[u8]> = inputs.iter().map(|input| input.as_slice()).collect();
    let mut out = vec![B256::ZERO; inputs.len()];
    keccak256_many(&slices, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::KECCAK256_EMPTY;

    #[test]
    fn applied_counts_from_what_is_left() {
        let old = Account { nonce: 3, balance: U256::from(5), ..Account::default() };
        let nonce = |nonce| AccountUpdate { nonce: Some(nonce), ..AccountUpdate::default() };
        let check = |update: AccountUpdate, old, keep_empty, expected: Option<(u64, u64)>| {
            let found = update.applied(old, keep_empty).map(|a| (a.nonce, a.balance.to::<u64>()));
            assert_eq!(found, expected, "{update:?}");
        };
        check(nonce(4), Some(old), false, Some((4, 5)));
        check(AccountUpdate { destroyed: true, ..nonce(1) }, Some(old), false, Some((1, 0)));
        check(AccountUpdate { destroyed: true, ..AccountUpdate::default() }, Some(old), true, None);
        check(nonce(0), None, false, None);
        check(nonce(0), None, true, Some((0, 0)));
        check(AccountUpdate::default(), None, true, None);
        check(AccountUpdate { balance: Some(U256::ZERO), ..nonce(0) }, Some(old), false, None);
        let code = AccountUpdate { code_hash: Some(KECCAK256_EMPTY), ..nonce(0) };
        check(code, Some(Account { code_hash: B256::ZERO, nonce: 1, ..Account::default() }), false, None);
    }
}
