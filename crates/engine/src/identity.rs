//! What the two sides tell each other of themselves.

use alloy_primitives::{B256, U64, U256};
use balsa_chainspec::ChainSpec;
use serde::{Deserialize, Serialize};

/// The methods of `engine_exchangeCapabilities`, which does not name itself.
pub const CAPABILITIES: [&str; 25] = [
    "engine_exchangeTransitionConfigurationV1",
    "engine_forkchoiceUpdatedV1",
    "engine_forkchoiceUpdatedV2",
    "engine_forkchoiceUpdatedV3",
    "engine_forkchoiceUpdatedV4",
    "engine_getBlobsV1",
    "engine_getBlobsV2",
    "engine_getBlobsV3",
    "engine_getBlobsV4",
    "engine_getClientVersionV1",
    "engine_getPayloadBodiesByHashV1",
    "engine_getPayloadBodiesByHashV2",
    "engine_getPayloadBodiesByRangeV1",
    "engine_getPayloadBodiesByRangeV2",
    "engine_getPayloadV1",
    "engine_getPayloadV2",
    "engine_getPayloadV3",
    "engine_getPayloadV4",
    "engine_getPayloadV5",
    "engine_getPayloadV6",
    "engine_newPayloadV1",
    "engine_newPayloadV2",
    "engine_newPayloadV3",
    "engine_newPayloadV4",
    "engine_newPayloadV5",
];

/// `ClientVersionV1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientVersion {
    /// Two letters.
    pub code: String,
    /// For people.
    pub name: String,
    /// For people.
    pub version: String,
    /// The first four bytes of the commit, in hex.
    pub commit: String,
}

impl ClientVersion {
    /// What this program says of itself. The commit is not known unless `BALSA_COMMIT` was set when it was built.
    pub fn of_this_program() -> Self {
        Self {
            code: "BS".to_owned(),
            name: "balsa".to_owned(),
            version: format!("v{}", env!("CARGO_PKG_VERSION")),
            commit: commit(option_env!("BALSA_COMMIT").unwrap_or_default()),
        }
    }
}

/// The first four bytes of a commit's hash, as `DATA`; zeros if it is none.
fn commit(hash: &str) -> String {
    match hash.get(..8).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit())) {
        Some(digits) => format!("0x{}", digits.to_lowercase()),
        None => "0x00000000".to_owned(),
    }
}

/// `TransitionConfigurationV1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub struct TransitionConfiguration {
    pub terminal_total_difficulty: U256,
    pub terminal_block_hash: B256,
    pub terminal_block_number: U64,
}

impl TransitionConfiguration {
    /// What this chain has.
    pub fn of(spec: &ChainSpec) -> Self {
        // 2^256 - 2^10 stands for a difficulty that was not decided.
        let undecided = U256::MAX - U256::from(1023);
        Self {
            terminal_total_difficulty: spec.terminal_total_difficulty.unwrap_or(undecided),
            terminal_block_hash: B256::ZERO,
            terminal_block_number: U64::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_four_bytes() {
        assert_eq!(commit("884101CAfe00"), "0x884101ca");
        for none in ["", "8841", "not a commit"] {
            assert_eq!(commit(none), "0x00000000", "{none}");
        }
    }

    #[test]
    fn capabilities_are_sorted_and_named_once() {
        assert!(CAPABILITIES.is_sorted_by(|one, next| one < next));
        assert!(!CAPABILITIES.contains(&"engine_exchangeCapabilities"));
    }
}
