//! What is to become of each account of a block: first with the storage that it had, then with that which it will have.

use crate::{
    AccountUpdate, TrieError, Updates,
    arena::{Arena, ask_ahead},
    change::AccountChange,
    edit::Child,
    link::Link,
    locate::{ALONE_MAX, Located, PART},
    reference::Reference,
    rlp::{AccountLeaf, Leaf},
};
use alloy_primitives::B256;
use balsa_state::{Account, EMPTY_ROOT};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The plans of a block's accounts, in the order of its updates.
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
    /// Whether the update names slots: known here, so that nobody goes over all updates once more to find the few that do.
    has_slots: bool,
}

impl Plan {
    /// The account, with the storage root that it had, and the plan.
    fn new(
        update: &AccountUpdate,
        old: Located,
        leaf: Option<AccountLeaf>,
        keep_empty: bool,
    ) -> (Option<Account>, Self) {
        let had_storage = leaf.is_some_and(|leaf| leaf.storage != Link::NONE);
        let has_slots = !update.slots.is_empty();
        let mut plan = Plan { old, storage: Link::NONE, cleared: had_storage, same_fields: false, has_slots };
        let mut account = update.applied(leaf.map(|leaf| leaf.account), keep_empty);
        if let Some(account) = &mut account {
            plan.cleared &= update.destroyed || update.storage_cleared;
            plan.storage = leaf.filter(|_| !plan.cleared).map_or(Link::NONE, |leaf| leaf.storage);
            if plan.storage == Link::NONE {
                account.storage_root = EMPTY_ROOT;
            }
            plan.same_fields = leaf.is_some_and(|leaf| leaf.account.info() == account.info());
        }
        (account, plan)
    }
}

impl Plans {
    /// From the leaves of updates that are in order, or from none where the old trie is empty: then their order is checked here,
    /// since a full build would have to wait for all of its updates once more.
    pub(crate) fn new(arena: &Arena, updates: &Updates, old: &[Located]) -> Result<Self, TrieError> {
        let is_ordered = AtomicBool::new(true);
        let plan = |i: usize| {
            ask_ahead(old, i, |old| arena.ask(old.leaf));
            if old.is_empty() && updates.check_order_at(i).is_err() {
                is_ordered.store(false, Relaxed);
            }
            let update = &updates.accounts[i];
            let old = old.get(i).copied().unwrap_or(Located { leaf: Link::NONE, is_linked: true });
            let leaf = (old.leaf != Link::NONE).then(|| AccountLeaf::read(&arena.view(old.leaf)));
            let (account, plan) = Plan::new(update, old, leaf, updates.keep_empty);
            ((update.address_hash, account), plan)
        };
        let count = updates.accounts.len();
        let mut plans = Self { accounts: arena.list_of(count), others: arena.list_of(count) };
        if count <= ALONE_MAX {
            (0..count).map(plan).for_each(|(account, other)| {
                plans.accounts.push(account);
                plans.others.push(other);
            });
        } else {
            let both = (0..count).into_par_iter().with_min_len(PART).map(plan);
            both.unzip_into_vecs(&mut plans.accounts, &mut plans.others);
        }
        if !is_ordered.into_inner() {
            (0..count).try_for_each(|i| updates.check_order_at(i))?;
        }
        Ok(plans)
    }

    pub(crate) fn len(&self) -> usize {
        self.others.len()
    }

    /// The account and its storage trie; nothing if it will be gone.
    pub(crate) fn get(&self, i: usize) -> Option<(&Account, Link)> {
        self.accounts[i].1.as_ref().map(|account| (account, self.others[i].storage))
    }

    /// Positions of the accounts whose updates name slots.
    pub(crate) fn with_slots(&self) -> impl Iterator<Item = usize> {
        self.others.iter().enumerate().filter(|(_, plan)| plan.has_slots).map(|(i, _)| i)
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
        let mut changes = arena.list_of(self.len());
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
