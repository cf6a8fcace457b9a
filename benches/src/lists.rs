//! Block access lists of the shape that a full block has.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use balsa_bal::{AccountChanges, Change, Limits, ListBuilder, SlotChanges};
use std::collections::BTreeSet;

/// Transactions of the block.
pub const TRANSACTIONS: u32 = 200;

/// What such a block allows.
pub const LIMITS: Limits = Limits { index_max: TRANSACTIONS + 1, gas_limit: 60_000_000, code_size_max: 24_576 };

/// A list of about `items` addresses and slots: a quarter accounts, of which a tenth are contracts with skewed numbers
/// of slots; a third of the slots written, hot ones many times; senders with a balance and a nonce each; one deployed
/// code for every thousand items.
pub fn list(items: usize) -> Vec<AccountChanges> {
    let mut random = Random(0);
    let accounts = items / 4;
    let contracts = accounts / 10;
    let mut slots_left = items - accounts;
    let mut builder = ListBuilder::new();
    for at in 0..accounts {
        let mut account = AccountChanges { address: Address::from_slice(&random.next()[12..]), ..Default::default() };
        if at < contracts {
            let slots = if at + 1 == contracts { slots_left } else { slots_left / 12 };
            slots_left -= slots;
            fill_contract(&mut account, slots, &mut random);
        } else if random.one_in(2) {
            account.balance_changes = changes(1 + random.below(2), &mut random, |random| random.integer(10));
            account.nonce_changes = changes(1, &mut random, |random| u64::from(random.below(1000)));
        }
        if at % 250 == 0 {
            let size = 1000 + random.below(6000) as usize;
            account.code_changes = changes(1, &mut random, |_| Bytes::from(vec![0x5b; size]));
        }
        builder.account(account);
    }
    builder.build()
}

fn fill_contract(account: &mut AccountChanges, slots: usize, random: &mut Random) {
    let mut seen = BTreeSet::new();
    for _ in 0..slots {
        let slot = match random.one_in(8) {
            // Plain variables against entries of mappings.
            true => U256::from(random.below(4000)),
            false => U256::from_be_bytes(random.next().0),
        };
        if !seen.insert(slot) {
            continue;
        }
        if random.one_in(3) {
            let hot = if random.one_in(20) { 40 } else { 2 };
            let changes = changes(1 + random.below(hot), random, |random| match random.below(4) {
                0 => U256::from_be_bytes(random.next().0),
                1 => random.integer(20),
                2 => random.integer(12),
                _ => U256::from(random.below(2)),
            });
            account.storage_changes.push(SlotChanges { slot, changes });
        } else {
            account.storage_reads.push(slot);
        }
    }
}

fn changes<T>(count: u32, random: &mut Random, mut post: impl FnMut(&mut Random) -> T) -> Vec<Change<T>> {
    let indices: BTreeSet<_> = (0..count).map(|_| 1 + random.below(TRANSACTIONS)).collect();
    indices.into_iter().map(|block_access_index| Change { block_access_index, post: post(random) }).collect()
}

/// The same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> B256 {
        self.0 += 1;
        keccak256(self.0.to_be_bytes())
    }

    fn below(&mut self, end: u32) -> u32 {
        (u64::from_be_bytes(self.next()[..8].try_into().unwrap_or_default()) % u64::from(end)) as u32
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }

    /// An integer of at most `size` bytes.
    fn integer(&mut self, size: usize) -> U256 {
        U256::from_be_slice(&self.next()[..size])
    }
}
