//! Proofs of slots and accounts that were tampered with: each is refused, for the reason that it was given.

#[expect(dead_code, reason = "each test file uses another part")]
mod support;

use alloy_primitives::{B256, Bytes, U256, keccak256};
use alloy_rlp::Decodable;
use alloy_trie::nodes::TrieNode;
use balsa_state::EMPTY_ROOT;
use balsa_trie::{
    AccountProof, AccountUpdate, BadProof, NoNodes, ProofError, SlotProof, StateTrie, Updates, account_proof,
    root_after,
};
use proptest::{collection::btree_map, prelude::*, sample::Index};
use std::collections::BTreeMap;

/// Some share long prefixes, so that there are extensions, and nodes that stand inside their parent.
fn key() -> impl Strategy<Value = B256> {
    let crowded = (0u8..4, 0u8..4, 0u8..4).prop_map(|(a, b, c)| {
        let mut key = B256::ZERO;
        (key[0], key[9], key[31]) = (a << 4, b << 4, c);
        key
    });
    prop_oneof![3 => (0u16..300).prop_map(|n| keccak256(n.to_be_bytes())), 2 => crowded]
}

fn slots() -> impl Strategy<Value = BTreeMap<B256, U256>> {
    let value = || prop_oneof![(1u64..4).prop_map(U256::from), Just(U256::MAX)];
    prop_oneof![btree_map(key(), value(), 0..4), btree_map(key(), value(), 4..80)]
}

/// Nodes that do not prove what these prove, and what is wrong with them.
fn spoiled(nodes: &[Bytes], root: B256, at: Index, bit: u8) -> Vec<(Vec<Bytes>, BadProof)> {
    let depths = depths(nodes);
    let hashes: Vec<_> = nodes.iter().map(keccak256).collect();
    let mut all = Vec::new();
    for i in 0..nodes.len() {
        let wrong = |found| BadProof::WrongNode { depth: depths[i], expected: hashes[i], found };
        let without = [&nodes[..i], &nodes[i + 1..]].concat();
        all.push((without, hashes.get(i + 1).map_or(BadProof::Short { depth: depths[i] }, |next| wrong(*next))));
        all.push((nodes[..i].to_vec(), BadProof::Short { depth: depths[i] }));
        let node = nodes[i].to_vec();
        let mut flipped = node.clone();
        flipped[at.index(node.len())] ^= 1 << bit;
        let mut longer = node.clone();
        longer.insert(at.index(node.len() + 1), bit);
        let shorter = node[..at.index(node.len())].to_vec();
        for other in [flipped, longer, shorter] {
            let found = keccak256(&other);
            let mut nodes = nodes.to_vec();
            nodes[i] = other.into();
            all.push((nodes, wrong(found)));
        }
    }
    for more in [vec![Bytes::from_static(&[0x80])], nodes[..at.index(nodes.len() + 1)].to_vec()] {
        let reason = match (nodes, more.first()) {
            (_, None) => continue,
            ([], Some(node)) if keccak256(node) == root => BadProof::Malformed { depth: 0 },
            ([], Some(node)) => BadProof::WrongNode { depth: 0, expected: root, found: keccak256(node) },
            _ => BadProof::LeftOver { count: more.len() },
        };
        all.push(([nodes, &more].concat(), reason));
    }
    all
}

/// The depth of each node, as alloy-trie reads them.
fn depths(nodes: &[Bytes]) -> Vec<usize> {
    let mut depth = 0;
    let step = |node: &Bytes| {
        let here = depth;
        depth += match TrieNode::decode(&mut node.as_ref()).unwrap() {
            TrieNode::Extension(extension) => extension.key.len(),
            _ => 1,
        };
        here
    };
    nodes.iter().map(step).collect()
}

/// The same nodes with node `i` cut short and all above it made to name it, and what their root is then.
fn cut_and_named(nodes: &[Bytes], i: usize, at: Index) -> (Vec<Bytes>, B256) {
    let mut nodes = nodes.to_vec();
    let mut old = keccak256(&nodes[i]);
    let len = at.index(nodes[i].len());
    nodes[i].truncate(len);
    let mut new = keccak256(&nodes[i]);
    for node in nodes[..i].iter_mut().rev() {
        let (old_node, mut bytes) = (keccak256(&node), node.to_vec());
        for start in 0..bytes.len() - 31 {
            if bytes[start..start + 32] == old[..] {
                bytes[start..start + 32].copy_from_slice(&new[..]);
            }
        }
        assert_ne!(*node, bytes, "the node above names the one below");
        (old, new) = (old_node, keccak256(&bytes));
        *node = bytes.into();
    }
    (nodes, new)
}

