//! Every access of a block in order, with the instruction that made it: for people who ask why a list says what it says.

use alloy_primitives::Bytes;
use balsa_bal::{Event, Recorder, Row, Trace};
use balsa_evm::{AccessWatch, PlacedEvent};

use crate::{
    ExecuteError, Executor, Parent, Replay, SealedBlock,
    record::{access_of, record_index, slots_of},
};

/// Runs a block's transactions once more and records every access. The list that it comes to is the block's, if the
/// block is valid.
///
/// # Errors
/// A transaction may not stand where it stands, or state cannot be read.
pub fn trace_accesses(
    executor: &Executor,
    block: &SealedBlock,
    parent: &Parent,
) -> Result<Recorder<Trace>, ExecuteError> {
    let mut recorder = Recorder::<Trace>::new();
    let mut replay = Replay::open(executor, block, parent)?;
    record_index(&mut recorder, 0, replay.before().iter());
    let count = block.transactions.len() as u32;
    for index in 1..=count {
        replay.next(AccessWatch::default(), |evm| {
            let mut row = recorder.begin(index);
            evm.observer().events().iter().for_each(|event| record_event(&mut row, event));
            for outcome in evm.outcomes() {
                let code = outcome.code.map(Bytes::copy_from_slice);
                row.settle(&access_of(&outcome, code.as_ref()), slots_of(&outcome));
            }
            row.finish();
        })?;
    }
    record_index(&mut recorder, count + 1, replay.finish()?.iter());
    Ok(recorder)
}

fn record_event(row: &mut Row<'_, Trace>, placed: &PlacedEvent) {
    row.at(placed.place);
    match placed.event {
        Event::Touch { address } => row.touch(address),
        Event::Balance { address, before, after } => row.balance(address, before, after),
        Event::Nonce { address, before, after } => row.nonce(address, before, after),
        Event::Code { address, before, after } => {
            row.code(address, before, after, &placed.code.clone().unwrap_or_default());
        }
        Event::SlotRead { address, slot, value } => row.slot_read(address, slot, value),
        Event::SlotWrite { address, slot, before, after } => row.slot_write(address, slot, before, after),
        Event::Destroy { address } => row.destroy(address),
        Event::FrameEntered => row.enter_frame(),
        Event::FrameCommitted => row.commit_frame(),
        Event::FrameReverted => row.revert_frame(),
    }
}
