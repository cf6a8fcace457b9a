//! Finding the leaves of many keys, and loading what stands in the way: everything that is needed of one level, then of
//! the next.

use crate::{
    TrieError,
    arena::{Arena, Pen},
    link::Link,
    load::{StoredLeaf, Tries, Want},
    path::{Path, nibble_of},
    reference::Reference,
};
use alloy_primitives::B256;

/// A key on its way down a trie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe<'k> {
    trie: usize,
    key: &'k B256,
    depth: usize,
    link: Link,
    /// The reference of `link`; read only where that is not in memory.
    expected: Reference,
}

impl<'k> Probe<'k> {
    /// At the root of trie `trie`.
    pub(crate) fn new(trie: usize, key: &'k B256, root: Link, root_hash: B256) -> Self {
        Self { trie, key, depth: 0, link: root, expected: Reference::hash(root_hash) }
    }

    /// Goes down as far as nodes are in memory. Says where it stopped for want of a node.
    fn advance(&mut self, arena: &Arena, tries: &Tries<'_>) -> Option<Want> {
        while self.link != Link::NONE {
            if !self.link.is_node() {
                let path = Path::of_key(self.key, self.depth);
                let Some(link) = tries.found(self.trie, &path) else {
                    return Some(Want { trie: self.trie, path, link: self.link, expected: self.expected });
                };
                self.link = link;
            }
            let view = arena.view(self.link);
            if !view.class().is_branch() {
                if view.key() != *self.key {
                    self.link = Link::NONE;
                }
                return None;
            }
            let branch = view.branch();
            let len = branch.extension_len();
            if len > 0 {
                let extension = branch.extension();
                if (0..len).any(|i| extension.nibble(i) != nibble_of(self.key, self.depth + i)) {
                    self.link = Link::NONE;
                    return None;
                }
            }
            self.depth += len + 1;
            match branch.rank(nibble_of(self.key, self.depth - 1)) {
                Some(rank) => {
                    self.link = branch.link(rank);
                    if !self.link.is_node() {
                        self.expected = branch.reference(rank);
                    }
                }
                None => self.link = Link::NONE,
            }
        }
        None
    }
}

/// The leaf of each probe, [`Link::NONE`] where there is none. Probes are sorted by trie, then by key.
pub(crate) fn leaves<L: StoredLeaf>(
    pen: &mut Pen<'_>,
    tries: &mut Tries<'_>,
    mut probes: Vec<Probe<'_>>,
) -> Result<Vec<Link>, TrieError> {
    let mut active: Vec<usize> = (0..probes.len()).collect();
    while !active.is_empty() {
        let mut wants: Vec<Want> = Vec::new();
        active.retain(|&i| {
            let Some(want) = probes[i].advance(pen.arena(), tries) else { return false };
            if wants.last().is_none_or(|last| (last.trie, last.path) != (want.trie, want.path)) {
                wants.push(want);
            }
            true
        });
        let tops = tries.load::<L>(pen, &wants)?;
        tries.loaded.extend(wants.iter().zip(tops).map(|(want, top)| ((want.trie, want.path), top)));
    }
    Ok(probes.into_iter().map(|probe| probe.link).collect())
}
