//! Finding the leaves of many keys: as far as memory has nodes, and what of the next level must be loaded before they go on.

use crate::{
    TrieError,
    arena::{Arena, Pen, ahead},
    division::Subtree,
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
    /// Whether links alone lead from where the search began to where it stands: no node on the way was loaded just now.
    is_linked: bool,
    /// Whether `link` is the leaf, or says that there is none.
    is_done: bool,
}

/// Where a key's leaf is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Located {
    /// [`Link::NONE`] where there is none.
    pub(crate) leaf: Link,
    /// Whether links lead to it from where the search began, and so an edit from there follows them as well.
    pub(crate) is_linked: bool,
}

impl Located {
    /// Nowhere, as in an empty trie.
    pub(crate) const NOWHERE: Self = Self { leaf: Link::NONE, is_linked: true };
}

impl<'k> Probe<'k> {
    /// At the root of trie `trie`.
    pub(crate) fn new(trie: usize, key: &'k B256, root: Link, root_hash: B256) -> Self {
        Self { trie, key, depth: 0, link: root, expected: Reference::hash(root_hash), is_linked: true, is_done: false }
    }

    /// At the top of a subtree, below which the key lies.
    pub(crate) fn below(subtree: &Subtree, key: &'k B256) -> Self {
        let top = subtree.old.as_ref();
        let link = top.map_or(Link::NONE, |top| top.link);
        let expected = top.map_or(Reference::hash(B256::ZERO), |top| top.reference);
        let (trie, depth) = (subtree.trie, subtree.depth);
        Self { trie, key, depth, link, expected, is_linked: true, is_done: false }
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

/// Keys that one thread looks for together: what one waits for from memory, others wait for at the same time.
#[derive(Debug, Default)]
pub(crate) struct Search<'k>(Vec<Probe<'k>>);

impl<'k> Search<'k> {
    pub(crate) fn of(probes: Vec<Probe<'k>>) -> Self {
        Self(probes)
    }

    /// Goes as far as memory has nodes, and adds to `wants` what it cannot go on without. Whether that is nothing.
    pub(crate) fn go_on(&mut self, arena: &Arena, tries: &Tries<'_>, wants: &mut Vec<Want>) -> bool {
        let blocked = self.descend(arena, tries);
        wants.extend(blocked.iter().map(|i| self.0[*i as usize].want()));
        blocked.is_empty()
    }

    /// Where the keys are, in their order, once all are found.
    pub(crate) fn located(&self) -> impl Iterator<Item = Located> {
        self.0.iter().map(|probe| Located { leaf: probe.link, is_linked: probe.is_linked })
    }

    /// The numbers of those that need a node which is not in memory.
    fn descend(&mut self, arena: &Arena, tries: &Tries<'_>) -> Vec<u32> {
        // With the link that each stands at, so that whoever asks for it does not look at the probes.
        let active = (0..).zip(&self.0).filter(|(_, probe)| !probe.is_done);
        let mut active: Vec<(u32, Link)> = active.map(|(i, probe)| (i, probe.link)).collect();
        let (mut down, mut blocked) = (Vec::with_capacity(active.len()), Vec::new());
        // All probes a level, then the next.
        while !active.is_empty() {
            for &(i, _) in ahead(&active, |(_, link)| arena.ask_links(*link)) {
                let probe = &mut self.0[i as usize];
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
        blocked
    }
}

/// The leaf of one key, with all on the way loaded.
pub(crate) fn leaf<L: StoredLeaf>(
    pen: &mut Pen<'_>,
    tries: &mut Tries<'_>,
    probe: Probe<'_>,
) -> Result<Located, TrieError> {
    let mut search = Search::of(vec![probe]);
    let mut wants = Vec::new();
    while !search.go_on(pen.arena(), tries, &mut wants) {
        tries.bring::<L>(pen, &mut wants)?;
    }
    Ok(search.located().next().expect("one key"))
}
