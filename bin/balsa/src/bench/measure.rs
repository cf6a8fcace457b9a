//! One run: the whole chain into a database of its own, each block timed.

use super::{
    sample::{BlockSample, Mode, Run},
    stage_recorder::StageRecorder,
    subject::Subject,
};
use crate::{
    error::CommandError,
    input::{blocks::Blocks, lists::ListFeed},
    interrupt::Interrupt,
    launch::Parts,
    progress::Progress,
};
use balsa_chain::{Chain, ImportOutcome, ImportedBlock};
use balsa_executor::{ExecutionMode, Path as ExecutionPath, SealedBlock};
use balsa_storage::{fork_directory, remove_directory};
use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    time::Instant,
};
use tracing::debug_span;

/// What every run shares.
pub(crate) struct Bench<'a> {
    /// The chain.
    pub(crate) subject: &'a Subject,
    /// What databases are opened with.
    pub(crate) parts: &'a Parts,
    /// The closed database that each run starts from.
    pub(crate) base: &'a Path,
    /// The folder for the runs' databases, on the base's file system.
    pub(crate) scratch: &'a Path,
    /// Where the stage times come from.
    pub(crate) recorder: &'a StageRecorder,
    /// ^C.
    pub(crate) interrupt: &'a Interrupt,
}

impl Bench<'_> {
    /// Imports the chain once. `seen` gets each block as soon as it is done.
    ///
    /// The database is a fork of the base, so nothing is left of the runs before, and nothing is copied by hand.
    pub(crate) fn run(
        &self,
        mode: Mode,
        lists: Option<&Path>,
        progress: &Progress,
        mut seen: impl FnMut(&BlockSample),
    ) -> Result<Run, CommandError> {
        let (dir, mut chain) = self.fresh_chain(mode)?;
        let mut lists = ListFeed::open(lists, self.subject.count.with_list)?;
        let mut run = Run::new(mode);
        let start = Instant::now();
        for file in &self.subject.files {
            let mut blocks = Blocks::open(file)?;
            while let Some(bytes) = blocks.next_bytes()? {
                if self.interrupt.is_asked() {
                    return Err(CommandError::Interrupted);
                }
                if let Some((sample, path)) = self.block(&mut chain, file, &blocks, &bytes, &mut lists)? {
                    progress.advance();
                    seen(&sample);
                    run.paths.count(path);
                    run.blocks.push(sample);
                }
            }
        }
        run.wall = start.elapsed();
        let staged = Instant::now();
        chain.flush_to_head()?;
        run.persistence = staged.elapsed();
        chain.close()?;
        remove_directory(&dir)?;
        Ok(run)
    }

    /// Imports the chain once, sequentially, and writes down the lists that come of it.
    pub(crate) fn record_lists(&self, to: &Path, progress: &Progress) -> Result<(), CommandError> {
        let io = |what| move |error| CommandError::file(to, what, error);
        let mut out = BufWriter::new(File::create(to).map_err(io("create"))?);
        let (dir, mut chain) = self.fresh_chain(Mode::Serial)?;
        for file in &self.subject.files {
            let mut blocks = Blocks::open(file)?;
            while let Some(bytes) = blocks.next_bytes()? {
                if self.interrupt.is_asked() {
                    return Err(CommandError::Interrupted);
                }
                let block = blocks.decode(&bytes)?;
                let hash = block.hash;
                if block.header.number > 0 {
                    import(&mut chain, file, block, None)?;
                    progress.advance();
                }
                if let Some(list) = chain.view().kept(&hash).and_then(|kept| kept.list.clone()) {
                    out.write_all(&list).map_err(io("write"))?;
                }
            }
        }
        out.flush().map_err(io("write"))?;
        chain.close()?;
        Ok(remove_directory(&dir)?)
    }

    /// Times one block, from its bytes to its staged result; `None` for a genesis block.
    fn block(
        &self,
        chain: &mut Chain,
        file: &Path,
        blocks: &Blocks,
        bytes: &[u8],
        lists: &mut ListFeed,
    ) -> Result<Option<(BlockSample, ExecutionPath)>, CommandError> {
        self.recorder.take();
        let start = Instant::now();
        let block = debug_span!(target: "balsa::stage", "decode_block").in_scope(|| blocks.decode(bytes))?;
        let decoded = start.elapsed();
        if block.header.number == 0 {
            return Ok(None);
        }
        // Reading the list is the bench's work, not the importer's: it gets lists with the payload.
        let list = lists.for_block(chain.executor().spec(), &block.header)?;
        let start = Instant::now();
        let imported = import(chain, file, block, list)?;
        let elapsed = decoded + start.elapsed();
        let stages = self.recorder.take();
        let ImportedBlock { number, hash, gas_used, transactions, path, .. } = imported;
        let sample = BlockSample {
            number,
            hash,
            transactions,
            gas_used,
            total: elapsed.saturating_sub(stages.hand_over),
            stages: stages.times,
            merkleize_hidden: stages.merkleize_hidden,
            hand_over: stages.hand_over,
        };
        Ok(Some((sample, path)))
    }

    fn fresh_chain(&self, mode: Mode) -> Result<(PathBuf, Chain), CommandError> {
        let dir = self.scratch.join("run");
        remove_directory(&dir)?;
        fork_directory(self.base, &dir)?;
        let mode = match mode {
            Mode::Serial => ExecutionMode::Sequential,
            Mode::Parallel => ExecutionMode::Auto,
        };
        let chain = self.parts.open(&dir, mode)?;
        Ok((dir, chain))
    }
}

/// Imports a block that must be new and valid.
fn import(
    chain: &mut Chain,
    file: &Path,
    block: SealedBlock,
    list: Option<alloy_primitives::Bytes>,
) -> Result<ImportedBlock, CommandError> {
    let (number, hash) = (block.header.number, block.hash);
    let refused = |rule: String| CommandError::Block { file: file.to_owned(), number, hash, rule };
    match chain.import_and_choose(block, list)?.0 {
        ImportOutcome::Imported(imported) => Ok(imported),
        ImportOutcome::AlreadyKnown => Err(refused("the database has it already, so it cannot be measured".to_owned())),
        ImportOutcome::UnknownParent => Err(refused("its parent is not known".to_owned())),
        ImportOutcome::ParentStateGone => Err(refused("its parent lies too far below the head to build on".to_owned())),
        ImportOutcome::Invalid(rejection) => Err(refused(rejection.reason.to_string())),
    }
}
