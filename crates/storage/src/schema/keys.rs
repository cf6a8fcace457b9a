//! Keys, section "Tables" and "Path" of FORMAT.md.

use alloy_primitives::{B256, U256};
use balsa_trie::Path;

/// number ++ hash: headers, bodies, receipts and lists.
pub(crate) fn block_key(number: u64, hash: &B256) -> [u8; 40] {
    let mut key = [0; 40];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key[8..].copy_from_slice(hash.as_slice());
    key
}

/// The hash of a [`block_key`]; `None` if the key has another length.
pub(crate) fn block_key_hash(key: &[u8]) -> Option<B256> {
    <[u8; 40]>::try_from(key).ok().map(|key| B256::from_slice(&key[8..]))
}

/// number: canonical, and the value of `numbers`.
pub(crate) fn number_key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// The number at the start of a key or as a value; `None` if there are fewer than 8 bytes.
pub(crate) fn number_of(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|number| u64::from_be_bytes(*number))
}

/// keccak(address) ++ keccak(slot).
pub(crate) fn slot_key(address_hash: &B256, slot_hash: &B256) -> [u8; 64] {
    let mut key = [0; 64];
    key[..32].copy_from_slice(address_hash.as_slice());
    key[32..].copy_from_slice(slot_hash.as_slice());
    key
}

/// A slot's value from its row: 1 to 32 bytes without a leading zero.
pub(crate) fn value_of_slot(row: &[u8]) -> Option<U256> {
    let minimal = matches!(row, [first, ..] if *first != 0) && row.len() <= 32;
    minimal.then(|| U256::from_be_slice(row))
}

/// A position in the storage trie of an account; in the account trie it is [`Path::to_bytes`] alone.
pub(crate) fn storage_path_key(address_hash: &B256, path: &Path) -> Vec<u8> {
    [address_hash.as_slice(), &path.to_bytes()].concat()
}

/// The rows of one account in `slots` and `storage_branches`: keys from the first up to and with the second.
pub(crate) fn account_bounds(address_hash: &B256) -> ([u8; 32], [u8; 65]) {
    let mut last = [0xff; 65];
    last[..32].copy_from_slice(address_hash.as_slice());
    (address_hash.0, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_an_account_lie_within_its_bounds() {
        let address_hash = B256::repeat_byte(7);
        let (first, last) = account_bounds(&address_hash);
        let within = |key: &[u8]| &first[..] <= key && key <= &last[..];
        assert!(within(&slot_key(&address_hash, &B256::ZERO)));
        assert!(within(&slot_key(&address_hash, &B256::repeat_byte(0xff))));
        assert!(within(&storage_path_key(&address_hash, &Path::ROOT)));
        assert!(within(&storage_path_key(&address_hash, &Path::of_key(&B256::repeat_byte(0xff), 64))));
        let (mut below, mut above) = (address_hash, address_hash);
        below[31] = 6;
        above[31] = 8;
        assert!(!within(&slot_key(&below, &B256::repeat_byte(0xff))));
        assert!(!within(&slot_key(&above, &B256::ZERO)));
    }

    #[test]
    fn slot_rows_are_minimal() {
        assert_eq!(value_of_slot(&[1, 0]), Some(U256::from(256)));
        for bad in [&[][..], &[0], &[0, 1], &[1; 33]] {
            assert_eq!(value_of_slot(bad), None, "{bad:?}");
        }
    }
}
