//! Every back end of this machine against `alloy_primitives::keccak256`.

use alloy_primitives::{B256, keccak256};
use balsa_keccak::Backend;
use proptest::prelude::*;
use std::io::Write;

/// Lengths the batch functions are compared on, one by one: up to 31 blocks.
const LENGTH_MAX: usize = 4096;

/// Bytes in a block.
const BLOCK: usize = 136;

/// `length` bytes, unlike those of other lengths.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 31 + length * 7 + 1) as u8).collect()
}

/// Compares one batch, through every back end.
fn check(inputs: &[&[u8]]) {
    let expected: Vec<B256> = inputs.iter().map(keccak256).collect();
    for backend in Backend::available() {
        let mut hashes = vec![B256::repeat_byte(0xee); inputs.len()];
        backend.keccak256_many(inputs, &mut hashes);
        assert_eq!(hashes, expected, "{} on lengths {:?}", backend.name(), lengths(inputs));
        if lengths(inputs).iter().all(|length| *length < BLOCK) {
            hashes.fill(B256::repeat_byte(0xee));
            backend.keccak256_short(inputs, &mut hashes);
            assert_eq!(hashes, expected, "{} on short lengths {:?}", backend.name(), lengths(inputs));
        }
    }
}

fn lengths(inputs: &[&[u8]]) -> Vec<usize> {
    inputs.iter().map(|input| input.len()).collect()
}

/// Not a comparison: says on stderr, past the harness's capture, what the other tests could not cover here.
#[test]
fn names_the_back_ends_that_this_machine_lacks() {
    let available: Vec<_> = Backend::available().into_iter().map(Backend::name).collect();
    assert_eq!(available.first(), Some(&"scalar"), "the scalar back end is everywhere");
    assert_eq!(available.last(), Some(&Backend::detected().name()), "the fastest is chosen");
    for name in Backend::NAMES.iter().filter(|name| !available.contains(name)) {
        writeln!(std::io::stderr(), "NOT TESTED: this processor lacks {name}").expect("stderr is open");
    }
}

/// Nine equal lengths: eight full lanes and one left over (two times four and one).
#[test]
fn every_length() {
    for length in 0..=LENGTH_MAX {
        let input = bytes(length);
        let mut others = vec![input.clone(); 9];
        for (i, other) in others.iter_mut().enumerate() {
            if let Some(last) = other.last_mut() {
                *last ^= i as u8;
            }
        }
        check(&others.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}

/// Neighbouring lengths in one group, so that lanes finish at different blocks.
#[test]
fn every_length_beside_its_neighbours() {
    let inputs: Vec<_> = (0..=LENGTH_MAX).map(bytes).collect();
    check(&inputs.iter().map(Vec::as_slice).collect::<Vec<_>>());
    check(&inputs.iter().rev().map(Vec::as_slice).collect::<Vec<_>>());
}

#[test]
fn every_batch_size() {
    for count in (0..=40).chain(250..=262).chain(510..=514) {
        let inputs: Vec<_> = (0..count).map(|i| bytes(i * 97 % 700)).collect();
        check(&inputs.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}

fn check_fixed<const N: usize>() {
    for count in (0..=40).chain([255, 1000]) {
        let mut inputs = vec![[0; N]; count];
        for (i, input) in inputs.iter_mut().enumerate() {
            for (j, byte) in input.iter_mut().enumerate() {
                *byte = (i * 13 + j * 29 + N) as u8;
            }
        }
        let expected: Vec<B256> = inputs.iter().map(keccak256).collect();
        for backend in Backend::available() {
            let mut hashes = vec![B256::repeat_byte(0xee); count];
            backend.keccak256_fixed(&inputs, &mut hashes);
            assert_eq!(hashes, expected, "{}: {count} inputs of {N} bytes", backend.name());
        }
    }
}

/// The lengths in use, and both sides of each edge in the loading code.
#[test]
fn every_kind_of_fixed_length() {
    check_fixed::<20>();
    check_fixed::<32>();
    check_fixed::<0>();
    check_fixed::<1>();
    check_fixed::<7>();
    check_fixed::<8>();
    check_fixed::<63>();
    check_fixed::<64>();
    check_fixed::<65>();
    check_fixed::<127>();
    check_fixed::<128>();
    check_fixed::<129>();
    check_fixed::<134>();
    check_fixed::<135>();
}

#[test]
fn every_batch_of_short_inputs() {
    for count in (0..=40).chain([255, 1000]) {
        let inputs: Vec<_> = (0..count).map(|i| bytes(i * 29 % BLOCK)).collect();
        check(&inputs.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}

#[test]
#[should_panic(expected = "one block for each input")]
fn a_long_input_among_short_ones_is_a_panic() {
    Backend::detected().keccak256_short(&[&[0; BLOCK - 1], &[0; BLOCK]], &mut [B256::ZERO; 2]);
}

#[test]
#[should_panic(expected = "one place for each hash")]
fn too_few_places_for_short_inputs_are_a_panic() {
    Backend::detected().keccak256_short(&[b"a", b"b"], &mut [B256::ZERO]);
}

#[test]
#[should_panic(expected = "one place for each hash")]
fn too_few_places_are_a_panic() {
    Backend::detected().keccak256_many(&[b"a", b"b"], &mut [B256::ZERO]);
}

proptest! {
    /// Any lengths, at any alignment.
    #[test]
    fn any_batch(
        content in prop::collection::vec(any::<u8>(), LENGTH_MAX + 64),
        places in prop::collection::vec((0usize..64, 0usize..=LENGTH_MAX), 0..70),
    ) {
        check(&places.iter().map(|&(start, length)| &content[start..start + length]).collect::<Vec<_>>());
    }

    /// Any lengths of a block, at any alignment.
    #[test]
    fn any_batch_of_short_inputs(
        content in prop::collection::vec(any::<u8>(), BLOCK + 64),
        places in prop::collection::vec((0usize..64, 0..BLOCK), 0..70),
    ) {
        check(&places.iter().map(|&(start, length)| &content[start..start + length]).collect::<Vec<_>>());
    }

    /// The sizes of trie nodes, in windows that are not full.
    #[test]
    fn any_level_of_a_trie(lengths in prop::collection::vec(33usize..=532, 0..600), seed in any::<u8>()) {
        let inputs: Vec<Vec<u8>> = lengths.iter().map(|&length| bytes(length).iter().map(|b| b ^ seed).collect()).collect();
        check(&inputs.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}
