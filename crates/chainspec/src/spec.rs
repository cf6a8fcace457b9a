//! A chain's specification: which rules hold in which block.

use crate::{BlobRules, DaoRule, Fork, RuleOverride, Rules, Schedule, Switch};
use alloy_consensus::Header;
use alloy_primitives::{Address, U256};

/// For how many blocks, from the DAO fork block on, the extra data is fixed (EIP-779).
const DAO_EXTRA_DATA_BLOCKS: u64 = 10;

/// What a chain is: its id, when its forks switch on, and its own parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainSpec {
    /// The chain id ([EIP-155](https://eips.ethereum.org/EIPS/eip-155)).
    pub chain_id: u64,
    /// When the forks switch on.
    pub schedule: Schedule,
    /// The total difficulty at which proof of work ends; `None` if it never does.
    pub terminal_total_difficulty: Option<U256>,
    /// A block number that tells merged networks apart in fork ids
    /// ([EIP-3675](https://eips.ethereum.org/EIPS/eip-3675), `FORK_NEXT_VALUE`).
    pub merge_netsplit_block: Option<u64>,
    /// Whether this chain moved the DAO's balances at the DAO fork.
    pub dao_fork_support: bool,
    /// The timestamp from which blocks carry access lists, if not only from Amsterdam on.
    pub block_access_list_time: Option<u64>,
    /// The contract whose logs are deposit requests.
    pub deposit_contract: Address,
    /// The chain's own blob limits: in force from the named fork on, until the next entry.
    /// A fork without an entry keeps what its mainnet row changes, or else what was in force before it.
    pub blob_schedule: Vec<(Fork, BlobRules)>,
    /// Forks whose name means something else here.
    pub overrides: Vec<RuleOverride>,
}

impl ChainSpec {
    /// A chain with every fork up to `last` on from its genesis block, and mainnet's parameters.
    pub fn all_at_genesis(chain_id: u64, last: Fork) -> Self {
        Self {
            chain_id,
            schedule: Schedule::all_at_genesis(last),
            terminal_total_difficulty: (last >= Fork::Paris).then_some(U256::ZERO),
            merge_netsplit_block: None,
            dao_fork_support: false,
            block_access_list_time: None,
            deposit_contract: crate::MAINNET_DEPOSIT_CONTRACT,
            blob_schedule: Vec::new(),
            overrides: Vec::new(),
        }
    }

    /// The rules of the block that `header` heads.
    ///
    /// Proof of stake is read off the header's own difficulty: that the terminal total difficulty had been
    /// reached by then is for the block tree to check, see [`ChainSpec::is_merged_after`].
    pub fn rules_of(&self, header: &Header) -> Rules {
        self.rules_at(header.number, header.timestamp, self.is_proof_of_stake(header))
    }

    /// The rules of a block with this number and timestamp (in seconds).
    pub fn rules_at(&self, number: u64, timestamp: u64, proof_of_stake: bool) -> Rules {
        let scheduled = if proof_of_stake {
            self.schedule.fork_at_timestamp(timestamp)
        } else {
            self.schedule.fork_at_number(number)
        };
        let (meaning, lists) = self.meaning_of(scheduled);
        let row = Rules::mainnet(meaning);
        let lists_on_their_own = proof_of_stake && self.block_access_list_time.is_some_and(|at| at <= timestamp);
        Rules {
            chain_id: self.chain_id,
            block_access_lists: lists || lists_on_their_own,
            blobs: row.blobs.map(|blobs| self.blobs_at(timestamp, scheduled, meaning, blobs)),
            deposit_contract: self.deposit_contract,
            dao: self.dao_rule(number, proof_of_stake),
            ..row
        }
    }

    /// Whether `header` heads a block made by proof of stake.
    pub fn is_proof_of_stake(&self, header: &Header) -> bool {
        match self.terminal_total_difficulty {
            None => false,
            Some(U256::ZERO) => true,
            Some(_) => header.difficulty.is_zero(),
        }
    }

    /// Whether the child of a block with this total difficulty is made by proof of stake.
    pub fn is_merged_after(&self, total_difficulty: U256) -> bool {
        self.terminal_total_difficulty.is_some_and(|terminal| total_difficulty >= terminal)
    }

    fn meaning_of(&self, scheduled: Fork) -> (Fork, bool) {
        self.overrides
            .iter()
            .rev()
            .find(|other| other.name == scheduled)
            .map_or((scheduled, Rules::mainnet(scheduled).block_access_lists), |other| {
                (other.meaning, other.block_access_lists)
            })
    }

    /// The blob limits in force at `timestamp`: those of the fork that switched on last among the forks
    /// that set any. Not of the greatest fork: a blob-parameter-only fork may come after Amsterdam.
    fn blobs_at(&self, timestamp: u64, scheduled: Fork, meaning: Fork, row: BlobRules) -> BlobRules {
        let limits = self
            .schedule
            .entries(Switch::Timestamp)
            .filter(|(fork, at)| *at <= timestamp && (*fork <= meaning || *fork == scheduled))
            .filter_map(|(fork, at)| Some((at, fork, self.blob_limits_set_by(fork)?)))
            .max_by_key(|(at, fork, _)| (*at, *fork))
            .map_or(row, |(_, _, limits)| limits);
        BlobRules { max_per_transaction: row.max_per_transaction, ..limits }
    }

