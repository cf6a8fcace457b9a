//! Hashes published elsewhere, from each back end in each of its lanes.

use alloy_primitives::{B256, b256};
use balsa_keccak::{Backend, keccak256, keccak256_fixed, keccak256_many};

/// Inputs with their hashes: none and few bytes, the whole of a block less one, two blocks.
fn known_answers() -> Vec<(Vec<u8>, B256)> {
    vec![
        // `KECCAK_EMPTY` of the Yellow Paper, the empty trie's root, the hash of an empty list.
        (vec![], b256!("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")),
        (vec![0x80], b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")),
        (vec![0xc0], b256!("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")),
        (b"abc".to_vec(), b256!("4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")),
        // The event topic of ERC-20.
        (
            b"Transfer(address,address,uint256)".to_vec(),
            b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"),
        ),
        (
            b"The quick brown fox jumps over the lazy dog".to_vec(),
            b256!("4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15"),
        ),
        // The 1600-bit example message of the Keccak team.
        (vec![0xa3; 200], b256!("3a57666b048777f2c953dc4456f45a2588e1cb6f2da760122d530ac2ce607d4a")),
    ]
}

#[test]
fn one_at_a_time() {
    for (input, hash) in known_answers() {
        assert_eq!(keccak256(&input), hash, "{input:02x?}");
    }
}

#[test]
fn every_lane_of_every_back_end() {
    for backend in Backend::available() {
        for (input, hash) in known_answers() {
            for count in 1..=16 {
                let mut hashes = vec![B256::ZERO; count];
                backend.keccak256_many(&vec![&input; count], &mut hashes);
                assert_eq!(hashes, vec![hash; count], "{}: {input:02x?} {count} times", backend.name());
                if input.len() < 136 {
                    hashes.fill(B256::ZERO);
                    backend.keccak256_short(&vec![&input[..]; count], &mut hashes);
                    assert_eq!(hashes, vec![hash; count], "{}: short {input:02x?} {count} times", backend.name());
                }
            }
        }
    }
}

#[test]
fn all_of_them_in_one_batch() {
    let (inputs, expected): (Vec<_>, Vec<_>) = known_answers().into_iter().unzip();
    let mut hashes = vec![B256::ZERO; inputs.len()];
    keccak256_many(&inputs, &mut hashes);
    assert_eq!(hashes, expected);
}

/// The hashed keys of the first two slots, known from every proof of a token's balance.
#[test]
fn slots() {
    let slots = [B256::with_last_byte(0).0, B256::with_last_byte(1).0];
    let mut hashes = [B256::ZERO; 2];
    keccak256_fixed(&slots, &mut hashes);
    let expected = [
        b256!("290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563"),
        b256!("b10e2d527612073b26eecdfd717e6a320cf44b4afac2b0732d9fcbe2b7fa0cf6"),
    ];
    assert_eq!(hashes, expected);
}
