//! The one entry point: changes of a block in, new version and root out.

use crate::{
    AccountsAfter, NodeChanges, NodeSource, StateTrie, TrieError, Updates,
    account_share::{AccountShare, AccountsDone},
    accounts_after::Entry,
    arena::Arena,
    division::{Division, Subtree, Supply},
    edit::{Child, Held, Notes, Part},
    link::Link,
    load::{ACCOUNTS, Addresses, StoredLeaf, Tries},
    rlp::AccountLeaf,
    slot_share::SlotShare,
    walk::{Cursor, own_nodes},
    workshop::{Cut, Outcome, Workshop},
};
use alloy_primitives::{B256, U256};
use balsa_state::EMPTY_ROOT;
use std::collections::HashMap;

/// The trie after a block.
#[derive(Clone, Debug)]
pub struct RootAfter {
    /// The new version.
    pub trie: StateTrie,
    /// Its root.
    pub root: B256,
    /// Every updated account as it is after the block.
    pub accounts: AccountsAfter,
    /// What a store has to write besides the flat state, so that the new version can be read from it.
    pub nodes: NodeChanges,
}

/// Applies a block's changes to the state of its parent. Runs on the current rayon pool; the result does not depend
/// on how many threads that has.
///
/// # Errors
/// [`TrieError`]: the source failed or lied, the updates are not sorted, or there is no memory for more nodes. The
/// parent is untouched.
pub fn root_after(parent: &StateTrie, source: &dyn NodeSource, updates: &Updates) -> Result<RootAfter, TrieError> {
    root_after_divided(parent, source, updates, Division::of_pool())
}

pub(crate) fn root_after_divided(
    parent: &StateTrie,
    source: &dyn NodeSource,
    updates: &Updates,
    division: Division,
) -> Result<RootAfter, TrieError> {
    let forest = &parent.version.forest;
    let arena = &forest.arena;
    let epoch = forest.next_epoch()?;
    let mut tries = Tries::new(source, Addresses::Of(updates));
    let mut accounts = AccountsAfter::room_for(updates.accounts.len(), arena);
    let workshop = Workshop::new(forest, updates, epoch, division);
    let worked = edit_accounts(&workshop, &mut tries, parent.top(), accounts.entries_mut());
    if worked.is_err() {
        // What a caller did wrong is told before what else there was, and the first of it, whichever thread found which.
        updates.check_order()?;
    }
    let mut shares = worked?;
    shares.sort_unstable_by_key(|share| share.start);

    let parts: Vec<Part> = shares.iter_mut().flat_map(|share| share.parts.drain(..)).collect();
    let [(_, top)] =
        workshop.joined::<AccountLeaf>(&tries, vec![Cut { trie: ACCOUNTS, old: parent.top(), parts }])?[..]
    else {
        unreachable!("one top for one trie")
    };
    let notes = workshop.take_notes();

    let root = top.map_or(EMPTY_ROOT, |top| top.reference.expect("all is hashed").to_hash());
    let link = top.map_or(Link::NONE, |top| top.link);
    let mut roots = HashMap::from([(ACCOUNTS, link)]);
    if !tries.loaded.is_empty() || notes.iter().any(|notes| !notes.loaded.is_empty()) {
        roots.extend(shares.iter_mut().flat_map(|share| share.storages.drain(..)));
    }
    let unused = unused(arena, &tries, &notes, &roots);
    let own_bytes = workshop.keep() - arena.release(&unused);
    shares.iter_mut().for_each(|share| accounts.push_others(std::mem::take(&mut share.others)));
    let trie = StateTrie::of_version(forest.derived(link, epoch, &parent.version, own_bytes), root);
    let records = notes.into_iter().map(|notes| notes.records).collect();
    let cleared = shares.iter().flat_map(|share| share.cleared.iter().copied());
    let nodes = NodeChanges::of(trie.clone(), records, updates, cleared);
    Ok(RootAfter { trie, root, accounts, nodes })
}

impl StateTrie {
    fn top(&self) -> Option<Held> {
        Held::root(self.version.root, self.root_reference())
    }
}

