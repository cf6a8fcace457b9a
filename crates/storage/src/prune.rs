//! What a flush deletes. FORMAT.md, "Pruning".

use crate::{
    CanonicalBlock, Snapshot, StoreError, Table,
    engine::Batch,
    schema::{self, LISTS_KEPT_BLOCKS, meta},
    snapshot::pointer_of,
};

/// Block numbers whose lists one flush deletes at most: what is left over goes with the next ones.
const LISTS_DELETED_MAX: u64 = 1024;

/// Deletes lists that are too old once `head` is the head.
pub(crate) fn delete_lists(writes: &mut Batch<'_>, before: &Snapshot, head: u64) -> Result<(), StoreError> {
    let from = before.lists_from()?;
    let to = head.saturating_sub(LISTS_KEPT_BLOCKS).min(from + LISTS_DELETED_MAX);
    if to <= from {
        return Ok(());
    }
    let (first, end) = (schema::number_key(from), schema::number_key(to));
    for key in before.view.keys(Table::Lists, &first[..]..&end[..]) {
        writes.delete(Table::Lists, &key?);
    }
    writes.put(Table::Meta, meta::LISTS_FROM, &schema::number_key(to));
    Ok(())
}

/// Deletes the stored blocks at the numbers of `canonical` that are other blocks.
///
/// `canonical` is ascending without gaps.
pub(crate) fn delete_side_blocks(
    writes: &mut Batch<'_>,
    before: &Snapshot,
    canonical: &[CanonicalBlock],
) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (canonical.first(), canonical.last()) else { return Ok(()) };
    let low = schema::number_key(first.block.number);
    let high = schema::block_key(last.block.number, &alloy_primitives::B256::repeat_byte(0xff));
    for key in before.view.keys(Table::Headers, &low[..]..=&high[..]) {
        let key = key?;
        let block = pointer_of(Table::Headers, &key)?;
        if canonical[(block.number - first.block.number) as usize].block.hash == block.hash {
            continue;
        }
        for table in [Table::Headers, Table::Bodies, Table::Receipts, Table::Lists] {
            writes.delete(table, &key);
        }
        writes.delete(Table::Numbers, block.hash.as_slice());
    }
    Ok(())
}
