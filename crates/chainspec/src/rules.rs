//! The rules of a block: one row per fork, each copied from the row before it and edited.
//!
//! A [`Rules`] is resolved once per block by [`crate::ChainSpec`] and handed down by value, so nothing
//! below ever compares a block number or a timestamp with a schedule.

use crate::Fork;
use alloy_primitives::{Address, U256, address};

/// What holds in one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The fork whose rules these are.
    pub fork: Fork,
    /// The chain, for EIP-155 signatures and the CHAINID opcode.
    pub chain_id: u64,
    /// Whether the header commits to a block access list
    /// ([EIP-7928](https://eips.ethereum.org/EIPS/eip-7928)). May hold before Amsterdam.
    pub block_access_lists: bool,
    /// Blob limits, from Cancun on.
    pub blobs: Option<BlobRules>,
    /// What the beneficiary is paid, in wei; proof of work only.
    pub block_reward: Option<U256>,
    /// By how many blocks the difficulty bomb is put off; `None` after the merge.
    pub difficulty_bomb_delay: Option<u64>,
    /// Largest deployed code, in bytes ([EIP-170](https://eips.ethereum.org/EIPS/eip-170)).
    pub max_code_size: Option<usize>,
    /// Largest creation code, in bytes ([EIP-3860](https://eips.ethereum.org/EIPS/eip-3860)).
    pub max_initcode_size: Option<usize>,
    /// Largest gas limit of a transaction ([EIP-7825](https://eips.ethereum.org/EIPS/eip-7825)).
    /// Under EIP-8037 only the regular gas is capped, so it is `None` again: see
    /// [`TRANSACTION_GAS_LIMIT_CAP`].
    pub transaction_gas_limit_max: Option<u64>,
    /// Largest RLP encoding of a block, in bytes ([EIP-7934](https://eips.ethereum.org/EIPS/eip-7934)).
    pub block_bytes_max: Option<usize>,
    /// The contract whose logs are deposit requests ([EIP-6110](https://eips.ethereum.org/EIPS/eip-6110)).
    pub deposit_contract: Address,
    /// What the DAO fork asks of this block.
    pub dao: DaoRule,
}

/// Blob limits ([EIP-7840](https://eips.ethereum.org/EIPS/eip-7840)), counted in blobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobRules {
    /// The number of blobs a block at which the blob base fee stands still.
    pub target: u64,
    /// The most blobs in a block.
    pub max: u64,
    /// The most blobs in a transaction ([EIP-7594](https://eips.ethereum.org/EIPS/eip-7594)).
    pub max_per_transaction: Option<u64>,
    /// Divides the excess blob gas in the exponent of the blob base fee.
    pub update_fraction: u64,
}

/// What [EIP-779](https://eips.ethereum.org/EIPS/eip-779) asks of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DaoRule {
    /// Nothing.
    None,
    /// The fork block itself: the balances move before the first transaction, and the extra data is set.
    MoveBalances,
    /// One of the blocks after it, whose extra data is set.
    ExtraData,
    /// One of these blocks on a chain that refused the fork: the extra data must be another.
    NotExtraData,
}

/// The most regular gas that a transaction may use, from Osaka on (EIP-7825; EIP-8037 for Amsterdam).
pub const TRANSACTION_GAS_LIMIT_CAP: u64 = 1 << 24;

/// The gas that one blob costs (EIP-4844).
pub const GAS_PER_BLOB: u64 = 1 << 17;

/// Mainnet's deposit contract, used where a genesis file names none.
pub const MAINNET_DEPOSIT_CONTRACT: Address = address!("0x00000000219ab540356cBB839Cbe05303d7705Fa");

impl Rules {
    /// Whether `fork` is active.
    pub fn has(&self, fork: Fork) -> bool {
        self.fork >= fork
    }

    /// Whether the block is made by proof of stake.
    pub fn is_proof_of_stake(&self) -> bool {
        self.has(Fork::Paris)
    }

    /// The row of `fork` as mainnet knows it, with chain id 1.
    pub fn mainnet(fork: Fork) -> Self {
        ROWS[fork.index()]
    }
}

impl BlobRules {
    /// The largest blob gas of a block.
    pub const fn max_blob_gas(&self) -> u64 {
        self.max.saturating_mul(GAS_PER_BLOB)
    }

    /// The blob gas at which the blob base fee stands still.
    pub const fn target_blob_gas(&self) -> u64 {
        self.target.saturating_mul(GAS_PER_BLOB)
    }
}

/// One row per fork, in the order of [`Fork::ALL`].
const ROWS: [Rules; Fork::COUNT] = [
    FRONTIER,
    HOMESTEAD,
    DAO,
    TANGERINE_WHISTLE,
    SPURIOUS_DRAGON,
    BYZANTIUM,
    CONSTANTINOPLE,
    PETERSBURG,
    ISTANBUL,
    MUIR_GLACIER,
    BERLIN,
    LONDON,
    ARROW_GLACIER,
    GRAY_GLACIER,
    PARIS,
    SHANGHAI,
    CANCUN,
    PRAGUE,
    OSAKA,
    BPO1,
    BPO2,
    BPO3,
    BPO4,
    BPO5,
    AMSTERDAM,
];

