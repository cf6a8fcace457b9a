//! Every rule of a list's form, with a smallest list that breaks it.

use alloy_primitives::{Address, Bytes, U256};
use balsa_bal::{
    AccountChanges, Change, Field, FlatList, Limits, ListError, RlpError, RlpFault, SlotChanges, encode,
    item_count_max, reads_feasible,
};

const LIMITS: Limits = Limits { index_max: 3, gas_limit: 8_000, code_size_max: 2 };
const ALICE: Address = Address::repeat_byte(0xa1);
const BOB: Address = Address::repeat_byte(0xb0);

fn check(accounts: &[AccountChanges], error: ListError, name: &str) {
    let result = FlatList::decode(encode(accounts), &LIMITS);
    assert_eq!(result.map(|list| list.to_accounts()), Err(error));
    assert_eq!(error.exception_name(), name);
}

fn check_bytes(hex: &str, offset: usize, fault: RlpFault) {
    let bytes: Bytes = hex.parse().unwrap();
    let result = FlatList::decode(bytes, &LIMITS).map(|list| list.to_accounts());
    assert_eq!(result, Err(ListError::Rlp(RlpError { offset, fault })), "{hex}");
}

const INVALID: &str = "INVALID_BLOCK_ACCESS_LIST";

fn account(address: Address) -> AccountChanges {
    AccountChanges { address, ..Default::default() }
}

fn slots(changed: &[(u64, &[u32])], read: &[u64]) -> Vec<AccountChanges> {
    let changes = |indices: &[u32]| indices.iter().map(|&index| change(index, U256::from(index))).collect();
    let slot = |&(slot, indices): &(u64, &[u32])| SlotChanges { slot: U256::from(slot), changes: changes(indices) };
    let storage_changes = changed.iter().map(slot).collect();
    let storage_reads = read.iter().map(|&slot| U256::from(slot)).collect();
    vec![AccountChanges { storage_changes, storage_reads, ..account(ALICE) }]
}

fn change<T>(block_access_index: u32, post: T) -> Change<T> {
    Change { block_access_index, post }
}

#[test]
fn accounts_ascend() {
    let error = ListError::AccountOrder { previous: BOB, address: ALICE };
    check(&[account(BOB), account(ALICE)], error, INVALID);
    let error = ListError::DuplicateAccount { address: BOB };
    check(&[account(BOB), account(BOB)], error, "INCORRECT_BLOCK_FORMAT");
}

#[test]
fn slots_ascend() {
    let (previous, slot) = (U256::from(7), U256::from(4));
    for (accounts, field) in
        [(slots(&[(7, &[1]), (4, &[1])], &[]), Field::StorageChanges), (slots(&[], &[7, 4]), Field::StorageReads)]
    {
        check(&accounts, ListError::SlotOrder { address: ALICE, field, previous, slot }, INVALID);
    }
    for (accounts, field) in
        [(slots(&[(4, &[1]), (4, &[1])], &[]), Field::StorageChanges), (slots(&[], &[4, 4]), Field::StorageReads)]
    {
        check(&accounts, ListError::DuplicateSlot { address: ALICE, field, slot }, INVALID);
    }
}

#[test]
fn a_slot_is_changed_or_read() {
    let error = ListError::SlotChangedAndRead { address: ALICE, slot: U256::from(4) };
    check(&slots(&[(2, &[1]), (4, &[1])], &[3, 4]), error, INVALID);
}

#[test]
fn a_changed_slot_has_a_change() {
    let error = ListError::EmptySlotChanges { address: ALICE, slot: U256::from(4) };
    check(&slots(&[(4, &[])], &[]), error, INVALID);
}

#[test]
fn indices_ascend_within_the_block() {
    let field = Field::StorageChanges;
    let error = ListError::IndexOrder { address: ALICE, field, previous: 2, index: 1 };
    check(&slots(&[(4, &[2, 1])], &[]), error, INVALID);
    let error = ListError::DuplicateIndex { address: ALICE, field, index: 0 };
    check(&slots(&[(4, &[0, 0])], &[]), error, INVALID);
    let error = ListError::IndexBeyondBlock { address: ALICE, field, index: 4, index_max: 3 };
    check(&slots(&[(4, &[3, 4])], &[]), error, INVALID);

    let field = Field::BalanceChanges;
    let balances = vec![change(1, U256::ZERO), change(1, U256::ONE)];
    let accounts = [AccountChanges { balance_changes: balances, ..account(ALICE) }];
    check(&accounts, ListError::DuplicateIndex { address: ALICE, field, index: 1 }, INVALID);

    let (field, index_max) = (Field::NonceChanges, 3);
    let accounts = [AccountChanges { nonce_changes: vec![change(u32::MAX, 1)], ..account(ALICE) }];
    check(&accounts, ListError::IndexBeyondBlock { address: ALICE, field, index: u32::MAX, index_max }, INVALID);
}

