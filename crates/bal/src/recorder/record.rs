//! Recording to build a list.

use super::{
    Recorder, RowCells,
    cells::{Cells, Key, Kind},
    sealed,
    verify::nonce,
};
use crate::{AccountChanges, Change, SlotChanges, encode};
use alloy_primitives::{Bytes, U256};

/// Cells that room is made for at the start at most, whatever a list or a caller says.
const CELLS_EXPECTED_MAX: usize = 1 << 16;

/// The mode that builds a list over the rows of a block, in their order.
#[derive(Debug, Default)]
pub struct Record {
    /// In order of rows.
    changes: Vec<Recorded>,
    /// What the values of code changes number.
    codes: Vec<Bytes>,
    /// The least index that the next row may have.
    index_min: u32,
}

#[derive(Clone, Copy, Debug)]
struct Recorded {
    /// Of the cell that changed.
    position: u32,
    index: u32,
    /// The value after; for a code, its position in `codes`.
    post: U256,
}

impl Recorder<Record> {
    /// Starts a list. `items_expected` (of an earlier block, or of the list received) only makes room.
    pub fn new(items_expected: usize) -> Self {
        // Balances and nonces are cells too.
        let cells_expected = items_expected.saturating_mul(3) / 2;
        Self::with_mode(cells_expected.min(CELLS_EXPECTED_MAX), Record::default())
    }

    /// Accounts plus slots recorded, as the cap on items counts them; those of the open row included.
    pub fn item_count(&self) -> usize {
        self.cells.item_count()
    }

    /// The list, in canonical order.
    pub fn into_accounts(self) -> Vec<AccountChanges> {
        self.mode.accounts(&self.cells)
    }

    /// The list's RLP.
    pub fn into_bytes(self) -> Bytes {
        encode(&self.into_accounts())
    }
}

impl sealed::Mode for Record {
    type Verdict = ();
    const KEEPS_CELLS: bool = true;

    fn begin(&mut self, index: u32) {
        assert!(index >= self.index_min, "index {index} after {}", self.index_min.saturating_sub(1));
    }

    fn finish(&mut self, row: &RowCells<'_>) {
        self.index_min = row.index.saturating_add(1);
        for (position, cell) in row.accessed() {
            if row.is_changed(cell) {
                let post = match cell.key.part.kind {
                    Kind::Code => self.keep_code(row.code(&cell.after)),
                    _ => cell.after,
                };
                self.changes.push(Recorded { position, index: row.index, post });
            }
        }
    }

    fn memory_bytes(&self) -> usize {
        self.changes.capacity() * size_of::<Recorded>() + self.codes.capacity() * size_of::<Bytes>()
    }
}

impl Record {
    fn keep_code(&mut self, code: Bytes) -> U256 {
        self.codes.push(code);
        U256::from(self.codes.len() - 1)
    }

    /// Sorts cells by key and changes by cell, then walks the two side by side.
    pub(super) fn accounts(mut self, cells: &Cells) -> Vec<AccountChanges> {
        let cells = cells.cells();
        let mut order: Vec<u32> = (0..cells.len() as u32).collect();
        order.sort_unstable_by_key(|&position| cells[position as usize].key);
        let mut rank = vec![0; cells.len()];
        for (at, &position) in order.iter().enumerate() {
            rank[position as usize] = at;
        }
        self.changes.sort_unstable_by_key(|change| (rank[change.position as usize], change.index));

        let mut changes = self.changes.iter().peekable();
        let mut accounts = Vec::<AccountChanges>::new();
        for position in order {
            let Key { address, part } = cells[position as usize].key;
            if part.kind == Kind::Account {
                accounts.push(AccountChanges { address, ..Default::default() });
            }
            // Every account has a cell of that kind, and it sorts first.
            let Some(account) = accounts.last_mut() else { continue };
            let of_cell = std::iter::from_fn(|| changes.next_if(|change| change.position == position));
            let posts = of_cell.map(|change| Change { block_access_index: change.index, post: change.post });
            match part.kind {
                Kind::Account => {}
                Kind::Slot => match posts.collect::<Vec<_>>() {
                    reads if reads.is_empty() => account.storage_reads.push(part.slot),
                    changes => account.storage_changes.push(SlotChanges { slot: part.slot, changes }),
                },
                Kind::Balance => account.balance_changes.extend(posts),
                Kind::Nonce => account.nonce_changes.extend(posts.map(|change| change.map(nonce))),
                Kind::Code => account.code_changes.extend(posts.map(|change| change.map(|at| self.code(at)))),
            }
        }
        accounts
    }

    fn code(&self, position: U256) -> Bytes {
        self.codes[position.as_limbs()[0] as usize].clone()
    }
}
