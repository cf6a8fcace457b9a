//! The state of the genesis block, of any size, in little memory.
//!
//! All but a few thousand of its accounts are holders, and all that is to be known of a holder follows from its position:
//! address, balance, and the slots of its token balances. So nothing is kept of it but twelve bytes for each key: the
//! front of the key's hash and the position, sorted. Five million holders of two tokens each take 180 MB here; as
//! accounts and slots in maps, with their trie, they would take sixteen gigabytes.
//!
//! The root is computed in parts, in the order of keys, each part on the trie that the parts before it left. Only
//! branch records outlive a part.

mod branches;
mod overlay;
mod parts;
mod sorted_keys;

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::{B256, Bytes, U256, keccak256};
use balsa_chainspec::{ChainSpec, Genesis, GenesisError, GenesisHeader};
use balsa_executor::SealedBlock;
use balsa_state::{Account, EMPTY_CODE_HASH, FlatStore, StateError};
use balsa_trie::{Branch, NodeSource, Path, SourceError, StateTrie, TrieError};

pub use overlay::Overlay;
pub use parts::Part;

use crate::abi::{slot_of, word};
use crate::contracts::token_layout::BALANCES;
use crate::generate::parsed_genesis;
use crate::genesis::holder_balance;
use crate::params::Params;
use crate::world::World;
use branches::Branches;
use sorted_keys::SortedKeys;

/// The genesis state with everything to read it by.
pub struct Prestate {
    world: Arc<World>,
    /// The chain's rules.
    pub spec: Arc<ChainSpec>,
    /// The genesis block.
    pub block: SealedBlock,
    /// The accounts that are no holders, by address hash.
    accounts: BTreeMap<B256, Account>,
    /// Their slots, without holders' balances, by address hash and slot hash.
    slots: BTreeMap<B256, BTreeMap<B256, U256>>,
    codes: BTreeMap<B256, Bytes>,
    /// Address hashes of the holders.
    holders: SortedKeys,
    /// By each token's address hash, the slot hashes of its holders' balances.
    balances: BTreeMap<B256, SortedKeys>,
    branches: Branches,
}

/// Why no genesis state could be made: a fault of ours, either way.
#[derive(Debug, thiserror::Error)]
pub enum PrestateError {
    /// The part of the genesis file that is not about holders.
    #[error("the load's own genesis file: {0}")]
    Genesis(#[from] GenesisError),
    /// The trie.
    #[error(transparent)]
    Trie(#[from] TrieError),
}

impl Prestate {
    /// Makes the genesis state of `params`, handing each part of it to `receive`, in the order of keys: its flat change
    /// and the trie's nodes. On the current rayon pool.
    ///
    /// # Errors
    /// See [`PrestateError`].
    pub fn new(params: &Params, world: Arc<World>, receive: impl FnMut(Part)) -> Result<Self, PrestateError> {
        let bare = World { holders: 0, ..World::clone(&world) };
        let Genesis { spec, header, alloc, .. } = parsed_genesis(params, &bare)?;
        let mut prestate = Self {
            holders: SortedKeys::new(world.holders, |position| Some(keccak256(world.holder(position)))),
            balances: BTreeMap::new(),
            spec: Arc::new(spec),
            block: SealedBlock::from_parts(Default::default(), Vec::new(), Vec::new(), None),
            accounts: BTreeMap::new(),
            slots: BTreeMap::new(),
            codes: BTreeMap::new(),
            branches: Branches::default(),
            world,
        };
        for (address, account) in alloc {
            let address_hash = keccak256(address);
            let code_hash = if account.code.is_empty() { EMPTY_CODE_HASH } else { keccak256(&account.code) };
            let (nonce, balance) = (account.nonce, account.balance);
            prestate.accounts.insert(address_hash, Account { nonce, balance, code_hash, ..Account::default() });
            let slots = account.storage.into_iter().map(|(slot, value)| (keccak256(slot), value));
            prestate.slots.insert(address_hash, slots.collect());
            if code_hash != EMPTY_CODE_HASH {
                prestate.codes.insert(code_hash, account.code);
            }
        }
        for token in 0..prestate.world.tokens.len() {
            let keys = prestate.balance_keys(token);
            prestate.balances.insert(keccak256(prestate.world.tokens[token].address), keys);
        }
        let root = prestate.build(receive)?;
        prestate.block = genesis_block(&header, &prestate.spec, root);
        Ok(prestate)
    }

    /// The trie, all of which lies in this state's own nodes.
    #[must_use]
    pub fn trie(&self) -> StateTrie {
        StateTrie::persisted(self.block.header.state_root)
    }

    fn balance_keys(&self, token: usize) -> SortedKeys {
        let world = &self.world;
        let key = |position| world.holds(position, token).then(|| self.balance_key(position));
        SortedKeys::new(world.holders, key)
    }

    /// The slot hash of a holder's balance, in any token.
    fn balance_key(&self, position: u64) -> B256 {
        keccak256(slot_of(word(self.world.holder(position)), BALANCES).to_be_bytes::<32>())
    }

    fn holder_key(&self, position: u64) -> B256 {
        keccak256(self.world.holder(position))
    }

    fn holder_account(position: u64) -> Account {
        Account { balance: holder_balance(position), ..Account::default() }
    }

    /// The accounts with keys in `first..=last`, in order; storage roots as far as they are known.
    fn accounts_in(&self, first: B256, last: B256) -> impl Iterator<Item = (B256, Account)> + '_ {
        let own = self.accounts.range(first..=last).map(|(key, account)| (*key, *account));
        let holders = self.holders.range(first, last, |position| self.holder_key(position));
        merged(own, holders.map(|(key, position)| (key, Self::holder_account(position))))
    }

    /// The slots of an account with keys in `first..=last`, in order.
    fn slots_in(&self, address_hash: &B256, first: B256, last: B256) -> impl Iterator<Item = (B256, U256)> + '_ {
        let own = self.slots.get(address_hash).into_iter();
        let own = own.flat_map(move |slots| slots.range(first..=last)).map(|(key, value)| (*key, *value));
        let balances = self.balances.get(address_hash).into_iter();
        let balances = balances.flat_map(move |keys| keys.range(first, last, |position| self.balance_key(position)));
        merged(own, balances.map(|(key, _)| (key, World::token_endowment())))
    }
}

