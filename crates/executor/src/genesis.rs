//! The state that a chain starts from.

use balsa_chainspec::Genesis;
use balsa_keccak::keccak256;
use balsa_state::{StateDiff, StorageDiff};
use balsa_trie::{GenesisAccount, NoNodes, NodeChanges, StateTrie, TrieError, Updates, root_after};

use crate::SealedBlock;

/// A genesis block with its state.
pub struct GenesisState {
    /// The block.
    pub block: SealedBlock,
    /// The allocation as a change from nothing.
    pub diff: StateDiff,
    /// Its trie.
    pub trie: StateTrie,
    /// Its nodes, to persist.
    pub nodes: NodeChanges,
}

/// Makes the genesis block of a chain, on the current rayon pool.
///
/// # Errors
/// Only if the trie contradicts itself.
pub fn genesis_state(genesis: &Genesis) -> Result<GenesisState, TrieError> {
    let code_hash = |code: &[u8]| (!code.is_empty()).then(|| keccak256(code));
    let accounts = genesis.alloc.iter().map(|(address, account)| GenesisAccount {
        address: *address,
        nonce: account.nonce,
        balance: account.balance,
        code_hash: code_hash(&account.code),
        slots: account.storage.iter().map(|(slot, value)| ((*slot).into(), *value)).collect(),
    });
    let updates = Updates::of_genesis(accounts);
    let after = root_after(&StateTrie::empty(), &NoNodes, &updates)?;

    let mut codes: Vec<_> =
        genesis.alloc.values().filter_map(|account| Some((code_hash(&account.code)?, account.code.clone()))).collect();
    codes.sort_unstable_by_key(|(hash, _)| *hash);
    codes.dedup_by_key(|(hash, _)| *hash);
    let accounts = after.accounts.with_keys(&updates).collect();
    let storage = updates.accounts.into_iter().filter(|update| !update.slots.is_empty());
    let storage =
        storage.map(|update| StorageDiff { address_hash: update.address_hash, cleared: false, slots: update.slots });
    let diff = StateDiff { storage: storage.collect(), codes, accounts };
    let withdrawals = genesis.header(after.root).withdrawals_root.map(|_| Default::default());
    let block = SealedBlock::from_parts(genesis.header(after.root), Vec::new(), Vec::new(), withdrawals);
    Ok(GenesisState { block, diff, trie: after.trie, nodes: after.nodes })
}
