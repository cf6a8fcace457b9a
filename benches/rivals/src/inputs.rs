//! The same accounts and changes for everyone, from a fixed seed.

use alloy_primitives::{B256, U256};
use alloy_rlp::{Encodable, Header};
use balsa_state::Account;
use balsa_trie::Updates;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::index};

/// A leaf, for those who take accounts and for those who take bytes.
#[derive(Clone)]
pub struct Leaf {
    pub key: B256,
    pub account: Account,
    pub rlp: Vec<u8>,
}

/// Changes of one block, sorted by key, in both forms.
pub struct Batch {
    pub leaves: Vec<Leaf>,
    pub updates: Updates,
}

/// `count` accounts with random keys, sorted, unique. All are of the common kind: no code, no storage.
pub fn leaves(count: usize) -> Vec<Leaf> {
    let mut random = StdRng::seed_from_u64(7);
    let mut keys: Vec<[u8; 32]> = (0..count).map(|_| random.random()).collect();
    keys.sort_unstable();
    keys.into_iter().map(|key| Leaf::new(key.into(), account(&mut random))).collect()
}

/// New values for `size` of the leaves.
pub fn batch(leaves: &[Leaf], size: usize, seed: u64) -> Batch {
    let mut random = StdRng::seed_from_u64(1000 + seed);
    let mut chosen = index::sample(&mut random, leaves.len(), size).into_vec();
    chosen.sort_unstable();
    let leaves: Vec<Leaf> = chosen.into_iter().map(|at| Leaf::new(leaves[at].key, account(&mut random))).collect();
    let updates = crate::contenders::updates(&leaves);
    Batch { leaves, updates }
}

fn account(random: &mut StdRng) -> Account {
    let (nonce, balance) = (random.random_range(1..1000), U256::from(random.random::<u64>()));
    Account { nonce, balance, ..Account::default() }
}

/// The value of an account's leaf.
pub fn rlp(account: &Account) -> Vec<u8> {
    let mut out = Vec::with_capacity(110);
    let payload_length = account.nonce.length() + account.balance.length() + 66;
    Header { list: true, payload_length }.encode(&mut out);
    account.nonce.encode(&mut out);
    account.balance.encode(&mut out);
    account.storage_root.encode(&mut out);
    account.code_hash.encode(&mut out);
    out
}
