//! What a block is to be like, before any transaction is in it.

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header};
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{Address, B256, Bytes};
use balsa_chainspec::{ChainSpec, Fork, Rules, base_fee_per_gas, excess_blob_gas, gas_limit_towards};
use thiserror::Error;

/// What the consensus layer, and the operator, ask of a block. What a fork does not know is not asked for: `withdrawals`
/// from Shanghai on, `parent_beacon_block_root` from Cancun on, `slot_number` from Amsterdam on, and not before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// In seconds; above the parent's.
    pub timestamp: u64,
    /// Randomness of the beacon chain (EIP-4399).
    pub prev_randao: B256,
    /// Who is paid the tips.
    pub fee_recipient: Address,
    /// Withdrawals, in order (EIP-4895).
    pub withdrawals: Option<Withdrawals>,
    /// Root of the parent beacon block (EIP-4788).
    pub parent_beacon_block_root: Option<B256>,
    /// The slot (EIP-7843).
    pub slot_number: Option<u64>,
    /// The gas limit to move towards, as far as one block may.
    pub gas_limit_target: u64,
    /// Up to 32 bytes of the operator's own.
    pub extra_data: Bytes,
}

/// Attributes that no block can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AttributesError {
    /// The rules of the timestamp are those of proof of work.
    #[error("blocks before the merge are not built here")]
    ProofOfWork,
    /// A field that the fork asks for is missing.
    #[error("{field} is missing under {fork}")]
    Missing {
        /// As the Engine API calls it.
        field: &'static str,
        /// The fork.
        fork: Fork,
    },
    /// A field that the fork does not know is there.
    #[error("{field} is set under {fork}, which does not know it")]
    Unknown {
        /// As the Engine API calls it.
        field: &'static str,
        /// The fork.
        fork: Fork,
    },
    /// Time stands still or runs backwards.
    #[error("timestamp {timestamp} is not after the parent's, {parent}")]
    Timestamp {
        /// In the attributes.
        timestamp: u64,
        /// Of the parent.
        parent: u64,
    },
    /// More extra data than fits a header.
    #[error("extra data of {len} bytes is above the limit of {max}")]
    ExtraData {
        /// Its length.
        len: usize,
        /// The most that a header may have.
        max: usize,
    },
}

/// The most extra data that a header may have, in bytes (Yellow Paper, section 4.4.4).
const EXTRA_DATA_MAX: usize = 32;

impl Attributes {
    /// The rules of the block that is asked for, and its header as far as it is fixed before execution.
    ///
    /// # Errors
    /// The first attribute that no child of `parent` can have.
    pub fn header(
        &self,
        spec: &ChainSpec,
        parent_hash: B256,
        parent: &Header,
    ) -> Result<(Rules, Header), AttributesError> {
        let number = parent.number + 1;
        let rules = spec.rules_at(number, self.timestamp, spec.terminal_total_difficulty.is_some());
        self.check(&rules, parent)?;
        let parent_rules = spec.rules_of(parent);
        let header = Header {
            parent_hash,
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: self.fee_recipient,
            number,
            gas_limit: gas_limit_towards(&rules, &parent_rules, parent, self.gas_limit_target),
            timestamp: self.timestamp,
            extra_data: self.extra_data.clone(),
            mix_hash: self.prev_randao,
            base_fee_per_gas: base_fee_per_gas(&rules, &parent_rules, parent),
            excess_blob_gas: excess_blob_gas(&rules, parent),
            blob_gas_used: rules.blobs.map(|_| 0),
            parent_beacon_block_root: self.parent_beacon_block_root,
            slot_number: self.slot_number,
            ..Header::default()
        };
        Ok((rules, header))
    }

    fn check(&self, rules: &Rules, parent: &Header) -> Result<(), AttributesError> {
        let fork = rules.fork;
        if !rules.is_proof_of_stake() {
            return Err(AttributesError::ProofOfWork);
        }
        let fields = [
            ("withdrawals", self.withdrawals.is_some(), Fork::Shanghai),
            ("parentBeaconBlockRoot", self.parent_beacon_block_root.is_some(), Fork::Cancun),
            ("slotNumber", self.slot_number.is_some(), Fork::Amsterdam),
        ];
        for (field, present, since) in fields {
            match (present, rules.has(since)) {
                (false, true) => return Err(AttributesError::Missing { field, fork }),
                (true, false) => return Err(AttributesError::Unknown { field, fork }),
                _ => {}
            }
        }
        if self.timestamp <= parent.timestamp {
            return Err(AttributesError::Timestamp { timestamp: self.timestamp, parent: parent.timestamp });
        }
        let len = self.extra_data.len();
        if len > EXTRA_DATA_MAX {
            return Err(AttributesError::ExtraData { len, max: EXTRA_DATA_MAX });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(fork: Fork) -> Attributes {
        Attributes {
            timestamp: 101,
            withdrawals: (fork >= Fork::Shanghai).then(Withdrawals::default),
            parent_beacon_block_root: (fork >= Fork::Cancun).then_some(B256::ZERO),
            slot_number: (fork >= Fork::Amsterdam).then_some(1),
            gas_limit_target: 60_000_000,
            ..Attributes::default()
        }
    }

    fn header(fork: Fork, edit: impl FnOnce(&mut Attributes)) -> Result<Header, AttributesError> {
        let parent = Header {
            timestamp: 100,
            gas_limit: 30_000_000,
            gas_used: 15_000_000,
            base_fee_per_gas: Some(1000),
            number: 9,
            ..Header::default()
        };
        let mut attributes = attributes(fork);
        edit(&mut attributes);
        let spec = ChainSpec::all_at_genesis(1, fork);
        attributes.header(&spec, B256::repeat_byte(1), &parent).map(|(_, header)| header)
    }

    #[test]
    fn fixed_fields_follow_from_the_parent() {
        for fork in [Fork::Paris, Fork::Shanghai, Fork::Cancun, Fork::Prague, Fork::Osaka, Fork::Amsterdam] {
            let header = header(fork, |_| {}).unwrap();
            assert_eq!(header.number, 10);
            assert_eq!(header.base_fee_per_gas, Some(1000));
            assert_eq!(header.gas_limit, 30_000_000 + 30_000_000 / 1024 - 1);
            assert_eq!(header.excess_blob_gas.is_some(), fork >= Fork::Cancun);
        }
    }

    #[test]
    fn what_no_child_can_have_is_refused() {
        use AttributesError::{ExtraData, Missing, Timestamp, Unknown};
        let refused = |fork, edit: fn(&mut Attributes)| header(fork, edit).unwrap_err();
        let fork = Fork::Paris;
        let edit: fn(&mut Attributes) = |attributes| attributes.withdrawals = Some(Withdrawals::default());
        assert_eq!(refused(fork, edit), Unknown { field: "withdrawals", fork });
        let fork = Fork::Amsterdam;
        assert_eq!(refused(fork, |asked| asked.slot_number = None), Missing { field: "slotNumber", fork });
        let edit: fn(&mut Attributes) = |asked| asked.parent_beacon_block_root = None;
        assert_eq!(refused(fork, edit), Missing { field: "parentBeaconBlockRoot", fork });
        assert_eq!(refused(fork, |asked| asked.timestamp = 100), Timestamp { timestamp: 100, parent: 100 });
        assert_eq!(refused(fork, |asked| asked.extra_data = vec![0; 33].into()), ExtraData { len: 33, max: 32 });
        assert_eq!(refused(Fork::London, |_| {}), AttributesError::ProofOfWork);
    }
}
