//! How each project is asked for the same thing, in the way that is fastest for it: values are encoded beforehand for
//! those who take bytes, and nothing is written to a store that can be kept in memory.

use crate::inputs::{Batch, Leaf};
use alloy_primitives::B256;
use alloy_trie::{HashBuilder, Nibbles};
use balsa_pages::HugePages;
use balsa_state::EMPTY_ROOT;
use balsa_trie::{AccountUpdate, NoNodes, SortedRoot, StateTrie, Updates, root_after};
use eth_trie::{EthTrie as Rival, MemoryDB, Trie as _};
use ethrex_crypto::NativeCrypto;
use ethrex_trie::{Nibbles as EthrexNibbles, TrieDB, TrieError, trie_sorted::trie_from_sorted_accounts_wrap};
use std::{convert::Infallible, hint::black_box, sync::Arc};

/// A trie in memory that is changed and asked for its root.
pub trait Trie {
    fn build(leaves: &[Leaf]) -> Self;
    fn update(&mut self, batch: &Batch) -> B256;
}

/// balsa, in the pages that a node keeps its state in. It also returns the accounts and the records for a store, which nobody else does.
#[derive(Clone)]
pub struct Balsa(StateTrie);

impl Balsa {
    pub fn trie(&self) -> &StateTrie {
        &self.0
    }
}

impl Trie for Balsa {
    fn build(leaves: &[Leaf]) -> Self {
        Self(balsa_root(&updates(leaves)))
    }

    fn update(&mut self, batch: &Batch) -> B256 {
        self.0 = root_after(&self.0, &NoNodes, &batch.updates).expect("all nodes are in memory").trie;
        self.0.root()
    }
}

/// The trie of these accounts alone.
pub fn balsa_root(updates: &Updates) -> StateTrie {
    let empty = StateTrie::persisted_in(EMPTY_ROOT, Arc::new(HugePages));
    root_after(&empty, &NoNodes, updates).expect("nothing to read").trie
}

/// balsa's root alone, as `db verify-trie` computes it; it also makes every record of the store.
pub fn balsa_sorted_root(leaves: &[Leaf]) -> B256 {
    let mut root = SortedRoot::default();
    let record = |path, branch| {
        black_box((path, branch));
        Ok::<_, Infallible>(())
    };
    for leaf in leaves {
        let Ok(()) = root.add_account(&leaf.key, &leaf.account, record);
    }
    let Ok(root) = root.root(record);
    root
}

/// Leaves as balsa takes them.
pub fn updates(leaves: &[Leaf]) -> Updates {
    let update = |leaf: &Leaf| AccountUpdate {
        address_hash: leaf.key,
        nonce: Some(leaf.account.nonce),
        balance: Some(leaf.account.balance),
        ..AccountUpdate::default()
    };
    Updates { accounts: leaves.iter().map(update).collect(), keep_empty: false }
}

/// ethrex-trie, with its nodes in memory and their hashes kept in them; never committed to its store.
pub struct Ethrex(ethrex_trie::Trie);

impl Ethrex {
    fn insert(&mut self, leaves: &[Leaf]) -> B256 {
        for leaf in leaves {
            self.0.insert(leaf.key.to_vec(), leaf.rlp.clone()).expect("all nodes are in memory");
        }
        B256::from(self.0.hash_no_commit(&NativeCrypto).0)
    }
}

impl Trie for Ethrex {
    fn build(leaves: &[Leaf]) -> Self {
        let mut trie = Self(ethrex_trie::Trie::empty_in_memory());
        trie.insert(leaves);
        trie
    }

    fn update(&mut self, batch: &Batch) -> B256 {
        self.insert(&batch.leaves)
    }
}

/// ethrex-trie's build from sorted accounts, the one of its snap sync. It starts twelve threads.
pub fn ethrex_sorted_root(leaves: &[Leaf]) -> B256 {
    let mut accounts = leaves.iter().map(|leaf| (leaf.key.0.into(), leaf.rlp.clone()));
    B256::from(trie_from_sorted_accounts_wrap(&Nowhere, &mut accounts).expect("nothing to read").0)
}

/// A store that forgets, since only the root is asked for.
struct Nowhere;

impl TrieDB for Nowhere {
    fn get(&self, _: EthrexNibbles) -> Result<Option<Vec<u8>>, TrieError> {
        Ok(None)
    }

    fn put_batch(&self, _: Vec<(EthrexNibbles, Vec<u8>)>) -> Result<(), TrieError> {
        Ok(())
    }

    fn put_batch_no_alloc(&self, _: &[(EthrexNibbles, ethrex_trie::Node)]) -> Result<(), TrieError> {
        Ok(())
    }
}

/// eth_trie over its map in memory.
pub struct EthTrie(Rival<MemoryDB>);

impl EthTrie {
    fn insert(&mut self, leaves: &[Leaf]) -> B256 {
        for leaf in leaves {
            self.0.insert(leaf.key.as_slice(), &leaf.rlp).expect("all nodes are in memory");
        }
        self.0.root_hash().expect("all nodes are in memory")
    }
}

impl Trie for EthTrie {
    fn build(leaves: &[Leaf]) -> Self {
        let mut trie = Self(Rival::new(Arc::new(MemoryDB::new(true))));
        trie.insert(leaves);
        trie
    }

    fn update(&mut self, batch: &Batch) -> B256 {
        self.insert(&batch.leaves)
    }
}

/// alloy-trie: the root of sorted leaves.
pub fn hash_builder_root(leaves: &[Leaf]) -> B256 {
    let mut builder = HashBuilder::default();
    for leaf in leaves {
        builder.add_leaf(Nibbles::unpack(leaf.key), &leaf.rlp);
    }
    builder.root()
}
