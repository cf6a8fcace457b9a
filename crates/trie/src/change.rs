//! What a block changes in a trie, as an edit takes it: keys with their new values.

use crate::{
    accounts_after::AccountRef,
    arena::{ArenaError, Pen, View},
    link::Link,
    rlp::{AccountLeaf, Leaf},
};
use alloy_primitives::{B256, U256};

/// A new value for a key, or its deletion.
pub(crate) trait Change<L: Leaf> {
    fn key(&self) -> &B256;
    /// `None` deletes.
    fn value(&self) -> Option<L>;
    /// Makes the leaf at `depth` of what is not deleted.
    #[inline(always)]
    fn leaf<'a>(&self, pen: &mut Pen<'a>, depth: usize) -> Result<(Link, View<'a>), ArenaError> {
        made(pen, depth, self.key(), self.value())
    }
    /// Whether the key's leaf is in memory, linked from where the edit begins, and gets another value: then the shape of the trie
    /// stays.
    fn replaces(&self) -> bool;
}

#[inline(always)]
fn made<'a, L: Leaf>(
    pen: &mut Pen<'a>,
    depth: usize,
    key: &B256,
    value: Option<L>,
) -> Result<(Link, View<'a>), ArenaError> {
    pen.leaf(depth, key, &value.expect("what is deleted has no leaf"))
}

/// A leaf that is there.
pub(crate) type Present<L> = (B256, Option<L>);

impl<L: Leaf> Change<L> for Present<L> {
    fn key(&self) -> &B256 {
        &self.0
    }

    fn value(&self) -> Option<L> {
        self.1
    }

    fn replaces(&self) -> bool {
        false
    }
}

/// What becomes of an account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountChange<'u> {
    pub(crate) key: &'u B256,
    /// As it will be, if it will not be gone.
    pub(crate) account: Option<AccountRef<'u>>,
    pub(crate) storage: Link,
    pub(crate) replaces: bool,
}

impl Change<AccountLeaf> for AccountChange<'_> {
    fn key(&self) -> &B256 {
        self.key
    }

    fn value(&self) -> Option<AccountLeaf> {
        self.account.map(|account| AccountLeaf { account: account.account(), storage: self.storage })
    }

    #[inline(always)]
    fn leaf<'a>(&self, pen: &mut Pen<'a>, depth: usize) -> Result<(Link, View<'a>), ArenaError> {
        if let Some(AccountRef::Plain(&[nonce, low, high, _])) = self.account {
            return pen.plain_leaf(depth, self.key, nonce, [low, high]);
        }
        made(pen, depth, self.key, self.value())
    }

    fn replaces(&self) -> bool {
        self.replaces
    }
}

/// What becomes of a slot: zero deletes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotChange<'u> {
    pub(crate) slot: &'u (B256, U256),
    pub(crate) replaces: bool,
}

impl Change<U256> for SlotChange<'_> {
    fn key(&self) -> &B256 {
        &self.slot.0
    }

    fn value(&self) -> Option<U256> {
        Some(self.slot.1).filter(|value| !value.is_zero())
    }

    fn replaces(&self) -> bool {
        self.replaces
    }
}

impl<L: Leaf, C: Change<L>> Change<L> for &C {
    fn key(&self) -> &B256 {
        C::key(self)
    }

    fn value(&self) -> Option<L> {
        C::value(self)
    }

    fn leaf<'a>(&self, pen: &mut Pen<'a>, depth: usize) -> Result<(Link, View<'a>), ArenaError> {
        C::leaf(self, pen, depth)
    }

    fn replaces(&self) -> bool {
        C::replaces(self)
    }
}
