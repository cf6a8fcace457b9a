//! The networks that need no genesis file.

use crate::{Genesis, GenesisAccount, genesis};
use alloy_primitives::{Address, B256, Bytes, U256, b256};
use alloy_rlp::{Decodable, Header as RlpHeader};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// A network whose genesis is part of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Ethereum itself.
    Mainnet,
    /// The testnet for applications.
    Sepolia,
    /// The former testnet for stakers.
    Holesky,
    /// The testnet for stakers.
    Hoodi,
    /// A chain of one's own: every fork from the start, twenty funded accounts of the mnemonic
    /// `test test test test test test test test test test test junk`.
    Dev,
}

/// There is no network of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a known network: mainnet, sepolia, holesky, hoodi or dev")]
pub struct UnknownNetwork(pub String);

impl Network {
    /// Every network.
    pub const ALL: [Self; 5] = [Self::Mainnet, Self::Sepolia, Self::Holesky, Self::Hoodi, Self::Dev];

    /// The network's name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Sepolia => "sepolia",
            Self::Holesky => "holesky",
            Self::Hoodi => "hoodi",
            Self::Dev => "dev",
        }
    }

    /// Hash of the genesis block.
    pub const fn genesis_hash(self) -> B256 {
        match self {
            Self::Mainnet => {
                b256!("0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3")
            }
            Self::Sepolia => {
                b256!("0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9")
            }
            Self::Holesky => {
                b256!("0xb5f7f912443c940f21fd611f12828d75b534364ed9e95ca4e307729a4661bde4")
            }
            Self::Hoodi => {
                b256!("0xbbe312868b376a3001692a646dd2d7d1e4406380dfd86b98aa8a34d1557c971b")
            }
            Self::Dev => {
                b256!("0x80bc96766b98f862fa051a90f7bbd0ff8a4f9dcf452f8cf005bf12c8cf59acbd")
            }
        }
    }

    /// The genesis.
    ///
    /// # Panics
    /// If the data built into the program is broken; a test reads all of it.
    pub fn genesis(self) -> Genesis {
        let (file, alloc) = self.data();
        let mut genesis = genesis::parse(file).expect("the built-in genesis file is sound");
        if let Some(mut alloc) = alloc {
            genesis.alloc = decode_alloc(&mut alloc).expect("the built-in genesis state is sound");
        }
        genesis
    }

    /// The genesis file, and the state where the file leaves it out.
    const fn data(self) -> (&'static [u8], Option<&'static [u8]>) {
        match self {
            Self::Mainnet => {
                (include_bytes!("../networks/mainnet.json"), Some(include_bytes!("../networks/mainnet.alloc")))
            }
            Self::Sepolia => {
                (include_bytes!("../networks/sepolia.json"), Some(include_bytes!("../networks/sepolia.alloc")))
            }
            Self::Holesky => {
                (include_bytes!("../networks/holesky.json"), Some(include_bytes!("../networks/holesky.alloc")))
            }
            Self::Hoodi => (include_bytes!("../networks/hoodi.json"), Some(include_bytes!("../networks/hoodi.alloc"))),
            Self::Dev => (include_bytes!("../networks/dev.json"), None),
        }
    }
}

impl FromStr for Network {
    type Err = UnknownNetwork;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|network| network.name() == name).ok_or_else(|| UnknownNetwork(name.to_owned()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Decodes `[[address, balance, [nonce, code, [[slot, value], …]]?], …]`, geth's compact form of a genesis state.
/// The address is an integer, without leading zeros; the third item is left out for a plain account.
fn decode_alloc(data: &mut &[u8]) -> alloy_rlp::Result<BTreeMap<Address, GenesisAccount>> {
    let mut accounts = BTreeMap::new();
    let mut items = RlpHeader::decode_bytes(data, true)?;
    while !items.is_empty() {
        let mut item = RlpHeader::decode_bytes(&mut items, true)?;
        let address = Address::from_word(U256::decode(&mut item)?.into());
        let balance = U256::decode(&mut item)?;
        let mut account = GenesisAccount { balance, ..GenesisAccount::default() };
        if !item.is_empty() {
            let mut rest = RlpHeader::decode_bytes(&mut item, true)?;
            account.nonce = u64::decode(&mut rest)?;
            account.code = Bytes::decode(&mut rest)?;
            let mut slots = RlpHeader::decode_bytes(&mut rest, true)?;
            while !slots.is_empty() {
                let mut slot = RlpHeader::decode_bytes(&mut slots, true)?;
                let key = B256::decode(&mut slot)?;
                account.storage.insert(key, B256::decode(&mut slot)?.into());
            }
        }
        accounts.insert(address, account);
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_trie::TrieAccount;
    use alloy_trie::root::{state_root_unhashed, storage_root_unhashed};
    use balsa_keccak::keccak256;

    fn state_root(genesis: &Genesis) -> B256 {
        state_root_unhashed(genesis.alloc.iter().map(|(address, account)| {
            let slots = account.storage.iter().map(|(slot, value)| (*slot, *value));
            let account = TrieAccount {
                nonce: account.nonce,
                balance: account.balance,
                storage_root: storage_root_unhashed(slots),
                code_hash: keccak256(&account.code),
            };
            (*address, account)
        }))
    }

    #[test]
    fn every_network_has_its_genesis_hash() {
        for network in Network::ALL {
            let genesis = network.genesis();
            let header = genesis.header(state_root(&genesis));
            assert_eq!(header.hash_slow(), network.genesis_hash(), "{network}");
            assert_eq!(network.name().parse(), Ok(network));
            assert!(genesis.unknown_forks.is_empty());
        }
    }
}
