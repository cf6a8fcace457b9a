//! Every updated account as it is after a block.

use crate::{Updates, arena::Arena};
use alloy_primitives::{B256, U256};
use balsa_state::Account;
use std::fmt;

/// Accounts after a block, in the order of the updates, whose keys are theirs; `None` where there is none.
///
/// Most are accounts without code and storage, of which nothing but nonce and balance is kept. These lie in one piece, which
/// threads fill side by side: as words, since the system gives zeros, and then everything is written once. Of a full build
/// that is a fifth of what all fields would take, and giving a program so much memory takes longer than to fill it: with all
/// fields and the keys, builds took a tenth longer.
#[derive(Clone, Default)]
pub struct AccountsAfter {
    entries: Vec<Entry>,
    /// Those that do not fit an entry, in the same order, as shares made them.
    others: Vec<Vec<Account>>,
}

/// Nonce, balance, and what it is: [`GONE`], [`PLAIN`], or [`OTHER`] and above, which is its number among the others of a share.
pub(crate) type Entry = [u64; 4];

const GONE: u64 = 0;
const PLAIN: u64 = 1;
const OTHER: u64 = 2;

/// The accounts of a share in the making.
#[derive(Debug, Default)]
pub(crate) struct ShareAccounts<'a> {
    entries: &'a mut [Entry],
    others: Vec<Account>,
}

/// An account that is there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AccountRef<'a> {
    /// Without code and storage, and with a balance of 128 bits at most.
    Plain(&'a Entry),
    Other(&'a Account),
}

impl AccountsAfter {
    /// Room for so many, all of which are written soon.
    pub(crate) fn room_for(count: usize, arena: &Arena) -> Self {
        let entries = bytemuck::allocation::zeroed_vec(count);
        arena.will_fill(&entries);
        Self { entries, others: Vec::new() }
    }

    pub(crate) fn entries_mut(&mut self) -> &mut [Entry] {
        &mut self.entries
    }

    /// Takes what a share has besides its entries, after those of the shares before it.
    pub(crate) fn push_others(&mut self, others: Vec<Account>) {
        if !others.is_empty() {
            self.others.push(others);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was updated.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<Account>> + '_ {
        let mut others = self.others.iter().flatten();
        self.entries.iter().map(move |entry| match entry[3] {
            GONE => None,
            PLAIN => Some(plain(entry)),
            _ => others.next().copied(),
        })
    }

    /// All of them with their keys, where `updates` are those that they come from.
    pub fn with_keys<'a>(
        &'a self,
        updates: &'a Updates,
    ) -> impl ExactSizeIterator<Item = (B256, Option<Account>)> + 'a {
        debug_assert_eq!(self.len(), updates.accounts.len(), "they come from others");
        updates.accounts.iter().map(|update| update.address_hash).zip(self.iter())
    }
}

impl PartialEq for AccountsAfter {
    /// Whether they are the same accounts, however they came about.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for AccountsAfter {}

impl fmt::Debug for AccountsAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> ShareAccounts<'a> {
    /// Where entries are zeros.
    pub(crate) fn new(entries: &'a mut [Entry]) -> Self {
        Self { entries, others: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Writes number `n`, an account without code and storage: nonce and balance.
    #[inline]
    pub(crate) fn write_plain(&mut self, n: usize, [nonce, low, high]: [u64; 3]) {
        self.entries[n] = [nonce, low, high, PLAIN];
    }

    /// Writes number `n`, which comes after those that were written; `gets_storage` where its storage root may be set later.
    pub(crate) fn write(&mut self, n: usize, account: Option<&Account>, gets_storage: bool) {
        let Some(account) = account else { return };
        let [low, high, third, fourth] = *account.balance.as_limbs();
        let plain = Account { nonce: account.nonce, balance: account.balance, ..Account::default() };
        self.entries[n] = if !gets_storage && third | fourth == 0 && *account == plain {
            [account.nonce, low, high, PLAIN]
        } else {
            self.others.push(*account);
            [0, 0, 0, OTHER + self.others.len() as u64 - 1]
        };
    }

    #[inline]
    pub(crate) fn get(&self, n: usize) -> Option<AccountRef<'_>> {
        let entry = &self.entries[n];
        match entry[3] {
            GONE => None,
            PLAIN => Some(AccountRef::Plain(entry)),
            other => Some(AccountRef::Other(&self.others[(other - OTHER) as usize])),
        }
    }

    /// Sets the storage root of one that was written to get one.
    pub(crate) fn set_storage_root(&mut self, n: usize, root: B256) {
        let number = self.entries[n][3].checked_sub(OTHER).expect("it gets storage");
        self.others[number as usize].storage_root = root;
    }

    /// What does not fit the entries.
    pub(crate) fn into_others(self) -> Vec<Account> {
        self.others
    }
}

impl AccountRef<'_> {
    #[inline]
    pub(crate) fn account(&self) -> Account {
        match self {
            Self::Plain(entry) => plain(entry),
            Self::Other(account) => **account,
        }
    }

    #[inline]
    pub(crate) fn storage_root(&self) -> B256 {
        match self {
            Self::Plain(_) => balsa_state::EMPTY_ROOT,
            Self::Other(account) => account.storage_root,
        }
    }
}

#[inline]
fn plain([nonce, low, high, _]: &Entry) -> Account {
    Account { nonce: *nonce, balance: U256::from_limbs([*low, *high, 0, 0]), ..Account::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HeapMemory;
    use std::sync::Arc;

    #[test]
    fn accounts_come_out_as_they_were_written() {
        let plain = Account { nonce: u64::MAX, balance: U256::from(u128::MAX), ..Account::default() };
        let rich = Account { balance: plain.balance + U256::from(1), ..plain };
        let with_code = Account { code_hash: B256::repeat_byte(6), ..plain };
        let with_storage = Account { storage_root: B256::repeat_byte(5), ..plain };
        let moved = Account { storage_root: B256::repeat_byte(7), ..plain };
        let expected = [Some(rich), None, Some(plain), Some(with_code), Some(Account::default()), Some(moved)];
        let mut accounts = AccountsAfter::room_for(6, &Arena::new(Arc::new(HeapMemory)));
        let (first, second) = accounts.entries_mut().split_at_mut(3);
        let mut first = ShareAccounts::new(first);
        for (n, account) in [Some(rich), None, Some(plain)].iter().enumerate() {
            first.write(n, account.as_ref(), false);
        }
        let mut second = ShareAccounts::new(second);
        second.write(0, Some(&with_code), false);
        second.write(1, Some(&Account::default()), false);
        second.write(2, Some(&plain), true);
        for written in [plain, with_storage, moved] {
            second.set_storage_root(2, written.storage_root);
            let found = second.get(2).unwrap();
            assert_eq!((found.account(), found.storage_root()), (written, written.storage_root));
        }
        let found = [first.get(0), first.get(1), first.get(2), second.get(0), second.get(1), second.get(2)];
        assert_eq!(found.map(|found| found.map(|found| found.account())), expected);
        assert_eq!(first.get(2).unwrap().storage_root(), plain.storage_root);
        for others in [first.into_others(), second.into_others()] {
            accounts.push_others(others);
        }
        assert!(accounts.iter().eq(expected));
        assert_eq!((accounts.len(), accounts.is_empty(), accounts.iter().len()), (6, false, 6));
        assert!(format!("{accounts:?}").contains("None"));
        assert!(AccountsAfter::default().is_empty());
    }
}
