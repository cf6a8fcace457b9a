//! The trie against the flat state: the root and every branch record computed anew from the rows of accounts and slots.
//!
//! All tables are read once, in key order, with memory for one path. What a record says is held against what the rows
//! give as soon as the last row below it was read, so the first thing found is the deepest place that shows the fault.

use std::{
    collections::BTreeMap,
    iter::Peekable,
    ops::{Bound, ControlFlow},
};

use alloy_primitives::{B256, U256};
use balsa_trie::{Branch, Path, SortedRoot, TrieId};

use crate::{
    BlockPointer, Head, Snapshot, StoreError, Table,
    engine::{Row, View},
    schema,
};

/// Rows between two reports of progress.
const REPORT_ROWS: u64 = 4096;

/// How far a verification has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyProgress {
    /// Accounts whose storage is right.
    pub accounts: u64,
    /// Slots read.
    pub slots: u64,
    /// Branch records that are right.
    pub branches: u64,
    /// Key of the account that is read now.
    pub key: B256,
}

impl VerifyProgress {
    /// Accounts and slots together.
    pub fn rows(&self) -> u64 {
        self.accounts + self.slots
    }
}

/// Why a trie was not found right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyTrieError {
    /// It is wrong.
    #[error(transparent)]
    Wrong(#[from] WrongTrie),
    /// It is wrong: a row is not as FORMAT.md wants it.
    #[error(transparent)]
    Malformed(StoreError),
    /// The tables could not be read.
    #[error(transparent)]
    Store(StoreError),
    /// There is no state yet.
    #[error("the database holds no state yet: its creation was interrupted")]
    NoHead,
    /// The caller asked for an end.
    #[error("ended before all was read")]
    Stopped,
}

/// The first place at which the tables contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WrongTrie {
    /// The flat accounts are not those of the head.
    #[error(
        "state root of block {} {}: its header says {expected}, the flat state gives {found}", head.number, head.hash
    )]
    StateRoot {
        /// The head.
        head: BlockPointer,
        /// In its header.
        expected: B256,
        /// From the rows.
        found: B256,
    },
    /// An account's slots are not those that it names.
    #[error("storage root of account {address_hash}: its row says {expected}, its slots give {found}")]
    StorageRoot {
        /// keccak256 of the address.
        address_hash: B256,
        /// In the account's row.
        expected: B256,
        /// From the slots.
        found: B256,
    },
    /// A branch record does not say what the flat state gives.
    #[error("{trie}, path {path}: the branch record says {expected}, the flat state gives {found}")]
    Branch {
        /// The trie.
        trie: TrieId,
        /// The position of the record, and the child's where it is a child that differs.
        path: Path,
        /// In the record.
        expected: String,
        /// From the rows.
        found: String,
    },
    /// The flat state gives a branch that has no record.
    #[error("{trie}, path {path}: no branch record is stored, the flat state gives one")]
    MissingBranch {
        /// The trie.
        trie: TrieId,
        /// Where.
        path: Path,
    },
    /// There is a record that the flat state does not give.
    #[error("{trie}, path {path}: a branch record is stored, the flat state gives none")]
    ExtraBranch {
        /// The trie.
        trie: TrieId,
        /// Where.
        path: Path,
    },
    /// A slot of no account.
    #[error("account {address_hash}: slot {slot_hash} is stored, the account is not")]
    StraySlot {
        /// keccak256 of the address.
        address_hash: B256,
        /// keccak256 of the slot number.
        slot_hash: B256,
    },
}

impl From<StoreError> for VerifyTrieError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Malformed { .. } => Self::Malformed(error),
            other => Self::Store(other),
        }
    }
}

impl Snapshot {
    /// Computes the state root and all branch records from the flat state, and compares them with what is stored.
    /// `report` is called now and then, and ends it with [`ControlFlow::Break`].
    ///
    /// # Errors
    /// The first contradiction, or why there is no answer.
    pub fn verify_trie(
        &self,
        report: impl FnMut(&VerifyProgress) -> ControlFlow<()>,
    ) -> Result<VerifyProgress, VerifyTrieError> {
        let head = self.head().ok_or(VerifyTrieError::NoHead)?;
        let mut run = Run {
            view: &self.view,
            slots: rows(&self.view, Table::Slots, Vec::new(), None).peekable(),
            upcoming: None,
            progress: VerifyProgress::default(),
            unreported: 0,
            report,
        };
        run.seek_branches(Vec::new())?;
        run.accounts(&head)?;
        Ok(run.progress)
    }
}

