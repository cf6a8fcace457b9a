//! Blocks from chain files: concatenated block RLP, as geth's `export` writes it.

use super::{InputError, rlp_items::RlpItems};
use alloy_consensus::Header;
use alloy_rlp::Decodable;
use balsa_chainspec::ChainSpec;
use balsa_executor::SealedBlock;
use std::path::{Path, PathBuf};

/// No valid block is larger: EIP-7934 allows 8 MiB, and before it a block of calldata at the largest gas limit ever
/// used stays far below. In bytes.
pub(crate) const BLOCK_BYTES_MAX: u64 = 128 << 20;

/// Reads the blocks of one file in order.
pub(crate) struct Blocks {
    items: RlpItems,
}

impl Blocks {
    /// Opens a chain file.
    pub(crate) fn open(path: &Path) -> Result<Self, InputError> {
        Ok(Self { items: RlpItems::open(path, BLOCK_BYTES_MAX)? })
    }

    /// The bytes of the next block; `None` at the end of the file.
    pub(crate) fn next_bytes(&mut self) -> Result<Option<Vec<u8>>, InputError> {
        self.items.next_item()
    }

    /// Decodes the block that was read last.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Result<SealedBlock, InputError> {
        SealedBlock::decode(bytes).map_err(|error| self.items.rlp_error(bytes.len(), error))
    }

    /// The header of the next block, whose body is not looked at; `None` at the end of the file.
    pub(crate) fn next_header(&mut self) -> Result<Option<Header>, InputError> {
        let Some(bytes) = self.items.next_item()? else {
            return Ok(None);
        };
        let header = alloy_rlp::Header::decode_bytes(&mut bytes.as_slice(), true)
            .and_then(|mut payload| Header::decode(&mut payload))
            .map_err(|error| self.items.rlp_error(bytes.len(), format!("block RLP: {error}")))?;
        Ok(Some(header))
    }

    /// How many bytes of the file are behind us.
    pub(crate) fn offset(&self) -> u64 {
        self.items.offset()
    }
}

/// What chain files hold, found by reading their headers only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChainCount {
    /// Number of blocks.
    pub(crate) blocks: usize,
    /// How many of them have an access list.
    pub(crate) with_list: usize,
    /// Bytes of all files.
    pub(crate) bytes: u64,
}

/// Counts the blocks of `files`, genesis blocks left out: they are not imported.
pub(crate) fn count(spec: &ChainSpec, files: &[PathBuf]) -> Result<ChainCount, InputError> {
    let mut count = ChainCount::default();
    for file in files {
        let mut blocks = Blocks::open(file)?;
        while let Some(header) = blocks.next_header()? {
            if header.number > 0 {
                count.blocks += 1;
                count.with_list += usize::from(spec.rules_of(&header).block_access_lists);
            }
        }
        count.bytes += blocks.offset();
    }
    Ok(count)
}
