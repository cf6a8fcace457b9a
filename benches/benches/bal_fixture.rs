//! Time and memory of each mode of the recorder on the blocks of `fixtures/quick`: executed once, recorded over and over
//! from the journals that the execution left behind. Prints the rows of the table in `benches/README.md`.
#![expect(clippy::print_stdout, reason = "a bench prints")]

use alloy_primitives::{B256, Bytes};
use balsa_bal::{
    AccountAccess, FlatList, Limits, Mode, Record, Recorder, Row, SlotAccess, Trace, Transition, Verify, encode,
};
use balsa_benches::Contest;
use balsa_chainspec::{Genesis, genesis};
use balsa_evm::{AccountOutcome, BlockHashes, Unobserved};
use balsa_executor::{ExecutionMode, Executor, Parent, Replay, SealedBlock, genesis_state, trace_accesses};
use balsa_state::{Layer, MemoryStore, State};
use balsa_trie::{NoNodes, StateTrie};
use std::{collections::HashMap, hint::black_box, path::Path, sync::Arc};

const ROUNDS: usize = 51;

fn main() {
    let blocks = recorded_blocks();
    let accesses: usize = blocks.iter().map(Journals::accesses).sum();
    let items: u64 = blocks.iter().map(|block| block.list.item_count()).sum();
    println!("bal/record/quick: {} blocks, {items} items, {accesses} accesses", blocks.len());
    let contest = Contest::new("bal/record/quick")
        .way("check", || blocks.iter().for_each(|block| drop(black_box(check(block)))))
        .way("verify", || blocks.iter().for_each(|block| drop(black_box(verify(block)))))
        .way("record", || blocks.iter().for_each(|block| drop(black_box(record(block)))))
        .way("trace", || blocks.iter().for_each(|block| drop(black_box(trace(block)))));
    let largest = |bytes: fn(&Journals) -> usize| blocks.iter().map(bytes).max().unwrap_or_default() as f64 / 1024.0;
    let memory = [
        largest(|block| check(block).memory_bytes()),
        largest(|block| verify(block).memory_bytes()),
        largest(|block| record(block).memory_bytes()),
        largest(|block| trace(block).memory_bytes()),
    ];
    println!("| mode | times the reference | us a block | ns an access | memory of the largest block |");
    println!("|---|---|---|---|---|");
    for (figure, memory) in contest.run(ROUNDS).into_iter().zip(memory) {
        let block = figure.time.as_secs_f64() * 1e6 / blocks.len() as f64;
        let access = figure.time.as_secs_f64() * 1e9 / accesses as f64;
        println!("| {} | {:.2} | {block:.0} | {access:.0} | {memory:.0} KB |", figure.name, figure.factor);
    }
}

/// What each index of a block did, and the block's list.
struct Journals {
    list: Arc<FlatList>,
    rows: Vec<Vec<Account>>,
}

/// An account as a journal has it.
struct Account {
    outcome: Outcome,
    code: Option<Bytes>,
    slots: Vec<SlotAccess>,
}

struct Outcome {
    address: alloy_primitives::Address,
    balance: Transition<alloy_primitives::U256>,
    nonce: Transition<u64>,
    code_hash: Transition<B256>,
    destroyed: bool,
}

impl Account {
    fn of(outcome: &AccountOutcome<'_>) -> Self {
        let (before, after) = (outcome.info_before(), outcome.info_after());
        let slots = outcome.slots.iter();
        Self {
            outcome: Outcome {
                address: outcome.address,
                balance: Transition::new(before.balance, after.balance),
                nonce: Transition::new(before.nonce, after.nonce),
                code_hash: Transition::new(before.code_hash, after.code_hash),
                destroyed: outcome.storage_cleared,
            },
            code: outcome.code.map(Bytes::copy_from_slice),
            slots: slots
                .map(|slot| SlotAccess { slot: slot.slot, value: Transition::new(slot.before, slot.after) })
                .collect(),
        }
    }

    fn access(&self) -> AccountAccess<'_> {
        let Outcome { address, balance, nonce, code_hash, destroyed } = self.outcome;
        AccountAccess { address, balance, nonce, code_hash, code: self.code.as_ref(), destroyed }
    }
}

impl Journals {
    fn of(executor: &Executor, block: &SealedBlock, parent: &Parent, list: FlatList) -> Self {
        let mut replay = Replay::open(executor, block, parent).unwrap();
        let mut rows = vec![replay.before().iter().map(|outcome| Account::of(&outcome)).collect::<Vec<_>>()];
        for _ in &block.transactions {
            let row = |outcomes: &mut dyn Iterator<Item = AccountOutcome<'_>>| {
                outcomes.map(|outcome| Account::of(&outcome)).collect()
            };
            replay.next(Unobserved, |evm| rows.push(row(&mut evm.outcomes()))).unwrap();
        }
        rows.push(replay.finish().unwrap().iter().map(|outcome| Account::of(&outcome)).collect());
        Self { list: Arc::new(list), rows }
    }

    fn accesses(&self) -> usize {
        self.rows.iter().flatten().map(|account| 1 + account.slots.len()).sum()
    }
}

