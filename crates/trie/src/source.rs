//! Where nodes and leaves come from that are not in memory.

use crate::{Branch, Path, SourceError};
use alloy_primitives::{B256, U256};
use balsa_state::Account;
use rayon::prelude::*;

/// Persisted branches and flat leaves below what a [`crate::StateTrie`] holds in memory.
///
/// A node that is not in memory is unchanged since it was persisted, so a source may be a store that has moved on:
/// whatever is asked of it reads the same. What comes back is checked against the hash in the parent all the same.
///
/// The forms that take slices are called once a level of the trie with everything that level needs, in key order.
pub trait NodeSource: Send + Sync {
    /// The branch of the account trie at `path`.
    fn account_branch(&self, path: &Path) -> Result<Option<Branch>, SourceError>;

    /// The branch at `path` in the storage trie of an account.
    fn storage_branch(&self, address_hash: &B256, path: &Path) -> Result<Option<Branch>, SourceError>;

    /// The first `limit` accounts at or below `prefix`, in key order.
    fn accounts_under(&self, prefix: &Path, limit: usize) -> Result<Vec<(B256, Account)>, SourceError>;

    /// The first `limit` slots of an account at or below `prefix`, in key order, none of them zero.
    fn slots_under(&self, address_hash: &B256, prefix: &Path, limit: usize) -> Result<Vec<(B256, U256)>, SourceError>;

    /// [`NodeSource::account_branch`] for many paths.
    fn account_branches(&self, paths: &[Path]) -> Result<Vec<Option<Branch>>, SourceError> {
        all(paths, |path| self.account_branch(path))
    }

    /// [`NodeSource::storage_branch`] for many pairs of address hash and path.
    fn storage_branches(&self, keys: &[(B256, Path)]) -> Result<Vec<Option<Branch>>, SourceError> {
        all(keys, |(address_hash, path)| self.storage_branch(address_hash, path))
    }

    /// [`NodeSource::accounts_under`] for many prefixes.
    fn accounts_under_all(&self, prefixes: &[Path], limit: usize) -> Result<Vec<Vec<(B256, Account)>>, SourceError> {
        all(prefixes, |prefix| self.accounts_under(prefix, limit))
    }

    /// [`NodeSource::slots_under`] for many pairs of address hash and prefix.
    fn slots_under_all(&self, keys: &[(B256, Path)], limit: usize) -> Result<Vec<Vec<(B256, U256)>>, SourceError> {
        all(keys, |(address_hash, prefix)| self.slots_under(address_hash, prefix, limit))
    }
}

/// Reads that one thread makes one after the other: what two threads would save of fewer does not pay their meeting.
const READS_TOGETHER: usize = 16;

/// What `read` says of each key, in their order, on the current rayon pool: a disk answers many questions at a time.
fn all<K: Sync, T: Send>(
    keys: &[K],
    read: impl Fn(&K) -> Result<T, SourceError> + Sync,
) -> Result<Vec<T>, SourceError> {
    if keys.len() < 2 * READS_TOGETHER {
        return keys.iter().map(read).collect();
    }
    keys.par_iter().with_min_len(READS_TOGETHER).map(&read).collect()
}

/// The source below a trie that lies wholly in memory, and below the empty trie: it holds nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNodes;

impl NodeSource for NoNodes {
    fn account_branch(&self, _: &Path) -> Result<Option<Branch>, SourceError> {
        Ok(None)
    }

    fn storage_branch(&self, _: &B256, _: &Path) -> Result<Option<Branch>, SourceError> {
        Ok(None)
    }

    fn accounts_under(&self, _: &Path, _: usize) -> Result<Vec<(B256, Account)>, SourceError> {
        Ok(Vec::new())
    }

    fn slots_under(&self, _: &B256, _: &Path, _: usize) -> Result<Vec<(B256, U256)>, SourceError> {
        Ok(Vec::new())
    }
}
