//! What is measured: one block in one run.

use alloy_primitives::B256;
use balsa_executor::Path;
use std::time::Duration;

/// How the blocks of a run are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// One transaction after the other.
    Serial,
    /// All transactions at once, by the block's access list.
    Parallel,
}

impl Mode {
    /// The mode's name in output and on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Parallel => "parallel",
        }
    }
}

/// A part of a block's import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "the last stage is called stage")]
pub(crate) enum Stage {
    /// Access list and body decoded and checked.
    Decode,
    /// Senders recovered from signatures.
    Senders,
    /// Parent values read ahead.
    Prefetch,
    /// Transactions and system calls run.
    Execute,
    /// State root computed.
    Merkleize,
    /// Flat comparisons with the header.
    Verdicts,
    /// Result staged as a layer in memory.
    Stage,
}

impl Stage {
    /// Every stage in the order of the pipeline.
    pub(crate) const ALL: [Self; 7] =
        [Self::Decode, Self::Senders, Self::Prefetch, Self::Execute, Self::Merkleize, Self::Verdicts, Self::Stage];

    /// The stage's name in output.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Senders => "senders",
            Self::Prefetch => "prefetch",
            Self::Execute => "execute",
            Self::Merkleize => "merkleize",
            Self::Verdicts => "verdicts",
            Self::Stage => "stage",
        }
    }
}

/// Time spent in each stage. Stages overlap: their sum may exceed the block's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StageTimes([Duration; Stage::ALL.len()]);

impl StageTimes {
    /// The time of one stage.
    pub(crate) fn of(&self, stage: Stage) -> Duration {
        self.0[stage as usize]
    }

    /// Sets the time of one stage.
    pub(crate) fn set(&mut self, stage: Stage, time: Duration) {
        self.0[stage as usize] = time;
    }
}

/// One block in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockSample {
    /// Number.
    pub(crate) number: u64,
    /// Hash.
    pub(crate) hash: B256,
    /// Number of transactions.
    pub(crate) transactions: usize,
    /// Gas used.
    pub(crate) gas_used: u64,
    /// From the block's bytes to its staged result, without the hand-over to the database.
    pub(crate) total: Duration,
    /// Time spent in each stage.
    pub(crate) stages: StageTimes,
    /// How much of the merkleization ran while transactions were executed.
    pub(crate) merkleize_hidden: Duration,
    /// Waited until the database took the block over.
    pub(crate) hand_over: Duration,
}

/// Which executors ran the blocks, counted in blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Paths {
    /// The parallel one, on the pool.
    pub(crate) parallel: usize,
    /// The parallel one, on one thread: the block was small.
    pub(crate) inline: usize,
    /// The sequential one.
    pub(crate) sequential: usize,
    /// The sequential one, after the parallel one had failed on a valid block.
    pub(crate) fallback: usize,
}

impl Paths {
    /// Counts one more block.
    pub(crate) fn count(&mut self, path: Path) {
        match path {
            Path::Parallel => self.parallel += 1,
            Path::Inline => self.inline += 1,
            Path::Sequential(_) => self.sequential += 1,
            Path::Fallback => self.fallback += 1,
        }
    }
}

/// One pass over the whole chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// How the blocks were executed.
    pub(crate) mode: Mode,
    /// Its blocks in order.
    pub(crate) blocks: Vec<BlockSample>,
    /// Which executors ran them.
    pub(crate) paths: Paths,
    /// From the first block to the last staged result.
    pub(crate) wall: Duration,
    /// Waited at the end for the database to hold everything.
    pub(crate) persistence: Duration,
}

impl Run {
    /// A run that has not begun.
    pub(crate) fn new(mode: Mode) -> Self {
        let (paths, wall, persistence) = (Paths::default(), Duration::ZERO, Duration::ZERO);
        Self { mode, blocks: Vec::new(), paths, wall, persistence }
    }

    /// Gas of all blocks.
    pub(crate) fn gas_used(&self) -> u64 {
        self.blocks.iter().map(|block| block.gas_used).sum()
    }

    /// Time of all blocks.
    pub(crate) fn block_time(&self) -> Duration {
        self.blocks.iter().map(|block| block.total).sum()
    }

    /// Time of all blocks in one stage.
    pub(crate) fn stage_time(&self, stage: Stage) -> Duration {
        self.blocks.iter().map(|block| block.stages.of(stage)).sum()
    }

    /// Time of the merkleization that other work hid.
    pub(crate) fn merkleize_hidden(&self) -> Duration {
        self.blocks.iter().map(|block| block.merkleize_hidden).sum()
    }
}
