//! The accounts that act in a load: keys and addresses, all derived from the seed.

use alloy_primitives::{Address, B256, Signature, U256, keccak256};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

/// An account that signs.
#[derive(Clone, Debug)]
pub struct Signer {
    secret: SecretKey,
    /// Its address.
    pub address: Address,
}

impl Signer {
    /// The signer at `index` under `seed`.
    #[must_use]
    pub fn derive(seed: u64, index: usize) -> Self {
        let mut secret = derived(seed, "signer", index as u64);
        // One digest in 2^128 is no valid key; the next one in the chain then serves.
        let secret = loop {
            match SecretKey::from_byte_array(secret.0) {
                Ok(valid) => break valid,
                Err(_) => secret = keccak256(secret),
            }
        };
        let public = PublicKey::from_secret_key(SECP256K1, &secret).serialize_uncompressed();
        Self { secret, address: Address::from_raw_public_key(&public[1..]) }
    }

    /// Signs a digest, with the nonce of RFC 6979: the same digest always gives the same signature.
    #[must_use]
    pub fn sign(&self, digest: B256) -> Signature {
        let signature: RecoverableSignature =
            SECP256K1.sign_ecdsa_recoverable(Message::from_digest(digest.0), &self.secret);
        let (recovery, bytes) = signature.serialize_compact();
        Signature::new(
            U256::from_be_slice(&bytes[..32]),
            U256::from_be_slice(&bytes[32..]),
            i32::from(recovery) & 1 == 1,
        )
    }
}

/// The address at `index` of the kind `label`: nobody holds its key.
#[must_use]
pub fn address(seed: u64, label: &str, index: u64) -> Address {
    Address::from_word(derived(seed, label, index))
}

fn derived(seed: u64, label: &str, index: u64) -> B256 {
    keccak256([&seed.to_be_bytes(), label.as_bytes(), &index.to_be_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_recover_to_their_signer_and_never_change() {
        let signer = Signer::derive(1, 7);
        let digest = keccak256("digest");
        let signature = signer.sign(digest);
        assert_eq!(signature.recover_address_from_prehash(&digest).unwrap(), signer.address);
        assert_eq!(signature, signer.sign(digest));
        assert_ne!(signer.address, Signer::derive(1, 8).address);
    }
}
