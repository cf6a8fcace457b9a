//! The keys under which the state and the trie know a list's accounts and slots.

use crate::FlatList;
use alloy_primitives::B256;

/// Keccak-256 of every address and slot of a list, hashed in batches.
#[derive(Clone, Debug, Default)]
pub struct KeyHashes {
    /// By account ordinal.
    pub addresses: Vec<B256>,
    /// By slot ordinal.
    pub slots: Vec<B256>,
}

impl KeyHashes {
    /// Hashes the keys of `list`.
    pub fn of(list: &FlatList) -> Self {
        let addresses: Vec<_> = list.addresses().iter().map(|address| address.into_array()).collect();
        let slots: Vec<_> = list.slots().iter().map(|slot| slot.to_be_bytes::<32>()).collect();
        Self { addresses: hash_all(&addresses), slots: hash_all(&slots) }
    }
}

fn hash_all<const N: usize>(keys: &[[u8; N]]) -> Vec<B256> {
    let mut hashes = vec![B256::ZERO; keys.len()];
    balsa_keccak::keccak256_fixed(keys, &mut hashes);
    hashes
}
