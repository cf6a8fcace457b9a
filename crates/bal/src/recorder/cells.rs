//! The one map of a recorder: a cell for everything that was accessed.

use crate::position_table::{Found, PositionTable};
use alloy_primitives::{Address, Bytes, U256};
use std::hash::{Hash, Hasher};

/// What of an account a cell is about, in the order of the fields of `AccountChanges`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Its being accessed.
    Account,
    Slot,
    Balance,
    Nonce,
    /// The hash of its code.
    Code,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    pub(crate) kind: Kind,
    /// Zero unless `kind` is `Slot`.
    pub(crate) slot: U256,
}

impl Part {
    pub(crate) const ACCOUNT: Self = Self { kind: Kind::Account, slot: U256::ZERO };
    pub(crate) const BALANCE: Self = Self { kind: Kind::Balance, slot: U256::ZERO };
    pub(crate) const NONCE: Self = Self { kind: Kind::Nonce, slot: U256::ZERO };
    pub(crate) const CODE: Self = Self { kind: Kind::Code, slot: U256::ZERO };

    pub(crate) fn slot(slot: U256) -> Self {
        Self { kind: Kind::Slot, slot }
    }
}

/// Sorts as a list does: by address, within an account by slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) address: Address,
    pub(crate) part: Part,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.address.as_slice());
        state.write_u8(self.part.kind as u8);
        if self.part.kind == Kind::Slot {
            for limb in self.part.slot.as_limbs() {
                state.write_u64(*limb);
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) key: Key,
    /// The value before the row, as of the first access in it.
    pub(crate) before: U256,
    /// The value now.
    pub(crate) after: U256,
    /// Whether the row has accessed it. In other rows' cells `before` and `after` mean nothing.
    in_row: bool,
}

/// All cells in order of first access, and the state of the open row.
#[derive(Debug)]
pub(crate) struct Cells {
    cells: Vec<Cell>,
    table: PositionTable,
    /// How many of the cells are of kind `Account`, and of kind `Slot`.
    accounts: usize,
    slots: usize,

    /// Number of cells when the row began.
    cells_before: usize,
    /// Positions of the row's cells.
    in_row: Vec<u32>,
    /// Writes within open frames.
    undo: Vec<Undo>,
    frames: Vec<Frame>,
    destroyed: Vec<Address>,
    /// Codes set in the row, by their hash.
    codes: Vec<(U256, Bytes)>,
}

#[derive(Clone, Copy, Debug)]
struct Undo {
    position: u32,
    after: U256,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    undo: usize,
    destroyed: usize,
}

impl Cells {
    pub(crate) fn with_capacity(len: usize) -> Self {
        Self {
            cells: Vec::with_capacity(len),
            table: PositionTable::with_capacity(len),
            accounts: 0,
            slots: 0,
            cells_before: 0,
            in_row: Vec::new(),
            undo: Vec::new(),
            frames: Vec::new(),
            destroyed: Vec::new(),
            codes: Vec::new(),
        }
    }

    /// Accesses a cell; `value` is what it holds, used if the row has not accessed it yet.
    #[inline]
    pub(crate) fn access(&mut self, address: Address, part: Part, value: U256) {
        self.open(Key { address, part }, value);
    }

    /// Accesses a cell and sets its value.
    #[inline]
    pub(crate) fn write(&mut self, address: Address, part: Part, before: U256, after: U256) {
        let position = self.open(Key { address, part }, before);
        let cell = &mut self.cells[position as usize];
        if !self.frames.is_empty() {
            self.undo.push(Undo { position, after: cell.after });
        }
        cell.after = after;
    }

    pub(crate) fn destroy(&mut self, address: Address) {
        self.access(address, Part::ACCOUNT, U256::ZERO);
        self.destroyed.push(address);
    }

    pub(crate) fn keep_code(&mut self, hash: U256, code: &Bytes) {
        self.codes.push((hash, code.clone()));
    }

    /// The position of a cell of the row: one look-up, whether it is new or not.
    #[inline]
    fn open(&mut self, key: Key, value: U256) -> u32 {
        match self.table.find(&key, |position| self.cells[position as usize].key == key) {
            Found::At(position) => {
                let cell = &mut self.cells[position as usize];
                if !cell.in_row {
                    *cell = Cell { key, before: value, after: value, in_row: true };
                    self.in_row.push(position);
                }
                position
            }
            Found::Free(entry) => self.add(entry, key, value),
        }
    }

    fn add(&mut self, entry: usize, key: Key, value: U256) -> u32 {
        let position = self.cells.len() as u32;
        self.cells.push(Cell { key, before: value, after: value, in_row: true });
        self.in_row.push(position);
        self.table.insert(entry, position);
        if self.table.is_full(self.cells.len()) {
            self.table.grow(self.cells.iter().map(|cell| &cell.key));
        }
        match key.part.kind {
            Kind::Account => self.accounts += 1,
            kind => {
                self.slots += usize::from(kind == Kind::Slot);
                // So that counting accounts is counting cells.
                self.open(Key { address: key.address, part: Part::ACCOUNT }, U256::ZERO);
            }
        }
        position
    }

