//! `--dev`: a chain of its own, with accounts that everybody knows.

use super::options::{DEV_FEE_RECIPIENT, duration};
use alloy_primitives::{Address, B256, address, b256};
use balsa_chainspec::Genesis;
use balsa_node::DevSettings;
use clap::Args;
use std::{
    io::{self, Write},
    time::Duration,
};

/// A node without a consensus client.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Development")]
pub(crate) struct DevOptions {
    /// Run a chain of its own, without a consensus client: a block as soon as there is a transaction. In memory unless
    /// --datadir is given.
    #[arg(id = "dev", long = "dev")]
    pub(crate) is_on: bool,
    /// Seal a block in this time, empty or not; 0 as transactions come.
    #[arg(id = "dev_period", long = "dev.period", visible_alias = "dev.block-time", value_name = "TIME",
        value_parser = duration, requires = "dev")]
    period: Option<Duration>,
    /// The gas limit to move towards.
    #[arg(
        id = "dev_gaslimit",
        long = "dev.gaslimit",
        visible_alias = "dev.gas-limit",
        value_name = "GAS",
        requires = "dev"
    )]
    pub(crate) gas_limit: Option<u64>,
}

impl DevOptions {
    /// How blocks are sealed, if they are.
    pub(crate) fn settings(&self) -> Option<DevSettings> {
        let period = self.period.filter(|period| !period.is_zero());
        self.is_on.then_some(DevSettings { period, fee_recipient: DEV_FEE_RECIPIENT })
    }
}

/// The keys of the accounts that everybody knows, of the phrase
/// `test test test test test test test test test test test junk`.
const KEYS: [(Address, B256); 10] = [
    (
        address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
        b256!("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    ),
    (
        address!("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
        b256!("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    ),
    (
        address!("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
        b256!("0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
    ),
    (
        address!("0x90F79bf6EB2c4f870365E785982E1f101E93b906"),
        b256!("0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
    ),
    (
        address!("0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"),
        b256!("0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
    ),
    (
        address!("0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc"),
        b256!("0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"),
    ),
    (
        address!("0x976EA74026E726554dB657fA54763abd0C3a0aa9"),
        b256!("0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"),
    ),
    (
        address!("0x14dC79964da2C08b23698B3D3cc7Ca32193d9955"),
        b256!("0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"),
    ),
    (
        address!("0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"),
        b256!("0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97"),
    ),
    (
        address!("0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"),
        b256!("0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"),
    ),
];

/// Prints the accounts with their keys that the genesis funds.
pub(crate) fn print_accounts(genesis: &Genesis) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "Funded accounts (keys that everybody knows: never send anything of worth there)")?;
    for (address, key) in KEYS {
        if let Some(account) = genesis.alloc.get(&address) {
            writeln!(out, "  {address}  {key}  {} wei", account.balance)?;
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use balsa_chainspec::Network;
    use secp256k1::{PublicKey, SECP256K1, SecretKey};

    #[test]
    fn the_development_network_funds_the_accounts() {
        let genesis = Network::Dev.genesis();
        for (address, key) in KEYS {
            assert!(genesis.alloc.get(&address).is_some_and(|account| !account.balance.is_zero()), "{address}");
            let secret = SecretKey::from_byte_array(key.0).expect("a key");
            let public = PublicKey::from_secret_key(SECP256K1, &secret).serialize_uncompressed();
            assert_eq!(Address::from_raw_public_key(&public[1..]), address);
        }
    }
}
