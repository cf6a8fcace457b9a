//! The genesis state, part by part in the order of its keys.

use alloy_primitives::{B256, Bytes, U256};
use balsa_state::{Account, EMPTY_CODE_HASH, StateDiff, StorageDiff};
use balsa_trie::{
    AccountUpdate, Branch, NodeChanges, NodeSource, Path, RootAfter, SourceError, StateTrie, TrieError, Updates,
    root_after,
};

use super::Prestate;

/// How many accounts make a part, and how many slots end one early. A part takes about a kilobyte for each of either.
const PART_ACCOUNTS: usize = if cfg!(test) { 1000 } else { 100_000 };
const PART_SLOTS: usize = if cfg!(test) { 2000 } else { 200_000 };

/// A part of the genesis state: what it adds to the parts before it.
#[derive(Clone, Debug)]
pub struct Part {
    /// Accounts, slots and code.
    pub diff: StateDiff,
    /// The trie's nodes. Upper ones are written again by later parts.
    pub nodes: NodeChanges,
}

impl Prestate {
    /// Computes the root, and on the way the storage roots and the branch records.
    pub(super) fn build(&mut self, mut receive: impl FnMut(Part)) -> Result<B256, TrieError> {
        let mut root = StateTrie::empty().root();
        let mut done = None;
        while let Some(updates) = self.next_updates(done) {
            let parent = if done.is_none() { StateTrie::empty() } else { StateTrie::persisted(root) };
            let after = root_after(&parent, &Before { prestate: self, done }, &updates)?;
            root = after.root;
            done = updates.accounts.last().map(|last| last.address_hash);
            receive(self.absorb(updates, after));
        }
        Ok(root)
    }

    /// The updates that make the accounts after `done`, as many as a part has.
    fn next_updates(&self, done: Option<B256>) -> Option<Updates> {
        let first = match done {
            None => B256::ZERO,
            Some(key) => B256::from(U256::from_be_bytes(key.0).checked_add(U256::ONE)?),
        };
        let mut slots = 0;
        let mut accounts = Vec::new();
        for (address_hash, account) in self.accounts_in(first, B256::repeat_byte(0xff)).take(PART_ACCOUNTS) {
            let update = AccountUpdate {
                address_hash,
                nonce: Some(account.nonce),
                balance: Some(account.balance),
                code_hash: Some(account.code_hash).filter(|hash| *hash != EMPTY_CODE_HASH),
                slots: self.slots_in(&address_hash, B256::ZERO, B256::repeat_byte(0xff)).collect(),
                ..AccountUpdate::default()
            };
            slots += update.slots.len();
            accounts.push(update);
            if slots >= PART_SLOTS {
                break;
            }
        }
        (!accounts.is_empty()).then_some(Updates { accounts, keep_empty: true })
    }

    /// Keeps what later parts and readers need of a part that is done.
    fn absorb(&mut self, updates: Updates, after: RootAfter) -> Part {
        let accounts: Vec<_> = after.accounts.with_keys(&updates).collect();
        for (key, account) in &accounts {
            if let (Some(own), Some(account)) = (self.accounts.get_mut(key), account) {
                own.storage_root = account.storage_root;
            }
        }
        self.branches.apply(&after.nodes);
        let mut codes: Vec<(B256, Bytes)> = updates
            .accounts
            .iter()
            .filter_map(|update| Some((update.code_hash?, self.codes.get(&update.code_hash?)?.clone())))
            .collect();
        codes.sort_unstable_by_key(|(hash, _)| *hash);
        codes.dedup_by_key(|(hash, _)| *hash);
        let storage = updates.accounts.into_iter().filter(|update| !update.slots.is_empty());
        let storage = storage.map(|AccountUpdate { address_hash, slots, .. }| StorageDiff {
            address_hash,
            cleared: false,
            slots,
        });
        Part { diff: StateDiff { storage: storage.collect(), codes, accounts }, nodes: after.nodes }
    }
}

/// The nodes of the parts that are done: the accounts up to `done`, and no later ones.
struct Before<'a> {
    prestate: &'a Prestate,
    done: Option<B256>,
}

impl NodeSource for Before<'_> {
    fn account_branch(&self, path: &Path) -> Result<Option<Branch>, SourceError> {
        self.prestate.account_branch(path)
    }

    fn storage_branch(&self, address_hash: &B256, path: &Path) -> Result<Option<Branch>, SourceError> {
        self.prestate.storage_branch(address_hash, path)
    }

    fn accounts_under(&self, prefix: &Path, limit: usize) -> Result<Vec<(B256, Account)>, SourceError> {
        let Some(done) = self.done.filter(|done| *done >= prefix.first_key()) else { return Ok(Vec::new()) };
        Ok(self.prestate.accounts_in(prefix.first_key(), prefix.last_key().min(done)).take(limit).collect())
    }

    fn slots_under(&self, address_hash: &B256, prefix: &Path, limit: usize) -> Result<Vec<(B256, U256)>, SourceError> {
        self.prestate.slots_under(address_hash, prefix, limit)
    }
}
