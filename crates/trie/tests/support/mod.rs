//! The state as plain maps, with roots computed from scratch: by a trie of a few lines, and by alloy-trie.

use alloy_primitives::{B256, U256, keccak256};
use alloy_trie::{HashBuilder, Nibbles, TrieAccount, proof::verify_proof};
use balsa_state::{Account, EMPTY_ROOT};
use balsa_trie::{AccountProof, AccountUpdate, MemoryNodes, Updates};
use std::collections::BTreeMap;

/// The root of a trie over keys and encoded values, the slow way: one recursive function over a sorted slice.
pub(crate) fn naive_root(leaves: &BTreeMap<B256, Vec<u8>>) -> B256 {
    let leaves: Vec<_> = leaves.iter().map(|(key, value)| (nibbles(key), value.as_slice())).collect();
    keccak256(naive_node(&leaves, 0))
}

fn nibbles(key: &B256) -> Vec<u8> {
    key.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect()
}

fn naive_node(leaves: &[(Vec<u8>, &[u8])], depth: usize) -> Vec<u8> {
    let Some((first, value)) = leaves.first() else {
        return vec![0x80];
    };
    if leaves.len() == 1 {
        return list(&[string(&compact(&first[depth..], true)), string(value)]);
    }
    let last = &leaves[leaves.len() - 1].0;
    let shared = (depth..64).take_while(|&i| first[i] == last[i]).count();
    if shared > 0 {
        return list(&[string(&compact(&first[depth..depth + shared], false)), reference(leaves, depth + shared)]);
    }
    let mut items: Vec<_> = (0..16u8)
        .map(|nibble| {
            let below: Vec<_> = leaves.iter().filter(|(key, _)| key[depth] == nibble).cloned().collect();
            if below.is_empty() { vec![0x80] } else { reference(&below, depth + 1) }
        })
        .collect();
    items.push(vec![0x80]);
    list(&items)
}

fn reference(leaves: &[(Vec<u8>, &[u8])], depth: usize) -> Vec<u8> {
    let rlp = naive_node(leaves, depth);
    if rlp.len() < 32 { rlp } else { string(keccak256(&rlp).as_slice()) }
}

fn compact(nibbles: &[u8], leaf: bool) -> Vec<u8> {
    let flag = 2 * u8::from(leaf) + (nibbles.len() % 2) as u8;
    let mut padded = if nibbles.len() % 2 == 1 { vec![flag] } else { vec![flag, 0] };
    padded.extend_from_slice(nibbles);
    padded.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn string(bytes: &[u8]) -> Vec<u8> {
    alloy_rlp::encode(bytes)
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let payload = items.concat();
    let mut out = Vec::new();
    alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend(payload);
    out
}

/// The same root by alloy-trie.
pub(crate) fn judge_root(leaves: &BTreeMap<B256, Vec<u8>>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in leaves {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    builder.root()
}

/// Whether alloy-trie takes a proof.
pub(crate) fn judge_proof(proof: &AccountProof, root: B256) {
    let account = proof.account.as_ref().map(encoded);
    verify_proof(root, Nibbles::unpack(proof.address_hash), account, &proof.nodes).unwrap();
    for slot in proof.slots.iter().filter(|_| proof.account.is_some_and(|a| a.storage_root != EMPTY_ROOT)) {
        let value = (!slot.value.is_zero()).then(|| alloy_rlp::encode(slot.value));
        let root = proof.account.unwrap().storage_root;
        verify_proof(root, Nibbles::unpack(slot.slot_hash), value, &slot.nodes).unwrap();
    }
}

fn encoded(account: &Account) -> Vec<u8> {
    let Account { nonce, balance, storage_root, code_hash } = *account;
    alloy_rlp::encode(TrieAccount { nonce, balance, storage_root, code_hash })
}

/// A state as maps, and what [`balsa_trie::root_after`] should make of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) accounts: BTreeMap<B256, Account>,
    pub(crate) slots: BTreeMap<B256, BTreeMap<B256, U256>>,
}

impl Model {
    /// Applies updates by the words of their documentation.
    pub(crate) fn apply(&mut self, updates: &Updates) {
        for update in &updates.accounts {
            self.apply_one(update, updates.keep_empty);
        }
    }

    fn apply_one(&mut self, update: &AccountUpdate, keep_empty: bool) {
        let key = update.address_hash;
        if update.destroyed {
            self.accounts.remove(&key);
        }
        if update.destroyed || update.storage_cleared {
            self.slots.remove(&key);
        }
        let says_something = update.nonce.is_some()
            || update.balance.is_some()
            || update.code_hash.is_some()
            || !update.slots.is_empty();
        if !self.accounts.contains_key(&key) && !says_something {
            return;
        }
        let account = self.accounts.entry(key).or_default();
        account.nonce = update.nonce.unwrap_or(account.nonce);
        account.balance = update.balance.unwrap_or(account.balance);
        account.code_hash = update.code_hash.unwrap_or(account.code_hash);
        let slots = self.slots.entry(key).or_default();
        for (slot, value) in &update.slots {
            if value.is_zero() {
                slots.remove(slot)
            } else {
                slots.insert(*slot, *value)
            };
        }
        account.storage_root = naive_root(&encoded_slots(slots));
        if account.info().is_empty() && !keep_empty {
            self.accounts.remove(&key);
            self.slots.remove(&key);
        } else if slots.is_empty() {
            self.slots.remove(&key);
        }
    }

    pub(crate) fn root(&self) -> B256 {
        let leaves = self.encoded_accounts();
        let root = naive_root(&leaves);
        assert_eq!(root, judge_root(&leaves), "the two references disagree");
        root
    }

    fn encoded_accounts(&self) -> BTreeMap<B256, Vec<u8>> {
        self.accounts.iter().map(|(key, account)| (*key, encoded(account))).collect()
    }

    /// The whole state as one batch of updates to the empty state.
    pub(crate) fn updates_from_nothing(&self) -> Updates {
        let accounts = self.accounts.iter().map(|(key, account)| AccountUpdate {
            address_hash: *key,
            nonce: Some(account.nonce),
            balance: Some(account.balance),
            code_hash: Some(account.code_hash),
            slots: self.slots.get(key).into_iter().flatten().map(|(slot, value)| (*slot, *value)).collect(),
            ..AccountUpdate::default()
        });
        Updates { accounts: accounts.collect(), keep_empty: true }
    }

    /// Whether a store holds this state in its flat tables.
    pub(crate) fn assert_flat(&self, nodes: &MemoryNodes) {
        assert_eq!(self.accounts, nodes.accounts);
        assert_eq!(self.slots, nodes.slots);
    }
}

fn encoded_slots(slots: &BTreeMap<B256, U256>) -> BTreeMap<B256, Vec<u8>> {
    slots.iter().map(|(slot, value)| (*slot, alloy_rlp::encode(value))).collect()
}
