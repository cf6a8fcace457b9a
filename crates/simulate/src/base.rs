//! What a question is asked on.

use std::sync::Arc;

use alloy_primitives::B256;
use balsa_chainspec::ChainSpec;
use balsa_evm::{BlockHashes, CodeCache};
use balsa_executor::{Executor, Parent};

/// A block with the state after it, and what runs code there.
#[derive(Clone, Copy)]
pub struct Base<'a> {
    /// The block.
    pub block: &'a Parent,
    /// Rules, and code that was seen before.
    pub executor: &'a Executor,
}

impl Base<'_> {
    pub(crate) fn spec(&self) -> &ChainSpec {
        self.executor.spec()
    }

    pub(crate) fn codes(&self) -> &Arc<CodeCache> {
        self.executor.codes()
    }
}

/// Hashes for `BLOCKHASH` in a block `number` that has `parent` before it. A number may be overridden to what no chain
/// has reached, so what is not known has the hash zero here, as an ancestor too old has.
pub(crate) fn lenient_hashes(number: u64, parent: B256, older: &Arc<BlockHashes>) -> Arc<BlockHashes> {
    let older = older.clone();
    Arc::new(BlockHashes::new(number, parent, move |number| Some(older.of(number).unwrap_or_default())))
}