#[track_caller]
fn assert_account_error(proof: &AccountProof, root: B256, reason: BadProof) {
    match proof.verify(root).unwrap_err() {
        ProofError::Account { address_hash, root: against, reason: found } => {
            assert_eq!((address_hash, against, *found), (proof.address_hash, root, reason));
        }
        error => panic!("{error}"),
    }
}

/// Puts a slot into the proof of its account, where its error must come out.
#[track_caller]
fn assert_slot_error(proof: &AccountProof, root: B256, slot: SlotProof, reason: BadProof) {
    let storage_root = proof.account.map_or(EMPTY_ROOT, |account| account.storage_root);
    let hash = slot.slot_hash;
    match (AccountProof { slots: vec![slot], ..proof.clone() }).verify(root).unwrap_err() {
        ProofError::Slot { slot_hash, root, reason: found } => {
            assert_eq!((slot_hash, root, *found), (hash, storage_root, reason));
        }
        error => panic!("{error}"),
    }
}

fn assert_slot_is_proved_alone(proof: &AccountProof, root: B256, slot: &SlotProof, at: Index, bit: u8) {
    let storage_root = proof.account.map_or(EMPTY_ROOT, |account| account.storage_root);
    slot.verify(storage_root).unwrap();
    for value in [U256::ZERO, U256::from(1), slot.value ^ U256::from(1u64 << bit)] {
        if value != slot.value {
            assert_slot_error(proof, root, SlotProof { value, ..slot.clone() }, BadProof::OtherValue);
        }
    }
    for (nodes, reason) in spoiled(&slot.nodes, storage_root, at, bit) {
        assert_slot_error(proof, root, SlotProof { nodes, ..slot.clone() }, reason);
    }
    for (i, depth) in depths(&slot.nodes).into_iter().enumerate() {
        let (nodes, root) = cut_and_named(&slot.nodes, i, at);
        let error = SlotProof { nodes, ..slot.clone() }.verify(root).unwrap_err();
        let ProofError::Slot { reason, .. } = error else { panic!("{error}") };
        assert_eq!(*reason, BadProof::Malformed { depth });
    }
    // A list of nodes proves one thing of a key, and there is one list that proves it.
    for other in &proof.slots {
        let renamed = SlotProof { slot_hash: other.slot_hash, ..slot.clone() };
        assert_eq!(renamed.verify(storage_root).is_ok(), renamed == *other, "{renamed:?} for {other:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_spoiled_proof_says_what_is_wrong_with_it(
        accounts in btree_map(key(), (0u64..3, slots()), 1..40),
        asked in btree_map(key(), Just(()), 1..6),
        at in any::<Index>(),
        bit in 0u8..8,
    ) {
        let update = |(key, (nonce, slots)): (&B256, &(u64, BTreeMap<B256, U256>))| AccountUpdate {
            address_hash: *key,
            nonce: Some(*nonce),
            slots: slots.iter().map(|(slot, value)| (*slot, *value)).collect(),
            ..AccountUpdate::default()
        };
        let updates = Updates { accounts: accounts.iter().map(update).collect(), keep_empty: true };
        let after = root_after(&StateTrie::empty(), &NoNodes, &updates).unwrap();
        for key in asked.keys().chain(accounts.keys().take(3)) {
            let own = accounts.get(key).map(|(_, slots)| slots);
            let slots: Vec<_> = own.into_iter().flat_map(|slots| slots.keys().take(3)).chain(asked.keys()).copied().collect();
            let proof = account_proof(&after.trie, &NoNodes, *key, &slots).unwrap();
            proof.verify(after.root).unwrap();
            support::judge_proof(&proof, after.root);
            for (nodes, reason) in spoiled(&proof.nodes, after.root, at, bit) {
                assert_account_error(&AccountProof { nodes, ..proof.clone() }, after.root, reason);
            }
            for (i, depth) in depths(&proof.nodes).into_iter().enumerate() {
                let (nodes, root) = cut_and_named(&proof.nodes, i, at);
                assert_account_error(&AccountProof { nodes, ..proof.clone() }, root, BadProof::Malformed { depth });
            }
            for slot in &proof.slots {
                let value = own.and_then(|slots| slots.get(&slot.slot_hash)).copied().unwrap_or_default();
                prop_assert_eq!(slot.value, value);
                assert_slot_is_proved_alone(&proof, after.root, slot, at, bit);
            }
        }
    }
}

/// A list of items that are encoded already.
fn list(items: &[&[u8]]) -> Vec<u8> {
    let payload = items.concat();
    let mut node = Vec::new();
    alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut node);
    [node, payload].concat()
}

