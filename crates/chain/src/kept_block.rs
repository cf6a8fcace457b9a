//! A valid block in memory, with what it did to the state.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes, U256};
use balsa_executor::{ExecutedBlock, Receipt, SealedBlock};
use balsa_state::{Layer, StateDiff};
use balsa_storage::{BlockPointer, Head, StateChange};
use balsa_trie::StateTrie;

/// A valid block, executed.
#[derive(Clone, Debug)]
pub struct KeptBlock {
    /// The block.
    pub block: Arc<SealedBlock>,
    /// Hashes of its transactions, in order.
    pub transaction_hashes: Vec<B256>,
    /// Its receipts, in order.
    pub receipts: Arc<Vec<Receipt>>,
    /// Its access list, from EIP-7928 on.
    pub list: Option<Bytes>,
    /// Sum of the difficulties from block 0 to this one.
    pub total_difficulty: U256,
    /// The state's trie after it.
    pub trie: StateTrie,
    pub(crate) change: StateChange,
    /// Rough size on the heap, without the trie.
    pub(crate) heap_bytes: u64,
}

impl KeptBlock {
    /// What came of a block on its parent.
    pub(crate) fn new(block: SealedBlock, executed: ExecutedBlock, parent: &Self) -> Self {
        let layer = Arc::new(Layer::new(executed.diff));
        let change = StateChange { layer, nodes: Arc::new(executed.nodes) };
        let total_difficulty = parent.total_difficulty.saturating_add(block.header.difficulty);
        Self::assemble(block, executed.receipts.receipts, executed.list, total_difficulty, executed.trie, change)
    }

    /// The block whose state the store holds: it changed nothing above the store.
    pub(crate) fn stored(
        block: SealedBlock,
        receipts: Vec<Receipt>,
        list: Option<Bytes>,
        total_difficulty: U256,
        trie: StateTrie,
    ) -> Self {
        let change = StateChange { layer: Arc::new(Layer::new(Default::default())), nodes: Arc::default() };
        Self::assemble(block, receipts, list, total_difficulty, trie, change)
    }

    fn assemble(
        block: SealedBlock,
        receipts: Vec<Receipt>,
        list: Option<Bytes>,
        total_difficulty: U256,
        trie: StateTrie,
        change: StateChange,
    ) -> Self {
        let transaction_hashes = block.transactions.iter().map(|transaction| *transaction.tx_hash()).collect();
        let heap_bytes = heap_bytes(&block, &receipts, list.as_ref(), &change);
        let (block, receipts) = (Arc::new(block), Arc::new(receipts));
        Self { block, transaction_hashes, receipts, list, total_difficulty, trie, change, heap_bytes }
    }

    /// The block's number.
    pub fn number(&self) -> u64 {
        self.block.header.number
    }

    /// The block's hash.
    pub fn hash(&self) -> B256 {
        self.block.hash
    }

    /// Hash of its parent.
    pub fn parent_hash(&self) -> B256 {
        self.block.header.parent_hash
    }

    /// Number and hash.
    pub fn pointer(&self) -> BlockPointer {
        BlockPointer { number: self.number(), hash: self.hash() }
    }

    /// What it changed in the flat state.
    pub fn diff(&self) -> &StateDiff {
        self.change.layer.diff()
    }

    /// What the store's head row says once this block's state is there.
    pub(crate) fn head(&self) -> Head {
        Head {
            number: self.number(),
            hash: self.hash(),
            state_root: self.block.header.state_root,
            total_difficulty: self.total_difficulty,
        }
    }
}

/// Rough bytes of a block and its layer.
fn heap_bytes(block: &SealedBlock, receipts: &[Receipt], list: Option<&Bytes>, change: &StateChange) -> u64 {
    let logs: usize = receipts.iter().flat_map(|receipt| receipt.logs()).map(|log| 160 + log.data.data.len()).sum();
    let receipts = size_of_val(receipts) + logs;
    // Decoded transactions are about twice their RLP. A layer's diff stands once more in its index and in a merged layer.
    let block = 2 * block.rlp_len + receipts + list.map_or(0, |list| list.len());
    (block + 3 * change.layer.diff().heap_bytes()) as u64 + change.nodes.heap_bytes()
}