#[test]
fn the_greatest_index_is_in_range() {
    let limits = Limits { index_max: u32::MAX, ..LIMITS };
    // In range; the code is refused before the list makes room for rows that far away.
    let accounts = [AccountChanges { code_changes: vec![change(u32::MAX, Bytes::from(vec![0; 3]))], ..account(ALICE) }];
    let error = ListError::CodeTooLarge { address: ALICE, index: u32::MAX, size: 3, size_max: 2 };
    assert_eq!(FlatList::decode(encode(&accounts), &limits).map(|list| list.to_accounts()), Err(error));
}

#[test]
fn a_code_fits_its_fork() {
    let accounts = [AccountChanges { code_changes: vec![change(1, Bytes::from(vec![0; 3]))], ..account(ALICE) }];
    let error = ListError::CodeTooLarge { address: ALICE, index: 1, size: 3, size_max: 2 };
    check(&accounts, error, INVALID);
}

#[test]
fn the_item_cap_is_a_verdict() {
    assert_eq!(item_count_max(LIMITS.gas_limit), 4);
    let at_cap = FlatList::decode(encode(&slots(&[(1, &[1])], &[2, 3])), &LIMITS).unwrap();
    assert_eq!(at_cap.check_item_cap(), Ok(()));
    let over = FlatList::decode(encode(&slots(&[(1, &[1])], &[2, 3, 4])), &LIMITS).unwrap();
    let error = ListError::TooManyItems { items: 5, items_max: 4 };
    assert_eq!(over.check_item_cap(), Err(error));
    assert_eq!(error.exception_name(), "BLOCK_ACCESS_LIST_GAS_LIMIT_EXCEEDED");
}

#[test]
fn gas_pays_for_reads() {
    assert!(reads_feasible(0, 0));
    assert!(reads_feasible(3, 6_000));
    assert!(!reads_feasible(3, 5_999));
    assert!(!reads_feasible(u64::MAX, u64::MAX));
}

#[test]
fn the_empty_list_is_one_byte() {
    let list = FlatList::decode(Bytes::from_static(&[0xc0]), &LIMITS).unwrap();
    assert!(list.is_empty());
    assert_eq!(list.hash(), alloy_eip7928::constants::EMPTY_BLOCK_ACCESS_LIST_HASH);
    assert_eq!(list.row_count(0), 0);
}

#[test]
fn bytes_are_canonical_rlp() {
    check_bytes("0x", 0, RlpFault::MissingItem);
    check_bytes("0x80", 0, RlpFault::ListExpected);
    check_bytes("0x05", 0, RlpFault::ListExpected);
    check_bytes("0xc000", 1, RlpFault::TrailingBytes { size: 1 });
    check_bytes("0xc1", 0, RlpFault::Truncated { size: 1, present: 0 });
    // Lengths that promise the world: refused before anything is reserved for them.
    check_bytes("0xf8", 0, RlpFault::Truncated { size: 1, present: 0 });
    check_bytes("0xffffffffffffffffff", 0, RlpFault::Truncated { size: usize::MAX, present: 0 });
    check_bytes("0xfb7fffffff", 0, RlpFault::Truncated { size: 0x7fff_ffff, present: 0 });
    check_bytes("0xf800", 0, RlpFault::LengthLeadingZero);
    check_bytes("0xf801c0", 0, RlpFault::NonMinimalLength { length: 1 });
    check_bytes("0xc1c0", 2, RlpFault::MissingItem);
    check_bytes("0xc2c1c0", 2, RlpFault::StringExpected);
    check_bytes("0xc2c105", 2, RlpFault::AddressSize { size: 1 });
    check_bytes("0xc3c28105", 2, RlpFault::LongFormOfSingleByte { byte: 5 });
    // An address and nothing else; then one list too many.
    let address = "9400000000000000000000000000000000000000a1";
    check_bytes(&format!("0xd6d5{address}"), 23, RlpFault::MissingItem);
    check_bytes(&format!("0xdcdb{address}c0c0c0c0c0c0"), 28, RlpFault::ExtraItems { size: 1 });
    // A slot as the first integer of the list, which stands within its first 32 bytes, in each wrong form.
    let reads = |slot: &str| {
        let (slot_size, size) = (slot.len() / 2, 21 + 5 + slot.len() / 2);
        format!("0x{:02x}{:02x}{address}c0{:02x}{slot}c0c0c0", 0xc0 + size + 1, 0xc0 + size, 0xc0 + slot_size)
    };
    assert!(FlatList::decode(reads("05").parse().unwrap(), &LIMITS).is_ok());
    assert!(FlatList::decode(reads("80").parse().unwrap(), &LIMITS).is_ok());
    check_bytes(&reads("00"), 25, RlpFault::IntegerLeadingZero);
    check_bytes(&reads("8105"), 25, RlpFault::LongFormOfSingleByte { byte: 5 });
    check_bytes(&reads("820005"), 25, RlpFault::IntegerLeadingZero);
    check_bytes(&reads("c0"), 25, RlpFault::StringExpected);
    check_bytes(&reads("82ff"), 25, RlpFault::Truncated { size: 2, present: 1 });
}
