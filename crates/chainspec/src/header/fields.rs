//! Which of the optional fields a header has under which rules.

use super::{HeaderError, HeaderField};
use crate::{Fork, Rules};
use alloy_consensus::Header;

/// Checks that the optional fields are there from their fork on, and not before.
pub(super) fn check_fields(rules: &Rules, header: &Header) -> Result<(), HeaderError> {
    for (field, is_expected, is_found) in fields(rules, header) {
        match (is_expected, is_found) {
            (true, false) => {
                return Err(HeaderError::MissingField { field, fork: rules.fork });
            }
            (false, true) => {
                return Err(HeaderError::UnexpectedField { field, fork: rules.fork });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Each optional field in the order of the encoding: whether the rules ask for it, whether it is there.
fn fields(rules: &Rules, header: &Header) -> [(HeaderField, bool, bool); 8] {
    let cancun = rules.has(Fork::Cancun);
    [
        (HeaderField::BaseFeePerGas, rules.has(Fork::London), header.base_fee_per_gas.is_some()),
        (HeaderField::WithdrawalsRoot, rules.has(Fork::Shanghai), header.withdrawals_root.is_some()),
        (HeaderField::BlobGasUsed, cancun, header.blob_gas_used.is_some()),
        (HeaderField::ExcessBlobGas, cancun, header.excess_blob_gas.is_some()),
        (HeaderField::ParentBeaconBlockRoot, cancun, header.parent_beacon_block_root.is_some()),
        (HeaderField::RequestsHash, rules.has(Fork::Prague), header.requests_hash.is_some()),
        (HeaderField::BlockAccessListHash, rules.block_access_lists, header.block_access_list_hash.is_some()),
        (HeaderField::SlotNumber, rules.has(Fork::Amsterdam), header.slot_number.is_some()),
    ]
}
