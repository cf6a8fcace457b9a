//! Batches of inputs of any lengths: every back end of the machine against `alloy_primitives::keccak256`.
//!
//! Input: a byte with the number of hashes, three bytes each for where an input begins (one) and how long it is (two), and the
//! bytes that the inputs are cut from, repeated as often as it takes.
#![no_main]

use alloy_primitives::{B256, keccak256};
use balsa_keccak::Backend;
use libfuzzer_sys::fuzz_target;

/// The longest input of a batch.
const LENGTH_MAX: usize = 4096;

fuzz_target!(|data: &[u8]| {
    let Some((&count, data)) = data.split_first() else { return };
    let Some((places, content)) = data.split_at_checked(3 * usize::from(count)) else { return };
    if content.is_empty() {
        return;
    }
    let content: Vec<u8> = content.iter().copied().cycle().take(LENGTH_MAX + 256).collect();
    let input = |place: &[u8; 3]| {
        let [start, high, low] = *place;
        let length = usize::from(u16::from_be_bytes([high, low])) % (LENGTH_MAX + 1);
        &content[start.into()..][..length]
    };
    let inputs: Vec<&[u8]> = places.as_chunks().0.iter().map(input).collect();
    let expected: Vec<B256> = inputs.iter().map(keccak256).collect();
    for backend in Backend::available() {
        let mut hashes = vec![B256::ZERO; inputs.len()];
        backend.keccak256_many(&inputs, &mut hashes);
        assert_eq!(hashes, expected, "{}", backend.name());
    }

    let short: Vec<&[u8]> = inputs.iter().map(|input| &input[..input.len() % 136]).collect();
    let expected: Vec<B256> = short.iter().map(keccak256).collect();
    for backend in Backend::available() {
        let mut hashes = vec![B256::ZERO; short.len()];
        backend.keccak256_short(&short, &mut hashes);
        assert_eq!(hashes, expected, "{}", backend.name());
    }

    let (addresses, _) = content.as_chunks::<20>();
    let expected: Vec<B256> = addresses.iter().map(keccak256).collect();
    for backend in Backend::available() {
        let mut hashes = vec![B256::ZERO; addresses.len()];
        backend.keccak256_fixed(addresses, &mut hashes);
        assert_eq!(hashes, expected, "{}", backend.name());
    }
});
