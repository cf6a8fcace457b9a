//! balsa's state trie beside those of other projects: the same inputs, in turn, in one run.
//!
//! `BALSA_RIVALS_LEAVES` (1,000,000) leaves are built from sorted keys, by every contender; `BALSA_RIVALS_ACCOUNTS`
//! (1,000,000; the bar is stated for 5,000,000) is the size of the tries that are updated; `BALSA_RIVALS_ROUNDS` (11) is
//! how often everyone has its turn. Everything runs on one thread (`taskset -c 0` for the contender that starts its
//! own), and all roots are compared before anything is measured.
#![expect(clippy::print_stdout, reason = "a report")]

mod contenders;
mod inputs;
mod memory;

use balsa_benches::Contest;
use contenders::{Balsa, EthTrie, Ethrex, Trie, hash_builder_root};
use inputs::{Batch, Leaf};
use std::{cell::RefCell, env, hint::black_box};

fn main() {
    let number = |name: &str, default| env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let leaves = number("BALSA_RIVALS_LEAVES", 1_000_000);
    let accounts = number("BALSA_RIVALS_ACCOUNTS", 1_000_000);
    let rounds = number("BALSA_RIVALS_ROUNDS", 11);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    pool.install(|| {
        println!("| bench | way | median of a run | times the reference |\n|---|---|---|---|");
        build(leaves, rounds);
        update(accounts, rounds);
        memory::measure(leaves, rounds);
    });
}

fn report(contest: Contest<'_>, rounds: usize) {
    contest.run(rounds).iter().for_each(|figure| println!("{figure}"));
}

/// From sorted leaves to a root, nothing but the root being asked for.
fn build(count: usize, rounds: usize) {
    let leaves = inputs::leaves(count);
    let leaves = leaves.as_slice();
    let root = Balsa::build(leaves).trie().root();
    assert_eq!(hash_builder_root(leaves), root, "alloy-trie");
    assert_eq!(contenders::ethrex_sorted_root(leaves), root, "ethrex-trie");
    let updates = contenders::updates(leaves);
    let title = format!("trie/build/{count}");
    let contest = Contest::new(&title)
        .way("alloy-trie HashBuilder", move || {
            black_box(hash_builder_root(black_box(leaves)));
        })
        .way("ethrex-trie sorted", move || {
            black_box(contenders::ethrex_sorted_root(black_box(leaves)));
        })
        .way("balsa", || {
            black_box(contenders::balsa_root(black_box(&updates)));
        });
    report(contest, rounds);
}

/// Batches of random changes of existing accounts, each followed by the root. HashBuilder has no such operation.
fn update(count: usize, rounds: usize) {
    let leaves = inputs::leaves(count);
    let ethrex = RefCell::new(Ethrex::build(&leaves));
    let eth_trie = RefCell::new(EthTrie::build(&leaves));
    let balsa = RefCell::new(Balsa::build(&leaves));
    for size in [1_000, 10_000] {
        let batches: Vec<Batch> = (0..8).map(|seed| inputs::batch(&leaves, size, seed)).collect();
        let roots = [
            ethrex.borrow_mut().update(&batches[0]),
            eth_trie.borrow_mut().update(&batches[0]),
            balsa.borrow_mut().update(&batches[0]),
        ];
        assert!(roots.iter().all(|root| *root == roots[0]), "one root: {roots:?}");
        let title = format!("trie/update/{size}of{count}");
        let contest = Contest::new(&title)
            .way("ethrex-trie", turns(&ethrex, &batches))
            .way("eth_trie", turns(&eth_trie, &batches))
            .way("balsa", turns(&balsa, &batches));
        report(contest, rounds);
        // Whoever had more turns while it was warmed up is elsewhere: bring all to the same state again.
        for batch in &batches {
            let root = balsa.borrow_mut().update(batch);
            assert_eq!(ethrex.borrow_mut().update(batch), root, "ethrex-trie");
            assert_eq!(eth_trie.borrow_mut().update(batch), root, "eth_trie");
        }
    }
}

/// One batch a call, over and over.
fn turns<'a, T: Trie>(trie: &'a RefCell<T>, batches: &'a [Batch]) -> impl FnMut() + 'a {
    let mut next = batches.iter().cycle();
    move || {
        black_box(trie.borrow_mut().update(next.next().expect("there are batches")));
    }
}

impl Leaf {
    /// A leaf of the account trie.
    fn new(key: alloy_primitives::B256, account: balsa_state::Account) -> Self {
        Self { key, account, rlp: inputs::rlp(&account) }
    }
}
