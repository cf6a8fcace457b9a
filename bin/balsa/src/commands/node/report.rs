//! What is said of blocks: one line each.

use super::slow_block::SlowBlocks;
use crate::{
    bench::stage_recorder::{BlockStages, StageRecorder},
    metrics::Metrics,
};
use balsa_chain::{Chain, HeadChange, ImportedBlock, KeptBlock};
use balsa_executor::{Path, SequentialReason};
use balsa_node::Report;
use std::time::Duration;

/// Tells the log, and the metrics, of what the writer does.
pub(crate) struct Reporter {
    pub(crate) metrics: Metrics,
    pub(crate) recorder: StageRecorder,
    pub(crate) slow_blocks: Option<SlowBlocks>,
}

/// The writer owns the reporter. If it ends with a panic the program ends too: a node without a writer answers questions
/// about a chain that stands still, and its operator would not know.
impl Drop for Reporter {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the writer has panicked: the node ends");
            // Nothing is left to do where the system refuses.
            let _ = signal_hook::low_level::raise(signal_hook::consts::SIGTERM);
        }
    }
}

impl Reporter {
    pub(crate) fn report(&mut self, chain: &Chain, report: &Report<'_>) {
        match report {
            Report::Imported { block, kept, began, elapsed } => {
                let stages = self.recorder.take_since(*began);
                imported(block, kept, *elapsed, &stages);
                let metrics = self.metrics.blocks();
                metrics.imported(block, kept, path_name(block.path), *elapsed);
                metrics.stages(&stages);
                self.metrics.levels().look_at_chain(chain);
                if let Some(slow_blocks) = &mut self.slow_blocks {
                    slow_blocks.imported(chain, kept, &stages, *elapsed);
                }
            }
            Report::Invalid { bad } => {
                let header = &bad.block.header;
                tracing::warn!(number = header.number, hash = %bad.block.hash, reason = %bad.reason, "invalid block");
                self.recorder.take();
                self.metrics.blocks().invalid(bad.list.is_some());
            }
            Report::Head { change, elapsed } => {
                moved(change);
                self.metrics.blocks().moved(change, *elapsed);
            }
        }
    }
}

fn imported(block: &ImportedBlock, kept: &KeptBlock, elapsed: Duration, stages: &BlockStages) {
    let milliseconds = elapsed.as_secs_f64() * 1_000.0;
    tracing::info!(
        number = block.number,
        hash = %block.hash,
        transactions = block.transactions,
        gas = block.gas_used,
        mgas_per_s = %format_args!("{:.1}", megagas_per_second(block.gas_used, elapsed)),
        list_bytes = kept.list.as_ref().map_or(0, |list| list.len()),
        path = path_name(block.path),
        parallelism = %format_args!("{:.2}", stages.parallelism()),
        ms = %format_args!("{milliseconds:.1}"),
        "imported a block"
    );
}

fn moved(change: &HeadChange) {
    let (number, hash) = (change.new.number, change.new.hash);
    let (left, joined) = (change.reverted.len(), change.applied.len());
    match left {
        0 => tracing::debug!(number, %hash, joined, "new head"),
        _ => tracing::info!(number, %hash, left, joined, from = %change.old.hash, "reorganised"),
    }
}

/// In millions of gas a second.
pub(crate) fn megagas_per_second(gas: u64, elapsed: Duration) -> f64 {
    gas as f64 / 1e6 / elapsed.as_secs_f64().max(1e-9)
}

/// How a block was executed, in a word.
pub(crate) fn path_name(path: Path) -> &'static str {
    match path {
        Path::Parallel => "parallel",
        Path::Inline => "inline",
        Path::Fallback => "fallback",
        Path::Sequential(SequentialReason::NoList) => "sequential: no list",
        Path::Sequential(_) => "sequential",
    }
}
