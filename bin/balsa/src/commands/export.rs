//! `export`: the canonical chain as concatenated block RLP, as geth writes it.

use crate::{error::CommandError, interrupt::Interrupt, launch, options::GlobalOptions, progress::Progress};
use alloy_primitives::Bytes;
use alloy_rlp::{Encodable, Header as RlpHeader};
use balsa_storage::{BlockPointer, Snapshot};
use clap::Args;
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Writes the canonical chain to a file.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file to write. A file of this name is replaced once the new one is complete.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Number of the first block.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    first: u64,
    /// Number of the last block [default: the head's].
    #[arg(long, value_name = "NUMBER")]
    last: Option<u64>,
    /// Write the blocks' access lists to this file: concatenated list RLP, one for each block that has one.
    #[arg(long, value_name = "FILE")]
    export_bal: Option<PathBuf>,
}

impl Export {
    /// Runs the command.
    pub(crate) fn run(&self, global: &GlobalOptions) -> Result<ExitCode, CommandError> {
        let interrupt = Interrupt::listen().map_err(CommandError::Signals)?;
        let store = launch::existing_store(global)?;
        let snapshot = store.snapshot()?;
        let head = snapshot.head().ok_or_else(|| CommandError::NoDatabase(store.dir().to_owned()))?.number;
        let (first, last) = (self.first, self.last.unwrap_or(head));
        if first > last || last > head {
            return Err(CommandError::Range { first, last, head });
        }
        let mut blocks = Output::create(&self.file)?;
        let mut lists = self.export_bal.as_deref().map(Output::create).transpose()?;
        let count = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
        let progress = Progress::blocks("export", count);
        for number in first..=last {
            if interrupt.is_asked() {
                return Err(CommandError::Interrupted);
            }
            let stored = read(&snapshot, number)?;
            blocks.write(&stored.block)?;
            match (&mut lists, stored.has_list, stored.list) {
                (Some(lists), true, Some(list)) => lists.write(&list)?,
                (Some(_), true, None) => return Err(CommandError::ListGone { number }),
                _ => {}
            }
            progress.advance();
        }
        drop(progress);
        blocks.finish()?;
        lists.map(Output::finish).transpose()?;
        tracing::info!(first, last, file = %self.file.display(), "exported the chain");
        Ok(ExitCode::SUCCESS)
    }
}

/// A block as the store has it.
struct Stored {
    block: Vec<u8>,
    has_list: bool,
    list: Option<Bytes>,
}

fn read(snapshot: &Snapshot, number: u64) -> Result<Stored, CommandError> {
    let missing = || CommandError::BlockGone { number };
    let hash = snapshot.canonical_hash(number)?.ok_or_else(missing)?;
    let pointer = BlockPointer { number, hash };
    let header = snapshot.header(&pointer)?.ok_or_else(missing)?;
    let body = snapshot.body(&pointer)?.ok_or_else(missing)?;
    // The body is `[transactions, ommers, withdrawals?]`, the block the same with the header in front.
    let items = RlpHeader::decode_bytes(&mut body.as_ref(), true).map_err(|_| missing())?;
    let mut block = Vec::with_capacity(body.len() + header.length() + 8);
    RlpHeader { list: true, payload_length: header.length() + items.len() }.encode(&mut block);
    header.encode(&mut block);
    block.extend_from_slice(items);
    let has_list = header.block_access_list_hash.is_some() && number > 0;
    let list = if has_list { snapshot.list(&pointer)? } else { None };
    Ok(Stored { block, has_list, list })
}

/// A file that appears under its name only when it is complete.
struct Output {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
}

impl Output {
    fn create(path: &Path) -> Result<Self, CommandError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        let file = File::create(&partial).map_err(|error| CommandError::file(&partial, "create", error))?;
        Ok(Self { path: path.to_owned(), partial, file: BufWriter::with_capacity(1 << 20, file) })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        self.file.write_all(bytes).map_err(|error| CommandError::file(&self.partial, "write", error))
    }

    fn finish(mut self) -> Result<(), CommandError> {
        self.file.flush().map_err(|error| CommandError::file(&self.partial, "write", error))?;
        fs::rename(&self.partial, &self.path).map_err(|error| CommandError::file(&self.path, "replace", error))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // Gone already if the file is complete; otherwise half a chain that nobody asked for.
        let _ = fs::remove_file(&self.partial);
    }
}
