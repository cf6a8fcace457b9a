//! balsa-trie: the state trie, kept only to compute roots and proofs.
//!
//! [`root_after()`] is the one entry point: the version of a parent state, a [`NodeSource`] for what is not in memory and
//! the [`Updates`] of a block in; the new version, its root, the accounts after the block and the records to persist out.
//!
//! A version ([`StateTrie`]) is persistent: cloning it is free, versions share what did not change between them, and
//! readers of an old one never see a new one's changes. The store below keeps flat leaves and [`Branch`] records by
//! [`Path`]; [`MemoryNodes`] is one in maps. [`SortedRoot`] makes root and records of a state of any size anew.

mod account_share;
mod accounts_after;
mod arena;
mod branch;
mod branch_difference;
mod build;
mod change;
mod division;
mod edit;
mod error;
mod leaves;
mod levels;
mod link;
mod load;
mod locate;
#[cfg(all(test, feature = "loom"))]
mod loom_tests;
mod memory;
mod node_changes;
mod ordered;
mod path;
mod plan;
mod proof;
mod proved_value;
mod reference;
mod renewal;
mod replace;
mod rlp;
mod rooms;
mod root_after;
mod side_by_side;
mod slot_share;
mod sorted_root;
mod source;
mod state_trie;
mod sync;
mod unique;
mod updates;
mod versions;
mod walk;
mod weight;
mod workshop;

pub use accounts_after::AccountsAfter;
pub use arena::{ArenaError, HeapMemory, MemoryError, PageMemory, Words};
pub use branch::{Branch, BranchError, SMALL_LEAVES_MAX};
pub use branch_difference::BranchDifference;
pub use error::{SourceError, TrieError, TrieId, WrongHash};
pub use memory::MemoryNodes;
pub use node_changes::{BranchChange, EncodedNodes, EncodedStorage, NodeChanges, StorageChange};
pub use ordered::{OrderedRoot, ordered_root};
pub use path::Path;
pub use proof::{AccountProof, ProofError, SlotProof, account_proof};
pub use proved_value::BadProof;
pub use renewal::{Relative, renewed};
pub use root_after::{RootAfter, root_after};
pub use sorted_root::SortedRoot;
pub use source::{NoNodes, NodeSource};
pub use state_trie::StateTrie;
pub use unique::{UniqueNodes, UniqueTables};
pub use updates::{AccountUpdate, GenesisAccount, Updates};
pub use weight::{ArenaBytes, ArenaWatch, cow_bytes, total_tree_bytes, total_unique_cow_bytes};
