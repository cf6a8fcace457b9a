//! Merkle proofs of accounts and slots: that they are there with a value, or that they are not (EIP-1186).

use crate::{
    NodeSource, StateTrie, TrieError,
    arena::{Pen, View},
    link::Link,
    load::{ACCOUNTS, Addresses, StoredLeaf, Tries},
    locate::{self, Probe},
    path::{Path, nibble_of},
    proved_value::{BadProof, proved_value},
    reference::Reference,
    rlp::{self, AccountLeaf, NODE_BYTES_MAX, Writer, encoded_account},
};
use alloy_primitives::{B256, Bytes, U256};
use balsa_state::{Account, EMPTY_ROOT};

/// An account, or its absence, and some of its slots, with the nodes that prove them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountProof {
    /// keccak256 of the address.
    pub address_hash: B256,
    /// Nothing if there is no such account.
    pub account: Option<Account>,
    /// The nodes from the state root down, encoded; nodes that stand inside their parent are not listed again.
    pub nodes: Vec<Bytes>,
    /// In the order asked for.
    pub slots: Vec<SlotProof>,
}

/// The value of a slot, and the nodes that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotProof {
    /// keccak256 of the slot number.
    pub slot_hash: B256,
    /// Zero if it is not there.
    pub value: U256,
    /// The nodes from the account's storage root down, encoded; none below an empty root.
    pub nodes: Vec<Bytes>,
}

/// A proof that does not prove what it says.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// Of the account.
    #[error("the proof of account {address_hash} under state root {root}: {reason}")]
    Account {
        /// keccak256 of the address.
        address_hash: B256,
        /// The root it was held against.
        root: B256,
        /// What is wrong.
        reason: Box<BadProof>,
    },
    /// Of a slot.
    #[error("the proof of slot {slot_hash} under storage root {root}: {reason}")]
    Slot {
        /// keccak256 of the slot number.
        slot_hash: B256,
        /// The root it was held against.
        root: B256,
        /// What is wrong.
        reason: Box<BadProof>,
    },
}

/// Proves an account and some of its slots, all by the hashes of their keys. Nodes that are read for it are not kept.
///
/// # Errors
/// [`TrieError`]: the source failed or lied.
pub fn account_proof(
    trie: &StateTrie,
    source: &dyn NodeSource,
    address_hash: B256,
    slot_hashes: &[B256],
) -> Result<AccountProof, TrieError> {
    let forest = &trie.version.forest;
    // Dropped at the end, and with it all that was loaded.
    let mut pen = Pen::new(&forest.arena, 0);
    let mut tries = Tries::new(source, Addresses::One(address_hash));
    let root = (trie.version.root, trie.root());
    let (leaf, nodes) = proved::<AccountLeaf>(&mut pen, &mut tries, ACCOUNTS, root, &address_hash)?;
    let account = leaf.map(|leaf| leaf.account);
    let storage = leaf.map_or((Link::NONE, EMPTY_ROOT), |leaf| (leaf.storage, leaf.account.storage_root));
    let mut slots = Vec::with_capacity(slot_hashes.len());
    for slot_hash in slot_hashes {
        let (value, nodes) = proved::<U256>(&mut pen, &mut tries, 0, storage, slot_hash)?;
        slots.push(SlotProof { slot_hash: *slot_hash, value: value.unwrap_or_default(), nodes });
    }
    Ok(AccountProof { address_hash, account, nodes, slots })
}

impl AccountProof {
    /// Whether the nodes prove the account and every slot, or their absence, under a state root.
    ///
    /// # Errors
    /// [`ProofError`]: which part is not proved.
    pub fn verify(&self, root: B256) -> Result<(), ProofError> {
        let account = self.account.as_ref().map(encoded_account);
        check(root, &self.address_hash, account, &self.nodes).map_err(|reason| ProofError::Account {
            address_hash: self.address_hash,
            root,
            reason: reason.into(),
        })?;
        let storage_root = self.account.map_or(EMPTY_ROOT, |account| account.storage_root);
        self.slots.iter().try_for_each(|slot| slot.verify(storage_root))
    }
}

impl SlotProof {
    /// Whether the nodes prove the value under a storage root.
    ///
    /// # Errors
    /// [`ProofError::Slot`].
    pub fn verify(&self, root: B256) -> Result<(), ProofError> {
        let value = (!self.value.is_zero()).then(|| alloy_rlp::encode(self.value));
        check(root, &self.slot_hash, value, &self.nodes).map_err(|reason| ProofError::Slot {
            slot_hash: self.slot_hash,
            root,
            reason: reason.into(),
        })
    }
}

fn check(root: B256, key: &B256, value: Option<Vec<u8>>, nodes: &[Bytes]) -> Result<(), BadProof> {
    if proved_value(root, key, nodes)? == value { Ok(()) } else { Err(BadProof::OtherValue) }
}

/// The leaf of a key, if it is there, and the nodes on the way to where it is or would be.
fn proved<L: StoredLeaf>(
    pen: &mut Pen<'_>,
    tries: &mut Tries<'_>,
    trie: usize,
    root: (Link, B256),
    key: &B256,
) -> Result<(Option<L>, Vec<Bytes>), TrieError> {
    let leaf = locate::leaf::<L>(pen, tries, Probe::new(trie, key, root.0, root.1))?.leaf;
    let arena = pen.arena();
    let mut nodes = Vec::new();
    let (mut link, mut depth) = (root.0, 0);
    while link != Link::NONE {
        let path = Path::of_key(key, depth);
        if !link.is_node() {
            link = tries.found(trie, &path).expect("all on the way was loaded");
        }
        let view = arena.view(link);
        if !view.class().is_branch() {
            push_encoded(&view, depth, true, &mut nodes);
            break;
        }
        let branch = view.branch();
        let at = path.join(&branch.extension());
        let follows = at.leads_to(key);
        push_encoded(&view, depth, follows, &mut nodes);
        if !follows {
            break;
        }
        depth = at.len() + 1;
        link = branch.rank(nibble_of(key, at.len())).map_or(Link::NONE, |rank| branch.link(rank));
    }
    Ok((leaf.is_node().then(|| L::read(&arena.view(leaf))), nodes))
}

/// Adds the extension that leads to a node, if there is one, and the node itself if the key follows it that far. Only a
/// root is listed when it is under 32 bytes long.
fn push_encoded(view: &View<'_>, depth: usize, follows: bool, nodes: &mut Vec<Bytes>) {
    let mut buffer = [0; NODE_BYTES_MAX];
    let at = rlp::node(view, depth, &mut buffer);
    let node = Bytes::copy_from_slice(&buffer[at]);
    let mut push = |node: Bytes| {
        if node.len() >= 32 || nodes.is_empty() {
            nodes.push(node);
        }
    };
    if view.class().is_branch() && view.branch().extension_len() > 0 {
        let len = Writer::new(&mut buffer).extension(&view.branch().extension(), &Reference::of(&node));
        push(Bytes::copy_from_slice(&buffer[..len]));
    }
    if follows {
        push(node);
    }
}
