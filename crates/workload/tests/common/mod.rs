//! Small loads for tests.
#![allow(dead_code, reason = "each test file uses its part")]

mod memory_chain;

use balsa_builder::BuiltBlock;
use balsa_executor::{ExecuteError, ExecutedBlock, ExecutionMode, Executor, SealedBlock};
use balsa_workload::generate::{Summary, generate, parsed_genesis};
use balsa_workload::params::{Params, Range};
use balsa_workload::profile::Profile;
use balsa_workload::world::World;

use std::sync::Arc;

pub(crate) use memory_chain::MemoryChain;

/// A load like `quick` in small: few accounts, so that they meet often; small transactions; every kind alike often.
pub(crate) fn small(seed: u64, fork: &str, blocks: u64) -> Params {
    let mut params = Profile::Quick.params();
    params.seed = seed;
    params.fork = fork.to_owned();
    params.blocks = blocks;
    params.block.transactions = Range { min: 40, max: 90 };
    params.block.withdrawals = 4;
    params.block.empty_permille = 100;
    params.state.signers = 24;
    params.state.holders = 40;
    params.contention.hot_permille = 400;
    params.contention.same_sender_permille = 200;
    params.size.hash_rounds = Range { min: 10, max: 400 };
    params.size.rows = Range { min: 1, max: 10 };
    params.size.rows_read = Range { min: 1, max: 20 };
    params.size.code_bytes = Range { min: 20, max: 200 };
    params.mix.values_mut().for_each(|weight| *weight = 10);
    params
}

/// The blocks of a load, and what became of its kinds.
pub(crate) fn blocks_of(params: &Params) -> (Vec<BuiltBlock>, Summary) {
    let mut blocks = Vec::new();
    let summary = generate(params, |built| {
        blocks.push(built.clone());
        Ok::<_, std::convert::Infallible>(())
    });
    (blocks, summary.unwrap())
}

/// A chain that blocks are imported into, with an executor of some threads.
pub(crate) struct Importer {
    pub(crate) chain: MemoryChain,
    executor: Executor,
}

impl Importer {
    pub(crate) fn new(params: &Params, threads: usize) -> Self {
        let genesis = parsed_genesis(params, &World::new(params)).unwrap();
        let chain = MemoryChain::new(&genesis);
        let executor = Executor::new(Arc::new(genesis.spec), threads, ExecutionMode::Parallel).unwrap();
        Self { chain, executor }
    }

    pub(crate) fn execute(
        &self,
        mode: ExecutionMode,
        block: &SealedBlock,
        list: Option<alloy_primitives::Bytes>,
    ) -> Result<ExecutedBlock, ExecuteError> {
        self.executor.with_mode(mode).execute(block, list, self.chain.parent())
    }
}

/// Everything but the path that two executors came by.
#[track_caller]
pub(crate) fn assert_equal(left: &ExecutedBlock, right: &ExecutedBlock) {
    assert_eq!(left.receipts, right.receipts);
    assert_eq!(left.gas_used, right.gas_used);
    assert_eq!(left.requests, right.requests);
    assert_eq!(left.list, right.list);
    assert_eq!(left.diff, right.diff);
    assert_eq!(left.trie.root(), right.trie.root());
}
