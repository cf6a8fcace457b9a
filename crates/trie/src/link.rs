//! What a branch holds of a child besides its reference: a handle, or how much lies in the store.

use crate::SMALL_LEAVES_MAX;

/// A node in the arena, or a subtree that is not in memory. 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Link(u32);

/// The lowest of the links to what is not in memory; the number of leaves is added to it.
const PERSISTED: u32 = u32::MAX - 0xff;

impl Link {
    /// A root that was never looked at.
    pub(crate) const UNKNOWN: Self = Self(PERSISTED);
    /// More leaves than [`SMALL_LEAVES_MAX`]: the store has a branch record.
    pub(crate) const LARGE: Self = Self(PERSISTED + SMALL_LEAVES_MAX as u32 + 1);
    /// No node at all.
    pub(crate) const NONE: Self = Self(u32::MAX);

    /// A subtree in the store of so many leaves, at most [`SMALL_LEAVES_MAX`].
    pub(crate) fn small(leaves: u8) -> Self {
        debug_assert!((1..=SMALL_LEAVES_MAX).contains(&leaves));
        Self(PERSISTED + u32::from(leaves))
    }

    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// Whether this names a node in the arena.
    pub(crate) fn is_node(self) -> bool {
        self.0 < PERSISTED
    }

    /// For what is not in memory: how many leaves count for it, see [`crate::arena::View::leaves`].
    pub(crate) fn persisted_leaves(self) -> u32 {
        debug_assert!(!self.is_node() && self != Self::NONE);
        self.0 - PERSISTED
    }
}
