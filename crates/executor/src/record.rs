//! What the EVM left behind, as the list's recorder takes it.

use alloy_primitives::Bytes;
use balsa_bal::{AccountAccess, Mode, Recorder, SlotAccess, Transition};
use balsa_evm::AccountOutcome;

/// Records one block access index: each account once, with all its slots.
pub fn record_index<'o, M: Mode<Verdict = ()>>(
    recorder: &mut Recorder<M>,
    index: u32,
    outcomes: impl Iterator<Item = AccountOutcome<'o>>,
) {
    let mut row = recorder.begin(index);
    for outcome in outcomes {
        let code = outcome.code.map(Bytes::copy_from_slice);
        row.access_account(&access_of(&outcome, code.as_ref()), slots_of(&outcome));
    }
    row.finish();
}

/// An account of a journal. `code` is the outcome's.
pub(crate) fn access_of<'c>(outcome: &AccountOutcome<'_>, code: Option<&'c Bytes>) -> AccountAccess<'c> {
    let (before, after) = (outcome.info_before(), outcome.info_after());
    AccountAccess {
        address: outcome.address,
        balance: Transition::new(before.balance, after.balance),
        nonce: Transition::new(before.nonce, after.nonce),
        code_hash: Transition::new(before.code_hash, after.code_hash),
        code,
        destroyed: outcome.storage_cleared,
    }
}

/// Its slots.
pub(crate) fn slots_of(outcome: &AccountOutcome<'_>) -> impl Iterator<Item = SlotAccess> {
    let slot =
        |slot: balsa_evm::SlotOutcome| SlotAccess { slot: slot.slot, value: Transition::new(slot.before, slot.after) };
    outcome.slots.iter().map(slot)
}