/// Two sorted runs as one. No key stands in both.
fn merged<T>(
    left: impl Iterator<Item = (B256, T)>,
    right: impl Iterator<Item = (B256, T)>,
) -> impl Iterator<Item = (B256, T)> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some((in_left, _)), Some((in_right, _))) if in_left > in_right => right.next(),
        (None, _) => right.next(),
        _ => left.next(),
    })
}

fn genesis_block(header: &GenesisHeader, spec: &ChainSpec, root: B256) -> SealedBlock {
    let header = header.header(spec, root);
    let withdrawals = header.withdrawals_root.map(|_| Default::default());
    SealedBlock::from_parts(header, Vec::new(), Vec::new(), withdrawals)
}

impl FlatStore for Prestate {
    fn account(&self, address_hash: &B256) -> Result<Option<Account>, StateError> {
        if let Some(account) = self.accounts.get(address_hash) {
            return Ok(Some(*account));
        }
        let holder = self.holders.position_of(address_hash, |position| self.holder_key(position));
        Ok(holder.map(Self::holder_account))
    }

    fn slot(&self, address_hash: &B256, slot_hash: &B256) -> Result<U256, StateError> {
        if let Some(value) = self.slots.get(address_hash).and_then(|slots| slots.get(slot_hash)) {
            return Ok(*value);
        }
        let holder = self
            .balances
            .get(address_hash)
            .and_then(|keys| keys.position_of(slot_hash, |position| self.balance_key(position)));
        Ok(holder.map_or(U256::ZERO, |_| World::token_endowment()))
    }

    fn code(&self, code_hash: &B256) -> Result<Option<Bytes>, StateError> {
        Ok(self.codes.get(code_hash).cloned())
    }
}

impl NodeSource for Prestate {
    fn account_branch(&self, path: &Path) -> Result<Option<Branch>, SourceError> {
        Ok(self.branches.account(path))
    }

    fn storage_branch(&self, address_hash: &B256, path: &Path) -> Result<Option<Branch>, SourceError> {
        Ok(self.branches.storage(address_hash, path))
    }

    fn accounts_under(&self, prefix: &Path, limit: usize) -> Result<Vec<(B256, Account)>, SourceError> {
        Ok(self.accounts_in(prefix.first_key(), prefix.last_key()).take(limit).collect())
    }

