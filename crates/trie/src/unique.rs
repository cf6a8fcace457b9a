//! What tables that keep each node once would save, and what they would cost: for measurements, in no other's way.
//!
//! A table for each depth is a set of handles that hashes through the arena. Nodes are put in from the leaves up; a branch
//! is equal to another when its mask, its extension and what its children were found to be are.

use crate::{
    StateTrie,
    arena::{Arena, Class, nibbles},
    link::Link,
    walk::{Cursor, own_nodes},
};
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, Hasher},
};

/// The nodes of a version in tables that hold each once.
#[derive(Debug)]
pub struct UniqueTables<'t> {
    arena: &'t Arena,
    tables: Vec<Table>,
    // What other node a node is equal to.
    same: HashMap<Link, Link, foldhash::fast::RandomState>,
    nodes: Vec<(Link, u8)>,
}

/// Nodes of one depth, counted from the root of their own trie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UniqueNodes {
    /// All of them.
    pub nodes: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those that differ.
    pub distinct: u64,
    /// Bytes of those that differ.
    pub distinct_bytes: u64,
    /// Bytes of the table: a handle a place.
    pub table_bytes: u64,
}

#[derive(Debug, Default)]
struct Table {
    // A power of two of handles' bits; at most three quarters are in use.
    places: Vec<u32>,
    counts: UniqueNodes,
}

const FREE: u32 = u32::MAX;

impl<'t> UniqueTables<'t> {
    /// Puts in every node of a version that is in memory.
    pub fn of(version: &'t StateTrie) -> Self {
        let arena = &version.version.forest.arena;
        let mut tables = Self { arena, tables: Vec::new(), same: HashMap::default(), nodes: Vec::new() };
        tables.put_tree(version.version.root, 0);
        tables
    }

    /// The nodes by depth.
    pub fn depths(&self) -> Vec<UniqueNodes> {
        let of = |table: &Table| UniqueNodes { table_bytes: (table.places.len() * 4) as u64, ..table.counts };
        self.tables.iter().map(of).collect()
    }

    /// Looks every node up once more, in an order in which neither they nor their places are near each other; tells how many
    /// were found.
    pub fn look_up_all(&self) -> u64 {
        let count = self.nodes.len();
        let at = |i: usize| self.nodes[(i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize % count.max(1)];
        let found = (0..count).filter(|i| {
            let (node, depth) = at(*i);
            self.tables[usize::from(depth)].find(self, node).is_ok()
        });
        found.count() as u64
    }

    /// How often tables would be asked while a block is imported: once for each node that `derived` has and its relative `base` has not.
    pub fn asked(base: &StateTrie, derived: &StateTrie) -> u64 {
        let mut made = 0;
        let others = Cursor::at(base.version.root);
        let arena = &derived.version.forest.arena;
        own_nodes(arena, derived.version.root, 0, others.as_slice(), &mut |_, _| {
            made += 1;
            true
        });
        made
    }

    fn put_tree(&mut self, node: Link, depth: usize) {
        if !node.is_node() {
            return;
        }
        let view = self.arena.view(node);
        if view.class().is_branch() {
            let branch = view.branch();
            let below = depth + branch.extension_len() + 1;
            (0..branch.mask().count_ones() as usize).for_each(|rank| self.put_tree(branch.link(rank), below));
        } else if view.class() == Class::FULL {
            self.put_tree(view.storage(), 0);
        }
        self.put(node, depth);
    }

    fn put(&mut self, node: Link, depth: usize) {
        if self.tables.len() <= depth {
            self.tables.resize_with(depth + 1, Table::default);
        }
        let mut table = std::mem::take(&mut self.tables[depth]);
        if table.counts.distinct as usize >= table.places.len() / 4 * 3 {
            table.grow(self);
        }
        let bytes = self.arena.class(node).bytes() as u64;
        table.counts.nodes += 1;
        table.counts.bytes += bytes;
        match table.find(self, node) {
            Ok(equal) => drop(self.same.insert(node, equal)),
            Err(place) => {
                table.places[place] = node.bits();
                table.counts.distinct += 1;
                table.counts.distinct_bytes += bytes;
            }
        }
        self.tables[depth] = table;
        self.nodes.push((node, depth as u8));
    }

    /// A child, as the table knows it.
    fn known(&self, link: Link) -> Link {
        if self.same.is_empty() { link } else { self.same.get(&link).copied().unwrap_or(link) }
    }

    fn hash(&self, node: Link) -> u64 {
        let mut hasher = foldhash::fast::FixedState::default().build_hasher();
        let view = self.arena.view(node);
        if view.class().is_branch() {
            let branch = view.branch();
            (branch.mask(), branch.extension()).hash(&mut hasher);
            (0..branch.mask().count_ones() as usize).for_each(|rank| self.known(branch.link(rank)).hash(&mut hasher));
        } else {
            // Keys are hashes, and few leaves with one key differ.
            view.key().hash(&mut hasher);
        }
        hasher.finish()
    }

    fn are_equal(&self, a: Link, b: Link) -> bool {
        if a == b {
            return true;
        }
        let (left, right) = (self.arena.view(a), self.arena.view(b));
        if left.class() != right.class() {
            return false;
        }
        if left.class().is_branch() {
            let (left, right) = (left.branch(), right.branch());
            return left.mask() == right.mask()
                && left.extension() == right.extension()
                && nibbles(left.mask()).enumerate().all(|(rank, _)| {
                    self.known(left.link(rank)) == self.known(right.link(rank))
                        && left.reference(rank) == right.reference(rank)
                });
        }
        left.key() == right.key()
            && match left.class() {
                Class::SLOT => left.number(4) == right.number(4),
                _ => left.account() == right.account(),
            }
    }
}

impl Table {
    /// The node that is equal, or the place where one is to be put.
    fn find(&self, tables: &UniqueTables<'_>, node: Link) -> Result<Link, usize> {
        let mut place = tables.hash(node) as usize & (self.places.len() - 1);
        loop {
            match self.places[place] {
                FREE => return Err(place),
                bits if tables.are_equal(Link::from_bits(bits), node) => return Ok(Link::from_bits(bits)),
                _ => place = (place + 1) & (self.places.len() - 1),
            }
        }
    }

