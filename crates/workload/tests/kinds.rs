//! Every kind of transaction does what it is there for.

mod common;

use std::collections::BTreeSet;

use alloy_consensus::Transaction as _;
use balsa_bal::{FlatList, Limits};
use balsa_workload::kind::Kind;
use common::{blocks_of, small};

#[test]
fn kinds_succeed_and_fail_as_they_should() {
    let params = small(600, "Amsterdam", 30);
    let (_, summary) = blocks_of(&params);
    let kinds: Vec<Kind> = summary.kinds.keys().copied().collect();
    assert_eq!(kinds, params.mix.keys().copied().collect::<Vec<_>>(), "every kind occurs");
    for (kind, of_kind) in &summary.kinds {
        let (failed, count) = (of_kind.count - of_kind.succeeded, of_kind.count);
        match kind {
            Kind::OutOfGas => assert_eq!(failed, count),
            // A third catches its failure.
            Kind::Revert => assert!(failed * 3 > count && failed < count, "{failed} of {count}"),
            // Without an approval, or with one spent.
            Kind::TokenTransferFrom => assert!(failed * 2 < count, "{failed} of {count}"),
            _ => assert_eq!(failed, 0, "{kind:?}: {failed} of {count} failed"),
        }
    }
}

#[test]
fn every_request_type_is_made() {
    let (blocks, _) = blocks_of(&small(601, "Amsterdam", 20));
    let types: BTreeSet<u8> = blocks.iter().flat_map(|built| built.requests.iter().map(|request| request[0])).collect();
    assert_eq!(types.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[test]
fn every_transaction_type_is_in_blocks_and_blobs_fill_the_header() {
    let (blocks, _) = blocks_of(&small(602, "Amsterdam", 10));
    let transactions = || blocks.iter().flat_map(|built| &built.block.transactions);
    let types: BTreeSet<u8> = transactions().map(|transaction| transaction.tx_type() as u8).collect();
    assert_eq!(types.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    let blobs: u64 = transactions().filter_map(|transaction| transaction.blob_count()).sum();
    let in_headers: u64 = blocks.iter().filter_map(|built| built.block.header.blob_gas_used).sum();
    assert_eq!(blobs * balsa_chainspec::GAS_PER_BLOB, in_headers);
    assert!(blobs > 0);
}

#[test]
fn lists_have_changes_of_every_field_and_reads() {
    let (blocks, _) = blocks_of(&small(603, "Amsterdam", 10));
    let (mut codes, mut reads, mut rewritten) = (0, 0, 0);
    for built in &blocks {
        let limits = Limits {
            index_max: built.block.transactions.len() as u32 + 1,
            gas_limit: built.block.header.gas_limit,
            code_size_max: usize::MAX,
        };
        let list = FlatList::decode(built.list.clone().unwrap(), &limits).unwrap();
        for account in list.to_accounts() {
            codes += account.code_changes.len();
            reads += account.storage_reads.len();
            rewritten += account.storage_changes.iter().filter(|slot| slot.changes.len() > 1).count();
        }
    }
    assert!(codes > 0 && reads > 0 && rewritten > 0, "{codes} codes, {reads} reads, {rewritten} slots written twice");
}
