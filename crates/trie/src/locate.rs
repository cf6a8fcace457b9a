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
use std::ops::Range;

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

/// Keys that a thread looks for together: enough that what one waits for from memory others wait for at the same time, and so few
/// that a thread which was asleep, and takes twenty to fifty microseconds to wake, still finds some.
pub(crate) const PART: usize = 64;
/// So many keys, or plans for them, are not worth a second thread.
pub(crate) const ALONE_MAX: usize = 256;

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

/// The leaves of `count` keys, sorted by trie and then by key: `probes` makes the probes of some of them, or says what is wrong
/// with these. Runs on the current rayon pool.
pub(crate) fn leaves<'k, L: StoredLeaf>(
    pen: &mut Pen<'_>,
    tries: &mut Tries<'_>,
    count: usize,
    probes: impl Fn(Range<usize>) -> Result<Vec<Probe<'k>>, TrieError> + Sync,
) -> Result<Vec<Located>, TrieError> {
    let (arena, found) = (pen.arena(), &*tries);
    let mut parts = in_parts(count, |range| Ok(Part::new(arena, found, probes(range)?)))?;
    loop {
        let mut wants: Vec<Want> = parts.iter_mut().flat_map(|part| part.wants.drain(..)).collect();
        if wants.is_empty() {
            break;
        }
        wants.dedup_by_key(|want| (want.trie, want.path));
        let tops = tries.load::<L>(pen, &wants)?;
        tries.loaded.extend(wants.iter().zip(tops).map(|(want, top)| ((want.trie, want.path), top)));
        let (arena, found) = (pen.arena(), &*tries);
        match count {
            0..=ALONE_MAX => parts.iter_mut().for_each(|part| part.go_on(arena, found)),
            _ => parts.par_iter_mut().for_each(|part| part.go_on(arena, found)),
        }
    }
    let mut located = Vec::with_capacity(count);
    parts.iter().for_each(|part| located.extend_from_slice(&part.located));
    Ok(located)
}

/// Does something with parts of so many keys, and tells of the first failure.
fn in_parts<T: Send>(
    count: usize,
    run: impl Fn(Range<usize>) -> Result<T, TrieError> + Sync,
) -> Result<Vec<T>, TrieError> {
    let part = |i: usize| run(i * PART..count.min((i + 1) * PART));
    let parts = 0..count.div_ceil(PART);
    if count <= ALONE_MAX {
        return parts.map(part).collect();
    }
    let done: Vec<_> = parts.into_par_iter().map(part).collect();
    done.into_iter().collect()
}

/// Keys that one thread looks for together.
struct Part<'k> {
    probes: Vec<Probe<'k>>,
    /// What they cannot go on without.
    wants: Vec<Want>,
    /// Once nothing is wanted: where they are.
    located: Vec<Located>,
}

impl<'k> Part<'k> {
    fn new(arena: &Arena, tries: &Tries<'_>, probes: Vec<Probe<'k>>) -> Self {
        let mut part = Self { probes, wants: Vec::new(), located: Vec::new() };
        part.go_on(arena, tries);
        part
    }

    fn go_on(&mut self, arena: &Arena, tries: &Tries<'_>) {
        if !self.located.is_empty() {
            return;
        }
        self.wants = descend(arena, tries, &mut self.probes).into_iter().map(Probe::want).collect();
        if self.wants.is_empty() {
            let located = |probe: &Probe<'_>| Located { leaf: probe.link, is_linked: probe.is_linked };
            self.located = std::mem::take(&mut self.probes).iter().map(located).collect();
        }
    }
}
