//! Spreads documents over worker threads.

use super::budget::ByteBudget;
use super::{Document, SourceError, read};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::thread;

/// How many bytes of documents may lie between the reader and the end of the workers' work on them.
///
/// A worker needs about twice its document's size on top, for what it decodes.
const BYTES_ON_THE_WAY_MAX: usize = 256 << 20;

/// How many documents may lie in the channel: the byte budget binds before it for all but tiny files.
const DOCUMENTS_ON_THE_WAY_MAX: usize = 256;

/// Reads `paths` on the calling thread while `workers` threads (at least one) run `work` on each document,
/// and returns what the work gave, in the order of the documents, and what could not be read.
pub fn for_each<T: Send>(
    paths: &[PathBuf],
    workers: usize,
    work: impl Fn(&Document) -> T + Sync,
) -> (Vec<T>, Vec<SourceError>) {
    let budget = ByteBudget::new(BYTES_ON_THE_WAY_MAX);
    let (sender, receiver) = crossbeam_channel::bounded::<Document>(DOCUMENTS_ON_THE_WAY_MAX);
    let mut errors = Vec::new();
    let mut done = thread::scope(|scope| {
        let run = || {
            let mut done = Vec::new();
            for document in &receiver {
                let result = work(&document);
                budget.release(document.bytes.len());
                done.push((document.index, result));
            }
            done
        };
        let workers: Vec<_> = (0..workers.max(1)).map(|_| scope.spawn(run)).collect();
        read(paths, |read| {
            match read {
                Ok(document) => {
                    budget.take(document.bytes.len());
                    if sender.send(document).is_err() {
                        return ControlFlow::Break(());
                    }
                }
                Err(error) => errors.push(error),
            }
            ControlFlow::Continue(())
        });
        drop(sender);
        let join = |worker: thread::ScopedJoinHandle<'_, Vec<(usize, T)>>| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        workers.into_iter().flat_map(join).collect::<Vec<_>>()
    });
    done.sort_by_key(|(index, _)| *index);
    (done.into_iter().map(|(_, result)| result).collect(), errors)
}
