//! `ExecutionPayloadV1` to `V4`: one shape, in which each version knows which fields must be there.

use alloy_primitives::{Address, B256, Bloom, Bytes, U64, U256};
use serde::{Deserialize, Serialize};

/// An execution payload of any version. Fields that came with a later version are absent or null in an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub struct ExecutionPayload {
    pub parent_hash: B256,
    pub fee_recipient: Address,
    pub state_root: B256,
    pub receipts_root: B256,
    pub logs_bloom: Bloom,
    pub prev_randao: B256,
    pub block_number: U64,
    pub gas_limit: U64,
    pub gas_used: U64,
    pub timestamp: U64,
    pub extra_data: Bytes,
    pub base_fee_per_gas: U256,
    pub block_hash: B256,
    pub transactions: Vec<Bytes>,
    /// From version 2, Shanghai.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawals: Option<Vec<Withdrawal>>,
    /// From version 3, Cancun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob_gas_used: Option<U64>,
    /// From version 3, Cancun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excess_blob_gas: Option<U64>,
    /// From version 4, with block access lists: its RLP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_access_list: Option<Bytes>,
    /// From version 4, Amsterdam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot_number: Option<U64>,
}

/// `WithdrawalV1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub struct Withdrawal {
    pub index: U64,
    pub validator_index: U64,
    pub address: Address,
    /// In gwei.
    pub amount: U64,
}
