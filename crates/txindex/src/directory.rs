//! Opening one directory: its manifest, its runs, its log.

use std::{fs, path::Path, sync::Arc};

use crate::{
    IndexError,
    codec::sync_directory,
    log::{self, Log, LogContent},
    manifest::Manifest,
    run::Run,
};

/// What a directory holds.
pub(crate) struct Directory {
    pub(crate) manifest: Manifest,
    pub(crate) log: Log,
    pub(crate) content: LogContent,
    /// As in the manifest.
    pub(crate) runs: Vec<Arc<Run>>,
}

impl Directory {
    /// Opens a directory whose identity is settled and locked, creating what is missing.
    pub(crate) fn open(dir: &Path, seed: u64) -> Result<Self, IndexError> {
        let Some(mut manifest) = Manifest::read(dir)? else { return Self::create(dir) };
        delete_strays(dir, &manifest)?;
        let (log, content) = Log::open(dir, manifest.log)?;
        manifest.mark = content.mark.or(manifest.mark);
        let runs = manifest.runs.iter().map(|name| Run::open(dir, *name, seed).map(Arc::new));
        let runs = runs.collect::<Result<_, _>>()?;
        Ok(Self { manifest, log, content, runs })
    }

    fn create(dir: &Path) -> Result<Self, IndexError> {
        let mut manifest = Manifest::default();
        manifest.log = manifest.take_sequence();
        let log = Log::create(dir, manifest.log)?;
        manifest.write(dir)?;
        Ok(Self { manifest, log, content: LogContent::default(), runs: Vec::new() })
    }
}

/// Deletes what a spill that was cut short left.
fn delete_strays(dir: &Path, manifest: &Manifest) -> Result<(), IndexError> {
    let alive: Vec<String> =
        manifest.runs.iter().map(|run| run.file_name()).chain([log::file_name(manifest.log)]).collect();
    for entry in fs::read_dir(dir).map_err(IndexError::io(dir, "read"))? {
        let entry = entry.map_err(IndexError::io(dir, "read"))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = name.starts_with("run-") || name.starts_with("log-");
        if ours && !alive.contains(&name) {
            fs::remove_file(entry.path()).map_err(IndexError::io(&entry.path(), "delete"))?;
        }
    }
    sync_directory(dir)
}
