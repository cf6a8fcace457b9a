//! The blocks in memory: a tree of valid blocks over its root, the oldest block whose state is kept.
//!
//! Every block in the tree descends from the root, and every one has its state: layers and a trie version over the
//! store. Below the root are blocks on their way to the disk, kept for look-ups until they are known to be there.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use alloy_primitives::B256;
use balsa_trie::{NodeChanges, StateTrie};

use crate::{KeptBlock, layer_stack::LayerStack};

/// The tree; a value that is cloned, changed and published.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    nodes: HashMap<B256, Node>,
    /// Canonical hashes from the root to the head, ascending; never empty.
    canonical: Vec<B256>,
    /// Number of the root.
    root_number: u64,
    /// Canonical blocks below the root that were handed to the persister, ascending, the last one the root's parent.
    leaving: Vec<Arc<KeptBlock>>,
}

#[derive(Clone, Debug)]
struct Node {
    kept: Arc<KeptBlock>,
    stack: LayerStack,
}

/// A way from one block of the tree to another.
pub(crate) struct Branches {
    /// Blocks that are left, newest first.
    pub(crate) reverted: Vec<Arc<KeptBlock>>,
    /// Blocks that are entered, oldest first.
    pub(crate) applied: Vec<Arc<KeptBlock>>,
}

impl Tree {
    /// A tree of nothing but the block whose state the store holds.
    pub(crate) fn new(root: Arc<KeptBlock>) -> Self {
        let (hash, root_number) = (root.hash(), root.number());
        let node = Node { kept: root, stack: LayerStack::default() };
        Self { nodes: HashMap::from([(hash, node)]), canonical: vec![hash], root_number, leaving: Vec::new() }
    }

    pub(crate) fn get(&self, hash: &B256) -> Option<&Arc<KeptBlock>> {
        self.nodes.get(hash).map(|node| &node.kept)
    }

    /// Every block of the tree, in no order.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Arc<KeptBlock>> {
        self.nodes.values().map(|node| &node.kept)
    }

    /// The layers of a block's state over the store.
    pub(crate) fn stack(&self, hash: &B256) -> Option<&LayerStack> {
        self.nodes.get(hash).map(|node| &node.stack)
    }

    pub(crate) fn root(&self) -> &Arc<KeptBlock> {
        &self.nodes[&self.canonical[0]].kept
    }

    pub(crate) fn head(&self) -> &Arc<KeptBlock> {
        &self.nodes[&self.canonical[self.canonical.len() - 1]].kept
    }

    /// A canonical block's hash, if it is in the tree or on its way to the disk.
    pub(crate) fn canonical_hash(&self, number: u64) -> Option<B256> {
        match number.checked_sub(self.root_number) {
            Some(position) => self.canonical.get(position as usize).copied(),
            None => self.leaving_at(number).map(|kept| kept.hash()),
        }
    }

    /// A block on its way to the disk.
    pub(crate) fn leaving(&self, hash: &B256) -> Option<&Arc<KeptBlock>> {
        self.leaving.iter().find(|kept| kept.hash() == *hash)
    }

    fn leaving_at(&self, number: u64) -> Option<&Arc<KeptBlock>> {
        let first = self.leaving.first()?.number();
        self.leaving.get(number.checked_sub(first)? as usize)
    }

    /// Canonical blocks that may not be in the store, newest first.
    pub(crate) fn canonical_blocks(&self) -> impl Iterator<Item = &Arc<KeptBlock>> {
        let kept = self.canonical.iter().rev().map(|hash| &self.nodes[hash].kept);
        kept.chain(self.leaving.iter().rev())
    }

    /// Rough bytes of all blocks from the root on, tries apart.
    pub(crate) fn blocks_bytes(&self) -> u64 {
        self.nodes.values().map(|node| node.kept.heap_bytes).sum()
    }

    /// The same with those on their way to the disk.
    pub(crate) fn heap_bytes(&self) -> u64 {
        self.blocks_bytes() + self.leaving.iter().map(|kept| kept.heap_bytes).sum::<u64>()
    }

    /// Puts a block below its parent, which is in the tree.
    pub(crate) fn insert(&mut self, kept: Arc<KeptBlock>) {
        let parent = &self.nodes[&kept.parent_hash()];
        assert_eq!(parent.kept.number() + 1, kept.number(), "a child that does not follow its parent");
        let stack = parent.stack.child(kept.number(), kept.change.layer.clone());
        self.nodes.insert(kept.hash(), Node { kept, stack });
    }

    /// The way from the head to another block; `None` if that is not in the tree.
    pub(crate) fn branches_to(&self, hash: &B256) -> Option<Branches> {
        let mut applied = Vec::new();
        let mut at = self.get(hash)?;
        while self.canonical_hash(at.number()) != Some(at.hash()) {
            applied.push(at.clone());
            at = &self.nodes[&at.parent_hash()].kept;
        }
        applied.reverse();
        let common = at.number();
        let above = self.canonical_blocks().take_while(|kept| kept.number() > common);
        Some(Branches { reverted: above.cloned().collect(), applied })
    }

    /// Number of the last canonical block that is `hash` or an ancestor of it; the root's if that is not in the tree.
    pub(crate) fn common_number(&self, hash: &B256) -> u64 {
        let branches = self.branches_to(hash);
        branches.map_or(self.root_number, |branches| self.head().number() - branches.reverted.len() as u64)
    }

    /// Makes what [`branches_to`](Self::branches_to) found the canonical chain.
    pub(crate) fn follow(&mut self, branches: &Branches) {
        self.canonical.truncate(self.canonical.len() - branches.reverted.len());
        self.canonical.extend(branches.applied.iter().map(|kept| kept.hash()));
    }

    /// Moves the root `count` canonical blocks up, and returns those blocks, oldest first. What does not descend from
    /// the new root is forgotten.
    pub(crate) fn raise_root(&mut self, count: usize) -> Vec<Arc<KeptBlock>> {
        let raised: Vec<_> = self.canonical[1..=count].iter().map(|hash| self.nodes[hash].kept.clone()).collect();
        let below = self.canonical.drain(..count).map(|hash| self.nodes[&hash].kept.clone());
        self.leaving.extend(below);
        self.root_number += count as u64;
        self.forget_strangers();
        raised
    }

    /// Every block of the tree, parents before children.
    pub(crate) fn in_order(&self) -> Vec<&Arc<KeptBlock>> {
        let mut blocks: Vec<_> = self.blocks().collect();
        blocks.sort_unstable_by_key(|kept| kept.number());
        blocks
    }

    /// The same blocks on other versions of their tries.
    pub(crate) fn replace_tries(&mut self, tries: &HashMap<B256, (StateTrie, Arc<NodeChanges>)>) {
        for (hash, node) in &mut self.nodes {
            node.kept = node.kept.with_trie(&tries[hash]);
        }
    }

    /// Keeps the root and its descendants.
    fn forget_strangers(&mut self) {
        let mut family = HashSet::from([self.canonical[0]]);
        for kept in self.in_order() {
            if family.contains(&kept.parent_hash()) {
                family.insert(kept.hash());
            }
        }
        self.nodes.retain(|hash, _| family.contains(hash));
    }

    /// The store's head is block `number` now: at most the root's. What it holds need not be held here.
    pub(crate) fn rest_on(&mut self, number: u64) {
        assert!(number <= self.root_number, "the store is ahead of the tree");
        self.leaving.retain(|kept| kept.number() > number);
        for node in self.nodes.values_mut() {
            node.stack = node.stack.above(number);
        }
    }
}
