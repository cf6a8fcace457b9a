//! What one flush carries.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, U256};
use balsa_state::Layer;
use balsa_trie::NodeChanges;

/// A block by number and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockPointer {
    /// The block's number.
    pub number: u64,
    /// The block's hash.
    pub hash: B256,
}

/// The block whose state the store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The block's number.
    pub number: u64,
    /// The block's hash.
    pub hash: B256,
    /// Its state root.
    pub state_root: B256,
    /// Sum of the difficulties from genesis to this block.
    pub total_difficulty: U256,
}

impl Head {
    /// The block without what belongs to it.
    pub fn pointer(&self) -> BlockPointer {
        BlockPointer { number: self.number, hash: self.hash }
    }
}

/// A block as it is stored, canonical or not. Layouts in FORMAT.md.
#[derive(Clone, Debug)]
pub struct BlockRecord {
    /// The header's hash.
    pub hash: B256,
    /// The header.
    pub header: Header,
    /// RLP `[transactions, ommers, withdrawals?]`.
    pub body: Bytes,
    /// RLP list of receipts without blooms.
    pub receipts: Bytes,
    /// The raw access list, from EIP-7928 on.
    pub list: Option<Bytes>,
}

/// A block that becomes canonical with a flush.
#[derive(Clone, Debug)]
pub struct CanonicalBlock {
    /// Which block; its record is in this batch or in the store already.
    pub block: BlockPointer,
    /// Hashes of its transactions, in order.
    pub transactions: Vec<B256>,
}

/// What one block did to the state; several make one flush.
#[derive(Clone, Debug)]
pub struct StateChange {
    /// Accounts, slots and code.
    pub layer: Arc<Layer>,
    /// Branch nodes of the tries.
    pub nodes: Arc<NodeChanges>,
}

/// Where the fork choice stood; `None` leaves what is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pointers {
    /// Head of the fork choice; may be above the stored state.
    pub tip: Option<BlockPointer>,
    /// Safe block.
    pub safe: Option<BlockPointer>,
    /// Finalized block.
    pub finalized: Option<BlockPointer>,
}

/// One atomic flush: blocks, and the state of a later head if there is one.
///
/// Without a `head` only blocks and pointers are stored, and `canonical` and `changes` must be empty.
#[derive(Clone, Debug, Default)]
pub struct FlushBatch {
    /// Blocks to store, in any order.
    pub blocks: Vec<Arc<BlockRecord>>,
    /// The blocks from after the stored head to the new one, ascending.
    pub canonical: Vec<CanonicalBlock>,
    /// What those blocks changed, oldest first.
    pub changes: Vec<StateChange>,
    /// The block whose state the store holds afterwards.
    pub head: Option<Head>,
    /// Where the fork choice stands.
    pub pointers: Pointers,
}

impl FlushBatch {
    /// Takes over a batch that was made after this one, so that both become one flush.
    pub fn append(&mut self, newer: Self) {
        self.blocks.extend(newer.blocks);
        self.canonical.extend(newer.canonical);
        self.changes.extend(newer.changes);
        self.head = newer.head.or(self.head);
        let Pointers { tip, safe, finalized } = newer.pointers;
        self.pointers.tip = tip.or(self.pointers.tip);
        self.pointers.safe = safe.or(self.pointers.safe);
        self.pointers.finalized = finalized.or(self.pointers.finalized);
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.head.is_none() && self.pointers == Pointers::default()
    }
}
