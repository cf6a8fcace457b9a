//! The mutator: what it makes is wrong, and it leaves nothing out.

use crate::lists::{LIMITS, list};
use alloy_primitives::{Address, Bytes, U256};
use balsa_bal::{
    AccountChanges, Change, Divergence, FlatList, Limits, ListError, RlpError, RlpFault, SlotChanges, diff, encode,
    mutate::{Form, Mutation, MutationKind, mutations},
};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn check(original: &FlatList, mutation: &Mutation, limits: &Limits) {
    assert_ne!(&mutation.bytes, original.bytes(), "{mutation}");
    match FlatList::decode(mutation.bytes.clone(), limits) {
        Ok(mutated) => {
            assert!(!mutation.kind.is_structural(), "{mutation} decodes");
            assert_ne!(diff(original, &mutated), [], "{mutation}");
        }
        Err(error) => assert!(mutation.kind.is_structural(), "{mutation} does not decode: {error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_mutation_is_one(accounts in list()) {
        // Mutations may lengthen a code by a byte.
        let limits = Limits { code_size_max: LIMITS.code_size_max + 1, ..LIMITS };
        let original = FlatList::decode(encode(&accounts), &limits).unwrap();
        for mutation in mutations(&accounts, limits.index_max) {
            check(&original, &mutation, &limits);
        }
    }
}

fn change<T>(block_access_index: u32, post: T) -> Change<T> {
    Change { block_access_index, post }
}

/// Two accounts with two of everything that can be swapped.
fn rich() -> Vec<AccountChanges> {
    let account = |byte: u8| AccountChanges {
        address: Address::repeat_byte(byte),
        storage_changes: [3u64, 9]
            .map(|slot| SlotChanges {
                slot: U256::from(slot),
                changes: vec![change(1, U256::from(slot + u64::from(byte))), change(3, U256::ZERO)],
            })
            .to_vec(),
        storage_reads: vec![U256::from(1), U256::from(0x100)],
        balance_changes: vec![change(1, U256::from(500)), change(2, U256::MAX)],
        nonce_changes: vec![change(1, 7), change(2, 8)],
        code_changes: vec![
            change(1, Bytes::from(vec![0x60; 60])),
            change(2, Bytes::from_static(&[0x60, 0x00])),
            change(4, Bytes::from_static(&[0x01])),
        ],
    };
    let mut first = account(0x11);
    first.balance_changes[0].block_access_index = 0;
    first.storage_reads.push(U256::from(0x200));
    first.nonce_changes.push(change(4, 9));
    first.code_changes.push(change(5, Bytes::new()));
    vec![first, account(0x22), AccountChanges { address: Address::repeat_byte(0x33), ..Default::default() }]
}

const RICH: Limits = Limits { index_max: 6, gas_limit: 60_000, code_size_max: 100 };

#[test]
fn no_kind_is_left_out() {
    let kinds: BTreeSet<_> = mutations(&rich(), RICH.index_max).map(|mutation| mutation.kind.to_string()).collect();
    let expected = "add account, add balance_changes, add code_changes, add nonce_changes, add slot, \
        add storage_changes, add storage_reads, alter account, alter balance_changes, alter code_changes, \
        alter nonce_changes, alter slot, alter storage_changes, alter storage_reads, drop account, \
        drop balance_changes, drop code_changes, drop nonce_changes, drop slot, drop storage_changes, \
        drop storage_reads, duplicate account, duplicate balance_changes, duplicate code_changes, \
        duplicate nonce_changes, duplicate slot, duplicate storage_changes, duplicate storage_reads, empty slot, \
        move balance_changes, move code_changes, move nonce_changes, move slot, move storage_reads, \
        re-encode a list as a string, re-encode a single byte in long form, re-encode a string as a list, \
        re-encode too wide, re-encode with a leading zero, re-encode with a length over the end, \
        re-encode with a non-minimal length, re-encode with a padded length, re-encode with a trailing byte, \
        re-encode with an extra item, re-encode with an item missing, re-encode without its last byte, \
        re-index balance_changes, re-index balance_changes beyond the block, re-index code_changes, \
        re-index code_changes beyond the block, re-index nonce_changes, re-index nonce_changes beyond the block, \
        re-index storage_changes, re-index storage_changes beyond the block, read to write, reorder account, \
        reorder balance_changes, reorder code_changes, reorder nonce_changes, reorder slot, \
        reorder storage_changes, reorder storage_reads, write and read, write to read";
    assert_eq!(kinds.into_iter().collect::<Vec<_>>().join(", "), expected);
}

#[test]
fn each_wrong_form_breaks_its_own_rule() {
    let mut seen = BTreeSet::new();
    for mutation in mutations(&rich(), RICH.index_max) {
        let MutationKind::Reencode(form) = mutation.kind else { continue };
        let Err(ListError::Rlp(RlpError { fault, .. })) = FlatList::decode(mutation.bytes.clone(), &RICH) else {
            panic!("{mutation} breaks no rule of RLP");
        };
        seen.insert(form);
        let as_expected = match form {
            // Zero is the empty string; in long form its length byte is a zero.
            Form::NonMinimalLength => {
                matches!(fault, RlpFault::NonMinimalLength { .. } | RlpFault::LengthLeadingZero)
            }
            Form::PaddedLength => fault == RlpFault::LengthLeadingZero,
            Form::LongSingleByte => matches!(fault, RlpFault::LongFormOfSingleByte { .. }),
            // An integer of full width is too wide with a zero more; an address has its size.
            Form::LeadingZero => matches!(
                fault,
                RlpFault::IntegerLeadingZero
                    | RlpFault::IntegerTooWide { size: 33, .. }
                    | RlpFault::AddressSize { size: 21 }
            ),
            Form::TooWide => {
                matches!(fault, RlpFault::IntegerTooWide { size: 33, .. } | RlpFault::AddressSize { size: 33 })
            }
            Form::ListForString => fault == RlpFault::StringExpected,
            Form::StringForList => fault == RlpFault::ListExpected,
            Form::ExtraItem => fault == RlpFault::ExtraItems { size: 1 },
            Form::MissingItem => fault == RlpFault::MissingItem,
            Form::Overrun | Form::MissingByte => matches!(fault, RlpFault::Truncated { .. }),
            Form::TrailingByte => fault == RlpFault::TrailingBytes { size: 1 },
        };
        assert!(as_expected, "{mutation}: {fault}");
    }
    assert_eq!(seen.len(), 12, "{seen:?}");
}

#[test]
fn one_altered_value_is_one_divergence() {
    let original = FlatList::decode(encode(&rich()), &RICH).unwrap();
    let mut altered = rich();
    altered[1].balance_changes[1].post = U256::from(3);
    let altered = FlatList::decode(encode(&altered), &RICH).unwrap();
    let divergences: Vec<_> = diff(&original, &altered).iter().map(Divergence::to_string).collect();
    let address = Address::repeat_byte(0x22);
    assert_eq!(divergences, [format!("account {address}: balance at index 2: left {} wei, right 3 wei", U256::MAX)]);
    assert_eq!(diff(&original, &original), []);
}
