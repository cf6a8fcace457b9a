//! Opening a chain: a new one begins with its genesis, an old one where it was, whatever ended it.

use std::{path::Path, sync::Arc};

use alloy_consensus::Header;
use alloy_primitives::Bytes;
use balsa_executor::{Executor, SealedBlock};
use balsa_state::ReadCache;
use balsa_storage::{BlockPointer, CanonicalBlock, FlushBatch, Head, Persister, Snapshot, StateChange, Store};
use balsa_trie::{PageMemory, StateTrie};
use tracing::{info, warn};

use crate::{
    Chain, ChainError, ChainReader, ChainSettings, ChainView, GenesisBlock, KeptBlock, LookupError,
    bad_blocks::BadBlocks, block_record, fork_choice, invalid_blocks::InvalidBlocks,
    state_budget::read_cache_bytes_max, tree::Tree,
};

impl Chain {
    /// Opens the chain in `dir`, or begins it there.
    ///
    /// The head is the block whose state the store holds, and above it what was stored of later blocks: they are
    /// executed again, up to the head of the fork choice when it was last stored.
    ///
    /// # Errors
    /// A directory that is not this chain's, damage, the file system, or a directory that takes no pages of the trie.
    pub fn open(
        dir: &Path,
        genesis: &GenesisBlock,
        executor: Arc<Executor>,
        settings: ChainSettings,
    ) -> Result<Self, ChainError> {
        let pages = settings.trie_memory.pages()?;
        let store = Store::open(dir, genesis.hash(), genesis.spec.chain_id, settings.storage)?;
        if store.snapshot()?.head().is_none() {
            let change = genesis.change.clone().ok_or(ChainError::GenesisStateMissing)?;
            store.flush(&first_batch(genesis, vec![change]))?;
        }
        let mut chain = Self::on_store(store, executor, settings, pages)?;
        chain.execute_again()?;
        Ok(chain)
    }

    /// The chain whose head is the store's.
    fn on_store(
        store: Store,
        executor: Arc<Executor>,
        settings: ChainSettings,
        pages: Arc<dyn PageMemory>,
    ) -> Result<Self, ChainError> {
        let snapshot = store.snapshot()?;
        let root = Arc::new(stored_root(&snapshot, pages)?);
        let view = Arc::new(ChainView {
            spec: executor.spec().clone(),
            safe: snapshot.safe()?,
            finalized: snapshot.finalized()?,
            store: Arc::new(snapshot),
            tree: Tree::new(root.clone()),
        });
        let cache_bytes_max = read_cache_bytes_max(&settings);
        Ok(Self {
            persister: Persister::start(store.clone())?,
            store,
            executor,
            settings,
            published: ChainReader::new(view.clone()),
            view,
            invalid: InvalidBlocks::default(),
            bad: BadBlocks::default(),
            cache: Arc::new(ReadCache::new(cache_bytes_max)),
            cache_at: root.hash(),
            old_arenas: Vec::new(),
            state_bytes_peak: 0,
            renewed_trie_bytes: 0,
            renewals: 0,
        })
    }

    /// Executes the blocks that were stored above the store's head, and takes up the head of the fork choice.
    fn execute_again(&mut self) -> Result<(), ChainError> {
        let snapshot = self.view.store.clone();
        let blocks = snapshot.blocks_above_head()?;
        if blocks.is_empty() {
            return Ok(());
        }
        info!(blocks = blocks.len(), head = self.view.head().number(), "executing stored blocks again");
        for pointer in blocks {
            let (block, list) = stored_block(&snapshot, pointer)?;
            let Some(parent) = self.view.kept(&block.header.parent_hash).cloned() else { continue };
            match self.verify(&parent, &block, list)? {
                Ok(executed) => {
                    self.keep(&Arc::new(KeptBlock::new(block, executed, &parent)));
                    self.keep_to_budget(&pointer.hash)?;
                }
                // It was valid when it was stored: another version of this program, or damage.
                Err(refused) => {
                    warn!(number = pointer.number, hash = %pointer.hash, reason = %refused.reason, "stored block is invalid")
                }
            }
        }
        let tip = match snapshot.tip()? {
            Some(tip) if self.view.kept(&tip.hash).is_some() => tip.hash,
            _ => self.heaviest().hash(),
        };
        self.move_head(&tip)?;
        Ok(())
    }

    fn heaviest(&self) -> Arc<KeptBlock> {
        let mut best = self.view.head();
        for kept in self.view.tree.blocks() {
            if fork_choice::is_heavier(kept, best) {
                best = kept;
            }
        }
        best.clone()
    }
}

/// The flush that begins a chain; `changes` make its state of what the store has of it already.
pub(crate) fn first_batch(genesis: &GenesisBlock, changes: Vec<StateChange>) -> FlushBatch {
    let header = &genesis.block.header;
    let block = BlockPointer { number: header.number, hash: genesis.hash() };
    let trie = StateTrie::persisted(header.state_root);
    let kept = KeptBlock::stored(genesis.block.clone(), Vec::new(), None, header.difficulty, trie);
    FlushBatch {
        blocks: vec![Arc::new(block_record::record(&kept))],
        canonical: vec![CanonicalBlock { block, transactions: Vec::new() }],
        changes,
        head: Some(kept.head()),
        ..FlushBatch::default()
    }
}

/// The block whose state the store holds.
fn stored_root(snapshot: &Snapshot, pages: Arc<dyn PageMemory>) -> Result<KeptBlock, LookupError> {
    let Some(head) = snapshot.head() else { unreachable!("the genesis was flushed before") };
    let Head { total_difficulty, .. } = head;
    let block = head.pointer();
    let receipts = snapshot.receipts(&block)?.ok_or(LookupError::Missing { what: "receipts", block })?;
    let receipts = block_record::decode_receipts(block, &receipts)?;
    let (sealed, list) = stored_block(snapshot, block)?;
    let trie = StateTrie::persisted_in(sealed.header.state_root, pages);
    Ok(KeptBlock::stored(sealed, receipts, list, total_difficulty, trie))
}

fn stored_block(snapshot: &Snapshot, block: BlockPointer) -> Result<(SealedBlock, Option<Bytes>), LookupError> {
    let header: Header = snapshot.header(&block)?.ok_or(LookupError::Missing { what: "header", block })?;
    let body = snapshot.body(&block)?.ok_or(LookupError::Missing { what: "body", block })?;
    Ok((block_record::decode_block(block, header, &body)?, snapshot.list(&block)?))
}
