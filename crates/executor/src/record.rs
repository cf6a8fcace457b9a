//! What the EVM left behind, as the list's recorder takes it.

use alloy_primitives::Bytes;
use balsa_bal::{AccountAccess, Record, Recorder, SlotAccess, Transition};
use balsa_evm::AccountOutcome;

/// Records one block access index: each account once, with all its slots.
pub fn record_index<'o>(
    recorder: &mut Recorder<Record>,
    index: u32,
    outcomes: impl Iterator<Item = AccountOutcome<'o>>,
) {
    let mut row = recorder.begin(index);
    for outcome in outcomes {
        let (before, after) = (outcome.info_before(), outcome.info_after());
        let code = outcome.code.map(Bytes::copy_from_slice);
        let access = AccountAccess {
            address: outcome.address,
            balance: Transition::new(before.balance, after.balance),
            nonce: Transition::new(before.nonce, after.nonce),
            code_hash: Transition::new(before.code_hash, after.code_hash),
            code: code.as_ref(),
            destroyed: outcome.storage_cleared,
        };
        let slot = |slot: balsa_evm::SlotOutcome| SlotAccess {
            slot: slot.slot,
            value: Transition::new(slot.before, slot.after),
        };
        row.access_account(&access, outcome.slots.iter().map(slot));
    }
    row.finish();
}
