//! Our reasons and the suites' names for them.
//!
//! Each reason of ours has one name, in the words of execution-spec-tests ([`name_of_block_fault`] and its like, which
//! the compiler keeps complete). `OTHER_NAMES` says which further names of a suite mean that reason: the older suites
//! named things differently, and some names say more, or less, than the rule that was broken. [`accepts`] reads it.

use crate::transaction_fault;
use balsa_chain::InvalidReason;
use balsa_chainspec::{Fork, Rules};
use balsa_engine::InvalidPayload;
use balsa_evm::{AdmissionError, InvalidTransaction};
use balsa_executor::{BlockDecodeError, BodyError, InvalidBlock, SenderError, SystemCallFault};

/// Whether the suite's `expected`, which may be several names split by `|`, allows the reason that we call `ours`.
pub fn accepts(expected: &str, ours: &str) -> bool {
    expected.split('|').map(str::trim).any(|name| name == ours || means(name, ours))
}

fn means(name: &str, ours: &str) -> bool {
    OTHER_NAMES.iter().any(|(other, meanings)| *other == name && meanings.contains(&ours))
}

/// The name for what is wrong with a block.
pub fn name_of_block_fault(fault: &InvalidBlock) -> String {
    let name = match fault {
        InvalidBlock::Header(error) => error.exception_name(),
        InvalidBlock::Body(error) => name_of_body_fault(error),
        InvalidBlock::List(error) => return format!("BlockException.{}", error.exception_name()),
        InvalidBlock::Sender { error, .. } => name_of_sender_fault(error),
        InvalidBlock::Admission { error, .. } => name_of_admission_fault(error),
        InvalidBlock::Transaction { error, .. } => name_of_transaction_fault(error),
        InvalidBlock::SystemCall(_, SystemCallFault::Empty) => "BlockException.SYSTEM_CONTRACT_EMPTY",
        InvalidBlock::SystemCall(_, _) => "BlockException.SYSTEM_CONTRACT_CALL_FAILED",
        InvalidBlock::Deposit(_) => "BlockException.INVALID_DEPOSIT_EVENT_LAYOUT",
        InvalidBlock::ListMismatch(_) => "BlockException.INVALID_BLOCK_ACCESS_LIST",
        InvalidBlock::ListItems { .. } => "BlockException.BLOCK_ACCESS_LIST_GAS_LIMIT_EXCEEDED",
        InvalidBlock::GasUsed { .. } => "BlockException.INVALID_GAS_USED",
        InvalidBlock::ReceiptsRoot { .. } => "BlockException.INVALID_RECEIPTS_ROOT",
        InvalidBlock::LogsBloom { .. } => "BlockException.INVALID_LOG_BLOOM",
        InvalidBlock::RequestsHash { .. } => "BlockException.INVALID_REQUESTS",
        InvalidBlock::ListHash { .. } => "BlockException.INVALID_BAL_HASH",
        InvalidBlock::StateRoot { .. } => "BlockException.INVALID_STATE_ROOT",
        InvalidBlock::TerminalDifficulty { .. } => "BlockException.IMPORT_IMPOSSIBLE_PARIS_WRONG_POW",
    };
    name.to_owned()
}

/// The names for what is wrong with a payload of the Engine API.
///
/// # Errors
/// If the reason is of no rule.
pub fn names_of_invalid_payload(reason: &InvalidPayload) -> Result<Vec<String>, String> {
    Ok(match reason {
        InvalidPayload::BlockHash { .. } => vec!["BlockException.INVALID_BLOCK_HASH".to_owned()],
        InvalidPayload::BaseFee(_) => vec!["BlockException.INVALID_BASEFEE_PER_GAS".to_owned()],
        InvalidPayload::VersionedHashes => vec!["BlockException.INVALID_VERSIONED_HASHES".to_owned()],
        InvalidPayload::Transaction { bytes, .. } => {
            // Every payload is younger than Paris, and its version was held against its fork.
            let rules = Rules::mainnet(Fork::Amsterdam);
            let found = transaction_fault::find(&rules, bytes).map(str::to_owned);
            [Some(ENCODING.to_owned()), found].into_iter().flatten().collect()
        }
        InvalidPayload::Block(reason) => vec![name_of_invalid_reason(reason)],
    })
}

