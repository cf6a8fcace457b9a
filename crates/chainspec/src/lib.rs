//! What an Ethereum chain is: forks as rows of rules, schedules, genesis, networks and header rules.
//!
//! Pure: bytes and numbers in, rules and verdicts out. A block's [`Rules`] are resolved once, by
//! [`ChainSpec::rules_of`], and handed down by value; nothing below asks a schedule again.

mod fork;
mod rule_override;
mod rules;
mod schedule;
mod spec;
mod test_network;

pub use fork::{Fork, Switch};
pub use rule_override::{RuleOverride, RuleOverrideError};
pub use rules::{BlobRules, DaoRule, GAS_PER_BLOB, MAINNET_DEPOSIT_CONTRACT, Rules, TRANSACTION_GAS_LIMIT_CAP};
pub use schedule::{Schedule, ScheduleError};
pub use spec::ChainSpec;
