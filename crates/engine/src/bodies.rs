//! `engine_getPayloadBodies`: what a consensus client does not keep of payloads.

use crate::{EngineError, Withdrawal, convert};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::Bytes;
use balsa_executor::SealedBlock;
use serde::{Serialize, Serializer};

/// The most bodies in one answer.
pub const BODIES_MAX: u64 = 1024;

/// `ExecutionPayloadBodyV1` and `V2`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PayloadBody {
    /// Encodings, in order.
    pub transactions: Vec<Bytes>,
    /// Null before Shanghai.
    pub withdrawals: Option<Vec<Withdrawal>>,
    /// From version 2.
    #[serde(skip_serializing_if = "BodyList::is_left_out")]
    pub block_access_list: BodyList,
}

/// The access list of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyList {
    /// Version 1 has no such field.
    LeftOut,
    /// Null where the block has none, or where it is not kept any more.
    Given(Option<Bytes>),
}

impl BodyList {
    fn is_left_out(&self) -> bool {
        *self == Self::LeftOut
    }
}

impl Serialize for BodyList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::LeftOut => serializer.serialize_none(),
            Self::Given(list) => list.serialize(serializer),
        }
    }
}

impl PayloadBody {
    /// The body of a block.
    pub fn new(block: &SealedBlock, block_access_list: BodyList) -> Self {
        let transactions = block.transactions.iter().map(|transaction| transaction.encoded_2718().into()).collect();
        let withdrawals = block.withdrawals.as_ref().map(|all| all.iter().map(convert::withdrawal_of).collect());
        Self { transactions, withdrawals, block_access_list }
    }
}

/// Whether so many bodies may be asked for by hash.
///
/// # Errors
/// [`EngineError::TooLarge`].
pub fn check_body_count(count: u64) -> Result<(), EngineError> {
    if count > BODIES_MAX { Err(EngineError::TooLarge { count, max: BODIES_MAX }) } else { Ok(()) }
}

/// The numbers of a range of bodies: none above `head`, so that no null trails.
///
/// # Errors
/// [`EngineError::InvalidParams`] of an empty range or one that begins with the genesis block; [`EngineError::TooLarge`].
pub fn body_range(start: u64, count: u64, head: u64) -> Result<std::ops::Range<u64>, EngineError> {
    if start < 1 || count < 1 {
        return Err(EngineError::InvalidParams(format!("start {start} and count {count} begin at 1")));
    }
    check_body_count(count)?;
    let end = start.saturating_add(count).min(head.saturating_add(1));
    Ok(start..end.max(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_with_the_head() {
        assert_eq!(body_range(1, 4, 10).unwrap(), 1..5);
        assert_eq!(body_range(8, 100, 10).unwrap(), 8..11);
        assert_eq!(body_range(11, 1, 10).unwrap(), 11..11);
        assert_eq!(body_range(u64::MAX, 1, 10).unwrap(), u64::MAX..u64::MAX);
        for (start, count, code) in [(0, 1, -32602), (1, 0, -32602), (1, BODIES_MAX + 1, -38004)] {
            assert_eq!(body_range(start, count, 10).unwrap_err().code(), code, "{start} {count}");
        }
    }

    #[test]
    fn version_1_has_no_list_and_version_2_has_null() {
        let block = SealedBlock::from_parts(Default::default(), Vec::new(), Vec::new(), None);
        let json = |list| serde_json::to_string(&PayloadBody::new(&block, list)).unwrap();
        assert_eq!(json(BodyList::LeftOut), r#"{"transactions":[],"withdrawals":null}"#);
        let list = r#"{"transactions":[],"withdrawals":null,"blockAccessList":"#;
        assert_eq!(json(BodyList::Given(None)), format!("{list}null}}"));
        assert_eq!(json(BodyList::Given(Some(Bytes::from_static(&[0xc0])))), format!("{list}\"0xc0\"}}"));
    }
}
