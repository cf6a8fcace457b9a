//! The first header.

use super::{Fields, GenesisError};
use crate::{ChainSpec, Fork, INITIAL_BASE_FEE, Rules};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH, Header};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{Address, B64, B256, Bytes, U256, b256};

/// Hash of the empty block access list, `keccak256(0xc0)`.
pub const EMPTY_BLOCK_ACCESS_LIST_HASH: B256 =
    b256!("0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");

/// The gas limit of a file that says zero, as in geth.
const DEFAULT_GAS_LIMIT: u64 = 4_712_388;

/// Longer extra data than any genesis block has, clique's lists of signers included; in bytes.
const EXTRA_DATA_LEN_MAX: usize = 4_096;

/// What a genesis file says about the first header; the forks say the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenesisHeader {
    /// Nonce.
    pub nonce: u64,
    /// Timestamp, in seconds.
    pub timestamp: u64,
    /// Extra data.
    pub extra_data: Bytes,
    /// Gas limit.
    pub gas_limit: u64,
    /// Gas used, which is zero but in old tests.
    pub gas_used: u64,
    /// Difficulty.
    pub difficulty: U256,
    /// Mix hash.
    pub mix_hash: B256,
    /// Beneficiary.
    pub coinbase: Address,
    /// Parent hash, which is zero but in old tests.
    pub parent_hash: B256,
    /// Base fee in wei, if it is not the initial one.
    pub base_fee_per_gas: Option<u64>,
    /// Excess blob gas, if it is not zero.
    pub excess_blob_gas: Option<u64>,
    /// Blob gas used, if it is not zero.
    pub blob_gas_used: Option<u64>,
    /// Slot number, if it is not zero.
    pub slot_number: Option<u64>,
}

/// Reads the header's fields, which stand at the top of the file.
pub(super) fn read(file: &Fields) -> Result<GenesisHeader, GenesisError> {
    if file.quantity64("number")?.unwrap_or(0) != 0 {
        return Err(file.refuse("number", "a genesis block has number 0"));
    }
    let extra_data = file.bytes("extraData")?.unwrap_or_default();
    if extra_data.len() > EXTRA_DATA_LEN_MAX {
        return Err(file.refuse("extraData", "longer than 4096 bytes"));
    }
    let gas_limit = match file.require("gasLimit", file.quantity64("gasLimit"))? {
        0 => DEFAULT_GAS_LIMIT,
        limit => limit,
    };
    if gas_limit > crate::GAS_LIMIT_MAX {
        return Err(file.refuse("gasLimit", "above the largest gas limit of any block"));
    }
    Ok(GenesisHeader {
        nonce: file.quantity64("nonce")?.unwrap_or(0),
        timestamp: file.quantity64("timestamp")?.unwrap_or(0),
        extra_data,
        gas_limit,
        gas_used: file.quantity64("gasUsed")?.unwrap_or(0),
        difficulty: file.require("difficulty", file.quantity256("difficulty"))?,
        mix_hash: file.hash("mixHash")?.unwrap_or_default(),
        coinbase: file.address("coinbase")?.unwrap_or_default(),
        parent_hash: file.hash("parentHash")?.unwrap_or_default(),
        base_fee_per_gas: file.quantity64("baseFeePerGas")?,
        excess_blob_gas: file.quantity64("excessBlobGas")?,
        blob_gas_used: file.quantity64("blobGasUsed")?,
        slot_number: file.quantity64("slotNumber")?,
    })
}

impl GenesisHeader {
    /// The header under the rules of `spec`, given the root of the first state.
    pub fn header(&self, spec: &ChainSpec, state_root: B256) -> Header {
        let rules = self.rules(spec);
        let from = |fork| rules.has(fork);
        Header {
            parent_hash: self.parent_hash,
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: self.coinbase,
            state_root,
            transactions_root: EMPTY_ROOT_HASH,
            receipts_root: EMPTY_ROOT_HASH,
            difficulty: self.difficulty,
            number: 0,
            gas_limit: self.gas_limit,
            gas_used: self.gas_used,
            timestamp: self.timestamp,
            extra_data: self.extra_data.clone(),
            mix_hash: self.mix_hash,
            nonce: B64::from(self.nonce),
            base_fee_per_gas: from(Fork::London).then(|| self.base_fee_per_gas.unwrap_or(INITIAL_BASE_FEE)),
            withdrawals_root: from(Fork::Shanghai).then_some(EMPTY_ROOT_HASH),
            blob_gas_used: from(Fork::Cancun).then(|| self.blob_gas_used.unwrap_or(0)),
            excess_blob_gas: from(Fork::Cancun).then(|| self.excess_blob_gas.unwrap_or(0)),
            parent_beacon_block_root: from(Fork::Cancun).then_some(B256::ZERO),
            requests_hash: from(Fork::Prague).then_some(EMPTY_REQUESTS_HASH),
            block_access_list_hash: rules.block_access_lists.then_some(EMPTY_BLOCK_ACCESS_LIST_HASH),
            slot_number: from(Fork::Amsterdam).then(|| self.slot_number.unwrap_or(0)),
            ..Header::default()
        }
    }

    /// The rules that shape the first header. As in geth, a fork that a timestamp switches on shapes it
    /// whatever its difficulty is, provided London is on: devnets begin merged under a proof-of-work header.
    fn rules(&self, spec: &ChainSpec) -> Rules {
        let merged = spec.schedule.is_on_at_number(Fork::London, 0)
            && (spec.is_merged_after(self.difficulty) || spec.schedule.fork_at_timestamp(self.timestamp) > Fork::Paris);
        spec.rules_at(0, self.timestamp, merged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_list_has_its_hash() {
        assert_eq!(balsa_keccak::keccak256(&[0xc0]), EMPTY_BLOCK_ACCESS_LIST_HASH);
    }
}
