//! What is to become of an account: first with the storage that it had, then with that which it will have.

use crate::{
    AccountUpdate,
    accounts_after::AccountRef,
    arena::Arena,
    change::AccountChange,
    edit::{Child, Held},
    link::Link,
    locate::Located,
    reference::Reference,
    rlp::{AccountLeaf, Leaf},
};
use alloy_primitives::B256;
use balsa_state::{Account, EMPTY_ROOT};

/// A plan, besides the account itself, which lies where a caller finds it in the end: it is large, and so made only once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    old: Located,
    /// The storage trie: that of the old leaf, and then that after the block.
    pub(crate) storage: Link,
    /// Whether the storage it had is gone.
    pub(crate) cleared: bool,
    /// Whether nothing but the storage can differ from the old leaf.
    same_fields: bool,
}

impl Plan {
    /// The account, with the storage root that it had, and the plan.
    pub(crate) fn new(
        arena: &Arena,
        update: &AccountUpdate,
        old: Located,
        keep_empty: bool,
    ) -> (Option<Account>, Self) {
        let leaf = (old.leaf != Link::NONE).then(|| AccountLeaf::read(&arena.view(old.leaf)));
        let had_storage = leaf.is_some_and(|leaf| leaf.storage != Link::NONE);
        let mut plan = Self { old, storage: Link::NONE, cleared: had_storage, same_fields: false };
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

    /// The storage trie, which has this root, as an edit takes it.
    pub(crate) fn storage_top(&self, root: B256) -> Option<Held> {
        Held::root(self.storage, Reference::hash(root))
    }

    /// Takes the top of the storage trie after the block, where that was edited; its root.
    pub(crate) fn take_storage(&mut self, top: Option<Child>) -> B256 {
        self.storage = top.map_or(Link::NONE, |top| top.link);
        top.map_or(EMPTY_ROOT, |top| top.reference.expect("all is hashed").to_hash())
    }

    /// The change of the account trie, unless nothing changes.
    pub(crate) fn change<'u>(
        &self,
        arena: &Arena,
        key: &'u B256,
        account: Option<AccountRef<'u>>,
    ) -> Option<AccountChange<'u>> {
        let mut replaces = false;
        if let Some(account) = account
            && self.old.is_linked
            && self.old.leaf != Link::NONE
        {
            let leaf = arena.view(self.old.leaf);
            // Of an account without storage this reads nothing.
            let same_storage = self.storage == leaf.storage();
            if self.same_fields && same_storage {
                return None;
            }
            replaces = !self.same_fields || leaf.account().storage_root != account.storage_root();
        }
        Some(AccountChange { key, account, storage: self.storage, replaces })
    }
}