    fn grow(&mut self, tables: &UniqueTables<'_>) {
        let places = vec![FREE; (self.places.len() * 2).max(8)];
        let old = std::mem::replace(&mut self.places, places);
        for bits in old.into_iter().filter(|bits| *bits != FREE) {
            let Err(place) = self.find(tables, Link::from_bits(bits)) else { unreachable!("each is there once") };
            self.places[place] = bits;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountUpdate, NoNodes, Updates, root_after, total_tree_bytes};
    use alloy_primitives::{U256, keccak256};

    /// Two accounts with one storage, and a third with a slot more.
    #[test]
    fn equal_storages_are_kept_once() {
        let mut slots: Vec<_> = (0..40u8).map(|n| (keccak256([n]), U256::from(n + 1))).collect();
        slots.sort();
        let account = |n: u8, slots: &[_]| AccountUpdate {
            address_hash: keccak256([n]),
            nonce: Some(1),
            slots: slots.to_vec(),
            ..AccountUpdate::default()
        };
        let counted = |accounts: Vec<AccountUpdate>| {
            let mut accounts = accounts;
            accounts.sort_by_key(|account| account.address_hash);
            let updates = Updates { accounts, keep_empty: false };
            let trie = root_after(&StateTrie::empty(), &NoNodes, &updates).unwrap().trie;
            let tables = UniqueTables::of(&trie);
            assert_eq!(UniqueTables::asked(&trie, &trie), 0);
            assert_eq!(UniqueTables::asked(&StateTrie::empty(), &trie), tables.look_up_all());
            let depths = tables.depths();
            let sum = |of: fn(&UniqueNodes) -> u64| depths.iter().map(of).sum::<u64>();
            assert_eq!(sum(|depth| depth.bytes), total_tree_bytes(&trie));
            assert_eq!(tables.look_up_all(), sum(|depth| depth.nodes));
            (sum(|depth| depth.nodes), sum(|depth| depth.distinct))
        };
        let (one, distinct) = counted(vec![account(1, &slots)]);
        assert_eq!(distinct, one);
        // A branch over two accounts, and a leaf, are new.
        assert_eq!(counted(vec![account(1, &slots), account(2, &slots)]), (2 * one + 1, one + 2));
        let (_, distinct) = counted(vec![account(1, &slots), account(2, &slots[1..])]);
        assert!(distinct > one + 2 && distinct < one + 8, "{distinct} of {one}");
    }
}