/// The name for why a block was refused, or the block that it descends from.
pub fn name_of_invalid_reason(reason: &InvalidReason) -> String {
    match reason {
        InvalidReason::Block(fault) => name_of_block_fault(fault),
        InvalidReason::Ommers(error) => error.exception_name().to_owned(),
        InvalidReason::Ancestor { reason, .. } => name_of_invalid_reason(reason),
    }
}

/// The name for what is wrong with a body.
pub fn name_of_body_fault(fault: &BodyError) -> &'static str {
    match fault {
        BodyError::Size { .. } => "BlockException.RLP_BLOCK_LIMIT_EXCEEDED",
        BodyError::TransactionsRoot { .. } => "BlockException.INVALID_TRANSACTIONS_ROOT",
        BodyError::OmmersHash { .. } => "BlockException.INVALID_UNCLES_HASH",
        BodyError::OmmersCount(_) => "BlockException.TOO_MANY_UNCLES",
        BodyError::WithdrawalsPresence { .. } => "BlockException.INCORRECT_BLOCK_FORMAT",
        BodyError::WithdrawalsRoot { .. } => "BlockException.INVALID_WITHDRAWALS_ROOT",
        BodyError::BlobGasUsed { .. } => "BlockException.INCORRECT_BLOB_GAS_USED",
        BodyError::BlobGasLimit { .. } => "TransactionException.TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED",
    }
}

/// The name for a transaction that does not fit its block.
pub fn name_of_admission_fault(fault: &AdmissionError) -> &'static str {
    match fault {
        AdmissionError::Gas { .. } | AdmissionError::StateGas { .. } => "TransactionException.GAS_ALLOWANCE_EXCEEDED",
    }
}

/// The name for a signature that names no sender.
pub fn name_of_sender_fault(fault: &SenderError) -> &'static str {
    match fault {
        SenderError::HighS => "TransactionException.INVALID_SIGNATURE_VRS",
        SenderError::Unrecoverable => "TransactionException.EC_RECOVERY_FAIL",
        SenderError::ChainId(_) => "TransactionException.INVALID_CHAINID",
    }
}

/// The name for a transaction that may not stand in its block.
pub fn name_of_transaction_fault(fault: &InvalidTransaction) -> &'static str {
    match fault {
        InvalidTransaction::PriorityFeeAboveMaxFee => "TransactionException.PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS",
        InvalidTransaction::FeeBelowBaseFee => "TransactionException.INSUFFICIENT_MAX_FEE_PER_GAS",
        InvalidTransaction::GasLimitAboveBlock => "TransactionException.GAS_ALLOWANCE_EXCEEDED",
        InvalidTransaction::IntrinsicGas { .. } => "TransactionException.INTRINSIC_GAS_TOO_LOW",
        InvalidTransaction::FloorGas { .. } => "TransactionException.INTRINSIC_GAS_BELOW_FLOOR_GAS_COST",
        InvalidTransaction::SenderHasCode => "TransactionException.SENDER_NOT_EOA",
        InvalidTransaction::InsufficientFunds { .. } => "TransactionException.INSUFFICIENT_ACCOUNT_FUNDS",
        InvalidTransaction::CostOverflow => "TransactionException.GASLIMIT_PRICE_PRODUCT_OVERFLOW",
        InvalidTransaction::NonceMax => "TransactionException.NONCE_IS_MAX",
        InvalidTransaction::NonceTooHigh { .. } => "TransactionException.NONCE_MISMATCH_TOO_HIGH",
        InvalidTransaction::NonceTooLow { .. } => "TransactionException.NONCE_MISMATCH_TOO_LOW",
        InvalidTransaction::InitcodeSize => "TransactionException.INITCODE_SIZE_EXCEEDED",
        InvalidTransaction::ChainId => "TransactionException.INVALID_CHAINID",
        InvalidTransaction::GasLimitAboveCap { .. } => "TransactionException.GAS_LIMIT_EXCEEDS_MAXIMUM",
        InvalidTransaction::TypeNotActive { transaction_type } => name_of_inactive_type(*transaction_type),
        InvalidTransaction::BlobFeeBelowBaseFee { .. } => "TransactionException.INSUFFICIENT_MAX_FEE_PER_BLOB_GAS",
        InvalidTransaction::NoBlobs => "TransactionException.TYPE_3_TX_ZERO_BLOBS",
        InvalidTransaction::BlobCreate => "TransactionException.TYPE_3_TX_CONTRACT_CREATION",
        InvalidTransaction::BlobCount { .. } => "TransactionException.TYPE_3_TX_BLOB_COUNT_EXCEEDED",
        InvalidTransaction::BlobVersion => "TransactionException.TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH",
        InvalidTransaction::NoAuthorizations => "TransactionException.TYPE_4_EMPTY_AUTHORIZATION_LIST",
        InvalidTransaction::AuthorizationCreate => "TransactionException.TYPE_4_TX_CONTRACT_CREATION",
        InvalidTransaction::Other(_) => "a rule without a name",
    }
}