    /// What a cell holds, if the row has accessed it.
    pub(crate) fn value(&self, address: Address, part: Part) -> Option<U256> {
        let key = Key { address, part };
        match self.table.find(&key, |position| self.cells[position as usize].key == key) {
            Found::At(position) => {
                Some(self.cells[position as usize]).filter(|cell| cell.in_row).map(|cell| cell.after)
            }
            Found::Free(_) => None,
        }
    }

    pub(crate) fn is_marked_destroyed(&self, address: &Address) -> bool {
        self.destroyed.contains(address)
    }

    pub(crate) fn depth(&self) -> usize {
        self.frames.len()
    }

    pub(crate) fn enter_frame(&mut self) {
        self.frames.push(Frame { undo: self.undo.len(), destroyed: self.destroyed.len() });
    }

    pub(crate) fn commit_frame(&mut self) {
        self.frames.pop().expect("a frame is open");
        if self.frames.is_empty() {
            self.undo.clear();
        }
    }

    pub(crate) fn revert_frame(&mut self) {
        let frame = self.frames.pop().expect("a frame is open");
        for undo in self.undo.drain(frame.undo..).rev() {
            self.cells[undo.position as usize].after = undo.after;
        }
        self.destroyed.truncate(frame.destroyed);
    }
}

/// Rows.
impl Cells {
    pub(crate) fn begin(&mut self) {
        self.cells_before = self.cells.len();
    }

    /// The row as it is complete. Sorts what is looked up in it: one transaction can destroy a thousand accounts.
    pub(crate) fn row(&mut self, index: u32) -> RowCells<'_> {
        assert!(self.frames.is_empty(), "a row ends outside all frames");
        self.destroyed.sort_unstable();
        self.codes.sort_unstable_by_key(|(hash, _)| *hash);
        RowCells { cells: self, index }
    }

    /// Ends the row; its cells stay for the next one if `keep`.
    pub(crate) fn finish(&mut self, keep: bool) {
        self.close_row();
        if !keep {
            self.truncate(0);
        }
    }

    /// Ends the row as if it had not been.
    pub(crate) fn discard(&mut self) {
        self.close_row();
        self.truncate(self.cells_before);
    }

    fn close_row(&mut self) {
        for position in self.in_row.drain(..) {
            self.cells[position as usize].in_row = false;
        }
        self.undo.clear();
        self.frames.clear();
        self.destroyed.clear();
        self.codes.clear();
    }

    fn truncate(&mut self, len: usize) {
        // Few cells in a large table are cheaper removed one by one.
        let one_by_one = len > 0 || 8 * self.cells.len() < self.table.size();
        if !one_by_one {
            self.table.clear();
        }
        while self.cells.len() > len
            && let Some(cell) = self.cells.pop()
        {
            if one_by_one {
                self.table.remove_last(&cell.key, self.cells.len() as u32);
            }
            self.accounts -= usize::from(cell.key.part.kind == Kind::Account);
            self.slots -= usize::from(cell.key.part.kind == Kind::Slot);
        }
    }
}

/// All cells, for building a list.
impl Cells {
    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Accounts plus slots.
    pub(crate) fn item_count(&self) -> usize {
        self.accounts + self.slots
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.cells.capacity() * size_of::<Cell>()
            + (self.table.size() + self.in_row.capacity()) * size_of::<u32>()
            + self.undo.capacity() * size_of::<Undo>()
            + self.frames.capacity() * size_of::<Frame>()
            + self.codes.capacity() * size_of::<(U256, Bytes)>()
    }
}

/// A row that is complete.
pub struct RowCells<'a> {
    cells: &'a Cells,
    pub(crate) index: u32,
}

impl<'a> RowCells<'a> {
    /// Position and cell of everything that the row accessed, in order of access.
    pub(crate) fn accessed(&self) -> impl Iterator<Item = (u32, &'a Cell)> {
        self.cells.in_row.iter().map(|&position| (position, &self.cells.cells[position as usize]))
    }

    /// Whether the row as a whole changed what the cell is about.
    pub(crate) fn is_changed(&self, cell: &Cell) -> bool {
        cell.before != cell.after && !(cell.key.part.kind != Kind::Balance && self.is_destroyed(&cell.key.address))
    }

    /// The code that hashes to `hash`, set in this row.
    pub(crate) fn code(&self, hash: &U256) -> Bytes {
        match self.cells.codes.binary_search_by_key(hash, |(hash, _)| *hash) {
            Ok(at) => self.cells.codes[at].1.clone(),
            Err(_) => Bytes::new(),
        }
    }

    fn is_destroyed(&self, address: &Address) -> bool {
        self.cells.destroyed.binary_search(address).is_ok()
    }
}
