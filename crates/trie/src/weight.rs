//! What versions weigh: bytes of the nodes that one holds, that one does not share, that many hold together.
//!
//! Versions are walked side by side, and where they share a node no further: the cost follows what differs, however
//! large the tries are.

use crate::{
    StateTrie,
    arena::{BranchView, Class, LIGHT_BYTES, nibbles},
    link::Link,
    side_by_side::{Own, own_beside},
    versions::Forest,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
};

/// Bytes of the arena that a version and all its relatives share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArenaBytes {
    /// Nodes of all living versions, each once.
    pub live: u64,
    /// All pages, with the free places in them.
    pub pages: u64,
    /// The lists of free places.
    pub lists: u64,
}

impl ArenaBytes {
    /// What the arena takes of memory.
    pub fn all(&self) -> u64 {
        self.pages + self.lists
    }
}

/// Tells what an arena takes for as long as any of its versions lives, without keeping one alive.
#[derive(Clone, Debug)]
pub struct ArenaWatch(Weak<Forest>);

impl ArenaWatch {
    /// What it takes; nothing once its last version is gone.
    pub fn bytes(&self) -> Option<ArenaBytes> {
        self.0.upgrade().map(|forest| forest.arena.bytes())
    }
}

impl StateTrie {
    /// What the nodes of all living relatives of this version take.
    pub fn arena_bytes(&self) -> ArenaBytes {
        self.version.forest.arena.bytes()
    }

    /// The same for later, when this version may be gone.
    pub fn watch_arena(&self) -> ArenaWatch {
        ArenaWatch(Arc::downgrade(&self.version.forest))
    }
}

/// Bytes of all nodes in memory of one version, storage tries included.
pub fn total_tree_bytes(version: &StateTrie) -> u64 {
    let mut bytes = Bytes(0);
    weigh(version, None, &mut bytes);
    bytes.0
}

/// Bytes of the nodes that `derived` has and `base` does not. Known without a walk where the one was derived from the other.
pub fn cow_bytes(base: &StateTrie, derived: &StateTrie) -> u64 {
    derived.version.bytes_over(&base.version).unwrap_or_else(|| walked_bytes(base, derived))
}

fn walked_bytes(base: &StateTrie, derived: &StateTrie) -> u64 {
    let mut bytes = Bytes(0);
    weigh(derived, Some(base), &mut bytes);
    bytes.0
}

/// Bytes of the nodes that at least one of `derived` has and `base` does not, each counted once. Known without a walk where
/// each was derived from another of them, or from `base`.
pub fn total_unique_cow_bytes(base: &StateTrie, derived: &[StateTrie]) -> u64 {
    let all = [base].into_iter().chain(derived).map(|trie| (trie.version.name(), trie)).collect::<HashMap<_, _>>();
    let others = || all.values().filter(|trie| trie.version.name() != base.version.name());
    let parent = |trie: &StateTrie| trie.version.parent_name().and_then(|parent| all.get(&parent).copied());
    // No two versions make the same node.
    if others().all(|trie| parent(trie).is_some()) {
        return others().map(|trie| trie.version.own_bytes()).sum();
    }
    // What a version shares with one that is weighed too is weighed there. Not so of what the base may have come from: its nodes
    // may be the base's.
    let is_later = |trie: &StateTrie| trie.version.epoch() > base.version.epoch();
    let beside = |trie: &StateTrie| parent(trie).filter(|_| is_later(trie)).unwrap_or(base);
    let mut bytes = UniqueBytes::default();
    others().for_each(|trie| weigh(trie, Some(beside(trie)), &mut bytes));
    bytes.bytes
}

/// Weighs the nodes of `version` that `base` does not have.
fn weigh(version: &StateTrie, base: Option<&StateTrie>, to: &mut impl Own) {
    let forest = &version.version.forest;
    let base = base.filter(|base| Arc::ptr_eq(&base.version.forest, forest));
    let other = base.map_or(Link::NONE, |base| base.version.root);
    own_beside(&forest.arena, version.version.root, other, to);
}

/// The sum of what it is told of.
struct Bytes(u64);

impl Own for Bytes {
    fn node(&mut self, _: Link, class: Class) -> bool {
        self.0 += class.bytes() as u64;
        true
    }

    fn light_leaves(&mut self, _: &BranchView<'_>, ranks: u16) {
        self.0 += u64::from(ranks.count_ones()) * LIGHT_BYTES;
    }
}

/// The sum of what it is told of for the first time.
#[derive(Default)]
struct UniqueBytes {
    bytes: u64,
    seen: HashSet<Link, foldhash::fast::RandomState>,
}

impl Own for UniqueBytes {
    fn node(&mut self, node: Link, class: Class) -> bool {
        let is_new = self.seen.insert(node);
        self.bytes += if is_new { class.bytes() as u64 } else { 0 };
        is_new
    }

