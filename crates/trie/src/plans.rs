//! What is to become of each account of a block: first with the storage that it had, then with that which it will have.

use crate::{
    AccountUpdate, Updates,
    arena::Arena,
    edit::{AccountChange, Child},
    link::Link,
    locate::Located,
    reference::Reference,
    rlp::{AccountLeaf, Leaf},
};
use alloy_primitives::B256;
use balsa_state::{Account, EMPTY_ROOT};

/// The plans of a block's accounts, in the order of its updates.
#[derive(Default)]
pub(crate) struct Plans {
    /// What a caller is told in the end. Large, and so made only once.
    accounts: Vec<(B256, Option<Account>)>,
    others: Vec<Plan>,
}

/// The rest of one plan.
#[derive(Clone, Copy)]
struct Plan {
    old: Located,
    /// The storage trie: that of the old leaf, and then that after the block.
    storage: Link,
    /// Whether the storage it had is gone.
    cleared: bool,
    /// Whether nothing but the storage can differ from the old leaf.
    same_fields: bool,
}

impl Plans {
    pub(crate) fn new(arena: &Arena, updates: &Updates, old: Vec<Located>) -> Self {
        let mut plans = Self { accounts: Vec::with_capacity(old.len()), others: Vec::with_capacity(old.len()) };
        for (update, old) in updates.accounts.iter().zip(old) {
            let leaf = (old.leaf != Link::NONE).then(|| AccountLeaf::read(&arena.view(old.leaf)));
            plans.add(update, old, leaf, updates.keep_empty);
        }
        plans
    }

    fn add(&mut self, update: &AccountUpdate, old: Located, leaf: Option<AccountLeaf>, keep_empty: bool) {
        let had_storage = leaf.is_some_and(|leaf| leaf.storage != Link::NONE);
        let mut plan = Plan { old, storage: Link::NONE, cleared: had_storage, same_fields: false };
        let mut account = update.applied(leaf.map(|leaf| leaf.account), keep_empty);
        if let Some(account) = &mut account {
            plan.cleared &= update.destroyed || update.storage_cleared;
            plan.storage = leaf.filter(|_| !plan.cleared).map_or(Link::NONE, |leaf| leaf.storage);
            if plan.storage == Link::NONE {
                account.storage_root = EMPTY_ROOT;
            }
            plan.same_fields = leaf.is_some_and(|leaf| leaf.account.info() == account.info());
        }
        self.accounts.push((update.address_hash, account));
        self.others.push(plan);
    }

    pub(crate) fn len(&self) -> usize {
        self.others.len()
    }

    /// The account and its storage trie; nothing if it will be gone.
    pub(crate) fn get(&self, i: usize) -> Option<(&Account, Link)> {
        self.accounts[i].1.as_ref().map(|account| (account, self.others[i].storage))
    }

    /// Whether the storage it had is gone.
    pub(crate) fn is_cleared(&self, i: usize) -> bool {
        self.others[i].cleared
    }

    pub(crate) fn storage(&self, i: usize) -> Link {
        self.others[i].storage
    }

    /// The storage trie as an edit takes it.
    pub(crate) fn storage_top(&self, i: usize, arena: &Arena) -> Option<Child> {
        let (account, storage) = self.get(i)?;
        Child::top(arena, storage, Reference::hash(account.storage_root))
    }

    /// Takes the top of the storage trie after the block, where that was edited.
    pub(crate) fn take_storage(&mut self, i: usize, top: Option<Child>) {
        if let Some(account) = &mut self.accounts[i].1 {
            self.others[i].storage = top.map_or(Link::NONE, |top| top.link);
            account.storage_root = top.map_or(EMPTY_ROOT, |top| top.reference.expect("all is hashed").to_hash());
        }
    }

    /// The changes of the account trie, without those that change nothing.
    pub(crate) fn changes(&self, arena: &Arena) -> Vec<AccountChange<'_>> {
        let mut changes = Vec::with_capacity(self.len());
        for ((key, account), plan) in self.accounts.iter().zip(&self.others) {
            let mut replaces = false;
            if let Some(account) = account
                && plan.old.is_linked
                && plan.old.leaf != Link::NONE
            {
                let leaf = arena.view(plan.old.leaf);
                // Of an account without storage this reads nothing.
                let same_storage = plan.storage == leaf.storage();
                if plan.same_fields && same_storage {
                    continue;
                }
                replaces = !plan.same_fields || leaf.account().storage_root != account.storage_root;
            }
            changes.push(AccountChange { key, account: account.as_ref(), storage: plan.storage, replaces });
        }
        changes
    }

    /// Every account after the block.
    pub(crate) fn into_accounts(self) -> Vec<(B256, Option<Account>)> {
        self.accounts
    }
}
