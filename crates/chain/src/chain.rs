//! The one writer.
//!
//! `&mut self` is the lock: whoever owns the chain is its only writer, and readers hold views that were published
//! whole. Rejected: a lock around the tree (an import would hold it for as long as a block runs, or release it between
//! stages and find another tree afterwards); a channel here (the node has one, with messages of its own; tools and
//! tests need none).

use std::sync::{Arc, PoisonError, RwLock};

use alloy_primitives::{B256, Bytes};
use balsa_executor::{Executor, SealedBlock};
use balsa_state::{ReadCache, ReadCacheStats};
use balsa_storage::{PersistStats, Persister, Store, StoreStats};
use balsa_trie::ArenaWatch;

use crate::{
    BadBlock, ChainError, ChainSettings, ChainView, HeadChange, ImportOutcome, ImportedBlock, KeptBlock, LookupError,
    Rejection, StateMemory, bad_blocks::BadBlocks, fork_choice, invalid_blocks::InvalidBlocks, verify::Refused,
};

/// A chain and the right to change it.
///
/// Dropping it writes what was handed to the persister; blocks above that were stored when they were imported, and
/// [`Chain::open`] executes them again.
pub struct Chain {
    pub(crate) store: Store,
    pub(crate) persister: Persister,
    pub(crate) executor: Arc<Executor>,
    pub(crate) settings: ChainSettings,
    pub(crate) view: Arc<ChainView>,
    pub(crate) published: ChainReader,
    pub(crate) invalid: InvalidBlocks,
    pub(crate) bad: BadBlocks,
    /// Stands at the state after block `cache_at`.
    pub(crate) cache: Arc<ReadCache>,
    pub(crate) cache_at: B256,
    /// Tries that were left behind, as long as readers hold them.
    pub(crate) old_arenas: Vec<ArenaWatch>,
    pub(crate) state_bytes_peak: u64,
    pub(crate) renewals: u64,
    /// What the trie took after the last renewal.
    pub(crate) renewed_trie_bytes: u64,
}

/// What a chain holds in memory, by component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainMemory {
    /// Blocks with their states, on all branches.
    pub kept_blocks: usize,
    /// What obeys the budget of states.
    pub states: StateMemory,
    /// Bytes of the trie's nodes, of all versions together, in the pages of `states`.
    pub trie_live_bytes: u64,
    /// Accounts and slots in the read cache.
    pub cache_entries: u64,
    /// Bytes of the store's block cache.
    pub store_cache_bytes: u64,
    /// Bytes of the store's write buffers.
    pub store_write_buffer_bytes: u64,
}

/// Where the latest view is found. Cheap to clone, and free to use on any thread.
#[derive(Clone)]
pub struct ChainReader {
    latest: Arc<RwLock<Arc<ChainView>>>,
}

impl ChainReader {
    pub(crate) fn new(view: Arc<ChainView>) -> Self {
        Self { latest: Arc::new(RwLock::new(view)) }
    }

    /// The chain as it stands now.
    pub fn view(&self) -> Arc<ChainView> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn publish(&self, view: Arc<ChainView>) {
        *self.latest.write().unwrap_or_else(PoisonError::into_inner) = view;
    }
}

impl Chain {
    /// Brings a block with its access list's bytes, where it came with them. The block does not become canonical.
    ///
    /// Idempotent. An invalid block changes nothing but the memory of invalid blocks.
    ///
    /// # Errors
    /// This node's own trouble; nothing is said about the block.
    pub fn import(&mut self, block: SealedBlock, list: Option<Bytes>) -> Result<ImportOutcome, ChainError> {
        self.take_over_flushed()?;
        if let Some(rejection) = self.known_invalid(&block) {
            return Ok(ImportOutcome::Invalid(rejection));
        }
        if self.is_settled(&block.hash)? {
            return Ok(ImportOutcome::AlreadyKnown);
        }
        let Some(parent) = self.view.kept(&block.header.parent_hash).cloned() else {
            return Ok(self.without_parent(&block)?);
        };
        match self.verify(&parent, &block, list.clone())? {
            Ok(executed) => {
                let imported = ImportedBlock {
                    number: block.header.number,
                    hash: block.hash,
                    extends_head: parent.hash() == self.view.head().hash(),
                    gas_used: executed.gas_used,
                    transactions: block.transactions.len(),
                    path: executed.path,
                };
                let kept = Arc::new(KeptBlock::new(block, executed, &parent));
                // So that nobody here holds a trie that is left behind.
                drop(parent);
                self.stage(kept)?;
                self.keep_to_budget(&imported.hash)?;
                Ok(ImportOutcome::Imported(imported))
            }
            Err(Refused { reason, recorded_list }) => {
                let rejection = Rejection { reason, latest_valid: parent.hash() };
                let rejection = self.invalid.insert(block.hash, rejection);
                let reason = rejection.reason.clone();
                self.bad.keep(BadBlock { block, list, recorded_list, reason });
                Ok(ImportOutcome::Invalid(rejection))
            }
        }
    }

