//! The chain as it stood at one moment, for readers: memory and store as one.

use std::sync::{Arc, OnceLock};

use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes};
use balsa_chainspec::{Ancestor, ChainSpec};
use balsa_evm::BlockHashes;
use balsa_executor::{Parent, Receipt, SealedBlock};
use balsa_state::{Layer, State};
use balsa_storage::{BlockPointer, Snapshot};
use balsa_trie::StateTrie;

use crate::{KeptBlock, LookupError, block_record, tree::Tree};

/// How far back `BLOCKHASH` looks.
const BLOCK_HASHES: usize = 256;

/// The chain as it stood at one moment. Immutable; holding one for long keeps old rows on disk.
#[derive(Clone)]
pub struct ChainView {
    pub(crate) spec: Arc<ChainSpec>,
    pub(crate) store: Arc<Snapshot>,
    pub(crate) tree: Tree,
    pub(crate) safe: Option<BlockPointer>,
    pub(crate) finalized: Option<BlockPointer>,
}

/// Where a canonical transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundTransaction {
    /// The block.
    pub block: BlockPointer,
    /// Position in the block.
    pub index: usize,
}

impl ChainView {
    /// The chain's rules.
    pub fn spec(&self) -> &Arc<ChainSpec> {
        &self.spec
    }

    /// The head of the canonical chain.
    pub fn head(&self) -> &Arc<KeptBlock> {
        self.tree.head()
    }

    /// The oldest block whose state is kept: no reorganisation goes below it.
    pub fn root(&self) -> &Arc<KeptBlock> {
        self.tree.root()
    }

    /// The block whose state is on disk.
    pub fn flushed(&self) -> Option<BlockPointer> {
        self.store.head().map(|head| head.pointer())
    }

    /// The safe block, if the consensus client named one.
    pub fn safe(&self) -> Option<BlockPointer> {
        self.safe
    }

    /// The finalized block, if the consensus client named one.
    pub fn finalized(&self) -> Option<BlockPointer> {
        self.finalized
    }

    /// A block with its state, canonical or not.
    pub fn kept(&self, hash: &B256) -> Option<&Arc<KeptBlock>> {
        self.tree.get(hash)
    }

    /// Number and hash of a block that is known, canonical or not.
    pub fn pointer(&self, hash: &B256) -> Result<Option<BlockPointer>, LookupError> {
        match self.in_memory(hash) {
            Some(kept) => Ok(Some(kept.pointer())),
            None => Ok(self.store.number(hash)?.map(|number| BlockPointer { number, hash: *hash })),
        }
    }

    /// Hash of the canonical block of a number.
    pub fn canonical_hash(&self, number: u64) -> Result<Option<B256>, LookupError> {
        match self.tree.canonical_hash(number) {
            Some(hash) => Ok(Some(hash)),
            None if number < self.root().number() => Ok(self.store.canonical_hash(number)?),
            None => Ok(None),
        }
    }

    /// Whether a block is on the canonical chain.
    pub fn is_canonical(&self, block: &BlockPointer) -> Result<bool, LookupError> {
        Ok(self.canonical_hash(block.number)? == Some(block.hash))
    }

    /// A block's header.
    pub fn header(&self, hash: &B256) -> Result<Option<Header>, LookupError> {
        if let Some(kept) = self.in_memory(hash) {
            return Ok(Some(kept.block.header.clone()));
        }
        let Some(block) = self.pointer(hash)? else { return Ok(None) };
        Ok(Some(self.stored_header(&block)?))
    }

    /// A block.
    pub fn block(&self, hash: &B256) -> Result<Option<Arc<SealedBlock>>, LookupError> {
        if let Some(kept) = self.in_memory(hash) {
            return Ok(Some(kept.block.clone()));
        }
        let Some(block) = self.pointer(hash)? else { return Ok(None) };
        let body = self.store.body(&block)?.ok_or(LookupError::Missing { what: "body", block })?;
        Ok(Some(Arc::new(block_record::decode_block(block, self.stored_header(&block)?, &body)?)))
    }

    /// A block's receipts, in order.
    pub fn receipts(&self, hash: &B256) -> Result<Option<Arc<Vec<Receipt>>>, LookupError> {
        if let Some(kept) = self.in_memory(hash) {
            return Ok(Some(kept.receipts.clone()));
        }
        let Some(block) = self.pointer(hash)? else { return Ok(None) };
        let bytes = self.store.receipts(&block)?.ok_or(LookupError::Missing { what: "receipts", block })?;
        Ok(Some(Arc::new(block_record::decode_receipts(block, &bytes)?)))
    }