fn name_of_inactive_type(transaction_type: u8) -> &'static str {
    match transaction_type {
        3 => "TransactionException.TYPE_3_TX_PRE_FORK",
        4 => "TransactionException.TYPE_4_TX_PRE_FORK",
        _ => "TransactionException.TYPE_NOT_SUPPORTED",
    }
}

/// The name for bytes that are no block, where no transaction in them is to blame.
pub fn name_of_decode_fault(_: &BlockDecodeError) -> &'static str {
    "BlockException.RLP_STRUCTURES_ENCODING"
}

const ACCOUNT_FUNDS: &str = "TransactionException.INSUFFICIENT_ACCOUNT_FUNDS";
const COST_OVERFLOW: &str = "TransactionException.GASLIMIT_PRICE_PRODUCT_OVERFLOW";
const INTRINSIC_GAS: &str = "TransactionException.INTRINSIC_GAS_TOO_LOW";
const MAX_FEE: &str = "TransactionException.INSUFFICIENT_MAX_FEE_PER_GAS";
const GAS_ALLOWANCE: &str = "TransactionException.GAS_ALLOWANCE_EXCEEDED";
const PRIORITY_FEE: &str = "TransactionException.PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS";
const TYPE: &str = "TransactionException.TYPE_NOT_SUPPORTED";
const BLOB_TYPE: &str = "TransactionException.TYPE_3_TX_PRE_FORK";
const CODE_TYPE: &str = "TransactionException.TYPE_4_TX_PRE_FORK";
const VALUE: &str = "TransactionException.VALUE_OVERFLOW";
const SENDER: &str = "TransactionException.SENDER_NOT_EOA";
const ENCODING: &str = "BlockException.RLP_STRUCTURES_ENCODING";
const FORMAT: &str = "BlockException.INCORRECT_BLOCK_FORMAT";
const BLOB_GAS_LIMIT: &str = "BlockException.BLOB_GAS_USED_ABOVE_LIMIT";
const BLOBS_OF_TRANSACTION: &str = "TransactionException.TYPE_3_TX_BLOB_COUNT_EXCEEDED";
const BLOBS_OF_BLOCK: &str = "TransactionException.TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED";
const GAS_LIMIT: &str = "BlockException.INVALID_GASLIMIT";
const GAS_LIMIT_TOO_BIG: &str = "BlockException.GASLIMIT_TOO_BIG";
const GAS_USED: &str = "BlockException.INVALID_GAS_USED";
const GAS_USED_LIMIT: &str = "BlockException.INVALID_GAS_USED_ABOVE_LIMIT";
const DIFFICULTY: &str = "BlockException.INVALID_DIFFICULTY";
const NUMBER: &str = "BlockException.INVALID_BLOCK_NUMBER";
const TIMESTAMP: &str = "BlockException.INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT";
const OMMER_IN_CHAIN: &str = "BlockException.UNCLE_IN_CHAIN";
const OMMER_IS_ANCESTOR: &str = "BlockException.UNCLE_IS_ANCESTOR";
const OMMER_IS_BROTHER: &str = "BlockException.UNCLE_IS_BROTHER";
const OMMER_PARENT: &str = "BlockException.UNCLE_PARENT_INCORRECT";
const OMMER_UNKNOWN_PARENT: &str = "BlockException.UNCLE_UNKNOWN_PARENT";
const WRONG_POW: &str = "BlockException.IMPORT_IMPOSSIBLE_PARIS_WRONG_POW";
const WRONG_POS: &str = "BlockException.IMPORT_IMPOSSIBLE_PARIS_WRONG_POS";
const NO_BASE_FEE: &str = "BlockException.IMPORT_IMPOSSIBLE_LEGACY";
const EARLY_BASE_FEE: &str = "BlockException.IMPORT_IMPOSSIBLE_LONDON_WRONG_PARENT";
const NO_WITHDRAWALS: &str = "BlockException.IMPORT_IMPOSSIBLE_PARIS_OVER_SHANGHAI";
const EARLY_WITHDRAWALS: &str = "BlockException.IMPORT_IMPOSSIBLE_SHANGHAI";
const POS_DIFFICULTY: &str = "BlockException.IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS";
const POS_OMMERS: &str = "BlockException.IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS";
const UNKNOWN_PARENT: &str = "BlockException.UNKNOWN_PARENT";
const UNKNOWN_PARENT_ZERO: &str = "BlockException.UNKNOWN_PARENT_ZERO";
const LIST_HASH: &str = "BlockException.INVALID_BAL_HASH";

