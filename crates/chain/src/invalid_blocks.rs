//! Blocks found invalid, so that neither they nor what builds on them is looked at twice.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use alloy_primitives::B256;

use crate::{InvalidReason, Rejection};

/// Invalid blocks remembered; past this the oldest is forgotten, and would be executed again if it came.
const INVALID_BLOCKS_MAX: usize = 1024;

/// A bounded memory of refusals.
#[derive(Debug, Default)]
pub(crate) struct InvalidBlocks {
    rejections: HashMap<B256, Rejection>,
    /// Oldest first.
    order: VecDeque<B256>,
}

impl InvalidBlocks {
    /// The refusal of a block that came before.
    pub(crate) fn get(&self, hash: &B256) -> Option<&Rejection> {
        self.rejections.get(hash)
    }

    /// The refusal of a block because of its parent; remembered too, so that a long chain of them is refused one by one.
    pub(crate) fn refuse_child(&mut self, hash: B256, parent: &B256) -> Option<Rejection> {
        let Rejection { reason, latest_valid } = self.rejections.get(parent)?.clone();
        let reason = match &*reason {
            InvalidReason::Ancestor { .. } => reason,
            _ => Arc::new(InvalidReason::Ancestor { ancestor: *parent, reason }),
        };
        Some(self.insert(hash, Rejection { reason, latest_valid }))
    }

    pub(crate) fn insert(&mut self, hash: B256, rejection: Rejection) -> Rejection {
        if self.rejections.insert(hash, rejection.clone()).is_none() {
            self.order.push_back(hash);
        }
        if self.order.len() > INVALID_BLOCKS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.rejections.remove(&oldest);
        }
        rejection
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use balsa_executor::InvalidBlock;

    fn rejection() -> Rejection {
        let reason = InvalidBlock::GasUsed { executed: 1, header: 2 };
        Rejection { reason: Arc::new(reason.into()), latest_valid: B256::ZERO }
    }

    #[test]
    fn descendants_name_the_first_invalid_ancestor() {
        let mut blocks = InvalidBlocks::default();
        let hash = B256::with_last_byte;
        assert!(blocks.refuse_child(hash(2), &hash(1)).is_none());
        blocks.insert(hash(1), rejection());
        blocks.refuse_child(hash(2), &hash(1)).unwrap();
        let grandchild = blocks.refuse_child(hash(3), &hash(2)).unwrap();
        assert_eq!(grandchild.latest_valid, B256::ZERO);
        let expected = InvalidReason::Ancestor { ancestor: hash(1), reason: rejection().reason };
        assert_eq!(*grandchild.reason, expected);
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut blocks = InvalidBlocks::default();
        let hash = |number: usize| B256::left_padding_from(&number.to_be_bytes());
        for number in 0..=INVALID_BLOCKS_MAX {
            blocks.insert(hash(number), rejection());
        }
        assert!(blocks.get(&hash(0)).is_none());
        assert!(blocks.get(&hash(1)).is_some());
        assert_eq!(blocks.rejections.len(), INVALID_BLOCKS_MAX);
    }
}
