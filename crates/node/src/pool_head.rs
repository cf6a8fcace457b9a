//! The chain's head, as the pool sees it.

use std::sync::Arc;

use balsa_chain::ChainView;
use balsa_chainspec::{base_fee_per_gas, blob_base_fee, excess_blob_gas};
use balsa_txpool::Head;

/// What the pool needs to know of the next block; `None` if the head's state is gone.
///
/// The next block's timestamp is not known, so its fork is taken to be that of the next second: no transaction of a
/// coming fork is let in before a block can hold it.
pub fn pool_head(view: &Arc<ChainView>) -> Option<Head> {
    let (spec, kept) = (view.spec(), view.head());
    let header = &kept.block.header;
    let merged = spec.is_merged_after(kept.total_difficulty);
    let rules = spec.rules_at(header.number + 1, header.timestamp.saturating_add(1), merged);
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
