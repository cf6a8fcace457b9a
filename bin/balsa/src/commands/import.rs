//! `import`: blocks from chain files into the database.
//!
//! A bad block ends its file, as in geth: the last valid block stays the head, and the files behind it are tried too,
//! since a directory may hold a block each.

use crate::{
    error::CommandError,
    input::{
        blocks::{self, Blocks},
        chain_files::chain_files,
        lists::ListFeed,
    },
    interrupt::Interrupt,
    launch::Parts,
    options::{ExecutionOptions, GlobalOptions},
    progress::Progress,
};
use alloy_primitives::B256;
use balsa_chain::{Chain, ImportOutcome};
use balsa_executor::SealedBlock;
use balsa_storage::remove_directory;
use clap::Args;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Imports blocks from chain files: concatenated block RLP, as geth writes them.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Chain files, or directories whose .rlp files are taken by name.
    #[arg(value_name = "FILE|DIR", required = true)]
    files: Vec<PathBuf>,
    /// The blocks' access lists: concatenated list RLP, one for each block that has one. Without it blocks are
    /// executed sequentially, and what was recorded is held against the header.
    #[arg(long, value_name = "FILE")]
    with_bal: Option<PathBuf>,
    /// Delete the database first.
    #[arg(long)]
    removedb: bool,
    /// How blocks are executed.
    #[command(flatten)]
    execution: ExecutionOptions,
}

impl Import {
    /// Runs the command.
    pub(crate) fn run(&self, global: &GlobalOptions) -> Result<ExitCode, CommandError> {
        let interrupt = Interrupt::listen().map_err(CommandError::Signals)?;
        let genesis = global.genesis()?;
        // Before anything is opened: what cannot be read whole is not begun.
        let files = chain_files(&self.files)?;
        let count = blocks::count(&genesis.spec, &files)?;
        let lists = ListFeed::open(self.with_bal.as_deref(), count.with_list)?;

        let dir = global.datadir()?;
        if self.removedb {
            remove_directory(&dir)?;
        }
        let parts = Parts::new(global, &genesis)?.with_stages(self.execution.stages());
        let mut chain = parts.open(&dir, self.execution.mode())?;
        let mut importer = Importer {
            chain: &mut chain,
            lists,
            interrupt: &interrupt,
            genesis: parts.genesis.hash(),
            tally: Tally::default(),
        };
        let progress = Progress::blocks("import", count.blocks);
        let outcome = files.iter().try_for_each(|file| importer.import_file(file, &progress));
        let tally = importer.tally;
        drop(progress);

        // Also after ^C: what was imported is kept.
        chain.flush_to_head()?;
        let head = chain.view().head().pointer();
        chain.close()?;
        let Tally { imported, known, failed_files } = tally;
        tracing::info!(imported, known, failed_files, head = head.number, hash = %head.hash, "import is done");
        outcome?;
        Ok(if failed_files == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Brings blocks to the chain.
struct Importer<'a> {
    chain: &'a mut Chain,
    lists: ListFeed,
    interrupt: &'a Interrupt,
    genesis: B256,
    tally: Tally,
}

/// What came of the blocks.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    imported: usize,
    known: usize,
    failed_files: usize,
}

impl Importer<'_> {
    fn import_file(&mut self, file: &Path, progress: &Progress) -> Result<(), CommandError> {
        let mut blocks = Blocks::open(file)?;
        while let Some(bytes) = blocks.next_bytes()? {
            if self.interrupt.is_asked() {
                return Err(CommandError::Interrupted);
            }
            let block = blocks.decode(&bytes)?;
            progress.advance();
            if let Err(refused) = self.import_block(file, block)? {
                self.tally.failed_files += 1;
                tracing::error!("{refused}");
                return self.skip_rest(&mut blocks, progress);
            }
        }
        Ok(())
    }

    /// The inner error is the verdict on the block, the outer one our own trouble.
    fn import_block(&mut self, file: &Path, block: SealedBlock) -> Result<Result<(), CommandError>, CommandError> {
        let (number, hash) = (block.header.number, block.hash);
        if number == 0 {
            return Ok(if hash == self.genesis {
                self.tally.known += 1;
                Ok(())
            } else {
                let (file, expected) = (file.to_owned(), self.genesis);
                Err(CommandError::OtherGenesis { file, found: hash, expected })
            });
        }
        let list = self.lists.for_block(self.chain.executor().spec(), &block.header)?;
        let refused = |rule: String| Ok(Err(CommandError::Block { file: file.to_owned(), number, hash, rule }));
        match self.chain.import_and_choose(block, list)?.0 {
            ImportOutcome::Imported(_) => self.tally.imported += 1,
            ImportOutcome::AlreadyKnown => self.tally.known += 1,
            ImportOutcome::UnknownParent => return refused("its parent is not known".to_owned()),
            ImportOutcome::ParentStateGone => {
                return refused("its parent lies too far below the head to build on".to_owned());
            }
            ImportOutcome::Invalid(rejection) => return refused(rejection.reason.to_string()),
        }
        Ok(Ok(()))
    }

    /// Passes over what a bad block leaves of its file, so that the next file finds its own lists.
    fn skip_rest(&mut self, blocks: &mut Blocks, progress: &Progress) -> Result<(), CommandError> {
        while let Some(header) = blocks.next_header()? {
            progress.advance();
            if header.number > 0 {
                self.lists.for_block(self.chain.executor().spec(), &header)?;
            }
        }
        Ok(())
    }
}
