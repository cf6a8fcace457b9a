//! Nodes in memory. A version of a trie shares with its parent every node that did not change.

use crate::{
    Branch, Path, SMALL_LEAVES_MAX,
    branch::RecordChild,
    reference::Reference,
    rlp::{self, LeafValue},
};
use alloy_primitives::B256;
use std::sync::Arc;

/// What a parent knows of a child, or an owner of the root.
#[derive(Clone, Debug)]
pub(crate) struct Slot<L> {
    pub(crate) link: Link<L>,
    pub(crate) reference: Reference,
}

#[derive(Clone, Debug)]
pub(crate) enum Link<L> {
    Node(Arc<Node<L>>),
    /// Not in memory: how much lies below.
    Persisted(Below),
}

/// How many leaves lie at or below a position, as far as it matters for where they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Below {
    /// A root that was never looked at.
    Unknown,
    /// So many, at most [`SMALL_LEAVES_MAX`]: the store has the leaves only.
    Small(u8),
    /// More: the store has a branch record here.
    Large,
}

#[derive(Debug)]
pub(crate) enum Node<L> {
    Leaf {
        key: B256,
        value: L,
    },
    /// A branch, and the extension that leads to it where `extension` is not empty.
    Branch {
        extension: Path,
        children: Box<[Option<Slot<L>>; 16]>,
        below: Below,
    },
}

impl<L: LeafValue> Slot<L> {
    pub(crate) fn below(&self) -> Below {
        match &self.link {
            Link::Persisted(below) => *below,
            Link::Node(node) => match node.as_ref() {
                Node::Leaf { .. } => Below::Small(1),
                Node::Branch { below, .. } => *below,
            },
        }
    }

    pub(crate) fn is_large(&self) -> bool {
        self.below() == Below::Large
    }

    pub(crate) fn same_node(&self, other: &Self) -> bool {
        match (&self.link, &other.link) {
            (Link::Node(a), Link::Node(b)) => Arc::ptr_eq(a, b),
            (Link::Persisted(_), Link::Persisted(_)) => self.reference == other.reference,
            _ => false,
        }
    }

    /// A leaf at `depth`.
    pub(crate) fn leaf(depth: usize, key: B256, value: L) -> Self {
        let reference = Reference::of(&rlp::leaf(&key, depth, &value));
        Self { link: Link::Node(Arc::new(Node::Leaf { key, value })), reference }
    }

    /// A branch with two children or more.
    pub(crate) fn branch(extension: Path, children: [Option<Self>; 16]) -> Self {
        let mut reference = Reference::of(&rlp::branch(children.each_ref().map(|c| c.as_ref().map(|c| &c.reference))));
        if !extension.is_empty() {
            reference = Reference::of(&rlp::extension(&extension, &reference));
        }
        let below = sum(children.iter().flatten().map(Slot::below));
        Self { link: Link::Node(Arc::new(Node::Branch { extension, children: Box::new(children), below })), reference }
    }

    /// The branch of a record, its children left in the store.
    pub(crate) fn of_record(record: &Branch) -> Self {
        let mut children = [const { None }; 16];
        for RecordChild { nibble, leaves, reference } in record.children() {
            let below = leaves.map_or(Below::Large, Below::Small);
            children[nibble] = Some(Self { link: Link::Persisted(below), reference });
        }
        Self::branch(record.extension(), children)
    }

    /// The record of a branch that is in memory and large.
    pub(crate) fn record(&self) -> Option<Branch> {
        let Link::Node(node) = &self.link else {
            return None;
        };
        let Node::Branch { extension, children, below: Below::Large } = node.as_ref() else {
            return None;
        };
        let children = children.iter().enumerate().filter_map(|(nibble, child)| {
            let child = child.as_ref()?;
            let leaves = match child.below() {
                Below::Small(n) => Some(n),
                _ => None,
            };
            Some(RecordChild { nibble, leaves, reference: child.reference })
        });
        Some(Branch::new(extension, children))
    }
}

fn sum(parts: impl Iterator<Item = Below>) -> Below {
    let mut total = 0;
    for part in parts {
        match part {
            Below::Small(n) if total + n <= SMALL_LEAVES_MAX => total += n,
            _ => return Below::Large,
        }
    }
    Below::Small(total)
}
