//! Bringing persisted subtrees into memory, many at a time, each checked against the reference in its parent.

use crate::{
    Branch, NodeSource, SMALL_LEAVES_MAX, SourceError, TrieError, Updates,
    arena::{Pen, nibbles},
    change::Present,
    edit::{Edit, Notes, Parts},
    error::{TrieId, WrongHash},
    levels::Levels,
    link::Link,
    path::Path,
    reference::Reference,
    rlp::{AccountLeaf, Leaf},
};
use alloy_primitives::{B256, U256};
use balsa_state::EMPTY_ROOT;
use std::{collections::HashMap, marker::PhantomData};

/// The number of the account trie; storage tries count from 0.
pub(crate) const ACCOUNTS: usize = usize::MAX;

/// The tries that a block changes, and what was loaded of them.
pub(crate) struct Tries<'a> {
    pub(crate) source: &'a dyn NodeSource,
    addresses: Addresses<'a>,
    /// Loaded subtrees, by the position of their tops.
    pub(crate) loaded: HashMap<(usize, Path), Link>,
}

/// Whose storage each trie is.
pub(crate) enum Addresses<'a> {
    /// The accounts of a block, by their place in it.
    Of(&'a Updates),
    /// Trie 0 is this account's.
    One(B256),
}

/// A subtree that is needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    pub(crate) trie: usize,
    pub(crate) path: Path,
    /// What its parent has in place of a handle.
    pub(crate) link: Link,
    pub(crate) expected: Reference,
}

