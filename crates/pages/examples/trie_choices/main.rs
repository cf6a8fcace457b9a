//! What the choices in the trie cost: run by hand, once for each value of a constant, for the tables in benches/README.md.
//!
//! `trie_choices memory` prints what a trie takes in nodes and in pages, `update` the time of blocks of random changes in
//! every kind of memory by turns and of walks over what they made, `store` the records that a store keeps and what a block
//! reads from it, `unique` what tables that keep equal nodes once would save, the time of a look-up, and how many
//! a block would take, with a file of block access lists also after its blocks. All of a state of
//! `BALSA_ACCOUNTS` (1,000,000), or of a genesis file's, and blocks of changes of it. `BALSA_CHANGES` (1,000) and
//! `BALSA_ROUNDS` (11) say how much, `BALSA_DIR` where files lie, `BALSA_MEMORY` to stay with one kind of memory.

mod states;
mod store;

use std::{collections::VecDeque, env, path::Path, sync::Arc, time::Instant};

use balsa_pages::{FilePages, HugePages};
use balsa_trie::{
    HeapMemory, NoNodes, PageMemory, StateTrie, UniqueNodes, UniqueTables, Updates, cow_bytes, root_after,
    total_tree_bytes, total_unique_cow_bytes,
};
use rustix::time::{ClockId, clock_gettime};
use states::State;

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main() {
    let (changes, rounds) = (number("BALSA_CHANGES", 1_000), number("BALSA_ROUNDS", 11));
    let state = || match env::args_os().nth(2) {
        None => State::made_up(number("BALSA_ACCOUNTS", 1_000_000)),
        Some(path) => State::of_genesis(Path::new(&path)),
    };
    rayon_free();
    match env::args().nth(1).as_deref() {
        Some("memory") => memory(&state(), changes, rounds),
        Some("update") => update(&state(), changes, rounds),
        Some("store") => store::store(&state(), changes, rounds),
        Some("unique") => unique(&state(), changes),
        _ => say("trie_choices memory | update | store | unique [GENESIS [LISTS]]".into()),
    }
}

/// One thread, so that times are comparable.
fn rayon_free() {
    // Read by the pool when it starts, which nothing did yet.
    assert_eq!(env::var("RAYON_NUM_THREADS").as_deref(), Ok("1"), "run with RAYON_NUM_THREADS=1");
}

#[expect(clippy::print_stdout, reason = "what it is for")]
fn say(line: String) {
    println!("{line}");
}

/// Right after the build, and after blocks of which the last 32 are kept.
fn memory(state: &State, changes: u64, rounds: u64) {
    let mut kept = VecDeque::from([state.built(Arc::new(HeapMemory)).trie]);
    for round in 0..=rounds {
        let bytes = kept[0].arena_bytes();
        let share = 100.0 * bytes.pages as f64 / bytes.live as f64 - 100.0;
        if round == 0 || round == rounds {
            say(format!(
                "after {round} blocks: {} bytes in nodes, {} in pages, {share:.2} % more",
                bytes.live, bytes.pages
            ));
        }
        let newest = kept.back().expect("one at least");
        let next = root_after(newest, &NoNodes, &state.block(changes, round)).expect("memory enough").trie;
        kept.push_back(next);
        if kept.len() > 32 {
            kept.pop_front();
        }
    }
    // Tries as small as those of test vectors: what the first pages cost.
    let bytes = State::made_up(20).built(Arc::new(HeapMemory)).trie.arena_bytes();
    say(format!("20 accounts: {} bytes in nodes, {} in pages", bytes.live, bytes.pages));
}

/// A chain of blocks in one kind of memory, and what was measured of each block.
struct Chain {
    memory: &'static str,
    newest: StateTrie,
    /// A child of the first version that is none of the chain's.
    relative: StateTrie,
    blocks: Vec<Measured>,
}

/// In nanoseconds and bytes.
struct Measured {
    clock: f64,
    /// The processor's time, which other work takes less of than of the clock.
    processor: f64,
    bytes: f64,
    /// Walks, in processor time: over what the newest version has beside the relative, over what it and the one before have
    /// with each node remembered, and over all of it.
    walks: [f64; 3],
}

impl Chain {
    fn new(memory: &'static str, pages: Arc<dyn PageMemory>, state: &State, changes: u64) -> Self {
        let newest = state.built(pages).trie;
        let relative = root_after(&newest, &NoNodes, &state.block(changes, u32::MAX.into()));
        Self { memory, newest, relative: relative.expect("memory enough").trie, blocks: Vec::new() }
    }