/// Holds a root node, whatever it is, against the key of zeros; `Ok` is a proof that the slot holds `value`.
#[track_caller]
fn check(node: Vec<u8>, value: u64, expected: Result<(), BadProof>) {
    let root = keccak256(&node);
    let slot = SlotProof { slot_hash: B256::ZERO, value: U256::from(value), nodes: vec![node.into()] };
    let found = slot.verify(root).map_err(|error| match error {
        ProofError::Slot { reason, .. } => *reason,
        error => panic!("{error}"),
    });
    assert_eq!(found, expected);
}

#[test]
fn what_is_no_node_is_malformed() {
    let malformed = Err(BadProof::Malformed { depth: 0 });
    let path = |first: &[u8], zeros: usize| alloy_rlp::encode([first, &vec![0; zeros]].concat().as_slice());
    let (leaf, nothing) = (path(&[0x20], 32), [0x80].as_slice());
    check(list(&[&leaf, &[5]]), 5, Ok(()));
    check(list(&[&leaf, &[5]]), 6, Err(BadProof::OtherValue));
    check(list(&[&leaf, &[5]]), 0, Err(BadProof::OtherValue));
    // A flag that is neither of a leaf nor of an extension, a half byte that is to be zero, no path at all.
    check(list(&[&path(&[0x40], 32), &[5]]), 5, malformed);
    check(list(&[&path(&[0x21], 32), &[5]]), 5, malformed);
    check(list(&[nothing, &[5]]), 5, malformed);
    // Too long and too short: leaves of other keys.
    check(list(&[&path(&[0x20], 33), &[5]]), 5, Err(BadProof::OtherValue));
    check(list(&[&path(&[0x20], 31), &[5]]), 5, Err(BadProof::OtherValue));
    // A value that is a list, a path that is one, one item, three items, sixteen, bytes beyond the end, no list.
    check(list(&[&leaf, &[0xc1, 5]]), 5, malformed);
    check(list(&[&list(&[&[0x20]]), &[5]]), 5, malformed);
    check(list(&[&leaf]), 5, malformed);
    check(list(&[&leaf, &[5], &[5]]), 5, malformed);
    check(list(&[nothing; 16]), 0, malformed);
    check([list(&[&leaf, &[5]]), vec![0]].concat(), 5, malformed);
    check(vec![5], 5, malformed);
    check(Vec::new(), 0, malformed);
    // An extension by nothing, to nothing, to what is no reference: a string of 31 bytes, a list of 32.
    let long = path(&[0x20], 31);
    check(list(&[&path(&[0x00], 0), &list(&[&[0x20], &[5]])]), 5, malformed);
    check(list(&[&path(&[0x00], 2), nothing]), 0, Ok(()));
    check(list(&[&path(&[0x00], 2), &alloy_rlp::encode([7u8; 31].as_slice())]), 0, malformed);
    check(list(&[&path(&[0x00], 1), &list(&[&long, &[5]])]), 5, malformed);
    // A branch is one where there are nibbles left only.
    let empty_branch = list(&[nothing; 17]);
    check(empty_branch.clone(), 0, Ok(()));
    check(list(&[&path(&[0x00], 32), &empty_branch]), 0, Err(BadProof::Malformed { depth: 64 }));
    check(list(&[&path(&[0x00], 31), &empty_branch]), 0, Ok(()));
}