    fn blob_limits_set_by(&self, fork: Fork) -> Option<BlobRules> {
        let own = self.blob_schedule.iter().find(|(named, _)| *named == fork).map(|(_, own)| *own);
        own.or_else(|| match fork {
            Fork::Cancun | Fork::Prague | Fork::Bpo1 | Fork::Bpo2 => Rules::mainnet(fork).blobs,
            _ => None,
        })
    }

    fn dao_rule(&self, number: u64, proof_of_stake: bool) -> DaoRule {
        let Some(after) = self.schedule.at(Fork::Dao).and_then(|at| number.checked_sub(at)) else {
            return DaoRule::None;
        };
        match (after, self.dao_fork_support) {
            _ if proof_of_stake || after >= DAO_EXTRA_DATA_BLOCKS => DaoRule::None,
            (0, true) => DaoRule::MoveBalances,
            (_, true) => DaoRule::ExtraData,
            (_, false) => DaoRule::NotExtraData,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Network;

    #[track_caller]
    fn check(spec: &ChainSpec, timestamp: u64, fork: Fork, target: u64, max: u64) {
        let rules = spec.rules_at(30_000_000, timestamp, true);
        let blobs = rules.blobs.expect("the fork has blobs");
        assert_eq!((rules.fork, blobs.target, blobs.max), (fork, target, max), "at {timestamp}");
    }

    #[test]
    fn mainnet_follows_its_blob_schedule() {
        let spec = Network::Mainnet.genesis().spec;
        check(&spec, 1_710_338_135, Fork::Cancun, 3, 6);
        check(&spec, 1_746_612_311, Fork::Prague, 6, 9);
        check(&spec, 1_764_798_551, Fork::Osaka, 6, 9);
        check(&spec, 1_765_290_071, Fork::Bpo1, 10, 15);
        check(&spec, 1_767_747_671, Fork::Bpo2, 14, 21);
        assert_eq!(spec.rules_at(30_000_000, 1_710_338_134, true).blobs, None);
        assert_eq!(spec.rules_at(0, 0, false).fork, Fork::Frontier);
        assert_eq!(spec.rules_at(15_537_394, 1_663_224_179, true).fork, Fork::Paris);
    }

    #[test]
    fn sepolia_follows_its_blob_schedule() {
        let spec = Network::Sepolia.genesis().spec;
        check(&spec, 1_741_159_776, Fork::Prague, 6, 9);
        check(&spec, 1_761_607_007, Fork::Bpo1, 10, 15);
        check(&spec, 1_761_607_008, Fork::Bpo2, 14, 21);
    }

    #[test]
    fn a_later_blob_fork_changes_the_limits_of_amsterdam() {
        let limits = BlobRules { target: 30, max: 40, max_per_transaction: None, update_fraction: 1 };
        let mut spec = ChainSpec::all_at_genesis(1, Fork::Amsterdam);
        spec.schedule.set(Fork::Amsterdam, Some(100));
        spec.schedule.set(Fork::Bpo3, Some(200));
        spec.blob_schedule = vec![(Fork::Bpo3, limits)];
        check(&spec, 100, Fork::Amsterdam, 14, 21);
        check(&spec, 200, Fork::Amsterdam, 30, 40);
        let per_transaction = spec.rules_at(1, 200, true).blobs.unwrap().max_per_transaction;
        assert_eq!(per_transaction, Some(6), "the fork says it, not the schedule");
    }

    #[test]
    fn an_own_entry_outlives_the_forks_that_set_none() {
        let limits = BlobRules { target: 1, max: 2, max_per_transaction: None, update_fraction: 1 };
        let mut spec = ChainSpec::all_at_genesis(1, Fork::Osaka);
        spec.blob_schedule = vec![(Fork::Prague, limits)];
        check(&spec, 0, Fork::Osaka, 1, 2);
    }

    #[test]
    fn access_lists_can_come_before_amsterdam() {
        let mut spec = ChainSpec::all_at_genesis(1, Fork::Osaka);
        spec.block_access_list_time = Some(50);
        assert!(!spec.rules_at(1, 49, true).block_access_lists);
        let rules = spec.rules_at(1, 50, true);
        assert_eq!((rules.fork, rules.block_access_lists), (Fork::Osaka, true));
    }

    #[test]
    fn the_difficulty_tells_proof_of_stake() {
        let block = |difficulty: u64| Header { difficulty: U256::from(difficulty), ..Header::default() };
        let mut spec = ChainSpec::all_at_genesis(1, Fork::London);
        assert_eq!(spec.rules_of(&block(0)).fork, Fork::London, "this chain never merges");
        spec.terminal_total_difficulty = Some(U256::from(1_000));
        assert_eq!(spec.rules_of(&block(0)).fork, Fork::Paris);
        assert_eq!(spec.rules_of(&block(5)).fork, Fork::London);
        spec.terminal_total_difficulty = Some(U256::ZERO);
        assert_eq!(spec.rules_of(&block(5)).fork, Fork::Paris, "merged before its first block");
    }
}
