//! What the writer does: blocks, lists, reorganisations.

use crate::bench::{sample::Stage, stage_recorder::BlockStages};
use balsa_bal::{FlatList, Limits};
use balsa_chain::{HeadChange, ImportedBlock, KeptBlock};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use std::{sync::atomic::AtomicU64, time::Duration};

/// How blocks are executed, in words.
const PATHS: [&str; 5] = ["parallel", "inline", "fallback", "sequential", "sequential: no list"];

/// Counters and times of what the writer does.
pub(crate) struct BlockMetrics {
    imported: Family<PathLabel, Counter>,
    invalid: Counter,
    transactions: Counter,
    gas: Counter,
    import_seconds: Histogram,
    forkchoice_seconds: Histogram,
    stage_seconds: Family<StageLabel, Counter<f64, AtomicU64>>,
    reorganisations: Counter,
    reorganised_blocks: Counter,
    list: ListMetrics,
}

/// `execution_block_access_list_*`: of the last block that had one, and counts of all.
struct ListMetrics {
    size_bytes: Gauge,
    valid: Counter,
    invalid: Counter,
    validation_time_seconds: Histogram,
    account_changes: Gauge,
    storage_changes: Gauge,
    balance_changes: Gauge,
    nonce_changes: Gauge,
    code_changes: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PathLabel {
    path: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StageLabel {
    stage: &'static str,
}

impl BlockMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        // From a tenth of a millisecond to some seconds.
        let times = || Histogram::new(exponential_buckets(0.0001, 2.0, 16));
        let metrics = Self {
            imported: Family::default(),
            invalid: Counter::default(),
            transactions: Counter::default(),
            gas: Counter::default(),
            import_seconds: times(),
            forkchoice_seconds: times(),
            stage_seconds: Family::default(),
            reorganisations: Counter::default(),
            reorganised_blocks: Counter::default(),
            list: ListMetrics::register(registry),
        };
        registry.register("balsa_blocks_imported", "Valid blocks, by how they were executed", metrics.imported.clone());
        registry.register("balsa_blocks_invalid", "Invalid blocks", metrics.invalid.clone());
        registry.register("balsa_transactions", "Transactions of valid blocks", metrics.transactions.clone());
        registry.register("balsa_gas", "Gas used by valid blocks", metrics.gas.clone());
        registry.register("balsa_import_seconds", "From a payload to its verdict", metrics.import_seconds.clone());
        registry.register(
            "balsa_forkchoice_seconds",
            "From a fork choice that moves the head to its answer",
            metrics.forkchoice_seconds.clone(),
        );
        registry.register(
            "balsa_import_stage_seconds",
            "Time in each stage of importing blocks; stages overlap",
            metrics.stage_seconds.clone(),
        );
        // Series that are there from the beginning can be told from series that are missing.
        for path in PATHS {
            drop(metrics.imported.get_or_create(&PathLabel { path }));
        }
        metrics.stages(&BlockStages::default());
        registry.register("balsa_reorganisations", "Times that blocks left the chain", metrics.reorganisations.clone());
        registry.register("balsa_reorganised_blocks", "Blocks that left the chain", metrics.reorganised_blocks.clone());
        metrics
    }

    /// A block is valid.
    pub(crate) fn imported(&self, block: &ImportedBlock, kept: &KeptBlock, path: &'static str, elapsed: Duration) {
        self.imported.get_or_create(&PathLabel { path }).inc();
        self.transactions.inc_by(block.transactions as u64);
        self.gas.inc_by(block.gas_used);
        self.import_seconds.observe(elapsed.as_secs_f64());
        if let Some(list) = &kept.list {
            self.list.valid(list, kept, elapsed);
        }
    }

    /// A block is not valid.
    pub(crate) fn invalid(&self, has_list: bool) {
        self.invalid.inc();
        if has_list {
            self.list.invalid.inc();
        }
    }

    /// Where a block's time went.
    pub(crate) fn stages(&self, stages: &BlockStages) {
        for stage in Stage::ALL {
            let label = StageLabel { stage: stage.name() };
            self.stage_seconds.get_or_create(&label).inc_by(stages.times.of(stage).as_secs_f64());
        }
        self.stage_seconds.get_or_create(&StageLabel { stage: "hand_over" }).inc_by(stages.hand_over.as_secs_f64());
    }

    /// The head moved.
    pub(crate) fn moved(&self, change: &HeadChange, elapsed: Duration) {
        self.forkchoice_seconds.observe(elapsed.as_secs_f64());
        if !change.reverted.is_empty() {
            self.reorganisations.inc();
            self.reorganised_blocks.inc_by(change.reverted.len() as u64);
        }
    }
}

impl ListMetrics {
    fn register(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("execution_block_access_list");
        let metrics = Self {
            size_bytes: Gauge::default(),
            valid: Counter::default(),
            invalid: Counter::default(),
            validation_time_seconds: Histogram::new(exponential_buckets(0.0001, 2.0, 16)),
            account_changes: Gauge::default(),
            storage_changes: Gauge::default(),
            balance_changes: Gauge::default(),
            nonce_changes: Gauge::default(),
            code_changes: Gauge::default(),
        };
        registry.register("size_bytes", "Bytes of the last block's list", metrics.size_bytes.clone());
        registry.register("valid", "Blocks with a list that are valid", metrics.valid.clone());
        registry.register("invalid", "Blocks with a list that are not", metrics.invalid.clone());
        registry.register(
            "validation_time_seconds",
            "From a payload with a list to its verdict: the list is checked while the block runs",
            metrics.validation_time_seconds.clone(),
        );
        registry.register("account_changes", "Accounts in the last list", metrics.account_changes.clone());
        registry.register("storage_changes", "Changed slots in the last list", metrics.storage_changes.clone());
        registry.register("balance_changes", "Balance changes in the last list", metrics.balance_changes.clone());
        registry.register("nonce_changes", "Nonce changes in the last list", metrics.nonce_changes.clone());
        registry.register("code_changes", "Code changes in the last list", metrics.code_changes.clone());
        metrics
    }

    fn valid(&self, bytes: &alloy_primitives::Bytes, kept: &KeptBlock, elapsed: Duration) {
        self.valid.inc();
        self.validation_time_seconds.observe(elapsed.as_secs_f64());
        self.size_bytes.set(bytes.len() as i64);
        let index_max = kept.block.transactions.len() as u32 + 1;
        // The block was executed with it: the limits were kept.
        let limits = Limits { index_max, gas_limit: kept.block.header.gas_limit, code_size_max: usize::MAX };
        let Ok(list) = FlatList::decode(bytes.clone(), &limits) else { return };
        let ordinals = || 0..list.len() as u32;
        let sum = |count: &dyn Fn(u32) -> usize| ordinals().map(count).sum::<usize>() as i64;
        self.account_changes.set(list.len() as i64);
        self.storage_changes.set(sum(&|ordinal| list.changed_slots(ordinal).len()));
        self.balance_changes.set(sum(&|ordinal| list.balance_changes(ordinal).len()));
        self.nonce_changes.set(sum(&|ordinal| list.nonce_changes(ordinal).len()));
        self.code_changes.set(sum(&|ordinal| list.code_changes(ordinal).len()));
    }
}
