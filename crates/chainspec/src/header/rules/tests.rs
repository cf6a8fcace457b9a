//! Every rule of a header, broken once.

use super::*;
use crate::{Fork, header::HeaderField};
use alloy_primitives::{B256, Bytes, U256};

/// A parent and a sound child under the rules of `fork`.
fn pair(fork: Fork) -> (Rules, Header, Header) {
    let rules = Rules::mainnet(fork);
    let parent = with_fields(
        &rules,
        Header {
            number: 7,
            timestamp: 1_000,
            gas_limit: 30_000_000,
            gas_used: 15_000_000,
            difficulty: if rules.is_proof_of_stake() { U256::ZERO } else { U256::from(131_072) },
            ..Header::default()
        },
    );
    let header = Header {
        number: 8,
        timestamp: 1_012,
        difficulty: difficulty(&rules, &parent, 1_012),
        excess_blob_gas: excess_blob_gas(&rules, &parent),
        slot_number: parent.slot_number.map(|slot| slot + 1),
        ..parent.clone()
    };
    (rules, parent, header)
}

fn with_fields(rules: &Rules, header: Header) -> Header {
    let from = |fork| rules.has(fork);
    Header {
        base_fee_per_gas: from(Fork::London).then_some(7),
        withdrawals_root: from(Fork::Shanghai).then_some(B256::ZERO),
        blob_gas_used: from(Fork::Cancun).then_some(0),
        excess_blob_gas: from(Fork::Cancun).then_some(0),
        parent_beacon_block_root: from(Fork::Cancun).then_some(B256::ZERO),
        requests_hash: from(Fork::Prague).then_some(B256::ZERO),
        block_access_list_hash: rules.block_access_lists.then_some(B256::ZERO),
        slot_number: from(Fork::Amsterdam).then_some(5),
        ..header
    }
}

#[track_caller]
fn check(fork: Fork, edit: impl FnOnce(&mut Header), message: &str, exception: &str) {
    let (rules, parent, mut header) = pair(fork);
    edit(&mut header);
    let error = validate_header(&rules, &rules, &parent, &header).unwrap_err();
    assert_eq!(error.to_string(), message);
    assert_eq!(error.exception_name(), format!("BlockException.{exception}"));
}

#[test]
fn sound_headers_pass_under_every_fork() {
    for fork in Fork::ALL {
        let (rules, parent, header) = pair(fork);
        assert_eq!(validate_header(&rules, &rules, &parent, &header), Ok(()), "{fork}");
    }
}

#[test]
fn rules_of_every_fork() {
    use Fork::*;
    check(Frontier, |h| h.number = 9, "block number 9 does not follow the parent's number 7", "INVALID_BLOCK_NUMBER");
    check(
        Amsterdam,
        |h| h.timestamp = 1_000,
        "timestamp 1000 is not after the parent's timestamp 1000",
        "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT",
    );
    check(
        Amsterdam,
        |h| h.extra_data = Bytes::from(vec![0; 33]),
        "extra data of 33 bytes is longer than 32 bytes",
        "EXTRA_DATA_TOO_BIG",
    );
    check(
        Prague,
        |h| h.gas_limit = 1 << 63,
        "gas limit 9223372036854775808 is above 9223372036854775807",
        "GASLIMIT_TOO_BIG",
    );
    check(Prague, |h| h.gas_limit = 4_999, "gas limit 4999 is below 5000", "INVALID_GASLIMIT");
    check(
        Prague,
        |h| h.gas_limit = 30_029_296,
        "gas limit 30029296 is 1/1024 or more away from 30000000",
        "INVALID_GASLIMIT",
    );
    check(
        Prague,
        |h| h.gas_used = 30_000_001,
        "gas used 30000001 is above the gas limit 30000000",
        "INVALID_GAS_USED_ABOVE_LIMIT",
    );
}

#[test]
fn rules_of_the_proof() {
    use Fork::*;
    check(
        London,
        |h| h.difficulty = U256::from(1),
        "difficulty 1 does not match the expected 131072",
        "INVALID_DIFFICULTY",
    );
    check(
        Paris,
        |h| h.difficulty = U256::from(1),
        "difficulty 1 of a proof-of-stake block is not zero",
        "IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS",
    );
    check(
        Paris,
        |h| h.nonce = B64::with_last_byte(1),
        "nonce 0x0000000000000001 of a proof-of-stake block is not zero",
        "INCORRECT_BLOCK_FORMAT",
    );
    check(
        Paris,
        |h| h.ommers_hash = B256::ZERO,
        "ommers hash 0x0000000000000000000000000000000000000000000000000000000000000000 of a \
         proof-of-stake block is not that of the empty list",
        "IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS",
    );
}

