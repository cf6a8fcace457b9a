//! Any sequence of blocks, forks and drops: the trie in memory, the trie read from a store, and alloy-trie agree on every
//! root, and no node is leaked.

#![no_main]

use alloy_primitives::{B256, U256, keccak256};
use alloy_trie::{HashBuilder, Nibbles};
use balsa_trie::{AccountUpdate, MemoryNodes, StateTrie, Updates, root_after, total_tree_bytes};
use libfuzzer_sys::fuzz_target;

/// A byte chooses the key: half of them crowded below one path, so that extensions split and branches collapse.
fn key(byte: u8) -> B256 {
    if byte < 128 {
        return keccak256([byte]);
    }
    let mut key = B256::ZERO;
    (key[0], key[9], key[31]) = (byte >> 6, byte & 0x30, byte & 0x0f);
    key
}

/// Three bytes a change: account, slot, value; a value over 250 says something of the account instead.
fn block(bytes: &[u8]) -> Updates {
    let mut accounts: Vec<AccountUpdate> = Vec::new();
    for change in bytes.chunks_exact(3) {
        let address_hash = key(change[0]);
        let i = accounts.iter().position(|account| account.address_hash == address_hash).unwrap_or_else(|| {
            accounts.push(AccountUpdate { address_hash, nonce: Some(1), ..AccountUpdate::default() });
            accounts.len() - 1
        });
        let account = &mut accounts[i];
        match change[2] {
            251 => account.destroyed = true,
            252 => account.storage_cleared = true,
            253 => account.nonce = Some(0),
            254 => account.balance = Some(U256::MAX),
            value => {
                let slot = key(change[1]);
                account.slots.retain(|(other, _)| *other != slot);
                account.slots.push((slot, U256::from(value % 8)));
            }
        }
    }
    accounts.sort_by_key(|account| account.address_hash);
    accounts.iter_mut().for_each(|account| account.slots.sort());
    Updates { accounts, keep_empty: false }
}

fn judged(store: &MemoryNodes) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, account) in &store.accounts {
        let mut slots = HashBuilder::default();
        for (slot, value) in store.slots.get(key).into_iter().flatten() {
            slots.add_leaf(Nibbles::unpack(slot), &alloy_rlp::encode(value));
        }
        assert_eq!(slots.root(), account.storage_root);
        let mut fields = Vec::new();
        let items: [&dyn alloy_rlp::Encodable; 4] =
            [&account.nonce, &account.balance, &account.storage_root, &account.code_hash];
        alloy_rlp::encode_list::<_, dyn alloy_rlp::Encodable>(&items, &mut fields);
        builder.add_leaf(Nibbles::unpack(key), &fields);
    }
    builder.root()
}

fuzz_target!(|data: &[u8]| {
    let (mut trie, mut store) = (StateTrie::empty(), MemoryNodes::default());
    for bytes in data.chunks(96).take(24) {
        let updates = block(bytes);
        let warm = root_after(&trie, &store, &updates).expect("the store is right");
        let cold = root_after(&StateTrie::persisted(trie.root()), &store, &updates).expect("the store is right");
        assert_eq!(warm.root, cold.root);
        store.apply(&updates, &cold);
        assert_eq!(warm.root, judged(&store));
        trie = warm.trie;
        assert_eq!(trie.arena_bytes().live, total_tree_bytes(&trie));
    }
});
