//! What a benchmark found: samples in, numbers out. Rendered by the other rooms of this folder.

use super::{
    sample::{Mode, Paths, Run, Stage},
    statistics::{Distribution, Estimate},
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// Everything a benchmark found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Report {
    /// Where the blocks came from.
    pub(crate) input: String,
    /// The chain.
    pub(crate) chain: ChainFigures,
    /// How it was measured.
    pub(crate) settings: Settings,
    /// The sequential runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) serial: Option<ModeFigures>,
    /// The parallel runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parallel: Option<ModeFigures>,
    /// Serial time over parallel time in the execute stage.
    pub(crate) execute_speedup: Option<f64>,
    /// The same for each repeat, with its confidence.
    pub(crate) execute_speedup_estimate: Option<Estimate>,
    /// Serial time over parallel time for whole blocks.
    pub(crate) block_speedup: Option<f64>,
    /// The same for each repeat, with its confidence.
    pub(crate) block_speedup_estimate: Option<Estimate>,
    /// Which part of the merkleization, in the parallel runs if there are any, ran beside other work.
    pub(crate) merkleize_hidden_share: f64,
    /// The most memory that the process held, in bytes.
    pub(crate) peak_rss_bytes: u64,
}

/// What the chain is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ChainFigures {
    /// Number of blocks.
    pub(crate) blocks: usize,
    /// Number of the first block.
    pub(crate) first: u64,
    /// Number of the last block.
    pub(crate) last: u64,
    /// Hash of the last block.
    pub(crate) head: String,
    /// Number of transactions.
    pub(crate) transactions: usize,
    /// Gas of all blocks.
    pub(crate) gas: u64,
}

/// How it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Settings {
    /// Runs of each mode that were thrown away first.
    pub(crate) warmup: usize,
    /// Runs of each mode that count.
    pub(crate) repeat: usize,
    /// Worker threads.
    pub(crate) workers: usize,
}

/// What one mode's runs found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ModeFigures {
    /// Which executors ran the blocks of one repeat.
    pub(crate) paths: Paths,
    /// Millions of gas a second, over the time of the blocks.
    pub(crate) mgas_per_s: f64,
    /// The same for each repeat, with its confidence.
    pub(crate) mgas_per_s_estimate: Estimate,
    /// Milliseconds a block, over all blocks of all repeats.
    pub(crate) ms_per_block: Distribution,
    /// Milliseconds a block in each stage. Stages overlap, so they may add up to more than the block.
    pub(crate) stages_ms: BTreeMap<&'static str, Distribution>,
    /// Which part of the merkleization ran beside other work.
    pub(crate) merkleize_hidden_share: f64,
    /// Milliseconds a block waited until the database took it over; not part of the block's time.
    pub(crate) hand_over_ms: Distribution,
    /// Milliseconds waited at the end of a run for the database.
    pub(crate) persistence_ms: Estimate,
    /// Seconds from the first block to the last staged result.
    pub(crate) wall_s: Estimate,
}

impl Report {
    /// Sums up `runs`. They must have imported the same chain; warm-up runs are left out.
    pub(crate) fn of(input: String, settings: Settings, runs: &[Run], peak_rss_bytes: u64) -> Self {
        let of_mode = |mode| runs.iter().filter(|run| run.mode == mode).collect::<Vec<_>>();
        let (serial_runs, parallel_runs) = (of_mode(Mode::Serial), of_mode(Mode::Parallel));
        let serial = ModeFigures::of(&serial_runs);
        let parallel = ModeFigures::of(&parallel_runs);
        let execute = speedup(&serial_runs, &parallel_runs, |run| run.stage_time(Stage::Execute));
        let block = speedup(&serial_runs, &parallel_runs, Run::block_time);
        let hidden = parallel.as_ref().or(serial.as_ref()).map_or(0.0, |mode| mode.merkleize_hidden_share);
        Self {
            input,
            chain: ChainFigures::of(runs),
            settings,
            serial,
            parallel,
            execute_speedup: execute.map(|estimate| estimate.mean),
            execute_speedup_estimate: execute,
            block_speedup: block.map(|estimate| estimate.mean),
            block_speedup_estimate: block,
            merkleize_hidden_share: hidden,
            peak_rss_bytes,
        }
    }
}

impl ChainFigures {
    fn of(runs: &[Run]) -> Self {
        let blocks = runs.first().map_or(&[][..], |run| &run.blocks);
        Self {
            blocks: blocks.len(),
            first: blocks.first().map_or(0, |block| block.number),
            last: blocks.last().map_or(0, |block| block.number),
            head: blocks.last().map_or_else(String::new, |block| block.hash.to_string()),
            transactions: blocks.iter().map(|block| block.transactions).sum(),
            gas: blocks.iter().map(|block| block.gas_used).sum(),
        }
    }
}

impl ModeFigures {
    fn of(runs: &[&Run]) -> Option<Self> {
        let paths = runs.first()?.paths;
        let each = |value: fn(&Run) -> f64| runs.iter().map(|run| value(run)).collect::<Vec<_>>();
        let blocks = || runs.iter().flat_map(|run| &run.blocks);
        let stage = |stage: Stage| Distribution::of(blocks().map(|block| ms(block.stages.of(stage))).collect());
        let mgas_per_s = Estimate::of(&each(mgas_per_s));
        Some(Self {
            paths,
            mgas_per_s: mgas_per_s.mean,
            mgas_per_s_estimate: mgas_per_s,
            ms_per_block: Distribution::of(blocks().map(|block| ms(block.total)).collect()),
            stages_ms: Stage::ALL.into_iter().map(|name| (name.name(), stage(name))).collect(),
            merkleize_hidden_share: hidden_share(runs),
            hand_over_ms: Distribution::of(blocks().map(|block| ms(block.hand_over)).collect()),
            persistence_ms: Estimate::of(&each(|run| ms(run.persistence))),
            wall_s: Estimate::of(&each(|run| run.wall.as_secs_f64())),
        })
    }
}

/// Repeat by repeat, how many times longer the serial run took.
fn speedup(serial: &[&Run], parallel: &[&Run], time: impl Fn(&Run) -> Duration) -> Option<Estimate> {
    let ratios: Vec<f64> = serial
        .iter()
        .zip(parallel)
        .map(|(serial, parallel)| (time(serial), time(parallel)))
        .filter(|(serial, parallel)| !serial.is_zero() && !parallel.is_zero())
        .map(|(serial, parallel)| serial.as_secs_f64() / parallel.as_secs_f64())
        .collect();
    (!ratios.is_empty()).then(|| Estimate::of_ratios(&ratios))
}

fn mgas_per_s(run: &Run) -> f64 {
    let seconds = run.block_time().as_secs_f64();
    if seconds > 0.0 { run.gas_used() as f64 / 1e6 / seconds } else { 0.0 }
}

fn hidden_share(runs: &[&Run]) -> f64 {
    let total: Duration = runs.iter().map(|run| run.stage_time(Stage::Merkleize)).sum();
    let hidden: Duration = runs.iter().map(|run| run.merkleize_hidden()).sum();
    if total.is_zero() { 0.0 } else { hidden.as_secs_f64() / total.as_secs_f64() }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
