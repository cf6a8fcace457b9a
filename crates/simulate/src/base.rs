//! What a question is asked on.

use std::sync::Arc;

use alloy_primitives::B256;
use balsa_chainspec::ChainSpec;
use balsa_evm::BlockHashes;
use balsa_executor::Parent;

/// A block with the state after it, and the chain's rules.
///
/// Code that was analysed for blocks is not shared with questions: whoever asks may bring any code, and would crowd out
/// the chain's.
#[derive(Clone, Copy)]
pub struct Base<'a> {
    /// The block.
    pub block: &'a Parent,
    /// The rules.
    pub spec: &'a ChainSpec,
}

/// Hashes for `BLOCKHASH` in a block `number` that has `parent` before it. A number may be overridden to what no chain
/// has reached, so what is not known has the hash zero here, as an ancestor too old has.
pub(crate) fn lenient_hashes(number: u64, parent: B256, older: &Arc<BlockHashes>) -> Arc<BlockHashes> {
    let older = older.clone();
    Arc::new(BlockHashes::new(number, parent, move |number| Some(older.of(number).unwrap_or_default())))
}
