//! What each recent state owns of the trie: the nodes that the state of its parent does not have.

use crate::ChainView;

/// Bytes of the trie's nodes that each state in memory owns. Together with those of the oldest they are all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateBytes {
    /// Of the canonical states in memory, the head's first.
    pub canonical: Vec<u64>,
    /// Of all states beside the canonical chain.
    pub beside: u64,
}

impl ChainView {
    /// What each recent state owns. Known from when it was made, so it costs no walk.
    pub fn state_bytes(&self) -> StateBytes {
        let all: u64 = self.tree.blocks().map(|kept| kept.trie.own_bytes()).sum();
        let states = self.tree.canonical_blocks().take_while(|kept| kept.number() >= self.root().number());
        let canonical: Vec<u64> = states.map(|kept| kept.trie.own_bytes()).collect();
        StateBytes { beside: all - canonical.iter().sum::<u64>(), canonical }
    }
}