    /// Brings a block as [`import`](Self::import) does, and makes it the head if its chain is the heaviest: the rule of
    /// proof of work, and of chain files.
    ///
    /// # Errors
    /// As [`import`](Self::import).
    pub fn import_and_choose(
        &mut self,
        block: SealedBlock,
        list: Option<Bytes>,
    ) -> Result<(ImportOutcome, Option<HeadChange>), ChainError> {
        let outcome = self.import(block, list)?;
        let ImportOutcome::Imported(imported) = &outcome else { return Ok((outcome, None)) };
        let change = match self.view.kept(&imported.hash) {
            Some(new) if fork_choice::is_heavier(new, self.view.head()) => self.move_head(&imported.hash)?,
            _ => None,
        };
        Ok((outcome, change))
    }

    /// Why a block that was brought before is invalid, as long as it is remembered.
    pub fn rejection(&self, hash: &B256) -> Option<Rejection> {
        self.invalid.get(hash).cloned()
    }

    /// The last invalid blocks that were executed, newest last.
    pub fn bad_blocks(&self) -> Vec<Arc<BadBlock>> {
        self.bad.all()
    }

    /// Reads the chain as it stands now, and later.
    pub fn reader(&self) -> ChainReader {
        self.published.clone()
    }

    /// The chain as it stands now.
    pub fn view(&self) -> &Arc<ChainView> {
        &self.view
    }

    /// What executes the blocks.
    pub fn executor(&self) -> &Arc<Executor> {
        &self.executor
    }

    /// How often the read cache answered.
    pub fn cache_stats(&self) -> ReadCacheStats {
        self.cache.stats()
    }

    /// What the chain holds in memory.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub fn memory(&self) -> Result<ChainMemory, ChainError> {
        let store = self.store.stats()?;
        Ok(ChainMemory {
            kept_blocks: self.view.tree.blocks().count(),
            states: self.state_memory(),
            trie_live_bytes: self.view.head().trie.arena_bytes().live,
            cache_entries: self.cache.stats().entries,
            store_cache_bytes: store.cache_bytes,
            store_write_buffer_bytes: store.write_buffer_bytes,
        })
    }

    /// What the persister has done.
    pub fn persist_stats(&self) -> PersistStats {
        self.persister.stats()
    }

    /// Sizes of the tables.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn store_stats(&self) -> Result<StoreStats, ChainError> {
        Ok(self.store.stats()?)
    }

    /// Changes the view and shows it to the readers.
    pub(crate) fn update(&mut self, change: impl FnOnce(&mut ChainView)) {
        let mut view = ChainView::clone(&self.view);
        change(&mut view);
        self.view = Arc::new(view);
        self.published.publish(self.view.clone());
    }

    /// Whether a block is valid beyond doubt: in the tree, or canonical. One that is only stored may have been stored by
    /// another version of this program.
    fn is_settled(&self, hash: &B256) -> Result<bool, LookupError> {
        if self.view.kept(hash).is_some() {
            return Ok(true);
        }
        let Some(block) = self.view.pointer(hash)? else { return Ok(false) };
        self.view.is_canonical(&block)
    }

    /// What is to be said of a block that cannot be executed.
    fn without_parent(&self, block: &SealedBlock) -> Result<ImportOutcome, LookupError> {
        if self.view.pointer(&block.hash)?.is_some() {
            return Ok(ImportOutcome::AlreadyKnown);
        }
        Ok(match self.view.pointer(&block.header.parent_hash)? {
            Some(_) => ImportOutcome::ParentStateGone,
            None => ImportOutcome::UnknownParent,
        })
    }

    fn known_invalid(&mut self, block: &SealedBlock) -> Option<Rejection> {
        match self.invalid.get(&block.hash) {
            Some(rejection) => Some(rejection.clone()),
            None => self.invalid.refuse_child(block.hash, &block.header.parent_hash),
        }
    }
}
