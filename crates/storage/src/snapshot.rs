//! A read view of the chain: heads, headers, bodies, receipts, lists, and where a transaction is.
//!
//! State is read through the same view, in `state_view.rs`.

use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes};
use alloy_rlp::Decodable;

use crate::{
    BlockPointer, Head, StoreError, Table,
    engine::View,
    schema::{self, HeadRow, PointerRow, TransactionRow, meta},
};

/// The database as one flush left it. Clones are cheap; see [`Store::snapshot`](crate::Store::snapshot).
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) view: View,
    head: Option<Head>,
}

/// Where a canonical transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionPosition {
    /// Number of the block.
    pub block_number: u64,
    /// Position in the block.
    pub index: u32,
}

impl Snapshot {
    pub(crate) fn new(view: View) -> Result<Self, StoreError> {
        let head = decoded(&view, Table::Meta, meta::HEAD, HeadRow::decode)?.map(|row| Head {
            number: row.number,
            hash: row.hash,
            state_root: row.state_root,
            total_difficulty: row.total_difficulty,
        });
        Ok(Self { view, head })
    }

    /// The block whose state this is; `None` before block 0 was flushed.
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// Head of the fork choice when last stored; may be above [`head`](Self::head).
    pub fn tip(&self) -> Result<Option<BlockPointer>, StoreError> {
        self.pointer(meta::TIP)
    }

    /// Safe block when last stored.
    pub fn safe(&self) -> Result<Option<BlockPointer>, StoreError> {
        self.pointer(meta::SAFE)
    }

    /// Finalized block when last stored.
    pub fn finalized(&self) -> Result<Option<BlockPointer>, StoreError> {
        self.pointer(meta::FINALIZED)
    }

    /// Lists of blocks below this number were deleted.
    pub fn lists_from(&self) -> Result<u64, StoreError> {
        Ok(decoded(&self.view, Table::Meta, meta::LISTS_FROM, schema::number_of)?.unwrap_or(0))
    }

    /// Hash of the canonical block of a number, up to the head.
    pub fn canonical_hash(&self, number: u64) -> Result<Option<B256>, StoreError> {
        decoded(&self.view, Table::Canonical, &schema::number_key(number), hash)
    }

    /// Number of a block, canonical or not.
    pub fn number(&self, hash: &B256) -> Result<Option<u64>, StoreError> {
        decoded(&self.view, Table::Numbers, hash.as_slice(), schema::number_of)
    }

    /// A block's header.
    pub fn header(&self, block: &BlockPointer) -> Result<Option<Header>, StoreError> {
        let exact = |mut row: &[u8]| Header::decode(&mut row).ok().filter(|_| row.is_empty());
        decoded(&self.view, Table::Headers, &key(block), exact)
    }

    /// RLP `[transactions, ommers, withdrawals?]` of a block.
    pub fn body(&self, block: &BlockPointer) -> Result<Option<Bytes>, StoreError> {
        self.bytes(Table::Bodies, &key(block))
    }

    /// RLP list of a block's receipts without blooms.
    pub fn receipts(&self, block: &BlockPointer) -> Result<Option<Bytes>, StoreError> {
        self.bytes(Table::Receipts, &key(block))
    }

    /// A block's raw access list.
    pub fn list(&self, block: &BlockPointer) -> Result<Option<Bytes>, StoreError> {
        self.bytes(Table::Lists, &key(block))
    }

    /// Where a canonical transaction is; `None` also if transactions are not indexed.
    pub fn transaction(&self, hash: &B256) -> Result<Option<TransactionPosition>, StoreError> {
        let row = decoded(&self.view, Table::Transactions, hash.as_slice(), TransactionRow::decode)?;
        Ok(row.map(|row| TransactionPosition { block_number: row.number, index: row.index }))
    }

    /// Blocks stored above the head, canonical or not, in the order of their numbers: what a restart executes again.
    pub fn blocks_above_head(&self) -> Result<Vec<BlockPointer>, StoreError> {
        let from = schema::number_key(self.head.map_or(0, |head| head.number.saturating_add(1)));
        self.view.keys(Table::Headers, &from[..]..).map(|key| pointer_of(Table::Headers, &key?)).collect()
    }

    fn pointer(&self, name: &[u8]) -> Result<Option<BlockPointer>, StoreError> {
        let row = decoded(&self.view, Table::Meta, name, PointerRow::decode)?;
        Ok(row.map(|row| BlockPointer { number: row.number, hash: row.hash }))
    }

    pub(crate) fn bytes(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.view.get(table, key)?.map(|row| Bytes::copy_from_slice(&row)))
    }
}

/// The row under a key through its decoder.
pub(crate) fn decoded<T>(
    view: &View,
    table: Table,
    key: &[u8],
    decode: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<Option<T>, StoreError> {
    let Some(row) = view.get(table, key)? else { return Ok(None) };
    match decode(&row) {
        Some(value) => Ok(Some(value)),
        None => Err(StoreError::malformed(table, key)),
    }
}

/// The block that a number ++ hash key is about.
pub(crate) fn pointer_of(table: Table, key: &[u8]) -> Result<BlockPointer, StoreError> {
    match (schema::number_of(key), schema::block_key_hash(key)) {
        (Some(number), Some(hash)) => Ok(BlockPointer { number, hash }),
        _ => Err(StoreError::malformed(table, key)),
    }
}

fn key(block: &BlockPointer) -> [u8; 40] {
    schema::block_key(block.number, &block.hash)
}

fn hash(row: &[u8]) -> Option<B256> {
    B256::try_from(row).ok()
}
