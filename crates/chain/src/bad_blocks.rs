//! The last blocks that were found invalid, whole: for those who look for the fault.

use std::{collections::VecDeque, sync::Arc};

use alloy_primitives::Bytes;
use balsa_executor::SealedBlock;

use crate::InvalidReason;

/// Invalid blocks kept whole; past this the oldest goes.
const BAD_BLOCKS_MAX: usize = 16;

/// An invalid block as it came.
#[derive(Clone, Debug)]
pub struct BadBlock {
    /// The block.
    pub block: SealedBlock,
    /// The access list that came with it.
    pub list: Option<Bytes>,
    /// What it breaks.
    pub reason: Arc<InvalidReason>,
}

/// The last of them, newest last.
#[derive(Debug, Default)]
pub(crate) struct BadBlocks(VecDeque<Arc<BadBlock>>);

impl BadBlocks {
    pub(crate) fn keep(&mut self, bad: BadBlock) {
        if self.0.len() == BAD_BLOCKS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Arc::new(bad));
    }

    pub(crate) fn all(&self) -> Vec<Arc<BadBlock>> {
        self.0.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::Header;
    use balsa_executor::InvalidBlock;

    #[test]
    fn the_newest_are_kept() {
        let mut blocks = BadBlocks::default();
        let reason: Arc<InvalidReason> = Arc::new(InvalidBlock::GasUsed { executed: 1, header: 2 }.into());
        for number in 0..20 {
            let header = Header { number, ..Header::default() };
            let block = SealedBlock::from_parts(header, Vec::new(), Vec::new(), None);
            blocks.keep(BadBlock { block, list: None, reason: reason.clone() });
        }
        let numbers: Vec<u64> = blocks.all().iter().map(|bad| bad.block.header.number).collect();
        assert_eq!(numbers, (4..20).collect::<Vec<_>>());
    }
}
