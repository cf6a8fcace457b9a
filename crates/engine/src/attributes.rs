//! `PayloadAttributesV1` to `V4`: what the consensus client asks of a block that is to be built.

use crate::{EngineError, ForkchoiceVersion, Withdrawal, convert};
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{Address, B64, B256, U64};
use balsa_chainspec::{Fork, Rules};
use balsa_keccak::keccak256;
use serde::{Deserialize, Serialize};

/// Payload attributes of any version. Fields that came with a later version are absent or null in an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub struct PayloadAttributes {
    pub timestamp: U64,
    pub prev_randao: B256,
    pub suggested_fee_recipient: Address,
    /// From version 2, Shanghai.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawals: Option<Vec<Withdrawal>>,
    /// From version 3, Cancun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_beacon_block_root: Option<B256>,
    /// From version 4, Amsterdam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot_number: Option<U64>,
    /// From version 4, Amsterdam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_gas_limit: Option<U64>,
}

/// The name of a build process: 8 bytes that follow from what is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PayloadId(pub B64);

impl std::fmt::Display for PayloadId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl PayloadAttributes {
    /// Holds the attributes against the version of the call and the rules of their timestamp: structure first, then fork.
    ///
    /// # Errors
    /// [`EngineError::InvalidPayloadAttributes`], [`EngineError::UnsupportedFork`]; [`EngineError::InvalidParams`] in
    /// version 1, which has no error of its own for them.
    pub fn check(&self, version: ForkchoiceVersion, rules: &Rules) -> Result<(), EngineError> {
        let withdrawals = match version {
            ForkchoiceVersion::V1 => false,
            ForkchoiceVersion::V2 => rules.has(Fork::Shanghai),
            _ => true,
        };
        let amsterdam = version >= ForkchoiceVersion::V4;
        for (name, present, expected) in [
            ("withdrawals", self.withdrawals.is_some(), withdrawals),
            ("parentBeaconBlockRoot", self.parent_beacon_block_root.is_some(), version >= ForkchoiceVersion::V3),
            ("slotNumber", self.slot_number.is_some(), amsterdam),
            ("targetGasLimit", self.target_gas_limit.is_some(), amsterdam),
        ] {
            let message = match (present, expected) {
                (true, false) => format!("{name} is not an attribute of this version"),
                (false, true) => format!("{name} is missing"),
                _ => continue,
            };
            return Err(match version {
                ForkchoiceVersion::V1 => EngineError::InvalidParams(message),
                _ => EngineError::InvalidPayloadAttributes(message),
            });
        }
        version.check(rules)
    }

    /// The withdrawals as blocks have them.
    pub fn withdrawals(&self) -> Option<Withdrawals> {
        self.withdrawals.as_ref().map(|all| all.iter().map(convert::withdrawal).collect::<Vec<_>>().into())
    }

    /// The name of the process that builds this on `parent`: equal attributes have equal names.
    pub fn id(&self, parent: B256) -> PayloadId {
        let mut bytes = parent.to_vec();
        bytes.extend(self.timestamp.to_be_bytes::<8>());
        bytes.extend(self.prev_randao);
        bytes.extend(self.suggested_fee_recipient);
        bytes.extend(self.parent_beacon_block_root.unwrap_or_default());
        for quantity in [self.slot_number, self.target_gas_limit] {
            bytes.push(quantity.is_some().into());
            bytes.extend(quantity.unwrap_or_default().to_be_bytes::<8>());
        }
        if let Some(withdrawals) = self.withdrawals() {
            bytes.extend(alloy_rlp::encode(withdrawals));
        }
        PayloadId(B64::from_slice(&keccak256(&bytes)[..8]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ForkchoiceVersion::*;

    /// What a version asks for, in full.
    fn attributes(version: ForkchoiceVersion) -> PayloadAttributes {
        PayloadAttributes {
            timestamp: U64::from(100),
            withdrawals: (version >= V2).then(Vec::new),
            parent_beacon_block_root: (version >= V3).then_some(B256::ZERO),
            slot_number: (version >= V4).then_some(U64::from(1)),
            target_gas_limit: (version >= V4).then_some(U64::from(60_000_000)),
            ..PayloadAttributes::default()
        }
    }

    fn code(version: ForkchoiceVersion, fork: Fork, attributes: &PayloadAttributes) -> i64 {
        attributes.check(version, &Rules::mainnet(fork)).map_or_else(|error| error.code(), |()| 0)
    }

    #[test]
    fn each_version_is_for_its_forks() {
        for (version, fork, expected) in [
            (V1, Fork::Paris, 0),
            (V1, Fork::Shanghai, -32602),
            (V2, Fork::Shanghai, 0),
            (V2, Fork::Paris, -38003),
            (V2, Fork::Cancun, -38005),
            (V3, Fork::Shanghai, -38005),
            (V3, Fork::Cancun, 0),
            (V3, Fork::Prague, 0),
            (V3, Fork::Bpo2, 0),
            (V3, Fork::Amsterdam, -38005),
            (V4, Fork::Osaka, -38005),
            (V4, Fork::Amsterdam, 0),
        ] {
            assert_eq!(code(version, fork, &attributes(version)), expected, "{version:?} {fork}");
        }
    }

    #[test]
    fn structure_goes_before_fork() {
        for (version, of, fork, expected) in [
            (V1, V2, Fork::Paris, -32602),
            (V2, V1, Fork::Paris, 0),
            (V2, V1, Fork::Shanghai, -38003),
            (V2, V3, Fork::Cancun, -38003),
            (V3, V2, Fork::Cancun, -38003),
            (V3, V4, Fork::Amsterdam, -38003),
            (V4, V3, Fork::Amsterdam, -38003),
        ] {
            assert_eq!(code(version, fork, &attributes(of)), expected, "{version:?} {of:?} {fork}");
        }
    }

    #[test]
    fn the_name_follows_from_every_attribute() {
        let parent = B256::repeat_byte(1);
        let base = attributes(V4);
        assert_eq!(base.id(parent), base.clone().id(parent));
        assert_ne!(base.id(parent), base.id(B256::repeat_byte(2)));
        let edits: [fn(&mut PayloadAttributes); 6] = [
            |all| all.timestamp = U64::from(101),
            |all| all.prev_randao = B256::repeat_byte(1),
            |all| all.suggested_fee_recipient = Address::repeat_byte(1),
            |all| all.withdrawals = None,
            |all| all.slot_number = Some(U64::from(2)),
            |all| all.target_gas_limit = None,
        ];
        for (position, edit) in edits.into_iter().enumerate() {
            let mut other = base.clone();
            edit(&mut other);
            assert_ne!(base.id(parent), other.id(parent), "edit {position}");
        }
    }
}