type Rows<'a> = Box<dyn Iterator<Item = Result<Row, StoreError>> + 'a>;

fn rows(view: &View, table: Table, first: Vec<u8>, last: Option<Vec<u8>>) -> Rows<'_> {
    Box::new(view.rows_within(table, (Bound::Included(first), last.map_or(Bound::Unbounded, Bound::Included))))
}

struct Run<'a, F> {
    view: &'a View,
    /// Of all accounts.
    slots: Peekable<Rows<'a>>,
    /// The first key of a storage branch that no account was held against yet.
    upcoming: Option<Vec<u8>>,
    progress: VerifyProgress,
    unreported: u64,
    report: F,
}

impl<F: FnMut(&VerifyProgress) -> ControlFlow<()>> Run<'_, F> {
    fn accounts(&mut self, head: &Head) -> Result<(), VerifyTrieError> {
        let mut records = Records::new(self.view, Table::AccountBranches, TrieId::Accounts);
        let mut root = SortedRoot::default();
        for row in rows(self.view, Table::Accounts, Vec::new(), None) {
            let (key, value) = row?;
            let malformed = || VerifyTrieError::from(StoreError::malformed(Table::Accounts, &key));
            let address_hash = B256::try_from(&key[..]).map_err(|_| malformed())?;
            let account = schema::decode_account(&value).ok_or_else(malformed)?;
            self.progress.key = address_hash;
            self.step()?;
            self.storage(&address_hash, account.storage_root)?;
            root.add_account(&address_hash, &account, |path, branch| records.check(path, &branch))?;
            self.progress.accounts += 1;
        }
        self.no_storage_before(None)?;
        let found = root.root(|path, branch| records.check(path, &branch))?;
        self.progress.branches += records.finish()?;
        let expected = head.state_root;
        let head = head.pointer();
        if found == expected { Ok(()) } else { Err(WrongTrie::StateRoot { head, expected, found }.into()) }
    }

    /// The slots of an account and the records over them.
    fn storage(&mut self, address_hash: &B256, expected: B256) -> Result<(), VerifyTrieError> {
        self.no_storage_before(Some(address_hash))?;
        let mut records = Records::new(self.view, Table::StorageBranches, TrieId::Storage(*address_hash));
        let mut root = SortedRoot::default();
        while let Some((slot_hash, value)) = self.next_slot(address_hash)? {
            root.add_slot(&slot_hash, &value, |path, branch| records.check(path, &branch))?;
            self.progress.slots += 1;
            self.step()?;
        }
        let found = root.root(|path, branch| records.check(path, &branch))?;
        if self.upcoming.as_ref().is_some_and(|key| key.starts_with(address_hash.as_slice())) {
            self.progress.branches += records.finish()?;
            let (_, last) = schema::account_bounds(address_hash);
            self.seek_branches([&last[..], &[0]].concat())?;
        }
        if found == expected {
            return Ok(());
        }
        Err(WrongTrie::StorageRoot { address_hash: *address_hash, expected, found }.into())
    }

    /// The next slot if it is one of this account.
    fn next_slot(&mut self, address_hash: &B256) -> Result<Option<(B256, U256)>, VerifyTrieError> {
        let is_mine = |row: &Result<Row, StoreError>| match row {
            Ok((key, _)) => key.starts_with(address_hash.as_slice()),
            Err(_) => true,
        };
        let Some(row) = self.slots.next_if(is_mine) else { return Ok(None) };
        let (key, value) = row?;
        let slot_hash = key.get(32..).and_then(|hash| B256::try_from(hash).ok());
        let slot = slot_hash.zip(schema::value_of_slot(&value));
        slot.map(Some).ok_or_else(|| VerifyTrieError::from(StoreError::malformed(Table::Slots, &key)))
    }

    /// Whatever stands before an account, or behind all of them, belongs to none.
    fn no_storage_before(&mut self, address_hash: Option<&B256>) -> Result<(), VerifyTrieError> {
        let is_before = |key: &[u8]| address_hash.is_none_or(|address| key < address.as_slice());
        if let Some(row) = self.slots.next_if(|row| row.as_ref().map_or(true, |(key, _)| is_before(key))) {
            let (key, _) = row?;
            return Err(match <&[u8; 64]>::try_from(&key[..]) {
                Ok(key) => {
                    let (address_hash, slot_hash) = (B256::from_slice(&key[..32]), B256::from_slice(&key[32..]));
                    WrongTrie::StraySlot { address_hash, slot_hash }.into()
                }
                Err(_) => VerifyTrieError::from(StoreError::malformed(Table::Slots, &key)),
            });
        }
        let Some(key) = self.upcoming.as_ref().filter(|key| is_before(key)) else { return Ok(()) };
        let place = key.split_at_checked(32).and_then(|(address, path)| Some((address, Path::from_bytes(path)?)));
        Err(match place {
            Some((address, path)) => {
                WrongTrie::ExtraBranch { trie: TrieId::Storage(B256::from_slice(address)), path }.into()
            }
            None => VerifyTrieError::from(StoreError::malformed(Table::StorageBranches, key)),
        })
    }

    /// Finds the first storage branch from `key` on.
    fn seek_branches(&mut self, key: Vec<u8>) -> Result<(), VerifyTrieError> {
        let first = rows(self.view, Table::StorageBranches, key, None).next().transpose()?;
        self.upcoming = first.map(|(key, _)| key.to_vec());
        Ok(())
    }

    fn step(&mut self) -> Result<(), VerifyTrieError> {
        self.unreported += 1;
        if self.unreported < REPORT_ROWS {
            return Ok(());
        }
        self.unreported = 0;
        if (self.report)(&self.progress).is_break() { Err(VerifyTrieError::Stopped) } else { Ok(()) }
    }
}

