//! A batch of sorted changes into one trie: the new root, sharing every node that did not change, and the records that
//! a store must write.
//!
//! The walk goes down only where changes lie. A node that is not in memory is loaded and checked against the
//! reference in its parent, so a store that lies leads to an error and never to a wrong root.

use crate::{
    Branch, Path, SMALL_LEAVES_MAX, SourceError, TrieError,
    error::{TrieId, WrongHash},
    node::{Below, Link, Node, Slot},
    path::{common_nibbles, nibble_of},
    reference::Reference,
    rlp::LeafValue,
};
use alloy_primitives::B256;
use balsa_state::EMPTY_ROOT;
use std::{collections::BTreeMap, sync::Arc};

/// A new value for a key, or its deletion.
pub(crate) type Change<L> = (B256, Option<L>);

/// Records to write and to delete (`None`), by position.
pub(crate) type Records = BTreeMap<Path, Option<Branch>>;

/// Where one trie finds what is not in memory.
pub(crate) trait Loader<L>: Sync {
    fn id(&self) -> TrieId;
    fn branch(&self, path: &Path) -> Result<Option<Branch>, SourceError>;
    fn leaves(&self, prefix: &Path, limit: usize) -> Result<Vec<(B256, L)>, SourceError>;
}

/// One batch of changes to one trie.
pub(crate) struct Edit<'a, L> {
    loader: &'a dyn Loader<L>,
    records: Records,
}

impl<'a, L: LeafValue + PartialEq> Edit<'a, L> {
    pub(crate) fn new(loader: &'a dyn Loader<L>) -> Self {
        Self { loader, records: Records::new() }
    }

    /// The root after `changes`, which are sorted and unique, and the records that differ.
    pub(crate) fn root(
        mut self,
        root: Option<&Slot<L>>,
        changes: &[Change<L>],
    ) -> Result<(Option<Slot<L>>, Records), TrieError> {
        let root = self.subtree(Path::ROOT, root, changes)?;
        Ok((root, self.records))
    }

    /// The value of a key. Loads what it must, and keeps none of it.
    pub(crate) fn value(&self, root: Option<&Slot<L>>, key: &B256) -> Result<Option<L>, TrieError> {
        let mut at = Path::ROOT;
        let mut slot = root.cloned();
        loop {
            let Some(here) = slot else { return Ok(None) };
            match self.node(&at, &here)?.as_ref() {
                Node::Leaf { key: found, value } => {
                    return Ok((found == key).then(|| value.clone()));
                }
                Node::Branch { extension, children, .. } => {
                    at = at.join(extension);
                    if !at.leads_to(key) {
                        return Ok(None);
                    }
                    let nibble = nibble_of(key, at.len());
                    at = at.child(nibble);
                    slot = children[nibble].clone();
                }
            }
        }
    }

    fn subtree(
        &mut self,
        at: Path,
        old: Option<&Slot<L>>,
        changes: &[Change<L>],
    ) -> Result<Option<Slot<L>>, TrieError> {
        let Some(old) = old else {
            let leaves = changes.iter().filter_map(|(key, value)| Some((*key, value.clone()?))).collect::<Vec<_>>();
            return Ok(self.built(at, &leaves));
        };
        if changes.is_empty() {
            return Ok(Some(old.clone()));
        }
        let node = self.node(&at, old)?;
        let new = match node.as_ref() {
            Node::Leaf { key, value } => {
                let merged = merge(key, value, changes);
                let same = matches!(merged.as_slice(), [(k, v)] if k == key && v == value);
                if same {
                    Some(Slot { link: Link::Node(node), reference: old.reference })
                } else {
                    self.built(at, &merged)
                }
            }
            Node::Branch { extension, children, .. } => {
                let old = Slot { link: Link::Node(node.clone()), reference: old.reference };
                self.below_branch(at, &old, extension, children, changes)?
            }
        };
        if old.is_large() && !new.as_ref().is_some_and(Slot::is_large) {
            self.records.insert(at, None);
        }
        Ok(new)
    }

    fn below_branch(
        &mut self,
        at: Path,
        old: &Slot<L>,
        extension: &Path,
        children: &[Option<Slot<L>>; 16],
        changes: &[Change<L>],
    ) -> Result<Option<Slot<L>>, TrieError> {
        // Keys that leave the extension half-way: new ones split it, deletions there have nothing to delete.
        let target = at.join(extension).first_key();
        let follows = |key: &B256| (common_nibbles(key, &target) - at.len()).min(extension.len());
        let split =
            changes.iter().filter(|(_, v)| v.is_some()).map(|(k, _)| follows(k)).min().unwrap_or(extension.len());
        let is_split = split < extension.len();
        let mut new = if is_split {
            let mut new = [const { None }; 16];
            let pushed_at = at.join(&extension.part(0, split + 1));
            let pushed = self.branch(pushed_at, extension.part(split + 1, extension.len()), children.clone());
            new[extension.nibble(split)] = Some(pushed);
            new
        } else {
            children.clone()
        };
        let trunk = at.join(&extension.part(0, split));
        let mut unchanged = !is_split;
        let mut rest = changes;
        while let Some((key, _)) = rest.first() {
            let nibble = nibble_of(key, trunk.len());
            let same_child = |key: &B256| follows(key) >= split && nibble_of(key, trunk.len()) == nibble;
            if follows(key) < split {
                rest = &rest[1..];
                continue;
            }
            let (group, others) = rest.split_at(rest.partition_point(|(key, _)| same_child(key)));
            rest = others;
            let child = self.subtree(trunk.child(nibble), new[nibble].as_ref(), group)?;
            unchanged &= match (&child, &new[nibble]) {
                (Some(a), Some(b)) => a.same_node(b),
                (None, None) => true,
                _ => false,
            };
            new[nibble] = child;
        }
        if unchanged {
            return Ok(Some(old.clone()));
        }
        self.gathered(at, extension.part(0, split), new)
    }

