//! The one entry point: changes of a block in, new version and root out.

use crate::{
    AccountUpdate, Branch, NodeSource, Path, StateTrie, TrieError, Updates,
    edit::{Change, Edit},
    error::TrieId,
    state_trie::{AccountLeaf, Accounts, Storage, root_hash},
};
use alloy_primitives::B256;
use balsa_state::{Account, EMPTY_ROOT};
use rayon::prelude::*;

/// The trie after a block.
#[derive(Clone, Debug)]
pub struct RootAfter {
    /// The new version.
    pub trie: StateTrie,
    /// Its root.
    pub root: B256,
    /// Every updated account as it is after the block, in the order of the updates; `None` if there is none.
    pub accounts: Vec<(B256, Option<Account>)>,
    /// What a store has to write besides the flat state, so that the new version can be read from it.
    pub nodes: NodeChanges,
}

/// Branch records to write, and to delete where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeChanges {
    /// Of the account trie, by path.
    pub accounts: Vec<(Path, Option<Branch>)>,
    /// Of the storage tries, by address hash.
    pub storages: Vec<StorageNodes>,
}

/// Branch records of one storage trie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageNodes {
    /// keccak256 of the address.
    pub address_hash: B256,
    /// Delete every record of this trie first.
    pub cleared: bool,
    /// By path.
    pub branches: Vec<(Path, Option<Branch>)>,
}

/// Applies a block's changes to the state of its parent. Runs on the current rayon pool; the result does not depend
/// on how many threads that has.
///
/// # Errors
/// [`TrieError`]: the source failed or lied, or the updates are not sorted. The parent is untouched.
pub fn root_after(parent: &StateTrie, source: &dyn NodeSource, updates: &Updates) -> Result<RootAfter, TrieError> {
    check_order(updates)?;
    let after: Vec<_> = updates
        .accounts
        .par_iter()
        .map(|update| account_after(parent, source, update, updates.keep_empty))
        .collect::<Result<_, _>>()?;
    let mut storages = Vec::new();
    let mut changes: Vec<Change<AccountLeaf>> = Vec::with_capacity(after.len());
    for (update, (leaf, nodes)) in updates.accounts.iter().zip(after) {
        changes.push((update.address_hash, leaf));
        storages.extend(nodes.filter(|nodes| nodes.cleared || !nodes.branches.is_empty()));
    }
    let (root, records) = Edit::new(&Accounts(source)).root(parent.root.as_ref(), &changes)?;
    let trie = StateTrie { root };
    Ok(RootAfter {
        root: trie.root(),
        trie,
        accounts: changes.into_iter().map(|(key, leaf)| (key, leaf.map(|leaf| leaf.account))).collect(),
        nodes: NodeChanges { accounts: records.into_iter().collect(), storages },
    })
}

/// The leaf of one account after its update, and the records of its storage trie.
fn account_after(
    parent: &StateTrie,
    source: &dyn NodeSource,
    update: &AccountUpdate,
    keep_empty: bool,
) -> Result<(Option<AccountLeaf>, Option<StorageNodes>), TrieError> {
    let address_hash = update.address_hash;
    let old = Edit::new(&Accounts(source)).value(parent.root.as_ref(), &address_hash)?;
    let had_storage = old.as_ref().is_some_and(|old| old.storage.is_some());
    let gone = StorageNodes { address_hash, cleared: true, branches: Vec::new() };
    let Some(account) = update.applied(old.as_ref().map(|old| old.account), keep_empty) else {
        return Ok((None, had_storage.then_some(gone)));
    };
    let cleared = had_storage && (update.destroyed || update.storage_cleared);
    let storage = old.and_then(|old| old.storage).filter(|_| !cleared);
    let changes: Vec<_> =
        update.slots.iter().map(|(key, value)| (*key, Some(*value).filter(|v| !v.is_zero()))).collect();
    let (storage, records) = Edit::new(&Storage { source, address_hash }).root(storage.as_ref(), &changes)?;
    let account = Account { storage_root: root_hash(storage.as_ref()), ..account };
    debug_assert_eq!(storage.is_none(), account.storage_root == EMPTY_ROOT);
    let nodes = StorageNodes { address_hash, cleared, branches: records.into_iter().collect() };
    Ok((Some(AccountLeaf { account, storage }), Some(nodes)))
}

fn check_order(updates: &Updates) -> Result<(), TrieError> {
    let unsorted = |trie, i: Option<usize>| i.map_or(Ok(()), |i| Err(TrieError::Unsorted { trie, index: i + 1 }));
    let accounts = &updates.accounts;
    unsorted(TrieId::Accounts, accounts.windows(2).position(|w| w[0].address_hash >= w[1].address_hash))?;
    accounts.iter().try_for_each(|account| {
        let trie = TrieId::Storage(account.address_hash);
        unsorted(trie, account.slots.windows(2).position(|w| w[0].0 >= w[1].0))
    })
}
