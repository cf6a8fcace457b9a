//! Every updated account as it is after a block.

use crate::arena::Arena;
use alloy_primitives::{B256, U256};
use balsa_state::Account;
use std::fmt;

/// Accounts after a block, by address hash, in the order of the updates; `None` where there is none.
///
/// They lie in one piece, which threads fill side by side. As words, since the system gives zeros, and then everything is
/// written once: of a full build these are hundreds of megabytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AccountsAfter(Vec<AccountWords>);

/// Address hash, whether there is an account, nonce, balance, storage root, code hash.
pub(crate) type AccountWords = [u64; 18];

const PRESENT: usize = 4;
const NONCE: usize = 5;
const BALANCE: usize = 6;
const STORAGE_ROOT: usize = 10;
const CODE_HASH: usize = 14;

impl AccountsAfter {
    /// Room for so many, all of which are written soon.
    pub(crate) fn room_for(count: usize, arena: &Arena) -> Self {
        let words = bytemuck::allocation::zeroed_vec(count);
        arena.will_fill(&words);
        Self(words)
    }

    pub(crate) fn words_mut(&mut self) -> &mut [AccountWords] {
        &mut self.0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was updated.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (B256, Option<Account>)> + '_ {
        self.0.iter().map(|words| (hash_at(words, 0), account(words)))
    }

    /// All of them, as a list.
    pub fn to_vec(&self) -> Vec<(B256, Option<Account>)> {
        self.iter().collect()
    }
}

impl fmt::Debug for AccountsAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Writes an account where there are zeros.
pub(crate) fn write(words: &mut AccountWords, address_hash: &B256, account: Option<&Account>) {
    set_hash(words, 0, address_hash);
    let Some(Account { nonce, balance, storage_root, code_hash }) = account else { return };
    (words[PRESENT], words[NONCE]) = (1, *nonce);
    words[BALANCE..STORAGE_ROOT].copy_from_slice(balance.as_limbs());
    set_hash(words, STORAGE_ROOT, storage_root);
    set_hash(words, CODE_HASH, code_hash);
}

/// The account, if there is one.
#[inline]
pub(crate) fn account(words: &AccountWords) -> Option<Account> {
    let balance = || U256::from_limbs([words[BALANCE], words[BALANCE + 1], words[BALANCE + 2], words[BALANCE + 3]]);
    is_present(words).then(|| Account {
        nonce: words[NONCE],
        balance: balance(),
        storage_root: storage_root(words),
        code_hash: hash_at(words, CODE_HASH),
    })
}

#[inline]
pub(crate) fn is_present(words: &AccountWords) -> bool {
    words[PRESENT] != 0
}

/// The storage root of an account that is there.
#[inline]
pub(crate) fn storage_root(words: &AccountWords) -> B256 {
    hash_at(words, STORAGE_ROOT)
}

pub(crate) fn set_storage_root(words: &mut AccountWords, root: &B256) {
    set_hash(words, STORAGE_ROOT, root);
}

#[inline]
fn hash_at(words: &AccountWords, at: usize) -> B256 {
    B256::new(bytemuck::cast([words[at], words[at + 1], words[at + 2], words[at + 3]]))
}

#[inline]
fn set_hash(words: &mut AccountWords, at: usize, hash: &B256) {
    words[at..at + 4].copy_from_slice(&bytemuck::cast::<[u8; 32], [u64; 4]>(hash.0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HeapMemory;
    use std::sync::Arc;

    #[test]
    fn accounts_come_out_as_they_were_written() {
        let full = Account {
            nonce: u64::MAX,
            balance: U256::from_limbs([1, 2, 3, 4]),
            storage_root: B256::repeat_byte(5),
            code_hash: B256::repeat_byte(6),
        };
        let mut moved = full;
        moved.storage_root = B256::repeat_byte(7);
        let expected = [
            (B256::repeat_byte(1), Some(full)),
            (B256::repeat_byte(2), None),
            (B256::repeat_byte(3), Some(Account::default())),
            (B256::repeat_byte(4), Some(moved)),
        ];
        let mut accounts = AccountsAfter::room_for(4, &Arena::new(Arc::new(HeapMemory)));
        for (words, (key, account)) in accounts.words_mut().iter_mut().zip(&expected) {
            write(words, key, account.as_ref());
        }
        set_storage_root(&mut accounts.words_mut()[3], &moved.storage_root);
        assert_eq!(accounts.to_vec(), expected);
        assert_eq!((accounts.len(), accounts.is_empty()), (4, false));
        assert!(format!("{accounts:?}").contains("None"));
        assert!(AccountsAfter::default().is_empty());
    }
}
