//! Any bytes as a block access list: no panic, and what is accepted has one encoding only.
#![no_main]

use balsa_bal::{FlatList, Limits, encode};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { index_max: 100, gas_limit: 60_000_000, code_size_max: 24_576 };

fuzz_target!(|bytes: &[u8]| {
    let Ok(list) = FlatList::decode(bytes.to_vec().into(), &LIMITS) else { return };
    let accounts = list.to_accounts();
    assert_eq!(encode(&accounts).as_ref(), bytes, "two encodings of one list");
    for (ordinal, account) in (0..).zip(&accounts) {
        assert_eq!(list.ordinal(&account.address), Some(ordinal));
        for slot in list.account_slots(ordinal) {
            assert_eq!(list.slot_ordinal(ordinal, &list.slot(slot)), Some(slot));
            assert_eq!(list.slot_account(slot), ordinal);
        }
    }
});