/// How leaves and branches of one kind of trie are read.
pub(crate) trait StoredLeaf: Leaf {
    fn branches(tries: &Tries<'_>, wants: &[Want]) -> Result<Vec<Option<Branch>>, SourceError>;
    /// The first leaves below each, at most so many.
    fn leaves(tries: &Tries<'_>, wants: &[Want], limit: usize) -> Result<Vec<Vec<Present<Self>>>, SourceError>;
}

impl StoredLeaf for AccountLeaf {
    fn branches(tries: &Tries<'_>, wants: &[Want]) -> Result<Vec<Option<Branch>>, SourceError> {
        tries.source.account_branches(&wants.iter().map(|want| want.path).collect::<Vec<_>>())
    }

    fn leaves(tries: &Tries<'_>, wants: &[Want], limit: usize) -> Result<Vec<Vec<Present<Self>>>, SourceError> {
        let prefixes: Vec<_> = wants.iter().map(|want| want.path).collect();
        let leaf = |(key, account)| (key, Some(Self::unread(account)));
        let found = tries.source.accounts_under_all(&prefixes, limit)?;
        Ok(found.into_iter().map(|accounts| accounts.into_iter().map(leaf).collect()).collect())
    }
}

impl StoredLeaf for U256 {
    fn branches(tries: &Tries<'_>, wants: &[Want]) -> Result<Vec<Option<Branch>>, SourceError> {
        let key = |want: &Want| (tries.address(want.trie), want.path);
        tries.source.storage_branches(&wants.iter().map(key).collect::<Vec<_>>())
    }

    fn leaves(tries: &Tries<'_>, wants: &[Want], limit: usize) -> Result<Vec<Vec<Present<Self>>>, SourceError> {
        let prefixes: Vec<_> = wants.iter().map(|want| (tries.address(want.trie), want.path)).collect();
        let found = tries.source.slots_under_all(&prefixes, limit)?;
        Ok(found.into_iter().map(|slots| slots.into_iter().map(|(key, value)| (key, Some(value))).collect()).collect())
    }
}

impl<'a> Tries<'a> {
    pub(crate) fn new(source: &'a dyn NodeSource, addresses: Addresses<'a>) -> Self {
        Self { source, addresses, loaded: HashMap::new() }
    }

    fn address(&self, trie: usize) -> B256 {
        match self.addresses {
            Addresses::Of(updates) => updates.accounts[trie].address_hash,
            Addresses::One(address_hash) => address_hash,
        }
    }

    /// The subtree at a position, if it was loaded before.
    pub(crate) fn found(&self, trie: usize, path: &Path) -> Option<Link> {
        if self.loaded.is_empty() { None } else { self.loaded.get(&(trie, *path)).copied() }
    }

    /// Loads what is wanted of one kind of trie, each once, and takes note of it; nothing is wanted any more then.
    pub(crate) fn bring<L: StoredLeaf>(&mut self, pen: &mut Pen<'_>, wants: &mut Vec<Want>) -> Result<(), TrieError> {
        wants.sort_unstable_by_key(|want| (want.trie, want.path));
        wants.dedup_by_key(|want| (want.trie, want.path));
        let tops = self.load::<L>(pen, wants)?;
        self.loaded.extend(wants.drain(..).zip(tops).map(|(want, top)| ((want.trie, want.path), top)));
        Ok(())
    }

    /// Loads subtrees of one kind of trie; their tops, in the order of `wants`. The source is asked twice at most: for all
    /// records, and for the leaves of all that have none.
    pub(crate) fn load<L: StoredLeaf>(&self, pen: &mut Pen<'_>, wants: &[Want]) -> Result<Vec<Link>, TrieError> {
        let has_record = |want: &Want| want.link == Link::LARGE || want.link == Link::UNKNOWN;
        let recorded: Vec<_> = wants.iter().filter(|want| has_record(want)).copied().collect();
        let mut found = L::branches(self, &recorded)?.into_iter();
        let records: Vec<Option<Branch>> =
            wants.iter().map(|want| if has_record(want) { found.next().flatten() } else { None }).collect();
        let missing = |(want, record): &(&Want, &Option<Branch>)| want.link == Link::LARGE && record.is_none();
        if let Some((want, _)) = wants.iter().zip(&records).find(missing) {
            return Err(TrieError::MissingBranch { trie: self.id(want.trie), path: want.path });
        }
        let small: Vec<_> =
            wants.iter().zip(&records).filter(|(_, record)| record.is_none()).map(|(want, _)| *want).collect();
        let mut leaves = L::leaves(self, &small, usize::from(SMALL_LEAVES_MAX) + 1)?.into_iter().zip(&small);

        let mut levels = Levels::default();
        let mut tops = Vec::with_capacity(wants.len());
        for (i, (want, record)) in wants.iter().zip(&records).enumerate() {
            let top = match record {
                Some(record) => branch_of(pen, want.path.len(), record)?,
                None => {
                    // Others cannot be what is wanted, and no trie can be built over them.
                    let leaves = leaves.next().filter(|(leaves, want)| are_below(&want.path, leaves));
                    self.small(pen, &mut levels, want, &leaves.map_or_else(Vec::new, |(leaves, _)| leaves))?
                }
            };
            if top != Link::NONE {
                levels.root(want.path.len(), top, i);
            }
            tops.push(top);
        }
        let mut found = vec![None; wants.len()];
        for (i, reference) in levels.hash(pen.arena()) {
            found[i] = Some(reference);
        }
        wants.iter().zip(found).try_for_each(|(want, found)| self.check(want, found))?;
        Ok(tops)
    }

    fn small<L: StoredLeaf>(
        &self,
        pen: &mut Pen<'_>,
        levels: &mut Levels,
        want: &Want,
        leaves: &[Present<L>],
    ) -> Result<Link, TrieError> {
        let mut edit = Edit {
            pen,
            levels,
            tries: self,
            trie: want.trie,
            notes: &mut Notes::default(),
            parts: Parts::default(),
            leaf: PhantomData::<L>,
        };
        Ok(edit.built(want.path.len(), leaves)?.map_or(Link::NONE, |top| top.link))
    }

    /// Whether a loaded subtree is the one that was wanted.
    fn check(&self, want: &Want, found: Option<Reference>) -> Result<(), TrieError> {
        // The root of an account's storage is known by its hash alone, however short the root node is.
        let found = if want.link == Link::UNKNOWN { found.map(|f| Reference::hash(f.to_hash())) } else { found };
        if found == Some(want.expected) {
            return Ok(());
        }
        Err(TrieError::WrongHash(Box::new(WrongHash {
            trie: self.id(want.trie),
            path: want.path,
            expected: want.expected.to_hash(),
            found: found.map_or(EMPTY_ROOT, Reference::to_hash),
        })))
    }

    fn id(&self, trie: usize) -> TrieId {
        if trie == ACCOUNTS { TrieId::Accounts } else { TrieId::Storage(self.address(trie)) }
    }
}

/// Whether leaves are in order, and all below a path.
fn are_below<L>(path: &Path, leaves: &[Present<L>]) -> bool {
    leaves.is_sorted_by(|a, b| a.0 < b.0) && leaves.iter().all(|(key, _)| path.leads_to(key))
}

/// The branch of a record, its children left in the store.
fn branch_of(pen: &mut Pen<'_>, depth: usize, record: &Branch) -> Result<Link, TrieError> {
    let mask = record.state_mask();
    let link_of = |leaves: Option<u8>| leaves.map_or(Link::LARGE, Link::small);
    let leaves = record.children().map(|child| link_of(child.leaves).persisted_leaves()).sum();
    let (link, branch) = pen.branch(depth, mask, &record.extension(), leaves)?;
    for (rank, child) in record.children().enumerate() {
        debug_assert_eq!(Some(child.nibble), nibbles(mask).nth(rank));
        branch.set_link(rank, link_of(child.leaves), false);
        branch.set_count(rank, link_of(child.leaves).persisted_leaves());
        branch.set_reference(rank, &child.reference);
    }
    Ok(link)
}
