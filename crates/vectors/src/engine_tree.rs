//! The tree of a test, as the Engine API sees it.

use crate::Executors;
use crate::tree::{ImportError, Tree};
use alloy_primitives::{B256, Bytes};
use balsa_chain::{ImportOutcome, ImportedBlock, InvalidReason, Rejection};
use balsa_chainspec::ChainSpec;
use balsa_engine::{BlockTree, EngineError, HeadRefused, HeadSet};
use balsa_executor::{ExecuteError, InvalidBlock, SealedBlock};
use std::sync::Arc;

/// A tree in memory and what executes its blocks.
pub(crate) struct EngineTree {
    pub(crate) spec: Arc<ChainSpec>,
    pub(crate) tree: Tree,
    pub(crate) executors: Executors,
}

impl BlockTree for EngineTree {
    fn spec(&self) -> Arc<ChainSpec> {
        self.spec.clone()
    }

    fn import(&mut self, block: SealedBlock, list: Option<Bytes>) -> Result<ImportOutcome, EngineError> {
        if self.tree.contains(&block.hash) {
            return Ok(ImportOutcome::AlreadyKnown);
        }
        let head = self.tree.head();
        let executed = match self.executors.execute(&self.tree, &block, list).map_err(EngineError::Internal)? {
            Ok(executed) => executed,
            Err(error) => return refused(&block, error),
        };
        let imported = ImportedBlock {
            number: block.header.number,
            hash: block.hash,
            extends_head: block.header.parent_hash == head,
            gas_used: executed.gas_used,
            transactions: block.transactions.len(),
            path: executed.path,
        };
        self.tree.insert(&block, executed).map_err(|error| EngineError::Internal(error.to_string()))?;
        // The tree follows every block of proof of stake; here the consensus client's word is waited for.
        self.tree.set_head(head);
        Ok(ImportOutcome::Imported(imported))
    }

    fn set_head(&mut self, head: B256, _: Option<B256>, _: Option<B256>) -> Result<HeadSet, HeadRefused> {
        if self.tree.set_head(head) { Ok(HeadSet::Followed(None)) } else { Err(HeadRefused::Unknown) }
    }
}

fn refused(block: &SealedBlock, error: ImportError) -> Result<ImportOutcome, EngineError> {
    let reason: InvalidReason = match error {
        ImportError::UnknownParent(_) => return Ok(ImportOutcome::UnknownParent),
        ImportError::Execute(ExecuteError::Internal(error)) => return Err(EngineError::Internal(error.to_string())),
        ImportError::Execute(ExecuteError::Invalid(refusal)) => refusal.rule.into(),
        ImportError::Ommers(error) => error.into(),
        ImportError::WrongConsensus { total, terminal, .. } => {
            InvalidBlock::TerminalDifficulty { total, terminal }.into()
        }
    };
    Ok(ImportOutcome::Invalid(Rejection { reason: Arc::new(reason), latest_valid: block.header.parent_hash }))
}
