//! The tip of a chain whose whole state, trie included, lies in memory: made from the genesis file, and so without
//! anything of the generator's own state.

use std::sync::Arc;

use alloy_primitives::B256;
use balsa_chainspec::Genesis;
use balsa_evm::BlockHashes;
use balsa_executor::{GenesisState, Parent, SealedBlock, genesis_state};
use balsa_state::{MemoryStore, State, StateDiff};
use balsa_trie::{NoNodes, StateTrie};

/// How many ancestors `BLOCKHASH` can name.
const HASHES_MAX: usize = 256;

/// The tip with its whole state, and nothing of older blocks but their hashes.
pub(crate) struct MemoryChain {
    /// Taken only while the chain moves on.
    parent: Option<Parent>,
    store: Arc<MemoryStore>,
    /// Of the last blocks, the tip's last.
    hashes: Vec<B256>,
}

impl MemoryChain {
    /// The chain of nothing but its genesis block.
    pub(crate) fn new(genesis: &Genesis) -> Self {
        let GenesisState { block, diff, trie, .. } = genesis_state(genesis).unwrap();
        let mut chain = Self { parent: None, store: Arc::default(), hashes: Vec::new() };
        chain.advance(&block, &diff, trie);
        chain
    }

    /// The tip.
    pub(crate) fn parent(&self) -> &Parent {
        self.parent.as_ref().unwrap()
    }

    /// Makes an executed child of the tip the tip.
    pub(crate) fn advance(&mut self, block: &SealedBlock, diff: &StateDiff, trie: StateTrie) {
        // Without its readers the store is changed in place; if someone still reads the old tip, it is copied.
        self.parent = None;
        Arc::make_mut(&mut self.store).apply(diff);
        if self.hashes.len() == HASHES_MAX {
            self.hashes.remove(0);
        }
        self.hashes.push(block.hash);
        self.parent = Some(Parent {
            header: block.header.clone(),
            hash: block.hash,
            state: State::new(self.store.clone()),
            trie,
            nodes: Arc::new(NoNodes),
            hashes: Arc::new(self.block_hashes(block.header.number)),
        });
    }

    fn block_hashes(&self, tip: u64) -> BlockHashes {
        let hashes = self.hashes.clone();
        let older = move |number: u64| {
            let depth = usize::try_from(tip.checked_sub(number)?).ok()?;
            hashes.iter().rev().nth(depth).copied()
        };
        BlockHashes::new(tip + 1, *self.hashes.last().unwrap_or(&B256::ZERO), older)
    }
}
