//! How many bytes a version of the state owns beside another: balsa's walk beside milhouse's tracker.
//!
//! milhouse keeps a persistent list and no trie, so its entries are slots of a list of as many hashes; what is compared is
//! what it costs to find out what a version owns. Its tracker remembers everything that it ever saw: here it has seen
//! the base before the clock starts, and takes in the derived version within.

use crate::{
    contenders::{Balsa, Trie},
    inputs::{self, Leaf},
    report,
};
use alloy_primitives::B256;
use balsa_benches::Contest;
use balsa_trie::{StateTrie, cow_bytes, total_unique_cow_bytes};
use milhouse::{List, mem::MemoryTracker};
use std::hint::black_box;
use typenum::U1073741824;

type Entries = List<B256, U1073741824>;

/// Versions that are chained and counted together.
const CHAIN: usize = 128;

pub fn measure(count: usize, rounds: usize) {
    let leaves = inputs::leaves(count);
    let base = Balsa::build(&leaves);
    let entries = Entries::new(leaves.iter().map(|leaf| leaf.key).collect()).expect("within its limit");
    let mut seen = MemoryTracker::default();
    seen.track_item(&entries);

    for changed in [1, 128, 10_000, count] {
        let batch = inputs::batch(&leaves, changed.min(count), 99);
        let mut derived = base.clone();
        derived.update(&batch);
        // What a version has beside its parent is known without a walk. One more leaf, and it is a grandparent.
        derived.update(&inputs::batch(&leaves, 1, 98));
        let lists = [changed_entries(&entries, &leaves, &batch.leaves)];
        let title = format!("trie/cow_bytes/{changed}of{count}");
        report(duel(&title, &seen, &lists, || cow_bytes(base.trie(), derived.trie())), rounds);
    }

    for changed in [1, 128] {
        let (mut versions, mut lists): (Vec<StateTrie>, Vec<Entries>) = Default::default();
        let (mut last, mut last_entries) = (base.clone(), entries.clone());
        for seed in 0..CHAIN as u64 {
            let batch = inputs::batch(&leaves, changed, seed);
            last.update(&batch);
            last_entries = changed_entries(&last_entries, &leaves, &batch.leaves);
            versions.push(last.trie().clone());
            lists.push(last_entries.clone());
        }
        let title = format!("trie/total_unique_cow_bytes/{CHAIN}x{changed}of{count}");
        report(duel(&title, &seen, &lists, || total_unique_cow_bytes(base.trie(), &versions)), rounds);
        // Without the first of the chain it takes walks.
        let title = format!("trie/total_unique_cow_bytes_walked/{}x{changed}of{count}", CHAIN - 1);
        report(duel(&title, &seen, &lists[1..], || total_unique_cow_bytes(base.trie(), &versions[1..])), rounds);
    }

    // So short that a thousand are timed together.
    let title = format!("trie/clone/1000of{count}");
    let clones = Contest::new(&title)
        .way("milhouse", || (0..1000).for_each(|_| drop(black_box(entries.clone()))))
        .way("balsa", || (0..1000).for_each(|_| drop(black_box(base.trie().clone()))));
    report(clones, rounds);
}

/// The tracker over `lists` against `bytes`.
fn duel<'a>(
    title: &'a str,
    seen: &'a MemoryTracker,
    lists: &'a [Entries],
    bytes: impl Fn() -> u64 + 'a,
) -> Contest<'a> {
    let track = move |tracker: &mut MemoryTracker| {
        let differential = |list| tracker.track_item(list).differential_size;
        black_box(lists.iter().map(differential).sum::<usize>());
    };
    Contest::new(title).prepared_way("milhouse", move || seen.clone(), track).way("balsa", move || {
        black_box(bytes());
    })
}

/// A version of `base` with the changes' balances in the place of the changed keys.
fn changed_entries(base: &Entries, leaves: &[Leaf], changes: &[Leaf]) -> Entries {
    let mut entries = base.clone();
    for change in changes {
        let at = leaves.binary_search_by_key(&change.key, |leaf| leaf.key).expect("a changed leaf is a leaf");
        *entries.get_mut(at).expect("it has as many entries") = B256::from(change.account.balance);
    }
    entries.apply_updates().expect("within its limit");
    entries
}
