//! Who a node is: the key that peers will know it by.

use crate::error::CommandError;
use balsa_rpc::read_or_make_secret;
use secp256k1::{PublicKey, SecretKey};
use std::path::Path;

/// The file of the key, in the data directory, as geth calls it.
const KEY_FILE: &str = "nodekey";

/// The node's `enode` URL, of a key that is made on the first start
/// ([enode URL](https://ethereum.org/developers/docs/networking-layer/network-addresses)). Launchers wait for one. Port 0 says that no peer
/// can connect.
///
/// # Errors
/// A key file that cannot be read or made, or holds no key.
pub(super) fn enode(dir: &Path) -> Result<String, CommandError> {
    let path = dir.join(KEY_FILE);
    let key = SecretKey::from_byte_array(read_or_make_secret(&path)?);
    let key = key.map_err(|_| balsa_rpc::SecretFileError::Malformed { path })?;
    let public = PublicKey::from_secret_key_global(&key).serialize_uncompressed();
    // The first byte says that the point is not compressed; a node's id goes without.
    Ok(format!("enode://{}@127.0.0.1:0", alloy_primitives::hex::encode(&public[1..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_and_its_url_is_what_others_make_of_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = enode(dir.path()).expect("a key is made");
        assert_eq!(enode(dir.path()).expect("the key is read"), first);
        // The key 1, whose point is the generator of the curve (SEC 2, 2.4.1).
        std::fs::write(dir.path().join(KEY_FILE), format!("{:064x}", 1)).expect("a file is written");
        let generator = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\
            483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
        assert_eq!(enode(dir.path()).expect("a key"), format!("enode://{generator}@127.0.0.1:0"));
        // Zero is no key.
        std::fs::write(dir.path().join(KEY_FILE), format!("{:064x}", 0)).expect("a file is written");
        assert!(enode(dir.path()).is_err());
    }
}