    fn light_leaves(&mut self, branch: &BranchView<'_>, ranks: u16) {
        // Two versions may hold one leaf below two branches.
        let new = nibbles(ranks).filter(|rank| self.seen.insert(branch.link(*rank))).count();
        self.bytes += new as u64 * LIGHT_BYTES;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountUpdate, NoNodes, Updates, arena::Arena, root_after};
    use alloy_primitives::{U256, keccak256};
    use proptest::{collection::vec, prelude::*};

    /// Walks everything and remembers every node.
    fn track(arena: &Arena, node: Link, seen: &mut HashSet<Link>) {
        if !node.is_node() {
            return;
        }
        seen.insert(node);
        let view = arena.view(node);
        if view.class() == Class::FULL {
            track(arena, view.storage(), seen);
        } else if view.class().is_branch() {
            let branch = view.branch();
            nibbles(branch.mask()).enumerate().for_each(|(rank, _)| track(arena, branch.link(rank), seen));
        }
    }

    fn tracked(version: &StateTrie) -> HashSet<Link> {
        let mut seen = HashSet::new();
        track(&version.version.forest.arena, version.version.root, &mut seen);
        seen
    }

    fn bytes<'a>(arena: &Arena, nodes: impl IntoIterator<Item = &'a Link>) -> u64 {
        nodes.into_iter().map(|node| arena.class(*node).bytes() as u64).sum()
    }

    fn block() -> impl Strategy<Value = Updates> {
        let update = (0u8..60, 0u64..2, vec((0u8..12, 0u64..3), 0..5));
        vec(update, 1..30).prop_map(|entries| {
            let update = |(account, nonce, slots): (u8, u64, Vec<(u8, u64)>)| {
                let mut slots: Vec<_> = slots.into_iter().map(|(s, v)| (keccak256([s]), U256::from(v))).collect();
                slots.sort();
                slots.dedup_by_key(|slot| slot.0);
                AccountUpdate { address_hash: keccak256([account]), nonce: Some(nonce), slots, ..Default::default() }
            };
            let mut accounts: Vec<_> = entries.into_iter().map(update).collect();
            accounts.sort_by_key(|account| account.address_hash);
            accounts.dedup_by_key(|account| account.address_hash);
            Updates { accounts, keep_empty: false }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

        /// Versions come of any living one and are dropped in any order: weights are the tracker's, and what lives in
        /// the arena is what some version holds.
        #[test]
        fn weights_and_living_nodes_are_the_trackers(
            steps in vec((any::<prop::sample::Index>(), block(), prop::option::of(any::<prop::sample::Index>())), 1..25),
        ) {
            let first = StateTrie::empty();
            let mut alive = vec![first.clone()];
            let forest = first.version.forest.clone();
            drop(first);
            let arena = &forest.arena;
            for (parent, block, dropped) in steps {
                let parent = parent.get(&alive).clone();
                let derived = root_after(&parent, &NoNodes, &block).unwrap().trie;
                let (base, own) = (tracked(&parent), tracked(&derived));
                prop_assert_eq!(total_tree_bytes(&derived), bytes(arena, &own));
                prop_assert_eq!(cow_bytes(&parent, &derived), bytes(arena, own.difference(&base)));
                for other in &alive {
                    let expected = bytes(arena, own.difference(&tracked(other)));
                    prop_assert_eq!(walked_bytes(other, &derived), expected);
                    prop_assert_eq!(cow_bytes(other, &derived), expected);
                }
                alive.push(derived);
                let union: HashSet<Link> = alive.iter().flat_map(tracked).collect();
                prop_assert_eq!(total_unique_cow_bytes(&parent, &alive), bytes(arena, union.difference(&base)));
                // Some have their parent among them, some the base, some neither.
                for some in [&alive[..], &alive[alive.len() / 2..], &alive[alive.len() - 1..]] {
                    let union: HashSet<Link> = some.iter().flat_map(tracked).collect();
                    let expected = bytes(arena, union.difference(&tracked(&alive[0])));
                    prop_assert_eq!(total_unique_cow_bytes(&alive[0], some), expected);
                }
                drop(parent);
                if let Some(dropped) = dropped && alive.len() > 1 {
                    let at = dropped.index(alive.len());
                    let roots: Vec<_> = alive.iter().map(StateTrie::root).collect();
                    drop(alive.swap_remove(at));
                    let union: HashSet<Link> = alive.iter().flat_map(tracked).collect();
                    prop_assert_eq!(arena.live_bytes(), bytes(arena, &union), "after dropping {} of {}", at, roots.len());
                }
            }
            alive.clear();
            prop_assert_eq!(arena.live_bytes(), 0);
        }
    }
}
