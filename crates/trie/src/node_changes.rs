//! What a store has to write of a new version, besides the flat state.
//!
//! A version's branches are noted where they changed, and encoded when somebody asks: a branch near the root changes in
//! every block, and of all its records between two flushes only the last is ever written. That kept the writing of seven
//! megabytes off the path of a block with 10,000 changes, a sixth of what its root took.

use crate::{
    Branch, Path, StateTrie, Updates,
    arena::{Arena, nibbles},
    branch::RecordChild,
    link::Link,
    walk::Cursor,
};
use alloy_primitives::{B256, Bytes};
use std::{collections::BTreeMap, slice};

/// Branch records to write, and to delete where there is none.
///
/// While it lives, so does the version that it was made for.
#[derive(Clone, Debug, Default)]
pub struct NodeChanges(Changes);

#[derive(Clone, Debug)]
enum Changes {
    Noted { trie: StateTrie, accounts: Vec<Vec<Noted>>, storages: Vec<NotedStorage> },
    Encoded(EncodedNodes),
}

/// The position of a branch, and the branch, or [`Link::NONE`].
type Noted = (Path, Link);

/// Positions of branches whose records must be written, and deleted where there is [`Link::NONE`], as one edit or several note them.
/// Where a position is named twice, the last counts.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) accounts: Vec<Noted>,
    /// With the number of the trie.
    pub(crate) storages: Vec<(usize, Path, Link)>,
    /// Whether a position may be named twice.
    pub(crate) repeats: bool,
}

#[derive(Clone, Debug)]
struct NotedStorage {
    address_hash: B256,
    cleared: bool,
    branches: Vec<Noted>,
}

/// The same, as the store keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodedNodes {
    /// Of the account trie, each path once, in no order.
    pub accounts: Vec<(Path, Option<Branch>)>,
    /// Of the storage tries, by address hash.
    pub storages: Vec<EncodedStorage>,
}

/// Branch records of one storage trie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodedStorage {
    /// keccak256 of the address.
    pub address_hash: B256,
    /// Delete every record of this trie first.
    pub cleared: bool,
    /// Each path once, in no order.
    pub branches: Vec<(Path, Option<Branch>)>,
}

/// What becomes of one storage trie's records.
#[derive(Clone, Copy, Debug)]
pub struct StorageChange<'a> {
    /// keccak256 of the address.
    pub address_hash: B256,
    /// Delete every record of this trie first.
    pub cleared: bool,
    branches: Branches<'a>,
}

/// What becomes of one record.
#[derive(Clone, Copy, Debug)]
pub struct BranchChange<'a>(Source<'a>);

#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Node(&'a Arena, Link),
    Record(Option<&'a Branch>),
}

/// The changes of one trie.
#[derive(Clone, Copy, Debug)]
enum Branches<'a> {
    Noted(&'a Arena, &'a [Vec<Noted>]),
    Encoded(&'a [(Path, Option<Branch>)]),
}

impl NodeChanges {
    /// Of what edits noted, in their order.
    pub(crate) fn of(
        trie: StateTrie,
        records: Vec<Records>,
        updates: &Updates,
        cleared: impl Iterator<Item = usize>,
    ) -> Self {
        let repeats = records.iter().any(|records| records.repeats);
        let (mut accounts, mut slots) = (Vec::new(), Vec::new());
        for mut records in records {
            // Lists as they are: moving a few hundred kilobytes that other threads wrote took a hundredth of a block's time.
            accounts.push(records.accounts);
            slots.append(&mut records.storages);
        }
        if repeats {
            let last: BTreeMap<Path, Link> = accounts.into_iter().flatten().collect();
            accounts = vec![last.into_iter().collect()];
            let last: BTreeMap<_, _> = slots.into_iter().map(|(trie, path, branch)| ((trie, path), branch)).collect();
            slots = last.into_iter().map(|((trie, path), branch)| (trie, path, branch)).collect();
        }
        let mut storages: BTreeMap<usize, NotedStorage> = BTreeMap::new();
        let storage = |trie: usize, cleared| {
            let address_hash = updates.accounts[trie].address_hash;
            NotedStorage { address_hash, cleared, branches: Vec::new() }
        };
        for trie in cleared {
            storages.insert(trie, storage(trie, true));
        }
        for (trie, path, branch) in slots {
            storages.entry(trie).or_insert_with(|| storage(trie, false)).branches.push((path, branch));
        }
        Self(Changes::Noted { trie, accounts, storages: storages.into_values().collect() })
    }

    /// Of the account trie, each path once, in no order.
    pub fn account_branches(&self) -> impl Iterator<Item = (Path, BranchChange<'_>)> {
        self.accounts().iter()
    }

