//! One line of JSON for a block that took long, in the form that geth and Nethermind share.

use super::report::megagas_per_second;
use crate::{
    bench::{sample::Stage, stage_recorder::BlockStages},
    logging::JSON_LINE,
};
use balsa_bal::{FlatList, Limits};
use balsa_chain::{Chain, KeptBlock};
use balsa_evm::CodeReads;
use balsa_state::{CacheReads, ReadCacheStats};
use serde_json::{Value, json};
use std::time::Duration;

/// Tells of blocks that take longer than the operator likes.
pub(crate) struct SlowBlocks {
    threshold: Duration,
    before: CacheCounts,
}

/// How reads went, by kind.
#[derive(Clone, Copy, Debug, Default)]
struct CacheCounts {
    state: ReadCacheStats,
    codes: CodeReads,
}

impl SlowBlocks {
    pub(crate) fn new(threshold: Duration) -> Self {
        Self { threshold, before: CacheCounts::default() }
    }

    /// A block was imported.
    pub(crate) fn imported(&mut self, chain: &Chain, kept: &KeptBlock, stages: &BlockStages, elapsed: Duration) {
        let now = CacheCounts { state: chain.cache_stats(), codes: chain.executor().codes().reads() };
        let before = std::mem::replace(&mut self.before, now);
        if elapsed < self.threshold {
            return;
        }
        let cache = Cache {
            accounts: now.state.accounts.since(before.state.accounts),
            slots: now.state.slots.since(before.state.slots),
            codes: now.codes.since(before.codes),
        };
        tracing::warn!(target: JSON_LINE, "{}", slow_block(kept, stages, &cache, elapsed));
    }
}

/// How the reads of one block went. Code is counted for everything that ran meanwhile, calls included.
struct Cache {
    accounts: CacheReads,
    slots: CacheReads,
    codes: CodeReads,
}

/// The line. Reads of accounts and slots are those that the access list names; without a list, those that were made.
fn slow_block(kept: &KeptBlock, stages: &BlockStages, cache: &Cache, elapsed: Duration) -> Value {
    let milliseconds = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    let of = |stage| milliseconds(stages.times.of(stage));
    let header = &kept.block.header;
    let (accounts, slots) = listed(kept).unwrap_or((cache.accounts.all(), cache.slots.all()));
    let codes = &cache.codes;
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
        "state_reads": {
            "accounts": accounts,
            "storage_slots": slots,
            "code": codes.hits + codes.misses,
            "code_bytes": codes.hit_bytes + codes.miss_bytes,
        },
        "state_writes": {
            "accounts": diff.accounts.len(),
            "accounts_deleted": diff.accounts.iter().filter(|(_, account)| account.is_none()).count(),
            "storage_slots": written,
            "storage_slots_deleted": deleted,
            "code": diff.codes.len(),
            "code_bytes": diff.codes.iter().map(|(_, code)| code.len()).sum::<usize>(),
        },
        "cache": {
            "account": counted(cache.accounts),
            "storage": counted(cache.slots),
            "code": {
                "hits": codes.hits,
                "misses": codes.misses,
                "hit_rate": hit_rate(codes.hits, codes.misses),
                "hit_bytes": codes.hit_bytes,
                "miss_bytes": codes.miss_bytes,
            },
        },
        "bal": {
            "size_bytes": kept.list.as_ref().map_or(0, |list| list.len()),
            "hidden_state_hash_ms": milliseconds(stages.merkleize_hidden),
            "parallelism": (stages.parallelism() * 100.0).round() / 100.0,
        },
    })
}

/// Accounts and slots that the list names; `None` without one.
fn listed(kept: &KeptBlock) -> Option<(u64, u64)> {
    let index_max = kept.block.transactions.len() as u32 + 1;
    // The block was executed with it: the limits were kept.
    let limits = Limits { index_max, gas_limit: kept.block.header.gas_limit, code_size_max: usize::MAX };
    let list = FlatList::decode(kept.list.clone()?, &limits).ok()?;
    Some((list.len() as u64, list.slots_len() as u64))
}

fn counted(reads: CacheReads) -> Value {
    json!({ "hits": reads.hits, "misses": reads.misses, "hit_rate": hit_rate(reads.hits, reads.misses) })
}

/// In percent, to two places.
fn hit_rate(hits: u64, misses: u64) -> f64 {
    let all = hits + misses;
    if all == 0 { 0.0 } else { (hits as f64 / all as f64 * 10_000.0).round() / 100.0 }
}
