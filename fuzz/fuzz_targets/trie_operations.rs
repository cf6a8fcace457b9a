//! Any sequence of blocks, forks, drops and evictions: the trie in memory, the trie read from a store, and alloy-trie agree
//! on every root, both tries on what a store must write, and no node is leaked.

#![no_main]

use alloy_primitives::{B256, U256, keccak256};
use alloy_trie::{HashBuilder, Nibbles};
use balsa_trie::{
    AccountUpdate, HeapMemory, MemoryNodes, Relative, StateTrie, Updates, renewed, root_after, total_tree_bytes,
    total_unique_cow_bytes,
};
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;

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

/// A version over the store, and the leaves that it should have.
struct Version {
    trie: StateTrie,
    /// What the store would hold if it stood here.
    store: MemoryNodes,
    parent: usize,
}

/// The store's version stands first, all others descend from it; it does not move, so that evicted nodes are found.
fn evict(versions: &mut [Version], bytes_max: u64) {
    let parent = |i: usize| (i > 0).then_some(versions[i].parent);
    let family: Vec<_> =
        versions.iter().enumerate().map(|(i, version)| Relative { trie: &version.trie, parent: parent(i) }).collect();
    let tries = renewed(&family, bytes_max, Arc::new(HeapMemory)).expect("the heap is large");
    versions.iter_mut().zip(tries).for_each(|(version, trie)| version.trie = trie);
}

fuzz_target!(|data: &[u8]| {
    let mut versions = vec![Version { trie: StateTrie::empty(), store: MemoryNodes::default(), parent: 0 }];
    for bytes in data.chunks(96).take(24) {
        let [choice, rest @ ..] = bytes else { continue };
        let count = versions.len();
        match choice % 8 {
            // The store moves to the newest version, and all others are dropped.
            6 => {
                let newest = versions.swap_remove(count - 1);
                versions = vec![Version { parent: 0, ..newest }];
            }
            7 => evict(&mut versions, u64::from(*choice) << 6),
            _ => {}
        }
        let parent = if choice & 8 == 0 { versions.len() - 1 } else { usize::from(*choice >> 4) % versions.len() };
        let updates = block(rest);
        let base = &versions[parent];
        let warm = root_after(&base.trie, &versions[0].store, &updates).expect("the store is right");
        let cold = root_after(&StateTrie::persisted(base.trie.root()), &base.store, &updates).expect("the store is right");
        assert_eq!(warm.root, cold.root);
        let mut store = base.store.clone();
        store.apply(&updates, &cold);
        let mut by_warm = base.store.clone();
        by_warm.apply(&updates, &warm);
        assert_eq!(by_warm, store);
        assert_eq!(warm.root, judged(&store));
        versions.push(Version { trie: warm.trie, store, parent });
        let tries: Vec<_> = versions.iter().map(|version| version.trie.clone()).collect();
        let all = total_tree_bytes(&tries[0]) + total_unique_cow_bytes(&tries[0], &tries[1..]);
        assert_eq!(tries[0].arena_bytes().live, all);
    }
});
