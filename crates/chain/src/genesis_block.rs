//! Block 0: its state, its root, its header.

use std::sync::Arc;

use alloy_primitives::B256;
use balsa_chainspec::{ChainSpec, Genesis};
use balsa_executor::SealedBlock;
use balsa_keccak::keccak256;
use balsa_state::{EMPTY_CODE_HASH, Layer, StateDiff, StorageDiff};
use balsa_storage::StateChange;
use balsa_trie::{GenesisAccount, NoNodes, StateTrie, TrieError, Updates, root_after};

/// A chain's first block with its state. Building it costs time in proportion to the allocation; it can be used for
/// any number of chains.
#[derive(Clone, Debug)]
pub struct GenesisBlock {
    /// The chain's rules.
    pub spec: Arc<ChainSpec>,
    /// The block.
    pub block: SealedBlock,
    /// The state, unless it lies in the store already.
    pub(crate) change: Option<StateChange>,
}

impl GenesisBlock {
    /// Builds the first state and what commits to it.
    ///
    /// # Errors
    /// If the trie contradicts itself, which would be a fault of ours.
    pub fn new(genesis: &Genesis) -> Result<Self, TrieError> {
        let hashes: Vec<B256> = genesis.alloc.values().map(|account| code_hash(&account.code)).collect();
        let updates = Updates::of_genesis(genesis.alloc.iter().zip(&hashes).map(|((address, account), code_hash)| {
            GenesisAccount {
                address: *address,
                nonce: account.nonce,
                balance: account.balance,
                code_hash: Some(*code_hash),
                slots: account.storage.iter().map(|(slot, value)| ((*slot).into(), *value)).collect(),
            }
        }));
        let after = root_after(&StateTrie::empty(), &NoNodes, &updates)?;

        let accounts = after.accounts.with_keys(&updates).collect();
        let storage = updates.accounts.into_iter().filter(|update| !update.slots.is_empty());
        let codes = hashes.into_iter().zip(genesis.alloc.values().map(|account| account.code.clone()));
        let mut codes: Vec<_> = codes.filter(|(hash, _)| *hash != EMPTY_CODE_HASH).collect();
        codes.sort_unstable_by_key(|(hash, _)| *hash);
        codes.dedup_by_key(|(hash, _)| *hash);
        let diff = StateDiff {
            accounts,
            storage: storage
                .map(|update| StorageDiff { address_hash: update.address_hash, cleared: false, slots: update.slots })
                .collect(),
            codes,
        };
        let header = genesis.header(after.root);
        let withdrawals = header.withdrawals_root.map(|_| Default::default());
        Ok(Self {
            spec: Arc::new(genesis.spec.clone()),
            block: SealedBlock::from_parts(header, Vec::new(), Vec::new(), withdrawals),
            change: Some(StateChange { layer: Arc::new(Layer::new(diff)), nodes: Arc::new(after.nodes) }),
        })
    }

    /// The genesis of chains that have begun already (see [`crate::Preparation`]): it opens them, and begins none.
    pub fn stored(spec: Arc<ChainSpec>, block: SealedBlock) -> Self {
        Self { spec, block, change: None }
    }

    /// The block's hash.
    pub fn hash(&self) -> B256 {
        self.block.hash
    }
}

fn code_hash(code: &[u8]) -> B256 {
    if code.is_empty() { EMPTY_CODE_HASH } else { keccak256(code) }
}
