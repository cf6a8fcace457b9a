//! What the pool knows of the chain.

use balsa_chainspec::Rules;
use balsa_evm::Transaction;
use balsa_state::State;

/// The block that the next one is built on, as far as transactions are concerned. Handed in at each change of the head.
#[derive(Clone)]
pub struct Head {
    /// State after the head.
    pub state: State,
    /// Rules of the next block.
    pub rules: Rules,
    /// The head's gas limit.
    pub gas_limit: u64,
    /// Base fee of the next block, in wei a gas; 0 before London.
    pub base_fee: u64,
    /// Blob base fee of the next block, in wei a blob gas; 0 before Cancun.
    pub blob_base_fee: u128,
}

/// What happened between two heads.
#[derive(Clone, Debug, Default)]
pub struct BlockChange {
    /// Transactions of blocks that are canonical no more, oldest first. Those that are not included again return.
    pub removed: Vec<Transaction>,
    /// Transactions of blocks that became canonical, oldest first.
    pub included: Vec<Transaction>,
}
