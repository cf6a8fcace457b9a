//! What an Ethereum chain is: forks as rows of rules, schedules, genesis, networks and header rules.
//!
//! Pure: bytes and numbers in, rules and verdicts out. A block's [`Rules`] are resolved once, by
//! [`ChainSpec::rules_of`], and handed down by value; nothing below asks a schedule again.
//!
//! Start at [`Rules`] for what a fork changes, at [`ChainSpec`] for when, at [`validate_header`] for what
//! a header must obey, at [`genesis::parse`] for where a chain begins.

mod base_fee;
mod blob_fee;
mod difficulty;
mod fork;
mod fork_id;
mod gas_limit;
pub mod genesis;
mod header;
mod network;
mod rule_override;
mod rules;
mod schedule;
mod spec;
mod test_network;

pub use base_fee::{ELASTICITY_MULTIPLIER, INITIAL_BASE_FEE, base_fee_per_gas};
pub use blob_fee::{blob_base_fee, excess_blob_gas};
pub use difficulty::difficulty;
pub use fork::{Fork, Switch};
pub use fork_id::ForkIdGenesis;
pub use gas_limit::{GAS_LIMIT_MAX, GAS_LIMIT_MIN, gas_limit_towards};
pub use genesis::{EMPTY_BLOCK_ACCESS_LIST_HASH, Genesis, GenesisAccount, GenesisError, GenesisHeader};
pub use header::{
    Ancestor, HeaderError, HeaderField, OMMER_ANCESTORS_MAX, OmmerError, validate_header, validate_ommers,
};
pub use network::{Network, UnknownNetwork};
pub use rule_override::{RuleOverride, RuleOverrideError};
pub use rules::{BlobRules, DaoRule, GAS_PER_BLOB, MAINNET_DEPOSIT_CONTRACT, Rules, TRANSACTION_GAS_LIMIT_CAP};
pub use schedule::{Schedule, ScheduleError};
pub use spec::ChainSpec;
pub use test_network::{TestNetworkConfig, UnknownTestNetwork};
