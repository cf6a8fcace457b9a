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
