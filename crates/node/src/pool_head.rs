//! The chain's head, as the pool sees it.

use std::sync::Arc;

use balsa_chain::ChainView;
use balsa_chainspec::{base_fee_per_gas, blob_base_fee, excess_blob_gas};
use balsa_txpool::Head;

/// The longest slot, in seconds. A head that came longer after its parent had missed slots before it.
const SLOT_SECONDS_MAX: u64 = 12;

/// What the pool needs to know of the next block; `None` if the head's state is gone.
///
/// The next block comes a slot after the head, and its fork is that of this time: in the first slot of a fork the pool
/// goes by the fork's rules already. A slot is as long as the time between the head and its parent. No clock is looked
/// at: where slots are missed the consensus client's next attributes say better (`pool_head_at`).
pub fn pool_head(view: &Arc<ChainView>) -> Option<Head> {
    let header = &view.head().block.header;
    let parent = view.header(&header.parent_hash).ok().flatten();
    let slot = parent.map_or(1, |parent| header.timestamp.saturating_sub(parent.timestamp));
    pool_head_at(view, header.timestamp.saturating_add(slot.clamp(1, SLOT_SECONDS_MAX)))
}

/// The same where the next block's timestamp is known.
pub(crate) fn pool_head_at(view: &Arc<ChainView>, timestamp: u64) -> Option<Head> {
    let (spec, kept) = (view.spec(), view.head());
    let header = &kept.block.header;
    let merged = spec.is_merged_after(kept.total_difficulty);
    let rules = spec.rules_at(header.number + 1, timestamp, merged);
    let parent_rules = spec.rules_of(header);
    let excess = excess_blob_gas(&rules, header);
    Some(Head {
        state: view.state(&kept.hash())?,
        gas_limit: header.gas_limit,
        base_fee: base_fee_per_gas(&rules, &parent_rules, header).unwrap_or_default(),
        blob_base_fee: rules.blobs.zip(excess).map_or(0, |(blobs, excess)| blob_base_fee(&blobs, excess)),
        rules,
    })
}
