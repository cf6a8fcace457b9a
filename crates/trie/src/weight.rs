//! What versions weigh: bytes of the nodes that one holds, that one does not share, that many hold together.
//!
//! Versions are walked side by side, and where they share a node no further: the cost follows what differs, however
//! large the tries are.

use crate::{
    StateTrie,
    link::Link,
    walk::{Cursor, own_nodes},
};
use std::{collections::HashSet, sync::Arc};

/// Bytes of the arena that a version and all its relatives share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArenaBytes {
    /// Nodes of all living versions, each once.
    pub live: u64,
    /// All pages, with the free places in them.
    pub pages: u64,
}

impl StateTrie {
    /// What the nodes of all living relatives of this version take.
    pub fn arena_bytes(&self) -> ArenaBytes {
        let arena = &self.version.forest.arena;
        ArenaBytes { live: arena.live_bytes(), pages: arena.page_bytes() }
    }
}

/// Bytes of all nodes in memory of one version, storage tries included.
pub fn total_tree_bytes(version: &StateTrie) -> u64 {
    weigh(version, None, |_| true)
}

/// Bytes of the nodes that `derived` has and `base` does not.
pub fn cow_bytes(base: &StateTrie, derived: &StateTrie) -> u64 {
    weigh(derived, Some(base), |_| true)
}

/// Bytes of the nodes that at least one of `derived` has and `base` does not, each counted once.
pub fn total_unique_cow_bytes(base: &StateTrie, derived: &[StateTrie]) -> u64 {
    let mut seen = HashSet::with_hasher(foldhash::fast::RandomState::default());
    derived.iter().map(|version| weigh(version, Some(base), |node| seen.insert(node))).sum()
}

/// Bytes of the nodes of `version` that `base` does not have. Where `is_new` says no, nothing below counts.
fn weigh(version: &StateTrie, base: Option<&StateTrie>, mut is_new: impl FnMut(Link) -> bool) -> u64 {
    let forest = &version.version.forest;
    let base = base.filter(|base| Arc::ptr_eq(&base.version.forest, forest));
    let others = base.and_then(|base| Cursor::at(base.version.root));
    let mut bytes = 0;
    own_nodes(&forest.arena, version.version.root, 0, others.as_slice(), &mut |node, class| {
        let new = is_new(node);
        bytes += if new { class.bytes() as u64 } else { 0 };
        new
    });
    bytes
}
