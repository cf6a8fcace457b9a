//! The block tree over the store: import, fork choice, look-ups, and what survives a crash.
//!
//! [`Chain`] is the one writer. It keeps the recent blocks with their states in memory, as layers and trie versions
//! over the store's head (the *root* of the tree), and hands what has become old to the persister. Everyone else reads
//! through [`ChainReader`], whose [`ChainView`]s are immutable.
//!
//! A block's way: [`Chain::import`] finds the parent, holds the block against it (`verify.rs`), and puts it into the
//! tree (`stage.rs`). Nothing becomes canonical by that: [`Chain::set_head`] follows a consensus client,
//! [`Chain::import_and_choose`] the heaviest chain, as chain files want it.
//!
//! What is invalid leaves no trace but its hash. What is this node's own fault is a [`ChainError`] and never a verdict.
//!
//! Reading order: `chain.rs`, `kept_block.rs`, `tree.rs`, `verify.rs`, `fork_choice.rs`, `persistence.rs`, `state_budget.rs`, `open.rs`.

mod bad_blocks;
mod block_record;
mod chain;
mod error;
mod fork_choice;
mod genesis_block;
mod invalid_blocks;
mod kept_block;
mod layer_stack;
mod open;
mod outcome;
mod persistence;
mod preparation;
mod settings;
mod stage;
mod state_budget;
mod state_bytes;
mod tree;
mod trie_renewal;
mod verify;
mod view;

pub use bad_blocks::BadBlock;
pub use chain::{Chain, ChainMemory, ChainReader};
pub use error::{ChainError, ForkChoiceError, LookupError};
pub use fork_choice::HeadChange;
pub use genesis_block::GenesisBlock;
pub use kept_block::KeptBlock;
pub use outcome::{ImportOutcome, ImportedBlock, InvalidReason, Rejection};
pub use preparation::Preparation;
pub use settings::{ChainSettings, TrieMemory};
pub use state_budget::StateMemory;
pub use state_bytes::StateBytes;
pub use view::{ChainView, FoundTransaction};
