//! What the node holds: head, pool, memory by component, and what the persister has done.

use super::resident::resident_bytes;
use balsa_chain::{Chain, StateBytes, StateMemory};
use balsa_node::Node;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};
use std::sync::atomic::AtomicU64;

/// Levels, as they stood when somebody last looked.
pub(crate) struct LevelMetrics {
    blocks: Family<BlockLabel, Gauge>,
    head_timestamp: Gauge,
    kept_blocks: Gauge,
    pool: Family<PoolLabel, Gauge>,
    pool_bytes: Gauge,
    memory: Family<ComponentLabel, Gauge>,
    state_bytes: Family<StateLabel, Gauge>,
    states_memory: Family<ComponentLabel, Gauge>,
    states_total: Gauge,
    states_peak: Gauge,
    states_max: Gauge,
    trie_renewals: Gauge,
    cache_reads: Family<CacheLabel, Gauge>,
    persisted_flushes: Gauge,
    persisted_batches: Gauge,
    persist_seconds: Gauge<f64, AtomicU64>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BlockLabel {
    block: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PoolLabel {
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ComponentLabel {
    component: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

/// Names of the states that are shown one by one, the head first.
const STATES: [&str; 8] = ["head", "head-1", "head-2", "head-3", "head-4", "head-5", "head-6", "head-7"];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CacheLabel {
    answer: &'static str,
}

impl LevelMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            blocks: Family::default(),
            head_timestamp: Gauge::default(),
            kept_blocks: Gauge::default(),
            pool: Family::default(),
            pool_bytes: Gauge::default(),
            memory: Family::default(),
            state_bytes: Family::default(),
            states_memory: Family::default(),
            states_total: Gauge::default(),
            states_peak: Gauge::default(),
            states_max: Gauge::default(),
            trie_renewals: Gauge::default(),
            cache_reads: Family::default(),
            persisted_flushes: Gauge::default(),
            persisted_batches: Gauge::default(),
            persist_seconds: Gauge::default(),
        };
        registry.register("balsa_block_number", "Numbers of head, safe, finalized, flushed", metrics.blocks.clone());
        registry.register("balsa_head_timestamp_seconds", "The head's own time", metrics.head_timestamp.clone());
        registry.register("balsa_kept_blocks", "Blocks with their states in memory", metrics.kept_blocks.clone());
        registry.register("balsa_pool_transactions", "Transactions that wait", metrics.pool.clone());
        registry.register("balsa_pool_bytes", "Bytes of transactions that wait", metrics.pool_bytes.clone());
        registry.register("balsa_memory_bytes", "Memory by component", metrics.memory.clone());
        registry.register(
            "balsa_state_own_bytes",
            "Bytes of the trie that a state does not share with its parent's: of the latest, of all older and all beside the chain",
            metrics.state_bytes.clone(),
        );
        for (name, help, metric) in [
            ("balsa_states_total_bytes", "Memory of all states together", &metrics.states_total),
            (
                "balsa_states_peak_bytes",
                "The most that it was, old and new trie together while one is renewed",
                &metrics.states_peak,
            ),
            ("balsa_states_max_bytes", "What it may be: --state.cache-bytes", &metrics.states_max),
            (
                "balsa_trie_renewals",
                "How often nodes that were not changed for long were left to the disk",
                &metrics.trie_renewals,
            ),
        ] {
            registry.register(name, help, metric.clone());
        }
        registry.register(
            "balsa_states_memory_bytes",
            "Memory of states by component; trie_pages hold the trie_nodes and free places",
            metrics.states_memory.clone(),
        );
        registry.register("balsa_cache_reads", "Reads of accounts and slots", metrics.cache_reads.clone());
        registry.register("balsa_persist_flushes", "Flushes to disk", metrics.persisted_flushes.clone());
        registry.register("balsa_persist_batches", "Batches in them", metrics.persisted_batches.clone());
        registry.register("balsa_persist_seconds", "Time spent in flushes", metrics.persist_seconds.clone());
        // Series that are there from the beginning can be told from series that are missing.
        drop(metrics.blocks.get_or_create(&BlockLabel { block: "head" }));
        drop(metrics.pool.get_or_create(&PoolLabel { state: "pending" }));
        drop(metrics.memory.get_or_create(&ComponentLabel { component: "pool" }));
        metrics.states(&StateBytes::default());
        metrics.state_memory(&StateMemory::default());
        drop(metrics.cache_reads.get_or_create(&CacheLabel { answer: "hit" }));
        metrics
    }

    /// What readers can see.
    pub(crate) fn look_at(&self, node: &Node) {
        let view = node.view();
        let head = view.head();
        let finalized = view.finalized().map(|block| block.number);
        for (block, number) in [
            ("head", Some(head.number())),
            ("safe", view.safe().map(|block| block.number)),
            ("finalized", finalized),
            ("flushed", view.flushed().map(|block| block.number)),
        ] {
            self.blocks.get_or_create(&BlockLabel { block }).set(level(number.unwrap_or_default()));
        }
        self.states(&view.state_bytes());
        self.head_timestamp.set(level(head.block.header.timestamp));
        let pool = node.pool().status();
        for (state, count) in [("pending", pool.pending), ("queued", pool.queued)] {
            self.pool.get_or_create(&PoolLabel { state }).set(level(count as u64));
        }
        self.pool_bytes.set(level(pool.bytes as u64));
        self.component("pool", pool.bytes as u64);
        if let Some(bytes) = resident_bytes() {
            self.component("resident", bytes);
        }
    }

    /// What only the chain's owner can see.
    pub(crate) fn look_at_chain(&self, chain: &Chain) {
        if let Ok(memory) = chain.memory() {
            self.kept_blocks.set(level(memory.kept_blocks as u64));
            for (component, bytes) in [
                ("trie_nodes", memory.trie_live_bytes),
                ("store_cache", memory.store_cache_bytes),
                ("store_write_buffers", memory.store_write_buffer_bytes),
            ] {
                self.component(component, bytes);
            }
            self.state_memory(&memory.states);
        }
        let cache = chain.cache_stats();
        let (hits, misses) = (cache.accounts.hits + cache.slots.hits, cache.accounts.misses + cache.slots.misses);
        for (answer, count) in [("hit", hits), ("miss", misses)] {
            self.cache_reads.get_or_create(&CacheLabel { answer }).set(level(count));
        }
        let persisted = chain.persist_stats();
        self.persisted_flushes.set(level(persisted.flushes));
        self.persisted_batches.set(level(persisted.batches));
        self.persist_seconds.set(persisted.busy.as_secs_f64());
    }

    fn state_memory(&self, memory: &StateMemory) {
        for (component, bytes) in [
            ("blocks", memory.blocks),
            ("trie_pages", memory.trie_pages),
            ("trie_lists", memory.trie_lists),
            ("old_tries", memory.old_tries),
            ("read_cache", memory.read_cache),
        ] {
            self.states_memory.get_or_create(&ComponentLabel { component }).set(level(bytes));
        }
        self.states_total.set(level(memory.all()));
        self.states_peak.set(level(memory.peak));
        self.states_max.set(level(memory.bytes_max));
        self.trie_renewals.set(level(memory.renewals));
    }

    fn states(&self, bytes: &StateBytes) {
        let set = |state, bytes| {
            self.state_bytes.get_or_create(&StateLabel { state }).set(level(bytes));
        };
        for (i, state) in STATES.into_iter().enumerate() {
            set(state, bytes.canonical.get(i).copied().unwrap_or_default());
        }
        set("older", bytes.canonical.iter().skip(STATES.len()).sum());
        set("beside", bytes.beside);
    }

    fn component(&self, component: &'static str, bytes: u64) {
        self.memory.get_or_create(&ComponentLabel { component }).set(level(bytes));
    }
}

fn level(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