/// All subtrees of the account trie, edited apart, in no order.
fn edit_accounts<'a>(
    workshop: &Workshop<'a>,
    tries: &mut Tries<'a>,
    old: Option<Held>,
    entries: &'a mut [Entry],
) -> Result<Vec<AccountsDone>, TrieError> {
    let accounts = &workshop.updates.accounts;
    let whole = Subtree { trie: ACCOUNTS, depth: 0, old, changes: 0..accounts.len() };
    let whole = if accounts.is_empty() { Vec::new() } else { vec![whole] };
    let subtrees = cut::<AccountLeaf>(workshop, tries, whole, |_, i| &accounts[i].address_hash)?;
    let Outcome { mut done, mut parked } =
        workshop.work::<AccountShare<'a>>(tries, Supply::of(subtrees, entries), Vec::new())?;
    if !parked.is_empty() {
        parked.sort_unstable_by_key(|share| share.range().start);
        let storages: Vec<_> = parked.iter().flat_map(|share| share.handed_over().iter().cloned()).collect();
        let tops: HashMap<usize, Option<Child>> = edit_storages(workshop, tries, storages)?.into_iter().collect();
        parked.iter_mut().for_each(|share| share.take_back(&tops));
        done.extend(workshop.work(tries, Supply::default(), parked)?.done);
    }
    debug_assert_eq!(done.iter().map(|share| share.accounts).sum::<usize>(), accounts.len(), "no share is lost");
    Ok(done)
}

/// Edits storage tries, which come in their order, all threads together; their tops.
fn edit_storages<'a>(
    workshop: &Workshop<'a>,
    tries: &mut Tries<'a>,
    storages: Vec<Subtree>,
) -> Result<Vec<(usize, Option<Child>)>, TrieError> {
    let accounts = &workshop.updates.accounts;
    let subtrees = cut::<U256>(workshop, tries, storages.clone(), |trie, i| &accounts[trie].slots[i].0)?;
    let mut parts: Vec<_> = workshop
        .work::<SlotShare<'a>>(tries, Supply::of(subtrees, &mut []), Vec::new())?
        .done
        .into_iter()
        .flatten()
        .collect();
    parts.sort_unstable_by_key(|(trie, start, _)| (*trie, *start));
    let mut parts = parts.into_iter().peekable();
    let whole = |storage: &Subtree| {
        let own = std::iter::from_fn(|| parts.next_if(|(trie, ..)| *trie == storage.trie));
        Cut { trie: storage.trie, old: storage.old, parts: own.map(|(.., part)| part).collect() }
    };
    workshop.joined::<U256>(tries, storages.iter().map(whole).collect())
}

fn cut<'k, L: StoredLeaf>(
    workshop: &Workshop<'_>,
    tries: &mut Tries<'_>,
    whole: Vec<Subtree>,
    key: impl Fn(usize, usize) -> &'k B256,
) -> Result<Vec<Subtree>, TrieError> {
    workshop.with_tools(|tools| Subtree::cut::<L>(whole, &workshop.division, &mut tools.pen, tries, key))
}

/// Nodes that were made on the way and that the new version, with these tries, does not have.
fn unused(arena: &Arena, tries: &Tries<'_>, notes: &[Notes], roots: &HashMap<usize, Link>) -> Vec<Link> {
    let mut unused: Vec<Link> = notes.iter().flat_map(|notes| notes.replaced.iter().copied()).collect();
    let loaded = tries.loaded.iter().map(|((trie, path), top)| (*trie, *path, *top));
    for (trie, path, top) in loaded.chain(notes.iter().flat_map(|notes| notes.loaded.iter().copied())) {
        let root = roots.get(&trie).and_then(|root| Cursor::at(*root));
        let there = root.and_then(|root| root.descend(arena, &path.first_key(), path.len()));
        own_nodes(arena, top, path.len(), there.as_slice(), &mut |node, _| {
            unused.push(node);
            true
        });
    }
    unused
}

#[cfg(test)]
mod tests;
