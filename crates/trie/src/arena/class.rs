//! What kinds of node there are, and how large each is.
//!
//! A page holds nodes of one class only, so the class of a node is known from its page, without touching the node: a
//! walk that weighs a leaf, or tells it from a branch, never brings the leaf into the cache.

/// Nodes start at multiples of this.
pub(crate) const UNIT_BYTES: usize = 32;
/// Words of 8 bytes in a unit.
pub(crate) const UNIT_WORDS: usize = UNIT_BYTES / 8;

/// The class of a node. Branches are classed by their size alone.
///
/// As wide as a word, as all that a view consists of: what has padding is copied in pieces that overlap, and whoever reads it
/// right after waits until all of them have left the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Class(usize);

impl Class {
    /// A slot and its value.
    pub(crate) const SLOT: Self = Self(1);
    /// An account without code and storage whose balance fits 128 bits.
    pub(crate) const PLAIN: Self = Self(2);
    /// Any other account.
    pub(crate) const FULL: Self = Self(3);
    /// Number of classes, counting the 0 of a page that was never given out.
    pub(crate) const COUNT: usize = 4 + BRANCH_UNITS_MAX;

    /// The class of branches of this many units.
    pub(crate) fn branch(units: usize) -> Self {
        debug_assert!((1..BRANCH_UNITS_MAX).contains(&units));
        Self(3 + units)
    }

    #[inline]
    pub(crate) fn is_branch(self) -> bool {
        self.0 > 3
    }

    /// Whether nodes are leaves of the smaller size, of [`LIGHT_BYTES`].
    #[inline]
    pub(crate) fn is_light(self) -> bool {
        self == Self::SLOT || self == Self::PLAIN
    }

    /// Size of a node.
    #[inline]
    pub(crate) fn units(self) -> usize {
        match self {
            Self::SLOT | Self::PLAIN => 2,
            Self::FULL => 5,
            branch => branch.0 - 3,
        }
    }

    /// Size of a node in bytes.
    #[inline]
    pub(crate) fn bytes(self) -> usize {
        self.units() * UNIT_BYTES
    }

    pub(crate) fn index(self) -> usize {
        self.0
    }

    pub(crate) fn from_index(index: usize) -> Self {
        Self(index)
    }
}

/// Size of the leaves that [`Class::is_light`] tells of.
pub(crate) const LIGHT_BYTES: u64 = 2 * UNIT_BYTES as u64;

/// A branch with sixteen children, an extension and counts has 20 units.
const BRANCH_UNITS_MAX: usize = 21;
