//! Every generated block imports again by the ordinary path: sequentially without its list, in parallel with it, with
//! equal results byte for byte, whatever the seed, the fork and the number of workers.

mod common;

use balsa_executor::{ExecutionMode, Path, SealedBlock};
use balsa_workload::params::Params;
use common::{Importer, assert_equal, blocks_of, small};

/// Imports the chain of `params` on both paths, and compares with what the builder had.
fn check(params: &Params, threads: usize) {
    let (blocks, summary) = blocks_of(params);
    let mut importer = Importer::new(params, threads);
    assert_eq!(importer.chain.parent().hash, summary.genesis);
    for built in &blocks {
        let name = format!("seed {} {} block {}", params.seed, params.fork, built.block.header.number);
        let block = SealedBlock::decode(&built.block.encode()).unwrap();
        assert_eq!(block, built.block, "{name}");
        let sequential = importer.execute(ExecutionMode::Sequential, &block, None);
        let sequential = sequential.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(sequential.receipts, built.receipts, "{name}");
        assert_eq!(sequential.requests, built.requests, "{name}");
        assert_eq!(sequential.list, built.list, "{name}");
        assert_eq!(sequential.diff, built.diff, "{name}");
        if let Some(list) = built.list.clone() {
            let parallel = importer.execute(ExecutionMode::Parallel, &block, Some(list));
            let parallel = parallel.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(parallel.path, Path::Parallel, "{name}");
            assert_equal(&parallel, &sequential);
        }
        importer.chain.advance(&block, &sequential.diff, sequential.trie);
    }
    assert_eq!(importer.chain.parent().hash, summary.head);
}

#[test]
fn every_seed_imports_with_any_number_of_workers() {
    for (seed, threads) in (100..).zip([1, 2, 3, 4, 6, 8, 12, 16]) {
        check(&small(seed, "Amsterdam", 5), threads);
    }
}

#[test]
fn every_fork_imports() {
    for (seed, fork) in (200..).zip(["Merge", "Shanghai", "Cancun", "Prague", "Osaka", "BPO1", "BPO2"]) {
        check(&small(seed, fork, 4), 2);
    }
}

#[test]
fn lists_apart_from_amsterdam_import_in_parallel() {
    for (seed, fork) in (300..).zip(["BPO2+EIP7928", "Prague+EIP7928"]) {
        check(&small(seed, fork, 5), 4);
    }
}

#[test]
fn a_small_block_runs_inline_with_the_same_result() {
    let mut params = small(400, "Amsterdam", 6);
    params.block.transactions = balsa_workload::params::Range { min: 1, max: 3 };
    let (blocks, _) = blocks_of(&params);
    let mut importer = Importer::new(&params, 2);
    let mut inline = 0;
    for built in blocks {
        let executed = importer.execute(ExecutionMode::Auto, &built.block, built.list.clone()).unwrap();
        inline += u64::from(executed.path == Path::Inline);
        assert_eq!(executed.receipts, built.receipts);
        assert_eq!(executed.diff, built.diff);
        importer.chain.advance(&built.block, &executed.diff, executed.trie);
    }
    assert!(inline > 0, "no block was small enough");
}

#[test]
fn equal_parameters_make_equal_chains() {
    let head = |params: &Params| blocks_of(params).1.head;
    let params = small(500, "Amsterdam", 3);
    let expected = head(&params);
    assert_eq!(head(&params), expected);
    let mut other = params.clone();
    other.seed += 1;
    assert_ne!(head(&other), expected);
    // The signing pool's size is of no consequence.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(5).build().unwrap();
    assert_eq!(pool.install(|| head(&params)), expected);
}
