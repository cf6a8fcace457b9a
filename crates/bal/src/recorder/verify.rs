//! Recording to hold each row against a list.

use super::{Recorder, RowCells, cells::Kind, sealed};
use crate::{AccessBits, Checked, FlatList, RowCheck};
use alloy_primitives::U256;
use std::sync::Arc;

/// Cells that a row is expected to need at most; more are found room for as they come.
const ROW_CELLS_EXPECTED_MAX: usize = 256;

/// The mode that compares each row with a list and keeps the accesses as bits.
#[derive(Debug)]
pub struct Verify {
    list: Arc<FlatList>,
    accessed: AccessBits,
}

impl Recorder<Verify> {
    /// Records against `list`.
    pub fn new(list: Arc<FlatList>) -> Self {
        let cells_expected = (list.len() + list.slots_len()).min(ROW_CELLS_EXPECTED_MAX);
        let accessed = AccessBits::new(&list);
        Self::with_mode(cells_expected, Verify { list, accessed })
    }

    /// The check of a row without a map, for a journal that names every account and slot once.
    pub fn check(&mut self, index: u32) -> RowCheck<'_> {
        RowCheck::new(&self.mode.list, &mut self.mode.accessed, index)
    }

    /// What was accessed so far.
    pub fn accessed(&self) -> &AccessBits {
        &self.mode.accessed
    }

    /// What was accessed, to be merged with that of other workers.
    pub fn into_accessed(self) -> AccessBits {
        self.mode.accessed
    }
}

impl sealed::Mode for Verify {
    type Verdict = Checked<()>;
    const KEEPS_CELLS: bool = false;

    fn finish(&mut self, row: &RowCells<'_>) -> Checked<()> {
        let mut check = RowCheck::new(&self.list, &mut self.accessed, row.index);
        for (_, cell) in row.accessed() {
            let ordinal = check.account(&cell.key.address)?;
            let changed = row.is_changed(cell);
            match cell.key.part.kind {
                Kind::Account => {}
                Kind::Slot => {
                    let slot = check.slot(ordinal, &cell.key.part.slot)?;
                    if changed {
                        check.storage(slot, cell.after)?;
                    }
                }
                Kind::Balance if changed => check.balance(ordinal, cell.after)?,
                Kind::Nonce if changed => check.nonce(ordinal, nonce(cell.after))?,
                Kind::Code if changed => check.code(ordinal, &row.code(&cell.after))?,
                Kind::Balance | Kind::Nonce | Kind::Code => {}
            }
        }
        check.finish()
    }

    fn memory_bytes(&self) -> usize {
        self.accessed.memory_bytes()
    }
}

/// A nonce as it was put into a cell: always 64 bits.
pub(super) fn nonce(value: U256) -> u64 {
    value.as_limbs()[0]
}
