//! The root of a trie of any size whose leaves come in key order, in memory for one path.
//!
//! A second way to what [`crate::root_after`] computes, for whoever doubts the first: it shares no code with it but the
//! hashing. Leaves come one by one; a branch stays open as long as leaves may still fall below it, so at most 64 are,
//! and when it closes its children are hashed together.
//!
//! On the way it makes every branch record that a store should have. They come the deepest first, and those of one depth in
//! key order: side by side with a table in which rows of one depth stand together.

use crate::{
    Branch, Path, SMALL_LEAVES_MAX,
    branch::RecordChild,
    path::{common_nibbles, nibble_of},
    reference::Reference,
    rlp::{encoded_account, hex_prefix},
};
use alloy_primitives::{B256, U256, keccak256};
use alloy_rlp::{Encodable, Header};
use balsa_keccak::keccak256_many;
use balsa_state::{Account, EMPTY_ROOT};
use smallvec::SmallVec;

/// A trie in the making. See the module.
#[derive(Debug, Default)]
pub struct SortedRoot {
    /// Branches that may still grow, the deepest last.
    open: Vec<Open>,
    /// What the last key led to; where it stands depends on the next key.
    last: Option<(B256, Node)>,
}

#[derive(Debug)]
enum Node {
    /// A leaf's value, encoded.
    Leaf(Vec<u8>),
    Branch(Closed),
}

/// A branch that has not all of its children yet.
#[derive(Debug)]
struct Open {
    /// Nibbles above its fork.
    depth: usize,
    children: Vec<Child>,
}

#[derive(Debug)]
struct Child {
    nibble: usize,
    leaves: u64,
    rlp: Vec<u8>,
}

/// A branch with all of its children.
#[derive(Debug)]
struct Closed {
    depth: usize,
    children: Vec<RecordChild>,
    leaves: u64,
    rlp: Vec<u8>,
}

impl SortedRoot {
    /// Adds an account, whose key is above all before it. `record` is told of branch records that are complete now.
    ///
    /// # Errors
    /// What `record` says.
    ///
    /// # Panics
    /// If keys are out of order.
    pub fn add_account<E>(
        &mut self,
        key: &B256,
        account: &Account,
        record: impl FnMut(Path, Branch) -> Result<(), E>,
    ) -> Result<(), E> {
        self.add(key, encoded_account(account), record)
    }

    /// Adds a slot, in the same way.
    ///
    /// # Errors
    /// What `record` says.
    ///
    /// # Panics
    /// If keys are out of order.
    pub fn add_slot<E>(
        &mut self,
        key: &B256,
        value: &U256,
        record: impl FnMut(Path, Branch) -> Result<(), E>,
    ) -> Result<(), E> {
        self.add(key, alloy_rlp::encode(value), record)
    }

    fn add<E>(
        &mut self,
        key: &B256,
        value: Vec<u8>,
        mut record: impl FnMut(Path, Branch) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some((last, node)) = self.last.take() {
            assert!(last < *key, "key {key} came after {last}");
            let depth = common_nibbles(&last, key);
            let node = self.closed_below(Some(depth), &last, node, &mut record)?;
            if self.open.last().is_none_or(|open| open.depth < depth) {
                self.open.push(Open { depth, children: Vec::with_capacity(16) });
            }
            let child = node.child(&last, depth, &mut record)?;
            self.open.last_mut().expect("one is open at this depth").children.push(child);
        }
        self.last = Some((*key, Node::Leaf(value)));
        Ok(())
    }

    /// The root over all that was added.
    ///
    /// # Errors
    /// What `record` says.
    pub fn root<E>(mut self, mut record: impl FnMut(Path, Branch) -> Result<(), E>) -> Result<B256, E> {
        let Some((last, node)) = self.last.take() else { return Ok(EMPTY_ROOT) };
        let top = self.closed_below(None, &last, node, &mut record)?;
        Ok(keccak256(top.at(&last, 0, &mut record)?.0))
    }

    /// Closes the branches whose fork is deeper than `depth`: `node` is the last child of the deepest of them.
    fn closed_below<E>(
        &mut self,
        depth: Option<usize>,
        key: &B256,
        mut node: Node,
        record: &mut impl FnMut(Path, Branch) -> Result<(), E>,
    ) -> Result<Node, E> {
        while let Some(mut open) = self.open.pop_if(|open| depth.is_none_or(|depth| open.depth > depth)) {
            open.children.push(node.child(key, open.depth, record)?);
            node = Node::Branch(open.closed());
        }
        Ok(node)
    }
}

