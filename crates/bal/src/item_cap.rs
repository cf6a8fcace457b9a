//! What a block's gas pays for: the bound on a list's size, and the early look at its reads.
//!
//! <https://eips.ethereum.org/EIPS/eip-7928#block-access-list-size-constraint>

/// Gas that one item of the list, an address or a storage key, stands for.
pub const ITEM_COST: u64 = 2000;

/// The most items that a list may have.
pub fn item_count_max(gas_limit: u64) -> u64 {
    gas_limit / ITEM_COST
}

/// Whether `gas_remaining` can still pay for `reads_remaining` declared reads that nobody has made yet. If not, the
/// block is invalid, whatever the rest of it does: looked at every few transactions, this stops a block of phantom
/// reads early.
pub fn reads_feasible(reads_remaining: u64, gas_remaining: u64) -> bool {
    reads_remaining <= gas_remaining / ITEM_COST
}
