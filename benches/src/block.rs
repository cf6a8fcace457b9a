//! A block as its journals, to be recorded and checked.

use crate::lists::{LIMITS, TRANSACTIONS, list};
use alloy_primitives::{B256, Bytes, U256};
use balsa_bal::{
    AccessBits, AccountAccess, FlatList, Mode, Record, Recorder, Row, RowCheck, SlotAccess, Trace, Transition, Verify,
    encode,
};
use std::{collections::BTreeMap, sync::Arc};

/// What each index of the block does, as journals: every account and slot that the list has at the index, and reads of
/// some more dealt to the indices in turn.
pub struct Block {
    list: Arc<FlatList>,
    rows: Vec<BTreeMap<u32, Journal>>,
}

#[derive(Clone, Default)]
struct Journal {
    balance: Option<U256>,
    nonce: Option<u64>,
    code: Option<Bytes>,
    slots: Vec<SlotAccess>,
}

impl Block {
    /// A block with a list of about `items` items.
    ///
    /// # Panics
    /// If the list is not valid: a bug here.
    pub fn new(items: usize) -> Self {
        let list = Arc::new(FlatList::decode(encode(&list(items)), &LIMITS).expect("a valid list"));
        let mut rows = vec![BTreeMap::<u32, Journal>::new(); TRANSACTIONS as usize + 2];
        for ordinal in 0..list.len() as u32 {
            for (index, balance) in list.balance_changes(ordinal) {
                rows[index as usize].entry(ordinal).or_default().balance = Some(balance);
            }
            for (index, nonce) in list.nonce_changes(ordinal) {
                rows[index as usize].entry(ordinal).or_default().nonce = Some(nonce);
            }
            for (index, code) in list.code_changes(ordinal) {
                rows[index as usize].entry(ordinal).or_default().code = Some(list.code(code));
            }
            for slot in list.changed_slots(ordinal) {
                for (index, after) in list.slot_changes(slot) {
                    let value = Transition::new(!after, after);
                    let journal = rows[index as usize].entry(ordinal).or_default();
                    journal.slots.push(SlotAccess { slot: list.slot(slot), value });
                }
            }
            let index = 1 + ordinal as usize % TRANSACTIONS as usize;
            rows[index].entry(ordinal).or_default();
            for slot in list.read_slots(ordinal) {
                let value = Transition::new(U256::ONE, U256::ONE);
                let journal = rows[1 + slot as usize % TRANSACTIONS as usize].entry(ordinal).or_default();
                journal.slots.push(SlotAccess { slot: list.slot(slot), value });
            }
        }
        Self { list, rows }
    }

    /// Its list.
    pub fn list(&self) -> &FlatList {
        &self.list
    }

    /// Accounts and slots that its indices access, counted at each.
    pub fn accesses(&self) -> usize {
        self.rows.iter().flat_map(BTreeMap::values).map(|journal| 1 + journal.slots.len()).sum()
    }

    fn journal(&self, index: usize, mut give: impl FnMut(&AccountAccess<'_>, &[SlotAccess])) {
        for (&ordinal, journal) in &self.rows[index] {
            let code_after = journal.code.as_ref().map_or(B256::ZERO, |_| B256::repeat_byte(1));
            let access = AccountAccess {
                address: self.list.address(ordinal),
                balance: journal.balance.map_or(Transition::new(U256::ONE, U256::ONE), |b| Transition::new(!b, b)),
                nonce: journal.nonce.map_or(Transition::new(1, 1), |nonce| Transition::new(!nonce, nonce)),
                code_hash: Transition::new(B256::ZERO, code_after),
                code: journal.code.as_ref(),
                destroyed: false,
            };
            give(&access, &journal.slots);
        }
    }
}

fn feed<M: Mode>(block: &Block, index: usize, row: &mut Row<'_, M>) {
    block.journal(index, |access, slots| row.access_account(access, slots.iter().copied()));
}

/// Checks every row without a map.
///
/// # Panics
/// If the block does not do what its list says: a bug here.
pub fn check(block: &Block) -> AccessBits {
    let mut accessed = AccessBits::new(&block.list);
    for index in 0..block.rows.len() {
        let mut check = RowCheck::new(&block.list, &mut accessed, index as u32);
        block.journal(index, |access, slots| check.access_account(access, slots.iter().copied()).expect("the list's"));
        check.finish().expect("the list's");
    }
    accessed
}

/// Checks every row through a map, as rows of several calls need it.
///
/// # Panics
/// If the block does not do what its list says: a bug here.
pub fn verify(block: &Block) -> Recorder<Verify> {
    let mut recorder = Recorder::<Verify>::new(block.list.clone());
    for index in 0..block.rows.len() {
        let mut row = recorder.begin(index as u32);
        feed(block, index, &mut row);
        row.finish().expect("the list's");
    }
    recorder
}

/// Records every row.
pub fn record(block: &Block) -> Recorder<Record> {
    let mut recorder = Recorder::<Record>::new(block.list.item_count() as usize);
    for index in 0..block.rows.len() {
        let mut row = recorder.begin(index as u32);
        feed(block, index, &mut row);
        row.finish();
    }
    recorder
}

/// Records and logs every row.
pub fn trace(block: &Block) -> Recorder<Trace> {
    let mut recorder = Recorder::<Trace>::new();
    for index in 0..block.rows.len() {
        let mut row = recorder.begin(index as u32);
        feed(block, index, &mut row);
        row.finish();
    }
    recorder
}
