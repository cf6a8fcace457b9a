//! The tip of the chain that is being made: what the next block is built on.

use std::sync::Arc;

use alloy_primitives::B256;
use balsa_evm::BlockHashes;
use balsa_executor::{Parent, SealedBlock};
use balsa_state::{State, StateDiff};
use balsa_trie::StateTrie;

use crate::prestate::{Overlay, Prestate};

/// How many ancestors `BLOCKHASH` can name.
const HASHES_MAX: usize = 256;

/// The tip with its whole state, and nothing of older blocks but their hashes.
pub(crate) struct Tip {
    /// Taken only while the chain moves on.
    parent: Option<Parent>,
    prestate: Arc<Prestate>,
    store: Arc<Overlay>,
    /// Of the last blocks, the tip's last.
    hashes: Vec<B256>,
}

impl Tip {
    /// The chain of nothing but its genesis block.
    pub(crate) fn new(prestate: Prestate) -> Self {
        let (block, trie) = (prestate.block.clone(), prestate.trie());
        let prestate = Arc::new(prestate);
        let store = Arc::new(Overlay::new(prestate.clone()));
        let mut tip = Self { parent: None, prestate, store, hashes: Vec::new() };
        tip.advance(&block, &StateDiff::default(), trie);
        tip
    }

    /// The tip, as a parent.
    pub(crate) fn parent(&self) -> &Parent {
        self.parent.as_ref().expect("a tip is there from the genesis block on")
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
            nodes: self.prestate.clone(),
            hashes: Arc::new(self.block_hashes(block)),
        });
    }

    fn block_hashes(&self, tip: &SealedBlock) -> BlockHashes {
        let (hashes, number) = (self.hashes.clone(), tip.header.number);
        let older = move |wanted: u64| {
            let depth = usize::try_from(number.checked_sub(wanted)?).ok()?;
            hashes.iter().rev().nth(depth).copied()
        };
        BlockHashes::new(number + 1, tip.hash, older)
    }
}
