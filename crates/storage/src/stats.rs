//! How large the database is.

use crate::{StoreError, Table, engine::Engine};

/// Sizes of all tables and of what lies beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreStats {
    /// One for each table, in the order of FORMAT.md.
    pub tables: Vec<TableStats>,
    /// Bytes of the journals, which hold what is not in the tables' files yet.
    pub journal_bytes: u64,
    /// Bytes of the block cache in use.
    pub cache_bytes: u64,
    /// Bytes of the write buffers in use.
    pub write_buffer_bytes: u64,
}

/// Size of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableStats {
    /// The table.
    pub table: Table,
    /// Rows, estimated: rows overwritten or deleted count until they are compacted away.
    pub rows_estimate: u64,
    /// Bytes on disk, without what is still in the journals.
    pub bytes: u64,
}

pub(crate) fn stats(engine: &Engine) -> Result<StoreStats, StoreError> {
    let tables = Table::ALL
        .into_iter()
        .map(|table| {
            let (rows_estimate, bytes) = engine.size(table);
            TableStats { table, rows_estimate, bytes }
        })
        .collect();
    Ok(StoreStats {
        tables,
        journal_bytes: engine.journal_bytes()?,
        cache_bytes: engine.cache_bytes(),
        write_buffer_bytes: engine.write_buffer_bytes(),
    })
}
