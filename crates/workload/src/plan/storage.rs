//! Rows of storage, and computing.

use alloy_primitives::U256;

use super::{FilledRows, Plan};
use crate::abi::call;
use crate::intent::Call;

const BASE_GAS: u64 = 100_000;
const ROW_WRITTEN_GAS: u64 = 130_000;
const ROW_TOUCHED_GAS: u64 = 20_000;
const HASH_ROUND_GAS: u64 = 200;
const PRECOMPILE_ROUND_GAS: u64 = 30_000;
/// The hasher's result is a new slot for each caller.
const RESULT_GAS: u64 = 250_000;
/// How many ranges of rows are remembered; the oldest are forgotten, and stay.
const RANGES_MAX: usize = 4096;

impl Plan {
    /// New rows for the most part; now and then filled ones are written over.
    pub(super) fn storage_write(&mut self) -> Call {
        let count = self.draw_in(self.size.rows);
        let again = self.random.chance(400);
        let FilledRows { ledger, first, count } = match self.draw_rows().filter(|_| again) {
            Some(rows) => rows,
            None => self.new_rows(count),
        };
        let words = [U256::from(first), U256::from(count), U256::from(self.random.word())];
        let input = call("write(uint256,uint256,uint256)", &words);
        Call::new(self.world.ledgers[ledger].address, input, BASE_GAS + count * ROW_WRITTEN_GAS)
    }

    /// Rows that are filled, unless none is; then rows that are empty: a write without a change.
    pub(super) fn storage_clear(&mut self) -> Call {
        let position = self.random.index(self.known.rows.len());
        let rows = match self.known.rows.is_empty() {
            true => FilledRows { ledger: 0, first: 1 << 40, count: self.draw_in(self.size.rows) },
            false => self.known.rows.swap_remove(position),
        };
        self.ledger_call("clear(uint256,uint256)", rows)
    }

    /// Rows around filled ones, so some of them empty.
    pub(super) fn storage_read(&mut self) -> Call {
        let count = self.draw_in(self.size.rows_read);
        let near = self.draw_rows().unwrap_or(FilledRows { ledger: 0, first: 0, count });
        self.ledger_call("read(uint256,uint256)", FilledRows { count, ..near })
    }

    pub(super) fn hash(&mut self) -> Call {
        let rounds = self.draw_in(self.size.hash_rounds);
        self.hasher_call("hash(uint256)", rounds, HASH_ROUND_GAS)
    }

    pub(super) fn precompiles(&mut self) -> Call {
        let rounds = self.draw_in(self.size.hash_rounds).div_ceil(400);
        self.hasher_call("precompiles(uint256)", rounds, PRECOMPILE_ROUND_GAS)
    }

    fn hasher_call(&self, signature: &str, rounds: u64, round_gas: u64) -> Call {
        let input = call(signature, &[U256::from(rounds)]);
        Call::new(self.world.singles.hasher.address, input, RESULT_GAS + rounds * round_gas)
    }

    fn ledger_call(&self, signature: &str, rows: FilledRows) -> Call {
        let input = call(signature, &[U256::from(rows.first), U256::from(rows.count)]);
        Call::new(self.world.ledgers[rows.ledger].address, input, BASE_GAS + rows.count * ROW_TOUCHED_GAS)
    }

    fn new_rows(&mut self, count: u64) -> FilledRows {
        let ledger = self.draw_hot(self.world.ledgers.len());
        let first = self.known.free_rows[ledger];
        self.known.free_rows[ledger] += count;
        let rows = FilledRows { ledger, first, count };
        match self.known.rows.len() < RANGES_MAX {
            true => self.known.rows.push(rows),
            false => {
                let forgotten = self.random.index(RANGES_MAX);
                self.known.rows[forgotten] = rows;
            }
        }
        rows
    }

    fn draw_rows(&mut self) -> Option<FilledRows> {
        let position = self.random.index(self.known.rows.len());
        self.known.rows.get(position).copied()
    }
}
