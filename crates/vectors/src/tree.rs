//! A tree of blocks in memory: what a test chain grows on.

use crate::world::World;
use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, U256};
use balsa_chainspec::{Ancestor, ChainSpec, OMMER_ANCESTORS_MAX, OmmerError, validate_header, validate_ommers};
use balsa_evm::{BlockHashes, Observation};
use balsa_executor::{ExecuteError, ExecutedBlock, Executor, InvalidBlock, Parent, SealedBlock, check_body};
use balsa_state::BlockState;
use balsa_trie::NoNodes;
use std::collections::HashMap;
use std::sync::Arc;

/// How far back `BLOCKHASH` sees.
const BLOCK_HASHES_MAX: usize = 256;

/// A tree of executed blocks over a genesis block, and its head.
pub(crate) struct Tree {
    spec: Arc<ChainSpec>,
    blocks: HashMap<B256, Block>,
    head: B256,
}

struct Block {
    hash: B256,
    header: Header,
    ommers: Vec<B256>,
    total_difficulty: U256,
    world: World,
}

/// Why a block was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// The tree does not hold the parent.
    #[error("parent {0} is unknown")]
    UnknownParent(B256),
    /// The block was not made the way that the chain's total difficulty asks for.
    #[error("proof of stake: {found}, but the total difficulty asks for {expected}")]
    WrongConsensus {
        /// Whether the block is made by proof of stake.
        found: bool,
        /// Whether it should be.
        expected: bool,
        /// The parent's total difficulty.
        total: U256,
        /// The total difficulty that ends proof of work.
        terminal: U256,
    },
    #[error(transparent)]
    Ommers(#[from] OmmerError),
    #[error(transparent)]
    Execute(#[from] ExecuteError),
}

impl Tree {
    /// A tree of the genesis block alone, with the state after it.
    pub(crate) fn new(spec: Arc<ChainSpec>, genesis: Header, world: World) -> Self {
        let hash = genesis.hash_slow();
        let total_difficulty = genesis.difficulty;
        let block = Block { hash, header: genesis, ommers: Vec::new(), total_difficulty, world };
        Self { spec, blocks: HashMap::from([(hash, block)]), head: hash }
    }

    /// The hash of the head.
    pub(crate) fn head(&self) -> B256 {
        self.head
    }

    /// Makes a block the head, as a consensus client does. `false` if the tree does not hold it.
    pub(crate) fn set_head(&mut self, hash: B256) -> bool {
        let known = self.blocks.contains_key(&hash);
        if known {
            self.head = hash;
        }
        known
    }

    /// Whether the tree holds the block.
    pub(crate) fn contains(&self, hash: &B256) -> bool {
        self.blocks.contains_key(hash)
    }

    /// The state after the head.
    pub(crate) fn head_world(&self) -> &World {
        &self.blocks[&self.head].world
    }

    /// Checks and executes a block on its parent, without keeping it.
    pub(crate) fn execute(
        &self,
        executor: &Executor,
        block: &SealedBlock,
        list: Option<Bytes>,
    ) -> Result<ExecutedBlock, ImportError> {
        Ok(executor.execute(block, list, &self.checked_parent(block)?)?)
    }

    /// The same by the sequential executor, with its transactions watched; `closed` is shown the state after them.
    pub(crate) fn execute_observed(
        &self,
        executor: &Executor,
        block: &SealedBlock,
        list: Option<Bytes>,
        observer: impl for<'s> Observation<BlockState<'s>>,
        closed: impl FnOnce(&BlockState<'_>),
    ) -> Result<ExecutedBlock, ImportError> {
        Ok(executor.execute_observed(block, list, &self.checked_parent(block)?, observer, closed)?)
    }

    /// The parent, of which the block may be a child as far as the chain's consensus goes.
    fn checked_parent(&self, block: &SealedBlock) -> Result<Parent, ImportError> {
        let parent = self.parent_of(block)?;
        self.check_consensus(parent, &block.header)?;
        if !block.ommers.is_empty() {
            self.check_ommers(parent, block)?;
        }
        Ok(self.as_parent(parent, block.header.number))
    }

    /// Keeps an executed block, and makes it the head if it is the better one.
    pub(crate) fn insert(&mut self, block: &SealedBlock, executed: ExecutedBlock) -> Result<(), ImportError> {
        let parent = self.parent_of(block)?;
        let total_difficulty = parent.total_difficulty.saturating_add(block.header.difficulty);
        let world = parent.world.grown(executed.diff, executed.trie);
        let header = block.header.clone();
        let ommers = block.ommers.iter().map(Header::hash_slow).collect();
        // By proof of stake the consensus layer names the head: a suite's blocks come in the order of its choice.
        let proof_of_stake = self.spec.is_proof_of_stake(&header);
        if proof_of_stake || total_difficulty > self.blocks[&self.head].total_difficulty {
            self.head = block.hash;
        }
        self.blocks.insert(block.hash, Block { hash: block.hash, header, ommers, total_difficulty, world });
        Ok(())
    }

    fn parent_of(&self, block: &SealedBlock) -> Result<&Block, ImportError> {
        let parent = block.header.parent_hash;
        self.blocks.get(&parent).ok_or(ImportError::UnknownParent(parent))
    }

    /// Proof of work ends with the block that reaches the terminal total difficulty (EIP-3675).
    fn check_consensus(&self, parent: &Block, header: &Header) -> Result<(), ImportError> {
        let found = self.spec.is_proof_of_stake(header);
        let expected = self.spec.is_merged_after(parent.total_difficulty);
        let (total, terminal) = (parent.total_difficulty, self.spec.terminal_total_difficulty.unwrap_or(U256::MAX));
        if found == expected { Ok(()) } else { Err(ImportError::WrongConsensus { found, expected, total, terminal }) }
    }

    /// What the header and the body say comes first, as in the executor, which asks them again.
    fn check_ommers(&self, parent: &Block, block: &SealedBlock) -> Result<(), ImportError> {
        let rules = self.spec.rules_of(&block.header);
        let invalid = |error: InvalidBlock| ImportError::Execute(error.into());
        validate_header(&rules, &self.spec.rules_of(&parent.header), &parent.header, &block.header)
            .map_err(|error| invalid(error.into()))?;
        check_body(&rules, block).map_err(|error| invalid(error.into()))?;
        let ancestors = self.lineage(parent).take(OMMER_ANCESTORS_MAX).map(Block::as_ancestor);
        Ok(validate_ommers(&self.spec, &block.ommers, &ancestors.collect::<Vec<_>>())?)
    }

    /// A block and those before it.
    fn lineage<'a>(&'a self, block: &'a Block) -> impl Iterator<Item = &'a Block> {
        std::iter::successors(Some(block), |block| self.blocks.get(&block.header.parent_hash))
    }

    /// A block as the parent of block `number`.
    fn as_parent(&self, block: &Block, number: u64) -> Parent {
        let hashes: Vec<B256> = self.lineage(block).take(BLOCK_HASHES_MAX).map(|block| block.hash).collect();
        let older = move |asked: u64| hashes.get(usize::try_from(number.checked_sub(asked + 1)?).ok()?).copied();
        Parent {
            header: block.header.clone(),
            hash: block.hash,
            state: block.world.state.clone(),
            trie: block.world.trie.clone(),
            nodes: Arc::new(NoNodes),
            hashes: Arc::new(BlockHashes::new(number, block.hash, older)),
        }
    }
}

impl Block {
    fn as_ancestor(&self) -> Ancestor {
        Ancestor { hash: self.hash, header: self.header.clone(), ommers: self.ommers.clone() }
    }
}