impl Node {
    /// As the child of a branch that forks at `depth`.
    fn child<E>(
        self,
        key: &B256,
        depth: usize,
        record: &mut impl FnMut(Path, Branch) -> Result<(), E>,
    ) -> Result<Child, E> {
        let (rlp, leaves) = self.at(key, depth + 1, record)?;
        Ok(Child { nibble: nibble_of(key, depth), leaves, rlp })
    }

    /// Encoded as it stands at `depth` towards `key`, with its number of leaves.
    fn at<E>(
        self,
        key: &B256,
        depth: usize,
        record: &mut impl FnMut(Path, Branch) -> Result<(), E>,
    ) -> Result<(Vec<u8>, u64), E> {
        let mut packed = [0; 33];
        let branch = match self {
            Self::Leaf(value) => {
                let packed = hex_prefix(key, depth, 64, true, &mut packed);
                return Ok((leaf(packed, &value), 1));
            }
            Self::Branch(branch) => branch,
        };
        let extension = Path::of_key(key, branch.depth).part(depth, branch.depth);
        if branch.leaves > u64::from(SMALL_LEAVES_MAX) {
            let mut bytes = Vec::with_capacity(Branch::BYTES_USUAL);
            Branch::write(&extension, branch.children.into_iter(), &mut bytes);
            record(Path::of_key(key, depth), Branch::written(bytes.into()))?;
        }
        if extension.is_empty() {
            return Ok((branch.rlp, branch.leaves));
        }
        let packed = hex_prefix(key, depth, branch.depth, false, &mut packed);
        Ok((extended(packed, &Reference::of(&branch.rlp)), branch.leaves))
    }
}

impl Open {
    fn closed(self) -> Closed {
        let rlps: SmallVec<[&[u8]; 16]> = self.children.iter().map(|child| child.rlp.as_slice()).collect();
        let mut hashes = [B256::ZERO; 16];
        keccak256_many(&rlps, &mut hashes[..rlps.len()]);
        let named = |(child, hash): (&Child, B256)| RecordChild {
            nibble: child.nibble,
            leaves: u8::try_from(child.leaves).ok().filter(|leaves| *leaves <= SMALL_LEAVES_MAX),
            reference: if child.rlp.len() < 32 { Reference::of(&child.rlp) } else { Reference::hash(hash) },
        };
        let children: Vec<_> = self.children.iter().zip(hashes).map(named).collect();
        let leaves = self.children.iter().map(|child| child.leaves).sum();
        Closed { depth: self.depth, rlp: fork(&children), children, leaves }
    }
}

/// The branch over these children, encoded, without its extension.
fn fork(children: &[RecordChild]) -> Vec<u8> {
    const EMPTY: u8 = 0x80;
    let references: usize = children.iter().map(|child| child.reference.len()).sum();
    let mut out = list_of(17 - children.len() + references);
    let mut next = 0;
    for child in children {
        out.resize(out.len() + child.nibble - next, EMPTY);
        next = child.nibble + 1;
        put(&child.reference, &mut out);
    }
    // The branch's own value stands last.
    out.resize(out.len() + 17 - next, EMPTY);
    out
}

/// The leaf with the rest of its key in hex prefix form, encoded.
fn leaf(packed: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = list_of(packed.length() + value.length());
    packed.encode(&mut out);
    value.encode(&mut out);
    out
}

/// The extension over such nibbles to a branch, encoded.
fn extended(packed: &[u8], branch: &Reference) -> Vec<u8> {
    let mut out = list_of(packed.length() + branch.len());
    packed.encode(&mut out);
    put(branch, &mut out);
    out
}

/// A list in the making, of items that will take so many bytes.
fn list_of(payload_length: usize) -> Vec<u8> {
    let header = Header { list: true, payload_length };
    let mut out = Vec::with_capacity(header.length_with_payload());
    header.encode(&mut out);
    out
}

/// Adds a reference as an item of a list.
fn put(reference: &Reference, out: &mut Vec<u8>) {
    match reference.inline {
        true => out.extend_from_slice(reference.inline_rlp()),
        false => reference.bytes.encode(out),
    }
}
