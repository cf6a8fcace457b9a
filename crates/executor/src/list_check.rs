//! Whether one block access index did what the list says.

use balsa_bal::{AccessBits, FlatList, Mismatch, RowCheck};
use balsa_evm::AccountOutcome;

/// Holds the outcomes of one index against its row of the list: every change found with an equal value, and no more
/// changes listed than were found. With the list's uniqueness that is equality of the two sets. Accesses are marked.
///
/// # Errors
/// The first divergence.
pub(crate) fn check_row<'o>(
    list: &FlatList,
    accessed: &mut AccessBits,
    index: u32,
    outcomes: impl Iterator<Item = AccountOutcome<'o>>,
) -> Result<(), Box<Mismatch>> {
    let mut row = RowCheck::new(list, accessed, index);
    for outcome in outcomes {
        let ordinal = match outcome.ordinal {
            Some(ordinal) => {
                row.touch(ordinal);
                ordinal
            }
            None => row.account(&outcome.address)?,
        };
        let (before, after) = (outcome.info_before(), outcome.info_after());
        if before.balance != after.balance {
            row.balance(ordinal, after.balance)?;
        }
        if before.nonce != after.nonce {
            row.nonce(ordinal, after.nonce)?;
        }
        if before.code_hash != after.code_hash {
            row.code(ordinal, outcome.code.unwrap_or_default())?;
        }
        for slot in outcome.slots.iter() {
            let slot_ordinal = row.slot(ordinal, &slot.slot)?;
            if slot.before != slot.after {
                row.storage(slot_ordinal, slot.after)?;
            }
        }
    }
    row.finish()
}
