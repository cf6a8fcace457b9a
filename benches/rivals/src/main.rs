//! balsa's state trie beside those of other projects: the same inputs, in turn, in one run.
//!
//! `BALSA_RIVALS_LEAVES` (1,000,000) leaves are built from sorted keys, by every contender; `BALSA_RIVALS_ACCOUNTS`
//! (1,000,000; the bar is stated for 5,000,000) is the size of the tries that are updated; `BALSA_RIVALS_ROUNDS` (11) is
//! how often everyone has its turn. Everything runs on one thread (`taskset -c 0` for the contender that starts its
//! own), and all roots are compared.
#![expect(clippy::print_stdout, reason = "a report")]

mod contenders;
mod inputs;
mod memory;
mod processes;

use balsa_benches::Contest;
use inputs::Leaf;
use processes::{Contender, Task};
use std::env;

fn main() {
    let number = |name: &str, default| env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let leaves = number("BALSA_RIVALS_LEAVES", 1_000_000);
    let accounts = number("BALSA_RIVALS_ACCOUNTS", 1_000_000);
    let rounds = number("BALSA_RIVALS_ROUNDS", 11);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    pool.install(|| {
        if processes::serve_if_contender() {
            return;
        }
        println!("| bench | way | median of a run | times the reference |\n|---|---|---|---|");
        build(leaves, rounds);
        update(accounts, rounds);
        memory::measure(leaves, rounds);
    });
}

fn report(contest: Contest<'_>, rounds: usize) {
    contest.run(rounds).iter().for_each(|figure| println!("{figure}"));
}

/// From sorted leaves to a root. alloy-trie and ethrex-trie keep nothing but that; balsa has the trie in the end.
fn build(leaves: usize, rounds: usize) {
    let title = format!("trie/build/{leaves}");
    let ways = ["alloy-trie HashBuilder", "ethrex-trie sorted", "balsa SortedRoot", "balsa"];
    contest(&title, Task::Build { leaves }, &ways, rounds);
}

/// Batches of random changes of existing accounts, each followed by the root. HashBuilder has no such operation.
fn update(leaves: usize, rounds: usize) {
    for changes in [1_000, 10_000] {
        let title = format!("trie/update/{changes}of{leaves}");
        contest(&title, Task::Update { leaves, changes }, &["ethrex-trie", "eth_trie", "balsa"], rounds);
    }
}

/// Contenders by turns, each in its process. All end at the same root.
fn contest(title: &str, task: Task, ways: &[&str], rounds: usize) {
    let mut contenders: Vec<_> = ways.iter().map(|way| Contender::start(way, task)).collect();
    let ways = ways.iter().zip(&mut contenders);
    let contest =
        ways.fold(Contest::new(title), |contest, (way, contender)| contest.timed_way(way, |runs| contender.run(runs)));
    report(contest, rounds);
    let roots: Vec<_> = contenders.iter_mut().map(Contender::root).collect();
    assert!(roots.iter().all(|root| *root == roots[0]), "one root: {roots:?}");
}

impl Leaf {
    /// A leaf of the account trie.
    fn new(key: alloy_primitives::B256, account: balsa_state::Account) -> Self {
        Self { key, account, rlp: inputs::rlp(&account) }
    }
}