#[test]
fn rules_of_fees_blobs_and_slots() {
    use Fork::*;
    check(
        London,
        |h| h.base_fee_per_gas = Some(8),
        "base fee 8 does not match the expected 7",
        "INVALID_BASEFEE_PER_GAS",
    );
    check(
        Cancun,
        |h| h.blob_gas_used = Some(7 * GAS_PER_BLOB),
        "blob gas used 917504 is above the limit 786432",
        "BLOB_GAS_USED_ABOVE_LIMIT",
    );
    check(
        Cancun,
        |h| h.blob_gas_used = Some(1),
        "blob gas used 1 is not a multiple of the 131072 of a blob",
        "INCORRECT_BLOB_GAS_USED",
    );
    check(
        Cancun,
        |h| h.excess_blob_gas = Some(1),
        "excess blob gas 1 does not match the expected 0",
        "INCORRECT_EXCESS_BLOB_GAS",
    );
    check(
        Amsterdam,
        |h| h.slot_number = Some(5),
        "slot number 5 is not after the parent's slot number 5",
        "INCORRECT_BLOCK_FORMAT",
    );
}

#[test]
fn each_field_comes_with_its_fork() {
    type Clear = fn(&mut Header);
    let fields: [(HeaderField, Fork, Clear); 8] = [
        (HeaderField::BaseFeePerGas, Fork::London, |h| h.base_fee_per_gas = None),
        (HeaderField::WithdrawalsRoot, Fork::Shanghai, |h| h.withdrawals_root = None),
        (HeaderField::BlobGasUsed, Fork::Cancun, |h| h.blob_gas_used = None),
        (HeaderField::ExcessBlobGas, Fork::Cancun, |h| h.excess_blob_gas = None),
        (HeaderField::ParentBeaconBlockRoot, Fork::Cancun, |h| h.parent_beacon_block_root = None),
        (HeaderField::RequestsHash, Fork::Prague, |h| h.requests_hash = None),
        (HeaderField::BlockAccessListHash, Fork::Amsterdam, |h| h.block_access_list_hash = None),
        (HeaderField::SlotNumber, Fork::Amsterdam, |h| h.slot_number = None),
    ];
    for (field, fork, clear) in fields {
        let (rules, parent, sound) = pair(fork);
        let mut without = sound.clone();
        clear(&mut without);
        let found = validate_header(&rules, &rules, &parent, &without);
        assert_eq!(found, Err(HeaderError::MissingField { field, fork }));

        let before = Fork::ALL[fork.index() - 1];
        let (rules, parent, mut with) = pair(before);
        with_field(&mut with, field, &sound);
        let found = validate_header(&rules, &rules, &parent, &with);
        assert_eq!(found, Err(HeaderError::UnexpectedField { field, fork: before }));
    }
}

fn with_field(header: &mut Header, field: HeaderField, from: &Header) {
    match field {
        HeaderField::BaseFeePerGas => header.base_fee_per_gas = from.base_fee_per_gas,
        HeaderField::WithdrawalsRoot => header.withdrawals_root = from.withdrawals_root,
        HeaderField::BlobGasUsed => header.blob_gas_used = from.blob_gas_used,
        HeaderField::ExcessBlobGas => header.excess_blob_gas = from.excess_blob_gas,
        HeaderField::ParentBeaconBlockRoot => {
            header.parent_beacon_block_root = from.parent_beacon_block_root;
        }
        HeaderField::RequestsHash => header.requests_hash = from.requests_hash,
        HeaderField::BlockAccessListHash => {
            header.block_access_list_hash = from.block_access_list_hash;
        }
        HeaderField::SlotNumber => header.slot_number = from.slot_number,
    }
}

#[test]
fn the_dao_fork_marks_its_blocks() {
    let (rules, parent, mut header) = pair(Fork::Dao);
    let judge = |dao, header: &Header| {
        let rules = Rules { dao, ..rules };
        validate_header(&rules, &rules, &parent, header).map_err(|e| e.exception_name())
    };
    let refused = Err("BlockException.EXTRA_DATA_INVALID_DAO");
    assert_eq!(judge(DaoRule::MoveBalances, &header), refused);
    assert_eq!(judge(DaoRule::ExtraData, &header), refused);
    assert_eq!(judge(DaoRule::NotExtraData, &header), Ok(()));
    header.extra_data = Bytes::from_static(DAO_EXTRA_DATA);
    assert_eq!(judge(DaoRule::MoveBalances, &header), Ok(()));
    assert_eq!(judge(DaoRule::ExtraData, &header), Ok(()));
    assert_eq!(judge(DaoRule::NotExtraData, &header), refused);
    assert_eq!(judge(DaoRule::None, &header), Ok(()));
}

#[test]
fn the_first_london_block_doubles_the_gas_limit() {
    let (berlin, parent, mut header) = pair(Fork::Berlin);
    let london = Rules::mainnet(Fork::London);
    header.base_fee_per_gas = Some(1_000_000_000);
    header.gas_limit = 60_000_000;
    assert_eq!(validate_header(&london, &berlin, &parent, &header), Ok(()));
    header.gas_limit = 30_000_000;
    let found = validate_header(&london, &berlin, &parent, &header);
    assert_eq!(found, Err(HeaderError::GasLimitStep { base: 60_000_000, found: 30_000_000 }));
}
