//! What a block tells its transactions.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256};
use balsa_chainspec::{Fork, Rules};
use balsa_state::StateError;
use revm::{
    context::{BlockEnv, CfgEnv},
    context_interface::block::BlobExcessGasAndPrice,
    primitives::hardfork::SpecId,
};

use crate::{PrecompileMoves, net_gas_metering};

/// Hashes of the block's ancestors, for `BLOCKHASH`.
pub struct BlockHashes {
    number: u64,
    parent: B256,
    older: Box<dyn Fn(u64) -> Option<B256> + Send + Sync>,
}

impl BlockHashes {
    /// For a child of `parent`, block `number`; `older` answers for blocks below the parent, up to 255 of them.
    pub fn new(number: u64, parent: B256, older: impl Fn(u64) -> Option<B256> + Send + Sync + 'static) -> Self {
        Self { number, parent, older: Box::new(older) }
    }

    /// The hash of an ancestor.
    ///
    /// # Errors
    /// [`StateError::MissingBlockHash`] if it is not known, or not an ancestor.
    pub fn of(&self, number: u64) -> Result<B256, StateError> {
        if number.checked_add(1) == Some(self.number) {
            return Ok(self.parent);
        }
        (self.older)(number).ok_or(StateError::MissingBlockHash(number))
    }
}

/// A block as its transactions see it: the opcodes' answers, and the rules. Cheap to clone.
#[derive(Clone)]
pub struct BlockEnvironment {
    /// The rules of the block's fork.
    pub rules: Rules,
    /// Ancestors' hashes.
    pub hashes: Arc<BlockHashes>,
    pub(crate) block: BlockEnv,
    pub(crate) cfg: CfgEnv,
    /// Precompiles that are elsewhere than the fork has them; never set for a block that is judged.
    pub(crate) precompiles: Option<PrecompileMoves>,
}

impl BlockEnvironment {
    /// The environment that a header gives its block. Reads only fields that are fixed before execution.
    pub fn new(rules: Rules, header: &Header, hashes: Arc<BlockHashes>) -> Self {
        let proof_of_stake = rules.has(Fork::Paris);
        let blob_price = rules.blobs.zip(header.excess_blob_gas).map(|(blobs, excess)| BlobExcessGasAndPrice {
            excess_blob_gas: excess,
            blob_gasprice: balsa_chainspec::blob_base_fee(&blobs, excess),
        });
        let block = BlockEnv {
            number: U256::from(header.number),
            beneficiary: header.beneficiary,
            timestamp: U256::from(header.timestamp),
            gas_limit: header.gas_limit,
            basefee: header.base_fee_per_gas.unwrap_or_default(),
            difficulty: header.difficulty,
            prevrandao: proof_of_stake.then_some(header.mix_hash),
            blob_excess_gas_and_price: blob_price,
            slot_num: header.slot_number.unwrap_or_default(),
        };
        let mut cfg = CfgEnv::new_with_spec(spec_id(rules.fork));
        cfg.chain_id = rules.chain_id;
        if rules.fork == Fork::Constantinople {
            net_gas_metering::set_prices(&mut cfg.gas_params);
        }
        if let Some(blobs) = rules.blobs {
            cfg.blob_base_fee_update_fraction = Some(blobs.update_fraction);
            cfg.max_blobs_per_tx = Some(blobs.max_per_transaction.unwrap_or(blobs.max));
        }
        Self { rules, hashes, block, cfg, precompiles: None }
    }

    /// The fee recipient.
    pub fn beneficiary(&self) -> Address {
        self.block.beneficiary
    }

    /// The block's gas limit.
    pub fn gas_limit(&self) -> u64 {
        self.block.gas_limit
    }

    /// The block's number.
    pub fn number(&self) -> u64 {
        self.block.number.saturating_to()
    }
}

/// revm's name for a fork's instruction set and gas schedule.
pub(crate) fn spec_id(fork: Fork) -> SpecId {
    match fork {
        Fork::Frontier => SpecId::FRONTIER,
        Fork::Homestead | Fork::Dao => SpecId::HOMESTEAD,
        Fork::TangerineWhistle => SpecId::TANGERINE,
        Fork::SpuriousDragon => SpecId::SPURIOUS_DRAGON,
        Fork::Byzantium => SpecId::BYZANTIUM,
        // revm has no EIP-1283: see `net_gas_metering`.
        Fork::Constantinople | Fork::Petersburg => SpecId::PETERSBURG,
        Fork::Istanbul | Fork::MuirGlacier => SpecId::ISTANBUL,
        Fork::Berlin => SpecId::BERLIN,
        Fork::London | Fork::ArrowGlacier | Fork::GrayGlacier => SpecId::LONDON,
        Fork::Paris => SpecId::MERGE,
        Fork::Shanghai => SpecId::SHANGHAI,
        Fork::Cancun => SpecId::CANCUN,
        Fork::Prague => SpecId::PRAGUE,
        Fork::Osaka | Fork::Bpo1 | Fork::Bpo2 | Fork::Bpo3 | Fork::Bpo4 | Fork::Bpo5 => SpecId::OSAKA,
        Fork::Amsterdam => SpecId::AMSTERDAM,
    }
}