/// Further names that a suite has for reasons of ours, and what they mean.
const OTHER_NAMES: &[(&str, &[&str])] = &[
    // execution-spec-tests: names that say more, or less, than the rule that is broken first.
    //
    // The header's blob gas is held against the limit before any transaction is looked at; a transaction with more
    // blobs than a block may carry has more than a transaction may carry, too.
    ("TransactionException.TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED", &[BLOB_GAS_LIMIT, BLOBS_OF_TRANSACTION]),
    ("TransactionException.TYPE_3_TX_BLOB_COUNT_EXCEEDED", &[BLOB_GAS_LIMIT, BLOBS_OF_BLOCK]),
    ("TransactionException.TYPE_NOT_SUPPORTED", &[BLOB_TYPE, CODE_TYPE]),
    ("TransactionException.RLP_INVALID_VALUE", &[VALUE]),
    ("TransactionException.PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS_2", &[PRIORITY_FEE]),
    ("TransactionException.NONCE_TOO_BIG", &["TransactionException.NONCE_IS_MAX"]),
    // A header without one of its middle fields is not a header's RLP; one without its last fields is.
    ("BlockException.INCORRECT_BLOCK_FORMAT", &[ENCODING]),
    ("BlockException.RLP_STRUCTURES_ENCODING", &[FORMAT]),
    ("BlockException.GAS_USED_OVERFLOW", &[GAS_USED_LIMIT]),
    ("BlockException.INVALID_GAS_USED", &[GAS_USED_LIMIT]),
    // Once the terminal total difficulty is reached the only right difficulty is none.
    ("BlockException.INVALID_DIFFICULTY", &[WRONG_POW]),
    ("BlockException.UNCLE_PARENT_INCORRECT", &[OMMER_UNKNOWN_PARENT]),
    // Without the list at hand, all that shows is the hash of what execution recorded.
    ("BlockException.INVALID_BLOCK_ACCESS_LIST", &[LIST_HASH]),
    ("BlockException.IMPORT_IMPOSSIBLE_LEGACY_WRONG_PARENT", &[NO_BASE_FEE]),
    // The bytes of a set-code transaction, cut off or with more behind them.
    ("TransactionException.TYPE_4_INVALID_AUTHORIZATION_FORMAT", &["TransactionException.RLP_ERROR_SIZE"]),
    // Names of the older suites.
    ("1559BlockImportImpossible_BaseFeeWrong", &["BlockException.INVALID_BASEFEE_PER_GAS"]),
    ("1559BlockImportImpossible_HeaderIsLegacy", &[NO_BASE_FEE, EARLY_BASE_FEE]),
    ("1559BlockImportImpossible_InitialGasLimitInvalid", &[GAS_LIMIT]),
    ("3675PoSBlockRejected", &[WRONG_POS, DIFFICULTY]),
    ("3675PoWBlockRejected", &[WRONG_POW]),
    ("3675PreParis1559BlockRejected", &[WRONG_POW, POS_OMMERS, POS_DIFFICULTY]),
    ("BlockGasLimitReached", &[GAS_ALLOWANCE]),
    ("ExtraDataIncorrectDAO", &["BlockException.EXTRA_DATA_INVALID_DAO"]),
    ("ExtraDataTooBig", &["BlockException.EXTRA_DATA_TOO_BIG"]),
    ("INPUT_UNMARSHAL_ADDRESS_ERROR", &[ENCODING]),
    ("INPUT_UNMARSHAL_ERROR", &[ENCODING]),
    ("IntrinsicGas", &[INTRINSIC_GAS]),
    // Seals are not checked here; the blocks whose seal is wrong have the state root of another block as well.
    ("InvalidBlockNonce", &["BlockException.INVALID_STATE_ROOT"]),
    ("InvalidDifficulty", &[DIFFICULTY, WRONG_POW]),
    ("InvalidGasLimit", &[GAS_LIMIT, GAS_LIMIT_TOO_BIG]),
    ("InvalidGasLimit2", &[GAS_LIMIT, GAS_LIMIT_TOO_BIG]),
    ("InvalidGasUsed", &[GAS_USED]),
    ("InvalidLogBloom", &["BlockException.INVALID_LOG_BLOOM"]),
    ("InvalidNumber", &[NUMBER]),
    ("InvalidReceiptsStateRoot", &["BlockException.INVALID_RECEIPTS_ROOT"]),
    ("InvalidStateRoot", &["BlockException.INVALID_STATE_ROOT"]),
    ("InvalidTimestamp", &[TIMESTAMP]),
    ("InvalidTimestampOlderParent", &[TIMESTAMP]),
    ("InvalidTransactionsRoot", &["BlockException.INVALID_TRANSACTIONS_ROOT"]),
    ("InvalidUncleParentHash", &[OMMER_UNKNOWN_PARENT, OMMER_IS_ANCESTOR]),
    ("InvalidUnclesHash", &["BlockException.INVALID_UNCLES_HASH"]),
    ("InvalidWithdrawals", &["BlockException.INVALID_WITHDRAWALS_ROOT"]),
    ("LegacyBlockImportImpossible", &[NO_BASE_FEE]),
    ("LegacyBlockImportImpossible2", &[EARLY_BASE_FEE, NO_BASE_FEE]),
    ("ParisBlockImportImpossible", &[NO_WITHDRAWALS]),
    ("PostParisDifficultyIsNot0", &[POS_DIFFICULTY]),
    ("PostParisUncleHashIsNotEmpty", &[POS_OMMERS]),
    ("RLP_ExpectedAsList", &[ENCODING, FORMAT]),
    ("SenderNotEOA", &[SENDER]),
    ("SenderNotEOAorNoCASH", &[SENDER, ACCOUNT_FUNDS]),
    ("ShanghaiBlockImportImpossible", &[EARLY_WITHDRAWALS]),
    ("TR_BLOBCREATE", &["TransactionException.TYPE_3_TX_CONTRACT_CREATION"]),
    ("TR_BLOBLIST_OVERSIZE", &["TransactionException.TYPE_3_TX_BLOB_COUNT_EXCEEDED", BLOBS_OF_BLOCK, BLOB_GAS_LIMIT]),
    ("TR_BLOBVERSION_INVALID", &["TransactionException.TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH"]),
    ("TR_EMPTYBLOB", &["TransactionException.TYPE_3_TX_ZERO_BLOBS"]),
    ("TR_FeeCapLessThanBlocks", &[MAX_FEE]),
    ("TR_FeeCapLessThanBlocksORGasLimitReached", &[MAX_FEE, GAS_ALLOWANCE]),
    ("TR_FeeCapLessThanBlocksORNoFunds", &[MAX_FEE, ACCOUNT_FUNDS]),
    ("TR_GasLimitReached", &[GAS_ALLOWANCE]),
    ("TR_InitCodeLimitExceeded", &["TransactionException.INITCODE_SIZE_EXCEEDED"]),
    ("TR_IntrinsicGas", &[INTRINSIC_GAS]),
    ("TR_NoFunds", &[ACCOUNT_FUNDS]),
    ("TR_NoFundsOrGas", &[ACCOUNT_FUNDS, INTRINSIC_GAS]),
    ("TR_NoFundsX", &[ACCOUNT_FUNDS, COST_OVERFLOW]),
    ("TR_NonceHasMaxValue", &["TransactionException.NONCE_IS_MAX"]),
    ("TR_NonceTooHigh", &["TransactionException.NONCE_MISMATCH_TOO_HIGH"]),
    ("TR_NonceTooLow", &["TransactionException.NONCE_MISMATCH_TOO_LOW"]),
    ("TR_RLP_WRONGVALUE", &[VALUE, "TransactionException.RLP_INVALID_VALUE"]),
    ("TR_TipGtFeeCap", &[PRIORITY_FEE]),
    ("TR_TypeNotSupported", &[TYPE, BLOB_TYPE]),
    ("TooManyUncles", &["BlockException.TOO_MANY_UNCLES"]),
    ("TooMuchGasUsed", &[GAS_USED_LIMIT, GAS_LIMIT]),
    ("UncleInChain", &[OMMER_IN_CHAIN, OMMER_IS_ANCESTOR, OMMER_IS_BROTHER]),
    ("UncleIsAncestor", &[OMMER_IS_ANCESTOR]),
    ("UncleIsBrother", &[OMMER_IS_BROTHER, OMMER_PARENT]),
    ("UncleParentIsNotAncestor", &[OMMER_PARENT, OMMER_UNKNOWN_PARENT]),
    ("UncleTooOld", &[OMMER_UNKNOWN_PARENT]),
    ("UnknownParent", &[UNKNOWN_PARENT, UNKNOWN_PARENT_ZERO]),
    ("UnknownParent2", &[UNKNOWN_PARENT, UNKNOWN_PARENT_ZERO]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, U256};
    use balsa_chainspec::HeaderError;
    use std::collections::HashSet;

    #[test]
    fn any_of_several_names_will_do() {
        assert!(accepts("TransactionException.A|BlockException.INVALID_GASLIMIT", GAS_LIMIT));
        assert!(accepts("TR_NoFundsOrGas", INTRINSIC_GAS));
        assert!(accepts("TR_NoFundsOrGas", ACCOUNT_FUNDS));
        assert!(!accepts("TR_NoFunds", INTRINSIC_GAS));
        assert!(!accepts("", GAS_LIMIT));
    }

    #[test]
    fn a_name_stands_once_and_never_means_itself() {
        let mut seen = HashSet::new();
        for (name, meanings) in OTHER_NAMES {
            assert!(seen.insert(name), "{name} stands twice");
            assert!(!meanings.contains(name), "{name} means itself");
            assert!(!meanings.is_empty());
        }
    }

    /// The way back: what a name of the older suites means is a name that one of our reasons has.
    #[test]
    fn every_meaning_is_a_reason_of_ours() {
        let (reasons, _) = include_str!("exception.rs").split_once("const ACCOUNT_FUNDS").unwrap();
        let elsewhere = [
            include_str!("transaction_fault.rs"),
            include_str!("suite/block.rs"),
            include_str!("../../chainspec/src/header/error.rs"),
            include_str!("../../chainspec/src/header/ommers.rs"),
        ];
        let sources = || elsewhere.into_iter().chain([reasons]);
        for meaning in OTHER_NAMES.iter().flat_map(|(_, meanings)| *meanings) {
            let quoted = format!("\"{meaning}\"");
            // The faults of lists have their names without the class.
            let bare = meaning.trim_start_matches("BlockException.");
            let of_list = include_str!("../../bal/src/list_error.rs").contains(bare);
            assert!(of_list || sources().any(|source| source.contains(&quoted)), "nothing here is called {meaning}");
        }
    }

    #[test]
    fn faults_have_the_names_of_their_rules() {
        let name = |fault: InvalidBlock| name_of_block_fault(&fault);
        let root = |executed, header| InvalidBlock::StateRoot { executed, header };
        assert_eq!(name(root(B256::ZERO, B256::ZERO)), "BlockException.INVALID_STATE_ROOT");
        let error = InvalidTransaction::InsufficientFunds { cost: U256::ONE, balance: U256::ZERO };
        assert_eq!(name(InvalidBlock::Transaction { index: 0, error }), ACCOUNT_FUNDS);
        let error = HeaderError::GasLimitStep { base: 1, found: 2 };
        assert_eq!(name(InvalidBlock::Header(error)), GAS_LIMIT);
    }
}