    fn slots_under(&self, address_hash: &B256, prefix: &Path, limit: usize) -> Result<Vec<(B256, U256)>, SourceError> {
        Ok(self.slots_in(address_hash, prefix.first_key(), prefix.last_key()).take(limit).collect())
    }
}

#[cfg(test)]
mod tests {
    use balsa_executor::genesis_state;

    use super::*;
    use crate::profile::Profile;

    /// A state of a few thousand accounts, so that it comes in several parts.
    fn world() -> (Params, Arc<World>) {
        let mut params = Profile::Quick.params();
        params.state.signers = 20;
        params.state.holders = 5000;
        let world = Arc::new(World::new(&params));
        (params, world)
    }

    #[test]
    fn it_is_the_state_of_the_genesis_file() {
        let (params, world) = world();
        let expected = genesis_state(&parsed_genesis(&params, &world).unwrap()).unwrap();
        let mut parts = Vec::new();
        let prestate = Prestate::new(&params, world, |part| parts.push(part)).unwrap();
        assert_eq!(prestate.block, expected.block);
        assert!(parts.len() > 2, "{} parts", parts.len());

        let accounts: Vec<_> = parts.iter().flat_map(|part| part.diff.accounts.clone()).collect();
        assert_eq!(accounts, expected.diff.accounts);
        let storage: Vec<_> = parts.iter().flat_map(|part| part.diff.storage.clone()).collect();
        assert_eq!(storage, expected.diff.storage);
        let mut codes: Vec<_> = parts.iter().flat_map(|part| part.diff.codes.clone()).collect();
        codes.sort_unstable_by_key(|(hash, _)| *hash);
        codes.dedup();
        assert_eq!(codes, expected.diff.codes);
    }

    #[test]
    fn every_key_reads_as_the_genesis_file_has_it() {
        let (params, world) = world();
        let expected = genesis_state(&parsed_genesis(&params, &world).unwrap()).unwrap().diff;
        let prestate = Prestate::new(&params, world, drop).unwrap();
        for (key, account) in &expected.accounts {
            assert_eq!(prestate.account(key).unwrap(), *account);
        }
        for storage in &expected.storage {
            for (key, value) in &storage.slots {
                assert_eq!(prestate.slot(&storage.address_hash, key).unwrap(), *value);
            }
        }
        assert_eq!(prestate.account(&B256::repeat_byte(3)).unwrap(), None);
        assert_eq!(prestate.slot(&expected.storage[0].address_hash, &B256::ZERO).unwrap(), U256::ZERO);
    }

    #[test]
    fn its_nodes_are_those_of_the_root() {
        let (params, world) = world();
        let genesis = genesis_state(&parsed_genesis(&params, &world).unwrap()).unwrap();
        let prestate = Prestate::new(&params, world, drop).unwrap();
        // A change at many keys, on the whole trie in memory and on the one that is read from the state's own nodes.
        let update = |(key, account): &(B256, Option<Account>)| balsa_trie::AccountUpdate {
            address_hash: *key,
            balance: account.map(|account| account.balance + U256::ONE),
            slots: genesis
                .diff
                .storage
                .iter()
                .find(|storage| storage.address_hash == *key)
                .map_or_else(Vec::new, |storage| {
                    storage.slots.iter().step_by(50).map(|(slot, _)| (*slot, U256::ZERO)).collect()
                }),
            ..Default::default()
        };
        let accounts = genesis.diff.accounts.iter().step_by(3).map(update).collect();
        let updates = balsa_trie::Updates { accounts, keep_empty: false };
        let in_memory = balsa_trie::root_after(&genesis.trie, &balsa_trie::NoNodes, &updates).unwrap();
        let from_nodes = balsa_trie::root_after(&prestate.trie(), &prestate, &updates).unwrap();
        assert_eq!(from_nodes.root, in_memory.root);
        // Records come in no order.
        let records = |after: &balsa_trie::RootAfter| {
            let mut nodes = after.nodes.encoded();
            nodes.accounts.sort_unstable_by_key(|(path, _)| *path);
            nodes.storages.iter_mut().for_each(|storage| storage.branches.sort_unstable_by_key(|(path, _)| *path));
            nodes
        };
        assert_eq!(records(&from_nodes), records(&in_memory));
    }
}
