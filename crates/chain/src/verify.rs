//! A block held against its parent: the rules of the merge and of ommers, which need the chain, then execution.

use std::sync::Arc;

use alloy_primitives::{Bytes, U256};
use balsa_chainspec::{OMMER_ANCESTORS_MAX, validate_ommers};
use balsa_executor::{ExecuteError, ExecutedBlock, InvalidBlock, Refusal, SealedBlock};

use crate::{Chain, ChainError, InvalidReason, KeptBlock, LookupError};

/// A block that breaks a rule.
pub(crate) struct Refused {
    pub(crate) reason: Arc<InvalidReason>,
    /// What execution recorded, if the rule is about the access list.
    pub(crate) recorded_list: Option<Bytes>,
}

impl From<InvalidReason> for Refused {
    fn from(reason: InvalidReason) -> Self {
        Self { reason: Arc::new(reason), recorded_list: None }
    }
}

impl Chain {
    /// Executes a block on its parent. The inner error is the verdict, the outer one our own trouble.
    pub(crate) fn verify(
        &mut self,
        parent: &KeptBlock,
        block: &SealedBlock,
        list: Option<Bytes>,
    ) -> Result<Result<ExecutedBlock, Refused>, ChainError> {
        if let Err(reason) = self.check_merge(parent, block) {
            return Ok(Err(reason.into()));
        }
        if let Err(reason) = self.check_ommers(parent, block)? {
            return Ok(Err(reason.into()));
        }
        self.move_cache(parent);
        let mut context = self.view.parent(&parent.hash()).expect("the parent was found in the tree");
        context.state = context.state.with_cache(self.cache.clone());
        match self.executor.execute(block, list, &context) {
            Ok(executed) => Ok(Ok(executed)),
            Err(error) => {
                // What was read for a block that came to nothing may have been chosen to push useful values out.
                self.cache.clear();
                match error {
                    ExecuteError::Invalid(refusal) => {
                        let Refusal { rule, recorded_list } = *refusal;
                        Ok(Err(Refused { reason: Arc::new(rule.into()), recorded_list }))
                    }
                    ExecuteError::Internal(source) => {
                        Err(ChainError::Execution { number: block.header.number, hash: block.hash, source })
                    }
                }
            }
        }
    }

    /// Proof of work up to the block that reaches the terminal total difficulty, proof of stake after it (EIP-3675).
    fn check_merge(&self, parent: &KeptBlock, block: &SealedBlock) -> Result<(), InvalidReason> {
        let spec = self.executor.spec();
        let (total, terminal) = (parent.total_difficulty, spec.terminal_total_difficulty.unwrap_or(U256::MAX));
        if spec.is_proof_of_stake(&block.header) == spec.is_merged_after(total) {
            return Ok(());
        }
        Err(InvalidBlock::TerminalDifficulty { total, terminal }.into())
    }

    /// The rules that need the ancestors; that there are none after the merge is the executor's to say.
    fn check_ommers(&self, parent: &KeptBlock, block: &SealedBlock) -> Result<Result<(), InvalidReason>, LookupError> {
        let spec = self.executor.spec();
        if block.ommers.is_empty() || spec.is_proof_of_stake(&block.header) {
            return Ok(Ok(()));
        }
        let ancestors = self.view.ancestors(parent, OMMER_ANCESTORS_MAX)?;
        Ok(validate_ommers(spec, &block.ommers, &ancestors).map_err(InvalidReason::from))
    }

    /// The read cache stands at one block; on another parent it starts anew.
    fn move_cache(&mut self, parent: &KeptBlock) {
        if self.cache_at != parent.hash() {
            self.cache.clear();
            self.cache_at = parent.hash();
        }
    }
}

/// The cache follows a block that turned out valid.
pub(crate) fn advance_cache(chain: &mut Chain, kept: &Arc<KeptBlock>) {
    chain.cache.advance(kept.change.layer.diff());
    chain.cache_at = kept.hash();
}