const FRONTIER: Rules = Rules {
    fork: Fork::Frontier,
    chain_id: 1,
    block_access_lists: false,
    blobs: None,
    block_reward: Some(ether(5)),
    difficulty_bomb_delay: Some(0),
    max_code_size: None,
    max_initcode_size: None,
    transaction_gas_limit_max: None,
    block_bytes_max: None,
    deposit_contract: MAINNET_DEPOSIT_CONTRACT,
    dao: DaoRule::None,
};
const HOMESTEAD: Rules = Rules { fork: Fork::Homestead, ..FRONTIER };
const DAO: Rules = Rules { fork: Fork::Dao, ..HOMESTEAD };
const TANGERINE_WHISTLE: Rules = Rules { fork: Fork::TangerineWhistle, ..DAO };
const SPURIOUS_DRAGON: Rules = Rules { fork: Fork::SpuriousDragon, max_code_size: Some(24_576), ..TANGERINE_WHISTLE };
const BYZANTIUM: Rules = Rules {
    fork: Fork::Byzantium,
    block_reward: Some(ether(3)),
    difficulty_bomb_delay: Some(3_000_000),
    ..SPURIOUS_DRAGON
};
const CONSTANTINOPLE: Rules = Rules {
    fork: Fork::Constantinople,
    block_reward: Some(ether(2)),
    difficulty_bomb_delay: Some(5_000_000),
    ..BYZANTIUM
};
const PETERSBURG: Rules = Rules { fork: Fork::Petersburg, ..CONSTANTINOPLE };
const ISTANBUL: Rules = Rules { fork: Fork::Istanbul, ..PETERSBURG };
const MUIR_GLACIER: Rules = Rules { fork: Fork::MuirGlacier, difficulty_bomb_delay: Some(9_000_000), ..ISTANBUL };
const BERLIN: Rules = Rules { fork: Fork::Berlin, ..MUIR_GLACIER };
const LONDON: Rules = Rules { fork: Fork::London, difficulty_bomb_delay: Some(9_700_000), ..BERLIN };
const ARROW_GLACIER: Rules = Rules { fork: Fork::ArrowGlacier, difficulty_bomb_delay: Some(10_700_000), ..LONDON };
const GRAY_GLACIER: Rules = Rules { fork: Fork::GrayGlacier, difficulty_bomb_delay: Some(11_400_000), ..ARROW_GLACIER };
const PARIS: Rules = Rules { fork: Fork::Paris, block_reward: None, difficulty_bomb_delay: None, ..GRAY_GLACIER };
const SHANGHAI: Rules = Rules { fork: Fork::Shanghai, max_initcode_size: Some(2 * 24_576), ..PARIS };
const CANCUN: Rules = Rules {
    fork: Fork::Cancun,
    blobs: Some(BlobRules { target: 3, max: 6, max_per_transaction: None, update_fraction: 3_338_477 }),
    ..SHANGHAI
};
const PRAGUE: Rules = Rules {
    fork: Fork::Prague,
    blobs: Some(BlobRules { target: 6, max: 9, max_per_transaction: None, update_fraction: 5_007_716 }),
    ..CANCUN
};
const OSAKA: Rules = Rules {
    fork: Fork::Osaka,
    blobs: Some(BlobRules { target: 6, max: 9, max_per_transaction: Some(6), update_fraction: 5_007_716 }),
    transaction_gas_limit_max: Some(TRANSACTION_GAS_LIMIT_CAP),
    block_bytes_max: Some(8 * 1024 * 1024),
    ..PRAGUE
};
const BPO1: Rules = Rules {
    fork: Fork::Bpo1,
    blobs: Some(BlobRules { target: 10, max: 15, max_per_transaction: Some(6), update_fraction: 8_346_193 }),
    ..OSAKA
};
const BPO2: Rules = Rules {
    fork: Fork::Bpo2,
    blobs: Some(BlobRules { target: 14, max: 21, max_per_transaction: Some(6), update_fraction: 11_684_671 }),
    ..BPO1
};
// Mainnet has not scheduled the next three: their limits always come from a chain's own blob schedule.
const BPO3: Rules = Rules { fork: Fork::Bpo3, ..BPO2 };
const BPO4: Rules = Rules { fork: Fork::Bpo4, ..BPO3 };
const BPO5: Rules = Rules { fork: Fork::Bpo5, ..BPO4 };
const AMSTERDAM: Rules = Rules {
    fork: Fork::Amsterdam,
    block_access_lists: true,
    max_code_size: Some(65_536),
    max_initcode_size: Some(2 * 65_536),
    transaction_gas_limit_max: None,
    ..BPO5
};

const fn ether(count: u64) -> U256 {
    // 10^18 wei times the few ether of a block reward fits 64 bits up to 18 ether.
    U256::from_limbs([count * 1_000_000_000_000_000_000, 0, 0, 0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_forks() {
        for fork in Fork::ALL {
            assert_eq!(Rules::mainnet(fork).fork, fork);
        }
    }

    #[test]
    fn what_ends_with_the_merge_ends_with_the_merge() {
        for fork in Fork::ALL {
            let rules = Rules::mainnet(fork);
            assert_eq!(rules.block_reward.is_some(), fork < Fork::Paris, "{fork}");
            assert_eq!(rules.difficulty_bomb_delay.is_some(), fork < Fork::Paris, "{fork}");
            assert_eq!(rules.blobs.is_some(), fork >= Fork::Cancun, "{fork}");
        }
    }
}