    /// A block's access list; `None` if the block is not known, has none, or is too old.
    pub fn list(&self, hash: &B256) -> Result<Option<Bytes>, LookupError> {
        if let Some(kept) = self.in_memory(hash) {
            return Ok(kept.list.clone());
        }
        let Some(block) = self.pointer(hash)? else { return Ok(None) };
        Ok(self.store.list(&block)?)
    }

    /// Where a canonical transaction is.
    pub fn transaction(&self, hash: &B256) -> Result<Option<FoundTransaction>, LookupError> {
        for kept in self.tree.canonical_blocks() {
            if let Some(index) = kept.transaction_hashes.iter().position(|known| known == hash) {
                return Ok(Some(FoundTransaction { block: kept.pointer(), index }));
            }
        }
        let Some(position) = self.store.transaction(hash)? else { return Ok(None) };
        let number = position.block_number;
        let Some(hash) = self.store.canonical_hash(number)? else { return Ok(None) };
        Ok(Some(FoundTransaction { block: BlockPointer { number, hash }, index: position.index as usize }))
    }

    /// The state after a block; `None` if it is not kept.
    pub fn state(&self, hash: &B256) -> Option<State> {
        let stack = self.tree.stack(hash)?;
        Some(State::with_layers(self.store.clone(), stack.layers()))
    }

    /// A block as the parent of another; `None` if its state is not kept.
    pub fn parent(self: &Arc<Self>, hash: &B256) -> Option<Parent> {
        let kept = self.kept(hash)?;
        Some(Parent {
            header: kept.block.header.clone(),
            hash: *hash,
            state: self.state(hash)?,
            trie: kept.trie.clone(),
            nodes: self.store.clone(),
            hashes: self.block_hashes(kept.pointer()),
        })
    }

    /// The same of a block that is not in the tree, on a parent that is: with what it changed, and the trie after it.
    pub fn as_parent(self: &Arc<Self>, block: &SealedBlock, changed: Arc<Layer>, trie: StateTrie) -> Option<Parent> {
        let below = self.parent(&block.header.parent_hash)?;
        let Parent { header, hash, state, nodes, hashes, .. } = below;
        let (number, parent_number) = (block.header.number, header.number);
        let older = move |asked| if asked == parent_number { Some(hash) } else { hashes.of(asked).ok() };
        Some(Parent {
            header: block.header.clone(),
            hash: block.hash,
            state: state.child(changed),
            trie,
            nodes,
            hashes: Arc::new(BlockHashes::new(number + 1, block.hash, older)),
        })
    }

    /// The ancestors that a child of `parent` sees. They are looked up together, when the first is asked for.
    fn block_hashes(self: &Arc<Self>, parent: BlockPointer) -> Arc<BlockHashes> {
        let (view, found) = (self.clone(), OnceLock::new());
        let older = move |number: u64| {
            let hashes = found.get_or_init(|| view.ancestor_hashes(parent, BLOCK_HASHES).unwrap_or_default());
            hashes.get(parent.number.checked_sub(number)? as usize).copied()
        };
        Arc::new(BlockHashes::new(parent.number + 1, parent.hash, older))
    }

    /// Hashes of a block of the tree and of what it descends from, newest first.
    fn ancestor_hashes(&self, block: BlockPointer, count: usize) -> Result<Vec<B256>, LookupError> {
        let mut hashes = vec![block.hash];
        let mut at = self.kept(&block.hash).map(|kept| (kept.number(), kept.parent_hash()));
        while let Some((number, parent)) = at.filter(|(number, _)| *number > 0 && hashes.len() < count) {
            hashes.push(parent);
            at = match self.kept(&parent) {
                Some(kept) => Some((number - 1, kept.parent_hash())),
                // At and below the root everything is canonical.
                None if number < 2 => None,
                None => self.canonical_hash(number - 2)?.map(|hash| (number - 1, hash)),
            };
        }
        Ok(hashes)
    }

    /// The nearest ancestors of a child of `parent`, that block first.
    pub(crate) fn ancestors(&self, parent: &KeptBlock, count: usize) -> Result<Vec<Ancestor>, LookupError> {
        let mut ancestors = Vec::with_capacity(count);
        let mut hash = parent.hash();
        while ancestors.len() < count {
            let Some(block) = self.block(&hash)? else { break };
            let ommers = block.ommers.iter().map(Header::hash_slow).collect();
            ancestors.push(Ancestor { hash, header: block.header.clone(), ommers });
            hash = block.header.parent_hash;
        }
        Ok(ancestors)
    }

    fn in_memory(&self, hash: &B256) -> Option<&Arc<KeptBlock>> {
        self.tree.get(hash).or_else(|| self.tree.leaving(hash))
    }

    fn stored_header(&self, block: &BlockPointer) -> Result<Header, LookupError> {
        self.store.header(block)?.ok_or(LookupError::Missing { what: "header", block: *block })
    }
}