/// The stored records of one trie: those of each depth stand together, in key order.
struct Records<'a> {
    view: &'a View,
    table: Table,
    trie: TrieId,
    by_depth: BTreeMap<u8, Rows<'a>>,
    right: u64,
}

impl<'a> Records<'a> {
    fn new(view: &'a View, table: Table, trie: TrieId) -> Self {
        Self { view, table, trie, by_depth: BTreeMap::new(), right: 0 }
    }

    /// The next stored record of the path's depth must be this one.
    fn check(&mut self, path: Path, given: &Branch) -> Result<(), VerifyTrieError> {
        let trie = self.trie;
        let depth = path.len() as u8;
        if !self.by_depth.contains_key(&depth) {
            let rows = self.rows(depth, depth);
            self.by_depth.insert(depth, rows);
        }
        let row = self.by_depth.get_mut(&depth).and_then(Iterator::next).transpose()?;
        let Some((key, value)) = row else { return Err(WrongTrie::MissingBranch { trie, path }.into()) };
        let at = self.path_of(&key)?;
        if at != path {
            return Err(match at < path {
                true => WrongTrie::ExtraBranch { trie, path: at },
                false => WrongTrie::MissingBranch { trie, path },
            }
            .into());
        }
        let malformed = |_| VerifyTrieError::from(StoreError::malformed(self.table, &key));
        let stored = Branch::from_bytes(value.to_vec().into()).map_err(malformed)?;
        if let Some(difference) = stored.difference(given) {
            let path = difference.nibble.map_or(path, |nibble| path.join(&stored.extension()).child(nibble));
            let (expected, found) = (difference.first, difference.second);
            return Err(WrongTrie::Branch { trie, path, expected, found }.into());
        }
        self.right += 1;
        Ok(())
    }

    /// Nothing may be left. How many records were right.
    fn finish(mut self) -> Result<u64, VerifyTrieError> {
        let mut left = None;
        for rows in self.by_depth.values_mut() {
            left = left.or(rows.next().transpose()?);
        }
        // And none at a depth that nothing was expected at.
        let mut from = 0;
        for depth in self.by_depth.keys().copied().chain([u8::MAX]) {
            if left.is_none() && from < depth {
                left = self.rows(from, depth - 1).next().transpose()?;
            }
            from = depth.saturating_add(1);
        }
        match left {
            None => Ok(self.right),
            Some((key, _)) => Err(WrongTrie::ExtraBranch { trie: self.trie, path: self.path_of(&key)? }.into()),
        }
    }

    fn prefix(&self) -> &[u8] {
        if let TrieId::Storage(address_hash) = &self.trie { address_hash.as_slice() } else { &[] }
    }

    fn rows(&self, first: u8, last: u8) -> Rows<'a> {
        let bound = |depth: u8, fill: &[u8]| [self.prefix(), &[depth], fill].concat();
        rows(self.view, self.table, bound(first, &[]), Some(bound(last, &[0xff; 33])))
    }

    fn path_of(&self, key: &[u8]) -> Result<Path, VerifyTrieError> {
        let path = key.get(self.prefix().len()..).and_then(Path::from_bytes);
        path.ok_or_else(|| VerifyTrieError::from(StoreError::malformed(self.table, key)))
    }
}