fn check(block: &Journals) -> Recorder<Verify> {
    let mut recorder = Recorder::<Verify>::new(block.list.clone());
    for (index, row) in block.rows.iter().enumerate() {
        let mut check = recorder.check(index as u32);
        for account in row {
            check.access_account(&account.access(), account.slots.iter().copied()).unwrap();
        }
        check.finish().unwrap();
    }
    recorder
}

fn feed<M: Mode>(row: &mut Row<'_, M>, accounts: &[Account]) {
    for account in accounts {
        row.access_account(&account.access(), account.slots.iter().copied());
    }
}

fn verify(block: &Journals) -> Recorder<Verify> {
    let mut recorder = Recorder::<Verify>::new(block.list.clone());
    for (index, accounts) in block.rows.iter().enumerate() {
        let mut row = recorder.begin(index as u32);
        feed(&mut row, accounts);
        row.finish().unwrap();
    }
    recorder
}

fn record(block: &Journals) -> Recorder<Record> {
    let mut recorder = Recorder::<Record>::new(block.list.item_count() as usize);
    for (index, accounts) in block.rows.iter().enumerate() {
        let mut row = recorder.begin(index as u32);
        feed(&mut row, accounts);
        row.finish();
    }
    recorder
}

fn trace(block: &Journals) -> Recorder<Trace> {
    let mut recorder = Recorder::<Trace>::new();
    for (index, accounts) in block.rows.iter().enumerate() {
        let mut row = recorder.begin(index as u32);
        feed(&mut row, accounts);
        row.finish();
    }
    recorder
}

/// The journals of the fixture's blocks. Each way must come to the block's list before it is measured.
fn recorded_blocks() -> Vec<Journals> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/quick");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let mut chain = MemoryChain::new(&genesis::parse(&read("genesis.json")).unwrap());
    let bytes = read("chain.rlp");
    let mut rest = &bytes[..];
    let mut blocks = Vec::new();
    while !rest.is_empty() {
        let block = SealedBlock::decode_next(&mut rest).unwrap();
        let parent = chain.parent(block.header.parent_hash);
        let executed = chain.executor.execute(&block, None, &parent).unwrap();
        let bytes = executed.list.unwrap();
        let limits = Limits {
            index_max: block.transactions.len() as u32 + 1,
            gas_limit: block.header.gas_limit,
            code_size_max: usize::MAX,
        };
        let list = FlatList::decode(bytes.clone(), &limits).unwrap();
        let journals = Journals::of(&chain.executor, &block, &parent, list);
        assert_eq!(check(&journals).accessed().unaccessed(&journals.list).next(), None);
        assert_eq!(record(&journals).into_bytes(), bytes);
        assert_eq!(encode(&trace(&journals).into_accounts()), bytes);
        // The trace that is fed while the block runs, instruction by instruction, is the same list.
        let live = trace_accesses(&chain.executor, &block, &parent).unwrap();
        assert_eq!(encode(&live.into_accounts()), bytes);
        chain.insert(&block, executed.diff, executed.trie);
        blocks.push(journals);
    }
    blocks
}

/// States by block hash, in memory.
struct MemoryChain {
    executor: Executor,
    blocks: HashMap<B256, (alloy_consensus::Header, State, StateTrie)>,
}

impl MemoryChain {
    fn new(genesis: &Genesis) -> Self {
        let executor = Executor::new(Arc::new(genesis.spec.clone()), 1, ExecutionMode::Sequential).unwrap();
        let start = genesis_state(genesis).unwrap();
        let mut store = MemoryStore::default();
        store.apply(&start.diff);
        let first = (start.block.header, State::new(Arc::new(store)), start.trie);
        Self { executor, blocks: HashMap::from([(start.block.hash, first)]) }
    }

    fn parent(&self, hash: B256) -> Parent {
        let (header, state, trie) = self.blocks[&hash].clone();
        let hashes = self.blocks.iter().map(|(hash, (header, ..))| (header.number, *hash)).collect::<HashMap<_, _>>();
        let hashes = BlockHashes::new(header.number + 1, hash, move |number| hashes.get(&number).copied());
        Parent { header, hash, state, trie, nodes: Arc::new(NoNodes), hashes: Arc::new(hashes) }
    }

    fn insert(&mut self, block: &SealedBlock, diff: balsa_state::StateDiff, trie: StateTrie) {
        let state = self.blocks[&block.header.parent_hash].1.child(Arc::new(Layer::new(diff)));
        self.blocks.insert(block.hash, (block.header.clone(), state, trie));
    }
}
