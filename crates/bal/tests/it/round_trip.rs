//! Lists against `alloy-eip7928`, both ways.

use crate::lists::{LIMITS, integer, list};
use alloy_eip7928 as alloy;
use alloy_primitives::Address;
use alloy_rlp::{Decodable, Encodable};
use balsa_bal::{Change, FlatList, ListBuilder, encode};
use proptest::prelude::*;

proptest! {
    #[test]
    fn decode_inverts_encode(accounts in list()) {
        let bytes = encode(&accounts);
        let list = FlatList::decode(bytes.clone(), &LIMITS).unwrap();
        prop_assert_eq!(list.to_accounts(), accounts);
        prop_assert_eq!(list.bytes(), &bytes);
    }

    #[test]
    fn alloy_reads_what_we_write_and_writes_the_same(accounts in list()) {
        let bytes = encode(&accounts);
        let theirs = Vec::<alloy::AccountChanges>::decode(&mut bytes.as_ref()).unwrap();
        let mut again = Vec::new();
        theirs.encode(&mut again);
        prop_assert_eq!(again, bytes.to_vec());
        prop_assert_eq!(theirs.len(), accounts.len());
    }

    #[test]
    fn the_builder_sorts(accounts in list()) {
        let bytes = encode(&accounts);
        let mut shuffled = accounts;
        shuffled.reverse();
        for account in &mut shuffled {
            account.storage_changes.reverse();
            account.storage_reads.reverse();
            account.balance_changes.reverse();
        }
        let mut builder = ListBuilder::new();
        builder.extend(shuffled);
        prop_assert_eq!(builder.encode(), bytes);
    }

    #[test]
    fn values_as_of_an_index(accounts in list(), index in 0u32..42) {
        let list = FlatList::decode(encode(&accounts), &LIMITS).unwrap();
        fn before<T: Clone>(changes: &[Change<T>], index: u32) -> Option<T> {
            changes.iter().rfind(|change| change.block_access_index < index).map(|change| change.post.clone())
        }
        fn at<T: Clone>(changes: &[Change<T>], index: u32) -> Option<T> {
            changes.iter().find(|change| change.block_access_index == index).map(|change| change.post.clone())
        }
        let mut count = 0;
        for account in &accounts {
            let ordinal = list.ordinal(&account.address).unwrap();
            prop_assert_eq!(list.address(ordinal), account.address);
            prop_assert_eq!(list.balance_before(ordinal, index), before(&account.balance_changes, index));
            prop_assert_eq!(list.nonce_before(ordinal, index), before(&account.nonce_changes, index));
            prop_assert_eq!(list.code_before(ordinal, index), before(&account.code_changes, index));
            prop_assert_eq!(list.balance_final(ordinal), before(&account.balance_changes, u32::MAX));
            prop_assert_eq!(list.nonce_final(ordinal), before(&account.nonce_changes, u32::MAX));
            prop_assert_eq!(list.code_final(ordinal), before(&account.code_changes, u32::MAX));
            let code_at = at(&account.code_changes, index);
            prop_assert_eq!(list.code_at(ordinal, index), code_at.as_ref().map(|code| code.as_ref()));
            count += u32::from(at(&account.balance_changes, index).is_some());
            count += u32::from(at(&account.nonce_changes, index).is_some());
            count += u32::from(code_at.is_some());
            for slot in &account.storage_changes {
                let slot_ordinal = list.slot_ordinal(ordinal, &slot.slot).unwrap();
                prop_assert_eq!(list.slot(slot_ordinal), slot.slot);
                prop_assert_eq!(list.slot_account(slot_ordinal), ordinal);
                prop_assert_eq!(list.slot_before(slot_ordinal, index), before(&slot.changes, index));
                prop_assert_eq!(list.slot_at(slot_ordinal, index), at(&slot.changes, index));
                prop_assert_eq!(list.slot_final(slot_ordinal), before(&slot.changes, u32::MAX));
                count += u32::from(at(&slot.changes, index).is_some());
            }
            for slot in &account.storage_reads {
                let slot_ordinal = list.slot_ordinal(ordinal, slot).unwrap();
                prop_assert_eq!(list.slot_account(slot_ordinal), ordinal);
                prop_assert!(list.read_slots(ordinal).contains(&slot_ordinal));
                prop_assert_eq!(list.slot_final(slot_ordinal), None);
            }
        }
        prop_assert_eq!(list.row_count(index), count);
    }

    #[test]
    fn a_key_off_the_list_has_no_ordinal(accounts in list(), address in any::<[u8; 20]>(), slot in integer()) {
        let list = FlatList::decode(encode(&accounts), &LIMITS).unwrap();
        let address = Address::new(address);
        prop_assert_eq!(list.ordinal(&address).is_some(), accounts.iter().any(|a| a.address == address));
        for (ordinal, account) in accounts.iter().enumerate() {
            let listed = account.storage_changes.iter().any(|c| c.slot == slot) || account.storage_reads.contains(&slot);
            prop_assert_eq!(list.slot_ordinal(ordinal as u32, &slot).is_some(), listed);
        }
    }

    #[test]
    fn decode_survives_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = FlatList::decode(bytes.into(), &LIMITS);
    }

    #[test]
    fn what_decodes_has_one_encoding(accounts in list(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&accounts).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(list) = FlatList::decode(bytes.clone().into(), &LIMITS) {
            prop_assert_eq!(encode(&list.to_accounts()).to_vec(), bytes);
        }
    }
}