    /// The node over `children`: nothing over none, a lone child pulled up, a branch over more.
    fn gathered(
        &mut self,
        at: Path,
        extension: Path,
        children: [Option<Slot<L>>; 16],
    ) -> Result<Option<Slot<L>>, TrieError> {
        if children.iter().flatten().count() >= 2 {
            return Ok(Some(self.branch(at, extension, children)));
        }
        let Some((nibble, child)) = children.iter().enumerate().find_map(|(i, c)| Some((i, c.as_ref()?))) else {
            return Ok(None);
        };
        let child_at = at.join(&extension).child(nibble);
        Ok(Some(match self.node(&child_at, child)?.as_ref() {
            Node::Leaf { key, value } => Slot::leaf(at.len(), *key, value.clone()),
            Node::Branch { extension: rest, children, .. } => {
                if child.is_large() {
                    self.records.insert(child_at, None);
                }
                self.branch(at, extension.child(nibble).join(rest), (**children).clone())
            }
        }))
    }

    /// A trie over sorted leaves that all lie below `at`.
    fn built(&mut self, at: Path, leaves: &[(B256, L)]) -> Option<Slot<L>> {
        let (first, last) = match leaves {
            [] => return None,
            [(key, value)] => return Some(Slot::leaf(at.len(), *key, value.clone())),
            [(first, _), .., (last, _)] => (first, last),
        };
        let depth = common_nibbles(first, last);
        let trunk = Path::of_key(first, depth);
        let mut children = [const { None }; 16];
        let mut rest = leaves;
        while let Some((key, _)) = rest.first() {
            let nibble = nibble_of(key, depth);
            let (group, others) = rest.split_at(rest.partition_point(|(key, _)| nibble_of(key, depth) <= nibble));
            rest = others;
            children[nibble] = self.built(trunk.child(nibble), group);
        }
        Some(self.branch(at, trunk.part(at.len(), depth), children))
    }

    fn branch(&mut self, at: Path, extension: Path, children: [Option<Slot<L>>; 16]) -> Slot<L> {
        let slot = Slot::branch(extension, children);
        if let Some(record) = slot.record() {
            self.records.insert(at, Some(record));
        }
        slot
    }

    /// The node of a slot, loaded and checked where it is not in memory.
    fn node(&self, at: &Path, slot: &Slot<L>) -> Result<Arc<Node<L>>, TrieError> {
        let below = match &slot.link {
            Link::Node(node) => return Ok(node.clone()),
            Link::Persisted(below) => *below,
        };
        let trie = self.loader.id();
        let record = if let Below::Small(_) = below { None } else { self.loader.branch(at)? };
        let loaded = match record {
            Some(record) => Some(Slot::of_record(&record)),
            None if below == Below::Large => {
                return Err(TrieError::MissingBranch { trie, path: *at });
            }
            None => {
                let leaves = self.loader.leaves(at, usize::from(SMALL_LEAVES_MAX) + 1)?;
                // Loading writes nothing: the records of this scratch edit are dropped.
                Edit::new(self.loader).built(*at, &leaves)
            }
        };
        // The root of an account's storage is known by its hash alone, never inline.
        let found = loaded.as_ref().map(|loaded| match below {
            Below::Unknown => Reference::hash(loaded.reference.to_hash()),
            _ => loaded.reference,
        });
        match loaded {
            Some(Slot { link: Link::Node(node), .. }) if found == Some(slot.reference) => Ok(node),
            _ => Err(TrieError::WrongHash(Box::new(WrongHash {
                trie,
                path: *at,
                expected: slot.reference.to_hash(),
                found: found.map_or(EMPTY_ROOT, Reference::to_hash),
            }))),
        }
    }
}

/// A leaf and the changes to its surroundings, as sorted leaves.
fn merge<L: Clone>(key: &B256, value: &L, changes: &[Change<L>]) -> Vec<(B256, L)> {
    let mut merged: Vec<_> = changes.iter().filter_map(|(key, value)| Some((*key, value.clone()?))).collect();
    if let Err(i) = changes.binary_search_by(|(changed, _)| changed.cmp(key)) {
        let i = changes[..i].iter().filter(|(_, value)| value.is_some()).count();
        merged.insert(i, (*key, value.clone()));
    }
    merged
}
