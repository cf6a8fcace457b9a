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

/// Nonce and balance of an account that has nothing else, and no balance over 128 bits.
type PlainFields = [u64; 3];

impl Plan {
    /// The same as [`Plan::new`] for accounts that have no code and no storage before the block and after it, and no balance over 128
    /// bits: most. Nothing for others. Four words are faster made and compared than whole accounts.
    #[inline]
    pub(crate) fn plain(
        arena: &Arena,
        update: &AccountUpdate,
        old: Located,
        keep_empty: bool,
    ) -> Option<(Option<PlainFields>, Self)> {
        if update.code_hash.is_some() || !update.slots.is_empty() {
            return None;
        }
        let leaf = if old.leaf == Link::NONE { None } else { Some(arena.view(old.leaf).plain_fields()?) };
        let before = leaf.filter(|_| !update.destroyed);
        let mut plan = Self { old, storage: Link::NONE, cleared: false, same_fields: false };
        if before.is_none() && update.nonce.is_none() && update.balance.is_none() {
            return Some((None, plan));
        }
        let mut fields = before.unwrap_or_default();
        if let Some(nonce) = update.nonce {
            fields[0] = nonce;
        }
        if let Some(balance) = &update.balance {
            let [low, high, 0, 0] = *balance.as_limbs() else { return None };
            (fields[1], fields[2]) = (low, high);
        }
        if fields == [0; 3] && !keep_empty {
            return Some((None, plan));
        }
        plan.same_fields = leaf == Some(fields);
        Some((Some(fields), plan))
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        HeapMemory,
        accounts_after::{AccountsAfter, ShareAccounts},
        arena::Pen,
    };
    use alloy_primitives::U256;
    use proptest::{option, prelude::*};
    use std::sync::Arc;

    fn balance() -> impl Strategy<Value = U256> {
        prop_oneof![Just(U256::ZERO), (1..3u64).prop_map(U256::from), Just(U256::from(u128::MAX)), Just(U256::MAX)]
    }

    fn hash(empty: B256) -> impl Strategy<Value = B256> {
        prop_oneof![4 => Just(empty), 1 => Just(B256::repeat_byte(7))]
    }

    prop_compose! {
        fn account()(
            nonce in 0..3u64, balance in balance(),
            storage_root in hash(EMPTY_ROOT), code_hash in hash(balsa_state::EMPTY_CODE_HASH),
        ) -> Account {
            Account { nonce, balance, storage_root, code_hash }
        }
    }

    prop_compose! {
        fn update()(
            nonce in option::of(0..3u64), balance in option::of(balance()),
            code_hash in option::weighted(0.1, hash(balsa_state::EMPTY_CODE_HASH)),
            destroyed in any::<bool>(), storage_cleared in any::<bool>(), slot in option::weighted(0.1, 0..2u64),
        ) -> AccountUpdate {
            let slots = slot.map(|value| (B256::ZERO, U256::from(value))).into_iter().collect();
            AccountUpdate { address_hash: B256::ZERO, nonce, balance, code_hash, destroyed, storage_cleared, slots }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn plain_accounts_come_to_the_same(before in option::of(account()), update in update(), keep_empty in any::<bool>()) {
            let arena = Arena::new(Arc::new(HeapMemory));
            let mut pen = Pen::new(&arena, 1);
            let mut leaf = |account| pen.leaf(1, &B256::ZERO, &AccountLeaf::unread(account)).unwrap().0;
            let old = Located { leaf: before.map_or(Link::NONE, &mut leaf), is_linked: true };
            let (account, plan) = Plan::new(&arena, &update, old, keep_empty);
            let mut after = AccountsAfter::room_for(2, &arena);
            let mut accounts = ShareAccounts::new(after.entries_mut());
            accounts.write(0, account.as_ref(), !update.slots.is_empty());
            let is_plain = |account: &Account| {
                let alike = Account { nonce: account.nonce, balance: account.balance, ..Account::default() };
                *account == alike && account.balance <= U256::from(u128::MAX)
            };
            let was_plain = before.as_ref().is_none_or(is_plain);
            let sets_more = update.code_hash.is_some() || !update.slots.is_empty();
            let is_rich = update.balance.is_some_and(|balance| balance > U256::from(u128::MAX));
            let found = Plan::plain(&arena, &update, old, keep_empty);
            prop_assert_eq!(found.is_some(), was_plain && !sets_more && !is_rich);
            let Some((fields, plain)) = found else { return Ok(()) };
            if let Some(fields) = fields {
                accounts.write_plain(1, fields);
            }
            prop_assert_eq!(accounts.get(0).map(|found| found.account()), account);
            prop_assert_eq!(accounts.get(1).map(|found| found.account()), account);
            prop_assert_eq!(format!("{plan:?}"), format!("{plain:?}"));
        }
    }
}
