//! Finding the leaves of many keys, and loading what stands in the way: everything that is needed of one level, then of
//! the next.

use crate::{
    TrieError,
    arena::{Arena, Pen, ahead},
    link::Link,
    load::{StoredLeaf, Tries, Want},
    path::{Path, nibble_of},
    reference::Reference,
};
use alloy_primitives::B256;
use rayon::prelude::*;

/// A key on its way down a trie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe<'k> {
    trie: usize,
    key: &'k B256,
    depth: usize,
    link: Link,
    /// The reference of `link`; read only where that is not in memory.
    expected: Reference,
    /// Whether no node on the way was loaded just now.
    is_linked: bool,
    /// Whether `link` is the leaf, or says that there is none.
    is_done: bool,
}

/// Probes, and plans for what they find, that one thread takes together: they, and the lines that they read, stay in the
/// second-level cache.
pub(crate) const PART: usize = 512;

/// Where a key's leaf is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Located {
    /// [`Link::NONE`] where there is none.
    pub(crate) leaf: Link,
    /// Whether the links of the old version lead to it.
    pub(crate) is_linked: bool,
}

impl<'k> Probe<'k> {
    /// At the root of trie `trie`.
    pub(crate) fn new(trie: usize, key: &'k B256, root: Link, root_hash: B256) -> Self {
        Self { trie, key, depth: 0, link: root, expected: Reference::hash(root_hash), is_linked: true, is_done: false }
    }

    /// Looks at one node, and goes below it if it is a branch.
    fn step(&mut self, arena: &Arena, tries: &Tries<'_>) -> Step {
        if self.link == Link::NONE {
            self.is_done = true;
            return Step::Done;
        }
        if !self.link.is_node() {
            let path = Path::of_key(self.key, self.depth);
            let Some(link) = tries.found(self.trie, &path) else {
                return Step::Blocked;
            };
            self.link = link;
            self.is_linked = false;
        }
        let view = arena.view(self.link);
        if !view.class().is_branch() {
            if view.key() != *self.key {
                self.link = Link::NONE;
            }
            self.is_done = true;
            return Step::Done;
        }
        let branch = view.branch();
        let len = branch.extension_len();
        if len > 0 {
            let extension = branch.extension();
            if (0..len).any(|i| extension.nibble(i) != nibble_of(self.key, self.depth + i)) {
                self.link = Link::NONE;
                self.is_done = true;
                return Step::Done;
            }
        }
        self.depth += len + 1;
        self.link = Link::NONE;
        if let Some(rank) = branch.rank(nibble_of(self.key, self.depth - 1)) {
            self.link = branch.link(rank);
            if !self.link.is_node() {
                self.expected = branch.reference(rank);
            }
        }
        Step::Down
    }

    fn want(&self) -> Want {
        let path = Path::of_key(self.key, self.depth);
        Want { trie: self.trie, path, link: self.link, expected: self.expected }
    }
}

enum Step {
    Down,
    Done,
    /// For want of a node that is not in memory.
    Blocked,
}

/// Takes probes as far down as memory has nodes; those that need more.
fn descend<'p, 'k>(arena: &Arena, tries: &Tries<'_>, probes: &'p mut [Probe<'k>]) -> Vec<&'p Probe<'k>> {
    // With the link that each stands at, so that whoever asks for it does not look at the probes.
    let active = (0..).zip(&*probes).filter(|(_, probe)| !probe.is_done);
    let mut active: Vec<(u32, Link)> = active.map(|(i, probe)| (i, probe.link)).collect();
    let (mut down, mut blocked) = (Vec::with_capacity(active.len()), Vec::new());
    // All probes a level, then the next: what one waits for from memory, others wait for at the same time.
    while !active.is_empty() {
        for &(i, _) in ahead(&active, |(_, link)| arena.ask_links(*link)) {
            let probe = &mut probes[i as usize];
            match probe.step(arena, tries) {
                Step::Down => down.push((i, probe.link)),
                Step::Blocked => blocked.push(i),
                Step::Done => {}
            }
        }
        std::mem::swap(&mut active, &mut down);
        down.clear();
    }
    blocked.sort_unstable();
    blocked.into_iter().map(|i| &probes[i as usize]).collect()
}

/// The leaf of each probe. Probes are sorted by trie, then by key. Runs on the current rayon pool.
pub(crate) fn leaves<L: StoredLeaf>(
    pen: &mut Pen<'_>,
    tries: &mut Tries<'_>,
    mut probes: Vec<Probe<'_>>,
) -> Result<Vec<Located>, TrieError> {
    loop {
        let wants_of = |part| descend(pen.arena(), tries, part).into_iter().map(Probe::want);
        let mut wants: Vec<Want> = match probes.len() {
            0..=PART => wants_of(&mut probes[..]).collect(),
            _ => probes.par_chunks_mut(PART).flat_map_iter(wants_of).collect(),
        };
        if wants.is_empty() {
            break;
        }
        wants.dedup_by_key(|want| (want.trie, want.path));
        let tops = tries.load::<L>(pen, &wants)?;
        tries.loaded.extend(wants.iter().zip(tops).map(|(want, top)| ((want.trie, want.path), top)));
    }
    Ok(probes.into_iter().map(|probe| Located { leaf: probe.link, is_linked: probe.is_linked }).collect())
}
