//! Section "Account" of FORMAT.md.

use alloy_primitives::{B256, U256};
use balsa_state::{Account, EMPTY_CODE_HASH, EMPTY_ROOT};

const NONCE_LENGTH: u8 = 0x0f;
const HAS_STORAGE: u8 = 0x10;
const HAS_CODE: u8 = 0x20;

/// The row of an account; 2 bytes for an empty one, at most 106.
pub(crate) fn encode_account(account: &Account) -> Vec<u8> {
    let nonce = account.nonce.to_be_bytes();
    let nonce = &nonce[account.nonce.leading_zeros() as usize / 8..];
    let balance = account.balance.to_be_bytes::<32>();
    let balance = &balance[account.balance.leading_zeros() / 8..];

    let has_storage = account.storage_root != EMPTY_ROOT;
    let has_code = account.code_hash != EMPTY_CODE_HASH;
    let flags = if has_storage { HAS_STORAGE } else { 0 } | if has_code { HAS_CODE } else { 0 };

    let mut row = Vec::with_capacity(2 + nonce.len() + balance.len() + 64);
    row.push(nonce.len() as u8 | flags);
    row.push(balance.len() as u8);
    row.extend_from_slice(nonce);
    row.extend_from_slice(balance);
    if has_storage {
        row.extend_from_slice(account.storage_root.as_slice());
    }
    if has_code {
        row.extend_from_slice(account.code_hash.as_slice());
    }
    row
}

/// The account of a row; `None` unless the row is exactly what [`encode_account`] writes.
pub(crate) fn decode_account(row: &[u8]) -> Option<Account> {
    let (&[flags, balance_length], mut rest) = row.split_first_chunk()?;
    if flags & !(NONCE_LENGTH | HAS_STORAGE | HAS_CODE) != 0 {
        return None;
    }
    let nonce = minimal(take(&mut rest, usize::from(flags & NONCE_LENGTH))?, 8)?;
    let balance = minimal(take(&mut rest, usize::from(balance_length))?, 32)?;
    let storage_root = optional_hash(&mut rest, flags & HAS_STORAGE != 0, EMPTY_ROOT)?;
    let code_hash = optional_hash(&mut rest, flags & HAS_CODE != 0, EMPTY_CODE_HASH)?;
    rest.is_empty().then_some(Account { nonce: nonce.to(), balance, storage_root, code_hash })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn minimal(bytes: &[u8], length_max: usize) -> Option<U256> {
    let fits = bytes.len() <= length_max && bytes.first() != Some(&0);
    fits.then(|| U256::from_be_slice(bytes))
}

/// The hash if it is there; a hash that the flag could have left out is not canonical.
fn optional_hash(rest: &mut &[u8], present: bool, absent: B256) -> Option<B256> {
    if !present {
        return Some(absent);
    }
    let hash = B256::from_slice(take(rest, 32)?);
    (hash != absent).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some_account() -> impl Strategy<Value = Account> {
        let hash = |empty: B256| prop_oneof![Just(empty), any::<[u8; 32]>().prop_map(B256::from)];
        let balance =
            (any::<[u8; 32]>(), 0..=256usize).prop_map(|(b, shift)| U256::from_be_bytes(b).wrapping_shr(shift));
        let nonce = (any::<u64>(), 0..64u32).prop_map(|(nonce, shift)| nonce >> shift);
        (nonce, balance, hash(EMPTY_ROOT), hash(EMPTY_CODE_HASH))
            .prop_map(|(nonce, balance, storage_root, code_hash)| Account { nonce, balance, storage_root, code_hash })
    }

    proptest! {
        #[test]
        fn accounts_round_trip(account in some_account()) {
            prop_assert_eq!(decode_account(&encode_account(&account)), Some(account));
        }

        #[test]
        fn any_bytes_decode_to_nothing_or_to_themselves(row in proptest::collection::vec(any::<u8>(), 0..110)) {
            if let Some(account) = decode_account(&row) {
                prop_assert_eq!(encode_account(&account), row);
            }
        }
    }

    #[test]
    fn small_accounts_are_small() {
        assert_eq!(encode_account(&Account::default()), [0, 0]);
        let account = Account { nonce: 1, balance: U256::from(256), ..Account::default() };
        assert_eq!(encode_account(&account), [1, 2, 1, 1, 0]);
    }

    #[test]
    fn a_truncated_row_is_refused() {
        let account = Account { nonce: 300, balance: U256::MAX, storage_root: B256::ZERO, code_hash: B256::ZERO };
        let row = encode_account(&account);
        for length in 0..row.len() {
            assert_eq!(decode_account(&row[..length]), None, "{length}");
        }
        assert_eq!(decode_account(&[&row[..], &[0]].concat()), None);
    }
}
