//! The runs that readers see, by partition.

use std::sync::{Arc, PoisonError, RwLock};

use alloy_primitives::B256;

use crate::{
    IndexError,
    key::{Key, PARTITIONS},
    record::Record,
    run::Run,
};

/// Newest first.
pub(crate) type RunList = Arc<[Arc<Run>]>;

/// One list of runs a partition, replaced as a whole by the writer of its directory.
#[derive(Debug)]
pub(crate) struct Runs {
    partitions: [RwLock<RunList>; PARTITIONS],
}

impl Default for Runs {
    fn default() -> Self {
        Self { partitions: std::array::from_fn(|_| RwLock::new(RunList::default())) }
    }
}

impl Runs {
    /// The list as it stands; what is merged away meanwhile stays readable.
    pub(crate) fn of(&self, partition: usize) -> RunList {
        // A lock that is poisoned still holds a whole list: it is only ever replaced.
        self.partitions[partition].read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn publish(&self, partition: usize, runs: RunList) {
        *self.partitions[partition].write().unwrap_or_else(PoisonError::into_inner) = runs;
    }

    /// What the newest run that knows the transaction says of it.
    pub(crate) fn find(&self, key: Key, hash: &B256) -> Result<Option<Record>, IndexError> {
        for run in self.of(key.partition()).iter() {
            if let Some(record) = run.find(key, hash)? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }
}
