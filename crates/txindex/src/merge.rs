//! Several runs as one: of two records of one hash, the newer run's.

use crate::{
    IndexError,
    key::Key,
    record::KeyedRecord,
    run::{Run, Scan},
};

/// Records of runs from `first` on, in order, each hash once, removals included.
pub(crate) struct Merge<'a> {
    /// Newest first, each with its next record.
    scans: Vec<(Scan<'a>, Option<KeyedRecord>)>,
    failed: Option<IndexError>,
}

/// Merges runs, newest first.
pub(crate) fn merge<'a>(runs: impl IntoIterator<Item = &'a Run>, first: Key) -> Merge<'a> {
    let mut merge = Merge { scans: Vec::new(), failed: None };
    for run in runs {
        merge.scans.push((run.scan(first), None));
        merge.advance(merge.scans.len() - 1);
    }
    merge
}

impl Merge<'_> {
    fn advance(&mut self, position: usize) {
        let (scan, next) = &mut self.scans[position];
        match scan.next().transpose() {
            Ok(record) => *next = record,
            Err(error) => self.failed = Some(error),
        }
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<KeyedRecord, IndexError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            self.scans.clear();
            return Some(Err(error));
        }
        // A dozen runs at most: a linear look is as quick as a heap.
        let heads = self.scans.iter().filter_map(|(_, next)| *next);
        // The first of equals: the newest.
        let newest = heads.min_by_key(KeyedRecord::order)?;
        for position in 0..self.scans.len() {
            if self.scans[position].1.is_some_and(|record| record.order() == newest.order()) {
                self.advance(position);
            }
        }
        Some(Ok(newest))
    }
}
