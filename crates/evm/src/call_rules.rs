//! What a block asks less of a call than of a transaction.

use revm::context_interface::block::BlobExcessGasAndPrice;

use crate::{BlockEnvironment, PrecompileMoves};
use balsa_chainspec::Fork;

/// How the transactions of calls and simulated blocks are judged. They have no signature, so the sender may be any
/// account, with code too (EIP-3607), and the gas limit any that the one who asks is allowed (EIP-7825).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallRules {
    /// The nonce must be the sender's.
    pub nonce_checked: bool,
    /// The fee per gas must reach the base fee.
    pub base_fee_checked: bool,
    /// Wei per blob gas, in place of what the header gives.
    pub blob_base_fee: Option<u128>,
    /// Precompiles that are elsewhere than the fork has them.
    pub precompiles: Option<PrecompileMoves>,
}

impl BlockEnvironment {
    /// The same block for calls. No block that is to be judged is ever run like this.
    pub fn for_calls(mut self, rules: CallRules) -> Self {
        let CallRules { nonce_checked, base_fee_checked, blob_base_fee, precompiles } = rules;
        self.cfg.disable_nonce_check = !nonce_checked;
        self.cfg.disable_base_fee = !base_fee_checked;
        self.cfg.disable_eip3607 = true;
        // Who asks has counted the block's gas, or has a cap in its place.
        self.cfg.disable_block_gas_limit = true;
        // From Amsterdam on the cap refuses nothing: it splits gas into its two dimensions (EIP-8037).
        if !self.rules.has(Fork::Amsterdam) {
            self.cfg.tx_gas_limit_cap = Some(u64::MAX);
        }
        if let Some((price, known)) = blob_base_fee.zip(self.block.blob_excess_gas_and_price) {
            self.block.blob_excess_gas_and_price = Some(BlobExcessGasAndPrice { blob_gasprice: price, ..known });
        }
        self.precompiles = precompiles;
        self
    }
}
