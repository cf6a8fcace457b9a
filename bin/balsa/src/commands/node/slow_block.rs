//! One line of JSON for a block that took long, in the form that geth and Nethermind share.

use super::report::megagas_per_second;
use crate::bench::{sample::Stage, stage_recorder::BlockStages};
use balsa_bal::{FlatList, Limits};
use balsa_chain::{Chain, KeptBlock};
use balsa_state::ReadCacheStats;
use serde_json::{Value, json};
use std::time::Duration;

/// Tells of blocks that take longer than the operator likes.
pub(crate) struct SlowBlocks {
    threshold: Duration,
    cache_before: ReadCacheStats,
}

impl SlowBlocks {
    pub(crate) fn new(threshold: Duration) -> Self {
        Self { threshold, cache_before: ReadCacheStats::default() }
    }

    /// A block was imported.
    pub(crate) fn imported(&mut self, chain: &Chain, kept: &KeptBlock, stages: &BlockStages, elapsed: Duration) {
        let now = chain.cache_stats();
        let before = std::mem::replace(&mut self.cache_before, now);
        if elapsed < self.threshold {
            return;
        }
        let cache = (now.hits.saturating_sub(before.hits), now.misses.saturating_sub(before.misses));
        tracing::warn!("{}", slow_block(kept, stages, cache, elapsed));
    }
}

/// The line. Reads are those that the access list names. The read cache does not tell accounts from slots, so its hits and
/// misses stand under `state`, not under `account` and `storage`.
fn slow_block(kept: &KeptBlock, stages: &BlockStages, cache: (u64, u64), elapsed: Duration) -> Value {
    let milliseconds = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    let of = |stage| milliseconds(stages.times.of(stage));
    let header = &kept.block.header;
    let (accounts, slots) = reads(kept);
    let diff = kept.diff();
    let storage = diff.storage.iter().flat_map(|storage| &storage.slots);
    let (written, deleted) = (storage.clone().count(), storage.filter(|(_, value)| value.is_zero()).count());
    json!({
        "level": "warn",
        "msg": "Slow block",
        "block": {
            "number": header.number,
            "hash": kept.hash(),
            "gas_used": header.gas_used,
            "tx_count": kept.block.transactions.len(),
        },
        "timing": {
            "execution_ms": of(Stage::Execute),
            "state_read_ms": of(Stage::Prefetch),
            "state_hash_ms": of(Stage::Merkleize),
            "commit_ms": milliseconds(stages.times.of(Stage::Stage) + stages.hand_over),
            "total_ms": milliseconds(elapsed),
        },
        "throughput": { "mgas_per_sec": (megagas_per_second(header.gas_used, elapsed) * 100.0).round() / 100.0 },
        "state_reads": { "accounts": accounts, "storage_slots": slots },
        "state_writes": {
            "accounts": diff.accounts.len(),
            "accounts_deleted": diff.accounts.iter().filter(|(_, account)| account.is_none()).count(),
            "storage_slots": written,
            "storage_slots_deleted": deleted,
            "code": diff.codes.len(),
            "code_bytes": diff.codes.iter().map(|(_, code)| code.len()).sum::<usize>(),
        },
        "cache": { "state": hit_rate(cache) },
        "bal": {
            "size_bytes": kept.list.as_ref().map_or(0, |list| list.len()),
            "hidden_state_hash_ms": milliseconds(stages.merkleize_hidden),
        },
    })
}

/// Accounts and slots that the list names; nothing without one.
fn reads(kept: &KeptBlock) -> (usize, usize) {
    let Some(list) = &kept.list else { return (0, 0) };
    let index_max = kept.block.transactions.len() as u32 + 1;
    // The block was executed with it: the limits were kept.
    let limits = Limits { index_max, gas_limit: kept.block.header.gas_limit, code_size_max: usize::MAX };
    FlatList::decode(list.clone(), &limits).map_or((0, 0), |list| (list.len(), list.slots_len()))
}

fn hit_rate((hits, misses): (u64, u64)) -> Value {
    let all = hits + misses;
    let rate = if all == 0 { 0.0 } else { (hits as f64 / all as f64 * 10_000.0).round() / 100.0 };
    json!({ "hits": hits, "misses": misses, "hit_rate": rate })
}
