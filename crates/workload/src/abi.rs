//! Calls as contracts read them: a selector, then words.

use alloy_primitives::{Address, Bytes, U256, keccak256};

/// The data of a call to `signature`, such as `transfer(address,uint256)`, with its arguments and whatever words follow.
#[must_use]
pub fn call(signature: &str, words: &[U256]) -> Bytes {
    let mut data = Vec::with_capacity(4 + 32 * words.len());
    data.extend_from_slice(&keccak256(signature)[..4]);
    words.iter().for_each(|word| data.extend_from_slice(&word.to_be_bytes::<32>()));
    data.into()
}

/// The data of a call to `signature` with one word, then `tail` as it is.
#[must_use]
pub fn call_with_tail(signature: &str, word: U256, tail: &[u8]) -> Bytes {
    [&call(signature, &[word]), tail].concat().into()
}

/// An address as a word.
#[must_use]
pub fn word(address: Address) -> U256 {
    address.into_word().into()
}

/// The storage slot of `base[key]` in a Solidity mapping.
#[must_use]
pub fn slot_of(key: U256, base: U256) -> U256 {
    let image = [key.to_be_bytes::<32>(), base.to_be_bytes()].concat();
    keccak256(image).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_is_encoded_as_wallets_do() {
        let to = Address::repeat_byte(0x11);
        let data = call("transfer(address,uint256)", &[word(to), U256::from(255)]);
        let expected = format!("0xa9059cbb{}{}{:064x}", "0".repeat(24), "11".repeat(20), 255);
        assert_eq!(data.to_string(), expected);
    }
}
