//! Versions: which there are, which come from which, and what is freed when one is dropped.
//!
//! A node is held by a connected part of the tree of versions: made in one, it is inherited from parent to child until
//! some child replaces it. So whether anything else holds a node of a version can be told from that version's
//! neighbours alone, and a version is freed by a walk beside them that never goes below what they share: no counts in
//! nodes, no lists of what was born and what died, a cost in proportion to what changed. When a version goes, its
//! neighbours become each other's, which keeps every part connected.
//!
//! Reference counts in the nodes were rejected: copying one branch would touch all of its sixteen children, and with
//! them sixteen cache lines, at every level of every changed path.

use crate::{
    arena::{Arena, ArenaError, BranchView, Class, PageMemory, nibbles},
    link::Link,
    rooms::Rooms,
    side_by_side::{Own, own_beside},
    sync::{AtomicU32, Mutex, MutexGuard},
    walk::{Cursor, own_nodes},
};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
};

/// All versions that came of one first version, and the arena they share.
#[derive(Debug)]
pub(crate) struct Forest {
    pub(crate) arena: Arena,
    pub(crate) rooms: Rooms,
    living: Mutex<Living>,
    epoch: AtomicU32,
}

#[derive(Debug, Default)]
struct Living {
    next: u64,
    versions: HashMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    root: Link,
    neighbours: Vec<u64>,
}

/// The age of a version that was not made of another. It has no nodes yet.
pub(crate) const FIRST_EPOCH: u32 = 0;

/// See [`Version::name`].
pub(crate) type VersionName = (*const Forest, u64);

/// One version's claim on its nodes. Dropping it frees those that only it had.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) forest: Arc<Forest>,
    pub(crate) root: Link,
    id: u64,
    /// The version that it was derived from, and bytes of the nodes that this one has and that one does not.
    parent: Option<(u64, u64)>,
    /// No node of this version is younger.
    epoch: u32,
}

impl Version {
    /// When it was made: no node of it is younger, and no node of a descendant that is as old is not one of it.
    pub(crate) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// What tells it from every other version: its forest, and its number there.
    pub(crate) fn name(&self) -> VersionName {
        (Arc::as_ptr(&self.forest), self.id)
    }

    /// The name of the version that it was derived from, which may be gone.
    pub(crate) fn parent_name(&self) -> Option<VersionName> {
        self.parent.map(|(parent, _)| (Arc::as_ptr(&self.forest), parent))
    }

    /// Bytes of the nodes that this version has and the one that it was derived from does not.
    pub(crate) fn own_bytes(&self) -> u64 {
        self.parent.map_or(0, |(_, bytes)| bytes)
    }

    /// Bytes of the nodes that this version has and `base` does not, if it was derived from `base` itself.
    pub(crate) fn bytes_over(&self, base: &Self) -> Option<u64> {
        let (parent, bytes) = self.parent?;
        (Arc::ptr_eq(&self.forest, &base.forest) && parent == base.id).then_some(bytes)
    }
}

impl Forest {
    pub(crate) fn new(memory: Arc<dyn PageMemory>) -> Arc<Self> {
        Self::since(FIRST_EPOCH, memory)
    }

    /// A forest whose versions count on from an epoch.
    pub(crate) fn since(epoch: u32, memory: Arc<dyn PageMemory>) -> Arc<Self> {
        let (arena, rooms, living) = (Arena::new(memory), Rooms::default(), Mutex::default());
        Arc::new(Self { arena, rooms, living, epoch: AtomicU32::new(epoch) })
    }

    /// A number for the nodes of a version in the making: higher than all before it.
    pub(crate) fn next_epoch(&self) -> Result<u32, ArenaError> {
        let last = self.epoch.fetch_update(Relaxed, Relaxed, |last| last.checked_add(1));
        last.map(|last| last + 1).map_err(|_| ArenaError::Worn)
    }

    /// As if every number were in use.
    #[cfg(test)]
    pub(crate) fn use_epochs_up(&self) {
        self.epoch.store(u32::MAX, Relaxed);
    }

    /// The last of these numbers.
    pub(crate) fn last_epoch(&self) -> u32 {
        self.epoch.load(Relaxed)
    }

    /// A first version, of this age.
    pub(crate) fn first(self: &Arc<Self>, root: Link, epoch: u32) -> Version {
        let mut living = self.living();
        let id = living.add(root, Vec::new());
        Version { forest: self.clone(), root, id, parent: None, epoch }
    }

    /// A version with this root, whose nodes are shared with `parent`, of this forest, but for `bytes` of its own.
    pub(crate) fn derived(self: &Arc<Self>, root: Link, epoch: u32, parent: &Version, bytes: u64) -> Version {
        let mut living = self.living();
        let id = living.add(root, vec![parent.id]);
        living.versions.get_mut(&parent.id).expect("a version at hand is alive").neighbours.push(id);
        Version { forest: self.clone(), root, id, parent: Some((parent.id, bytes)), epoch }
    }

    fn release(&self, id: u64) {
        let mut living = self.living();
        let Entry { root, neighbours } = living.versions.remove(&id).expect("a version is dropped once");
        if living.versions.is_empty() {
            // The arena goes with the last version: what stood in it need not be found.
            return self.arena.abandon();
        }
        let others: Vec<_> = neighbours.iter().map(|n| living.versions[n].root).collect();
        let mut own = Nodes::default();
        match others[..] {
            [other] => own_beside(&self.arena, root, other, &mut own),
            _ => {
                let others: Vec<_> = others.into_iter().filter_map(Cursor::at).collect();
                own_nodes(&self.arena, root, 0, &others, &mut |node, class| own.node(node, class));
            }
        }
        self.arena.release(&own.0);
        for &neighbour in &neighbours {
            let entry = living.versions.get_mut(&neighbour).expect("neighbours are alive");
            entry.neighbours.retain(|&n| n != id);
            for &other in &neighbours {
                if other != neighbour && !entry.neighbours.contains(&other) {
                    entry.neighbours.push(other);
                }
            }
        }
    }

    fn living(&self) -> MutexGuard<'_, Living> {
        // A panic while it was held is a bug that leaks nodes at worst.
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All nodes that it is told of.
#[derive(Default)]
struct Nodes(Vec<Link>);

impl Own for Nodes {
    fn node(&mut self, node: Link, _: Class) -> bool {
        self.0.push(node);
        true
    }

    fn light_leaves(&mut self, branch: &BranchView<'_>, ranks: u16) {
        self.0.extend(nibbles(ranks).map(|rank| branch.link(rank)));
    }
}

impl Living {
    fn add(&mut self, root: Link, neighbours: Vec<u64>) -> u64 {
        let id = self.next;
        self.next += 1;
        self.versions.insert(id, Entry { root, neighbours });
        id
    }
}

impl Drop for Version {
    fn drop(&mut self) {
        self.forest.release(self.id);
    }
}
