//! Access lists from a file: concatenated list RLP, one for each block that has one.

use super::{InputError, rlp_items::RlpItems};
use alloy_consensus::Header;
use alloy_primitives::Bytes;
use balsa_chainspec::ChainSpec;
use std::path::Path;

/// No valid list is larger: at most one item for every 2,000 gas, each of about a hundred bytes, and the code that
/// a block deploys. In bytes.
const LIST_BYTES_MAX: u64 = 256 << 20;

/// Gives each block its list, in the order of the chain; none at all if there is no file.
pub(crate) struct ListFeed {
    items: Option<RlpItems>,
}

impl ListFeed {
    /// Opens a file of lists for a chain with `expected` blocks that have one, after counting it through.
    ///
    /// A file with more or fewer is refused before anything is imported: a run whose lists are off by one block
    /// would fail late, or quietly be another benchmark than the one asked for.
    pub(crate) fn open(path: Option<&Path>, expected: usize) -> Result<Self, InputError> {
        let Some(path) = path else {
            return Ok(Self { items: None });
        };
        let mut counted = RlpItems::open(path, LIST_BYTES_MAX)?;
        while counted.skip_item()? {}
        if counted.index() != expected {
            let (path, lists) = (path.to_owned(), counted.index());
            return Err(InputError::ListCount { path, lists, blocks: expected });
        }
        Ok(Self { items: Some(RlpItems::open(path, LIST_BYTES_MAX)?) })
    }

    /// The raw bytes of the list of the block that `header` heads, if it has one. Their content is for the
    /// importer to judge. To be asked for each block of the chain, once and in order.
    pub(crate) fn for_block(&mut self, spec: &ChainSpec, header: &Header) -> Result<Option<Bytes>, InputError> {
        match &mut self.items {
            Some(items) if spec.rules_of(header).block_access_lists => Ok(items.next_item()?.map(Bytes::from)),
            _ => Ok(None),
        }
    }
}
