//! No more memory for the trie while a large block is imported on the parallel path: never a wrong root, never a verdict.

mod common;

use std::{
    path::Path as FilePath,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use balsa_chain::{Chain, ChainError, ChainSettings, GenesisBlock, ImportOutcome, TrieMemory};
use balsa_executor::{ExecutionMode, Executor, Path};
use balsa_trie::{HeapMemory, MemoryError, PageMemory, Words};
use balsa_workload::{params::Params, prepare::prepare, profile::Profile};
use common::blocks_of;

/// A heap that ends after so many pieces, until more are added.
#[derive(Debug, Default)]
struct SmallHeap {
    left: AtomicU64,
    refused: AtomicU64,
}

impl PageMemory for SmallHeap {
    fn segment(&self, words: usize) -> Result<Box<dyn Words>, MemoryError> {
        if self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_err() {
            self.refused.fetch_add(1, Relaxed);
            return Err(MemoryError { words, source: "the small heap is full".into() });
        }
        HeapMemory.segment(words)
    }
}

fn begun(params: &Params, folder: &FilePath, memory: Arc<SmallHeap>) -> Chain {
    let genesis: GenesisBlock = prepare(params, folder, Default::default()).unwrap();
    let settings = ChainSettings { trie_memory: TrieMemory::Of(memory), ..Default::default() };
    let executor = Executor::new(genesis.spec.clone(), 2, ExecutionMode::Parallel).unwrap();
    Chain::open(folder, &genesis, Arc::new(executor), settings).unwrap()
}

/// Pieces double in size, so a chain needs few, and each of them is the one that is missing once.
#[test]
fn a_block_that_finds_no_memory_is_not_judged_and_is_imported_once_there_is_some() {
    let mut params = Profile::Quick.params();
    params.blocks = 3;
    let (blocks, summary) = blocks_of(&params);
    let mut refused_at = Vec::new();
    for pieces in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let memory = Arc::new(SmallHeap { left: pieces.into(), ..SmallHeap::default() });
        let mut chain = begun(&params, folder.path(), memory.clone());
        for built in &blocks {
            let import = |chain: &mut Chain| chain.import_and_choose(built.block.clone(), built.list.clone());
            let (number, hash) = (built.block.header.number, built.block.hash);
            let mut outcome = import(&mut chain);
            if let Err(error) = &outcome {
                assert!(matches!(error, ChainError::Execution { .. }), "{error:?}");
                assert!(error.to_string().contains("the small heap is full"), "{error}");
                // Asked again it says the same, and remembers nothing bad of the block.
                assert!(matches!(import(&mut chain), Err(ChainError::Execution { .. })), "block {number}");
                assert!(chain.rejection(&hash).is_none() && chain.bad_blocks().is_empty(), "block {number}");
                assert_eq!(chain.view().head().hash(), built.block.header.parent_hash);
                refused_at.push((pieces, number));
                memory.left.store(u64::MAX, Relaxed);
                outcome = import(&mut chain);
            }
            // The root was held against the header's.
            let (outcome, _) = outcome.unwrap();
            let ImportOutcome::Imported(imported) = outcome else { panic!("block {number}: {outcome:?}") };
            assert!(imported.path == Path::Parallel || built.block.transactions.is_empty(), "block {number}");
        }
        assert_eq!(chain.view().head().hash(), summary.head, "{pieces} pieces");
        if memory.refused.load(Relaxed) == 0 {
            break;
        }
    }
    // Somewhere in the first large block, and in later ones.
    assert!(refused_at.len() > 5, "{refused_at:?}");
    assert!(refused_at.first().map(|(_, block)| block) < refused_at.last().map(|(_, block)| block), "{refused_at:?}");
}
