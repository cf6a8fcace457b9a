//! One version of the state: the account trie, with the storage tries hanging from its leaves.

use crate::{
    arena::{HeapMemory, PageMemory},
    link::Link,
    reference::Reference,
    versions::{FIRST_EPOCH, Forest, Version},
};
use alloy_primitives::B256;
use balsa_state::EMPTY_ROOT;
use std::sync::Arc;

/// One version of the state trie.
///
/// Cloning it copies nothing. A version derived from it by [`crate::root_after`] shares all nodes that did not change;
/// dropping the last clone of a version frees the nodes that no other has.
#[derive(Clone, Debug)]
pub struct StateTrie {
    pub(crate) version: Arc<Version>,
    root: B256,
}

impl StateTrie {
    /// The trie of no accounts.
    pub fn empty() -> Self {
        Self::persisted(EMPTY_ROOT)
    }

    /// The persisted trie with this root. Nodes are read from the source when they are first needed.
    pub fn persisted(root: B256) -> Self {
        Self::persisted_in(root, Arc::new(HeapMemory))
    }

    /// The same, with the nodes of this version and of all that will come of it in memory of the caller's choice.
    pub fn persisted_in(root: B256, memory: Arc<dyn PageMemory>) -> Self {
        let forest = Forest::new(memory);
        let link = if root == EMPTY_ROOT { Link::NONE } else { Link::UNKNOWN };
        Self::of_version(forest.first(link, FIRST_EPOCH), root)
    }

    /// The state root.
    pub fn root(&self) -> B256 {
        self.root
    }

    pub(crate) fn of_version(version: Version, root: B256) -> Self {
        Self { version: Arc::new(version), root }
    }

    pub(crate) fn root_reference(&self) -> Reference {
        Reference::hash(self.root)
    }
}

impl Default for StateTrie {
    fn default() -> Self {
        Self::empty()
    }
}