    fn import(&mut self, block: &Updates) {
        let made = self.newest.arena_bytes().live;
        let start = Instant::now();
        let (processor, next) = timed(|| root_after(&self.newest, &NoNodes, block).expect("memory enough").trie);
        let clock = start.elapsed().as_nanos() as f64;
        let bytes = (next.arena_bytes().live - made) as f64;
        let pair = [std::mem::replace(&mut self.newest, next.clone()), next];
        let walks = [
            timed(|| cow_bytes(&self.relative, &self.newest)).0,
            timed(|| total_unique_cow_bytes(&self.relative, &pair)).0,
            timed(|| total_tree_bytes(&self.newest)).0,
        ];
        self.blocks.push(Measured { clock, processor, bytes, walks });
    }

    fn median(&self, of: impl Fn(&Measured) -> f64) -> f64 {
        median(self.blocks.iter().map(of).collect())
    }
}

fn update(state: &State, changes: u64, rounds: u64) {
    let dir = env::var("BALSA_DIR").unwrap_or_else(|_| env::temp_dir().display().to_string());
    let files = FilePages::in_directory(Path::new(&dir)).expect("a directory for pages");
    let memories: [(&str, Arc<dyn PageMemory>); 3] =
        [("heap", Arc::new(HeapMemory)), ("huge pages", Arc::new(HugePages)), ("files", Arc::new(files))];
    let only = env::var("BALSA_MEMORY").ok();
    let memories = memories.into_iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name));
    let mut chains: Vec<_> = memories.map(|(name, pages)| Chain::new(name, pages, state, changes)).collect();
    for round in 0..rounds {
        let block = state.block(changes, round);
        chains.iter_mut().for_each(|chain| chain.import(&block));
    }
    for chain in &chains {
        let by_turns = chain.blocks.iter().zip(&chains[0].blocks);
        let ratio = median(by_turns.map(|(block, first)| block.clock / first.clock).collect());
        let ms = |of: fn(&Measured) -> f64| chain.median(of) / 1e6;
        say(format!(
            "{}: {:.3} ms a block, {ratio:.3} times the first, {:.3} ms of processor time, {:.0} bytes made",
            chain.memory,
            ms(|block| block.clock),
            ms(|block| block.processor),
            chain.median(|block| block.bytes)
        ));
        let [beside, unique, all] = [0, 1, 2].map(|walk| chain.median(|block| block.walks[walk]) / 1e6);
        say(format!("  walks: {beside:.4} ms beside a relative, {unique:.4} ms of two remembered, {all:.4} ms of all"));
    }
}

/// The processor's time for one run, of all threads.
fn timed<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let now = || {
        let now = clock_gettime(ClockId::ProcessCPUTime);
        now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
    };
    let start = now();
    let result = run();
    (now() - start, result)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Of the state, and of what the blocks of a file of lists make of it.
fn unique(state: &State, changes: u64) {
    let trie = state.built(Arc::new(HugePages)).trie;
    let time = unique_nodes(&trie);
    let price = |blocks: &[(StateTrie, StateTrie)]| {
        let made = blocks.iter().map(|(base, next)| UniqueTables::asked(base, next)).sum::<u64>() / blocks.len() as u64;
        say(format!("a block makes {made} nodes, {:.3} ms of look-ups", made as f64 * time / 1e6));
    };
    let after = |trie: &StateTrie, block: &Updates| root_after(trie, &NoNodes, block).expect("memory enough").trie;
    let next = after(&trie, &state.block(changes, 0));
    price(&[(trie.clone(), next)]);
    let Some(lists) = env::args_os().nth(3) else { return };
    let mut versions = vec![trie];
    for block in states::blocks_of_lists(Path::new(&lists)) {
        let newest = versions.last().expect("one at least");
        versions.push(after(newest, &block));
    }
    let newest = versions.last().expect("one at least");
    say(format!("after {} blocks of lists, at root {}:", versions.len() - 1, newest.root()));
    price(&versions.windows(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect::<Vec<_>>());
    unique_nodes(newest);
}

/// By depth; tells the time of a look-up with its hashing, in an order that no cache helps.
fn unique_nodes(trie: &StateTrie) -> f64 {
    let tables = UniqueTables::of(trie);
    let mut sum = UniqueNodes::default();
    for (depth, nodes) in tables.depths().iter().enumerate().filter(|(_, nodes)| nodes.nodes > 0) {
        say(format!("depth {depth}: {nodes:?}"));
        sum.nodes += nodes.nodes;
        sum.bytes += nodes.bytes;
        sum.distinct += nodes.distinct;
        sum.distinct_bytes += nodes.distinct_bytes;
        sum.table_bytes += nodes.table_bytes;
    }
    let (time, found) = timed(|| tables.look_up_all());
    let time = time / found as f64;
    let (saved, price) = (sum.bytes - sum.distinct_bytes, sum.distinct * 16 / 3);
    say(format!("together: {sum:?}"));
    say(format!("{saved} bytes saved, {price} bytes of handles at three quarters full; {time:.0} ns a look-up"));
    time
}
