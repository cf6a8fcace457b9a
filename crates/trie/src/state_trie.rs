//! One version of the state: the account trie, with the storage tries hanging from its leaves.

use crate::{
    Branch, NodeSource, Path, SourceError,
    edit::Loader,
    error::TrieId,
    node::{Below, Link, Slot},
    reference::Reference,
    rlp::{LeafValue, encode_account},
};
use alloy_primitives::{B256, U256};
use balsa_state::{Account, EMPTY_ROOT};

/// One version of the state trie. Cloning it copies nothing; versions share what did not change between them.
#[derive(Clone, Debug, Default)]
pub struct StateTrie {
    pub(crate) root: Option<Slot<AccountLeaf>>,
}

impl StateTrie {
    /// The trie of no accounts.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The persisted trie with this root. Nodes are read from the source when they are first needed.
    pub fn persisted(root: B256) -> Self {
        Self { root: unread(root) }
    }

    /// The state root.
    pub fn root(&self) -> B256 {
        root_hash(self.root.as_ref())
    }
}

/// An account, and its storage trie as far as that is in memory.
#[derive(Clone, Debug)]
pub(crate) struct AccountLeaf {
    pub(crate) account: Account,
    /// `None` where there is no storage.
    pub(crate) storage: Option<Slot<U256>>,
}

impl AccountLeaf {
    pub(crate) fn unread(account: Account) -> Self {
        Self { account, storage: unread(account.storage_root) }
    }
}

impl PartialEq for AccountLeaf {
    fn eq(&self, other: &Self) -> bool {
        self.account == other.account
    }
}

impl LeafValue for AccountLeaf {
    fn encode_value(&self, out: &mut Vec<u8>) {
        encode_account(&self.account, out);
    }
}

pub(crate) fn root_hash<L>(root: Option<&Slot<L>>) -> B256 {
    root.map_or(EMPTY_ROOT, |root| root.reference.to_hash())
}

fn unread<L>(root: B256) -> Option<Slot<L>> {
    (root != EMPTY_ROOT).then(|| Slot { link: Link::Persisted(Below::Unknown), reference: Reference::hash(root) })
}

/// The account trie in a source.
pub(crate) struct Accounts<'a>(pub(crate) &'a dyn NodeSource);

impl Loader<AccountLeaf> for Accounts<'_> {
    fn id(&self) -> TrieId {
        TrieId::Accounts
    }

    fn branch(&self, path: &Path) -> Result<Option<Branch>, SourceError> {
        self.0.account_branch(path)
    }

    fn leaves(&self, prefix: &Path, limit: usize) -> Result<Vec<(B256, AccountLeaf)>, SourceError> {
        let accounts = self.0.accounts_under(prefix, limit)?;
        Ok(accounts.into_iter().map(|(key, account)| (key, AccountLeaf::unread(account))).collect())
    }
}

/// The storage trie of an account in a source.
pub(crate) struct Storage<'a> {
    pub(crate) source: &'a dyn NodeSource,
    pub(crate) address_hash: B256,
}

impl Loader<U256> for Storage<'_> {
    fn id(&self) -> TrieId {
        TrieId::Storage(self.address_hash)
    }

    fn branch(&self, path: &Path) -> Result<Option<Branch>, SourceError> {
        self.source.storage_branch(&self.address_hash, path)
    }

    fn leaves(&self, prefix: &Path, limit: usize) -> Result<Vec<(B256, U256)>, SourceError> {
        self.source.slots_under(&self.address_hash, prefix, limit)
    }
}
