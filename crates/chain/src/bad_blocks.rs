//! The last blocks that were found invalid, whole: for those who look for the fault.

use std::{collections::VecDeque, sync::Arc};

use alloy_primitives::Bytes;
use balsa_executor::SealedBlock;

use crate::InvalidReason;

/// Invalid blocks kept whole; past this the oldest goes.
const BAD_BLOCKS_MAX: usize = 16;

/// Bytes of them with their lists; past this the oldest goes. The newest stays in any case: a message bounds it.
const BAD_BLOCKS_BYTES_MAX: usize = 64 << 20;

/// An invalid block as it came.
#[derive(Clone, Debug)]
pub struct BadBlock {
    /// The block.
    pub block: SealedBlock,
    /// The access list that came with it.
    pub list: Option<Bytes>,
    /// The access list that execution recorded, if the block was refused because of its list.
    pub recorded_list: Option<Bytes>,
    /// What it breaks.
    pub reason: Arc<InvalidReason>,
}

impl BadBlock {
    fn bytes(&self) -> usize {
        let lists = [&self.list, &self.recorded_list].into_iter().flatten();
        self.block.rlp_len + lists.map(|list| list.len()).sum::<usize>()
    }
}

/// The last of them, newest last.
#[derive(Debug, Default)]
pub(crate) struct BadBlocks {
    blocks: VecDeque<Arc<BadBlock>>,
    bytes: usize,
}

impl BadBlocks {
    pub(crate) fn keep(&mut self, bad: BadBlock) {
        self.bytes += bad.bytes();
        self.blocks.push_back(Arc::new(bad));
        while self.blocks.len() > BAD_BLOCKS_MAX || self.bytes > BAD_BLOCKS_BYTES_MAX && self.blocks.len() > 1 {
            self.bytes -= self.blocks.pop_front().map_or(0, |oldest| oldest.bytes());
        }
    }

    pub(crate) fn all(&self) -> Vec<Arc<BadBlock>> {
        self.blocks.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::Header;
    use balsa_executor::InvalidBlock;

    /// Keeps blocks of which each has these bytes of lists; returns the numbers of those that are left.
    fn kept(list_bytes: &[usize]) -> Vec<u64> {
        let mut blocks = BadBlocks::default();
        let reason: Arc<InvalidReason> = Arc::new(InvalidBlock::GasUsed { executed: 1, header: 2 }.into());
        for (number, bytes) in (0..).zip(list_bytes) {
            let header = Header { number, ..Header::default() };
            let block = SealedBlock::from_parts(header, Vec::new(), Vec::new(), None);
            let (list, recorded_list) = (vec![0; bytes / 2].into(), vec![0; bytes / 2].into());
            let bad = BadBlock { block, list: Some(list), recorded_list: Some(recorded_list), reason: reason.clone() };
            blocks.keep(bad);
        }
        assert_eq!(blocks.bytes, blocks.blocks.iter().map(|bad| bad.bytes()).sum::<usize>());
        blocks.all().iter().map(|bad| bad.block.header.number).collect()
    }

    #[test]
    fn the_newest_are_kept() {
        assert_eq!(kept(&[0; 20]), (4..20).collect::<Vec<_>>());
    }

    #[test]
    fn bytes_are_bounded_and_the_newest_stays() {
        let third = BAD_BLOCKS_BYTES_MAX / 3;
        assert_eq!(kept(&[third; 5]), [3, 4]);
        assert_eq!(kept(&[0, 0, BAD_BLOCKS_BYTES_MAX + 2]), [2]);
        assert_eq!(kept(&[BAD_BLOCKS_BYTES_MAX + 2, 0]), [1]);
    }
}