    /// Of the storage tries, by address hash.
    pub fn storages(&self) -> impl Iterator<Item = StorageChange<'_>> {
        let (noted, encoded) = match &self.0 {
            Changes::Noted { trie, storages, .. } => (Some((trie, storages)), None),
            Changes::Encoded(nodes) => (None, Some(&nodes.storages)),
        };
        let noted = noted.into_iter().flat_map(|(trie, storages)| {
            storages.iter().map(|NotedStorage { address_hash, cleared, branches }| StorageChange {
                address_hash: *address_hash,
                cleared: *cleared,
                branches: Branches::Noted(arena(trie), slice::from_ref(branches)),
            })
        });
        let encoded = encoded.into_iter().flatten().map(|storage| StorageChange {
            address_hash: storage.address_hash,
            cleared: storage.cleared,
            branches: Branches::Encoded(&storage.branches),
        });
        noted.chain(encoded)
    }

    /// Every record, encoded.
    pub fn encoded(&self) -> EncodedNodes {
        let encoded = |branches: Branches<'_>| branches.iter().map(|(path, change)| (path, change.record())).collect();
        let storage = |storage: StorageChange<'_>| EncodedStorage {
            address_hash: storage.address_hash,
            cleared: storage.cleared,
            branches: encoded(storage.branches),
        };
        EncodedNodes { accounts: encoded(self.accounts()), storages: self.storages().map(storage).collect() }
    }

    /// Bytes on the heap, without the nodes of the version.
    pub fn heap_bytes(&self) -> u64 {
        let bytes = |branches: Branches<'_>| -> usize {
            match branches {
                Branches::Noted(_, noted) => noted.iter().map(|noted| noted.capacity() * size_of::<Noted>()).sum(),
                Branches::Encoded(encoded) => {
                    let record = |branch: &Option<Branch>| branch.as_ref().map_or(0, |branch| branch.as_bytes().len());
                    encoded.iter().map(|entry| size_of_val(entry) + record(&entry.1)).sum()
                }
            }
        };
        let storages: usize = self.storages().map(|storage| bytes(storage.branches)).sum();
        (bytes(self.accounts()) + storages) as u64
    }

    /// The same of the same version in another arena, as [`renewed`](crate::renewed) made it: what was noted are nodes
    /// that the version made itself, so all of them are there.
    #[must_use]
    pub fn renewed(&self, version: &StateTrie) -> Self {
        let Changes::Noted { accounts, storages, .. } = &self.0 else { return self.clone() };
        let arena = arena(version);
        let root = Cursor::at(version.version.root);
        let moved = |root: Option<Cursor>, noted: &[Noted]| {
            let there = |(path, link): &Noted| {
                let found = || root?.descend(arena, &path.first_key(), path.len())?.node_here();
                let moved = if link.is_node() { found().expect("a version keeps what it made") } else { *link };
                (*path, moved)
            };
            noted.iter().map(there).collect()
        };
        let storage = |storage: &NotedStorage| {
            let leaf = root.and_then(|root| root.find(arena, 0, &storage.address_hash));
            let root = leaf.and_then(|leaf| Cursor::at(leaf.storage()));
            NotedStorage { branches: moved(root, &storage.branches), ..storage.clone() }
        };
        let storages = storages.iter().map(storage).collect();
        let accounts = accounts.iter().map(|noted| moved(root, noted)).collect();
        Self(Changes::Noted { trie: version.clone(), accounts, storages })
    }

    fn accounts(&self) -> Branches<'_> {
        match &self.0 {
            Changes::Noted { trie, accounts, .. } => Branches::Noted(arena(trie), accounts),
            Changes::Encoded(nodes) => Branches::Encoded(&nodes.accounts),
        }
    }
}

impl From<EncodedNodes> for NodeChanges {
    fn from(nodes: EncodedNodes) -> Self {
        Self(Changes::Encoded(nodes))
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self::Encoded(EncodedNodes::default())
    }
}

fn arena(trie: &StateTrie) -> &Arena {
    &trie.version.forest.arena
}

impl<'a> StorageChange<'a> {
    /// Each path once, in no order.
    pub fn branches(&self) -> impl Iterator<Item = (Path, BranchChange<'a>)> + use<'a> {
        self.branches.iter()
    }
}

impl<'a> Branches<'a> {
    fn iter(self) -> impl Iterator<Item = (Path, BranchChange<'a>)> + use<'a> {
        let (noted, encoded) = match self {
            Self::Noted(arena, noted) => (Some((arena, noted)), None),
            Self::Encoded(encoded) => (None, Some(encoded)),
        };
        let noted = noted.into_iter().flat_map(|(arena, noted)| {
            noted.iter().flatten().map(move |(path, link)| (*path, BranchChange(Source::Node(arena, *link))))
        });
        let encoded = encoded.into_iter().flatten();
        noted.chain(encoded.map(|(path, branch)| (*path, BranchChange(Source::Record(branch.as_ref())))))
    }
}

impl BranchChange<'_> {
    /// The record to write; none where it is to be deleted.
    pub fn record(&self) -> Option<Branch> {
        match self.0 {
            Source::Record(branch) => branch.cloned(),
            Source::Node(arena, link) => link.is_node().then(|| record(arena, link)),
        }
    }
}

/// The record of a large branch.
fn record(arena: &Arena, link: Link) -> Branch {
    let branch = arena.view(link).branch();
    debug_assert!(branch.is_large());
    let children = nibbles(branch.mask()).enumerate().map(|(rank, nibble)| {
        let leaves = Some(branch.count(rank)).filter(|leaves| *leaves <= crate::SMALL_LEAVES_MAX);
        RecordChild { nibble, leaves, reference: branch.reference(rank) }
    });
    let mut bytes = Vec::with_capacity(Branch::BYTES_USUAL);
    Branch::write(&branch.extension(), children, &mut bytes);
    Branch::written(Bytes::from(bytes))
}
