//! Fields of the block that are to be otherwise.

use alloy_consensus::Header;
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{Address, B256, U64, U256};
use serde::Deserialize;

use super::OverrideError;

/// Fields of a block that are to be otherwise. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BlockOverrides {
    /// The number.
    #[serde(alias = "blockNumber")]
    pub number: Option<U256>,
    /// The difficulty; means nothing under proof of stake.
    pub difficulty: Option<U256>,
    /// Seconds.
    #[serde(alias = "timestamp")]
    pub time: Option<U64>,
    /// The gas limit.
    pub gas_limit: Option<U64>,
    /// Who is paid the tips.
    #[serde(alias = "coinbase")]
    pub fee_recipient: Option<Address>,
    /// Randomness of the beacon chain (EIP-4399).
    #[serde(alias = "random")]
    pub prev_randao: Option<B256>,
    /// Wei per gas (EIP-1559).
    #[serde(alias = "baseFee")]
    pub base_fee_per_gas: Option<U256>,
    /// Wei per blob gas (EIP-4844).
    pub blob_base_fee: Option<U256>,
    /// Root of the parent beacon block (EIP-4788); simulated blocks only.
    pub beacon_root: Option<B256>,
    /// Withdrawals (EIP-4895); simulated blocks only.
    pub withdrawals: Option<Withdrawals>,
}

impl BlockOverrides {
    /// Refuses what a call has no use for.
    pub(crate) fn check_for_call(&self) -> Result<(), OverrideError> {
        if self.beacon_root.is_some() {
            return Err(OverrideError::BlockField("beaconRoot"));
        }
        if self.withdrawals.is_some() {
            return Err(OverrideError::BlockField("withdrawals"));
        }
        Ok(())
    }

    /// Puts the fields that a header has into it.
    pub(crate) fn apply(&self, header: &mut Header) -> Result<(), OverrideError> {
        if let Some(number) = self.number {
            header.number = fits("number", number)?;
        }
        if let Some(base_fee) = self.base_fee_per_gas {
            header.base_fee_per_gas = Some(fits("baseFeePerGas", base_fee)?);
        }
        header.difficulty = self.difficulty.unwrap_or(header.difficulty);
        header.timestamp = self.time.map_or(header.timestamp, |time| time.to());
        header.gas_limit = self.gas_limit.map_or(header.gas_limit, |limit| limit.to());
        header.beneficiary = self.fee_recipient.unwrap_or(header.beneficiary);
        header.mix_hash = self.prev_randao.unwrap_or(header.mix_hash);
        Ok(())
    }

    /// The blob base fee that is asked for, which no header has.
    pub(crate) fn blob_base_fee(&self) -> Result<Option<u128>, OverrideError> {
        self.blob_base_fee.map(|fee| fits("blobBaseFee", fee)).transpose()
    }
}

fn fits<T: TryFrom<U256>>(field: &'static str, value: U256) -> Result<T, OverrideError> {
    T::try_from(value).map_err(|_| OverrideError::BlockFieldTooLarge { field, value })
}
