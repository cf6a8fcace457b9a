//! The genesis file: geth's format, written as a stream, so that a state of millions of accounts needs no memory.

use std::io::{self, Write};

use alloy_eips::{eip2935, eip4788, eip7002, eip7251, eip8282};
use alloy_primitives::{Address, Bytes, U256, address, bytes};
use balsa_chainspec::{Fork, MAINNET_DEPOSIT_CONTRACT, Rules};

use crate::abi::{slot_of, word};
use crate::contracts;
use crate::contracts::token_layout::{ALLOWANCES, BALANCES, SUPPLY};
use crate::params::{Params, Rulebook};
use crate::world::{Contract, OLD_MORTALS, World};

/// The chain id of every load.
pub const CHAIN_ID: u64 = 7_928;
/// The timestamp of the genesis block, in seconds.
pub const TIMESTAMP: u64 = 1_800_000_000;

/// The deterministic deployment proxy, part of Amsterdam ([EIP-7997](https://eips.ethereum.org/EIPS/eip-7997)).
const CREATE2_FACTORY: Address = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");
const CREATE2_FACTORY_CODE: Bytes = bytes!(
    "0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
);

/// Writes the genesis file of `params` and its `world`.
///
/// # Errors
/// Those of the writer; parameters that were not checked come back as [`io::ErrorKind::InvalidInput`].
pub fn write(params: &Params, world: &World, out: &mut impl Write) -> io::Result<()> {
    let rulebook = params.rulebook().map_err(|fault| io::Error::new(io::ErrorKind::InvalidInput, fault))?;
    write!(out, "{{\"config\":{}", config(rulebook))?;
    write!(out, ",\"timestamp\":\"{TIMESTAMP:#x}\",\"gasLimit\":\"{:#x}\"", params.block.gas_limit)?;
    write!(out, ",\"baseFeePerGas\":\"{:#x}\",\"difficulty\":\"0x0\",\"nonce\":\"0x0\"", params.block.base_fee)?;
    write!(out, ",\"extraData\":\"0x62616c7361\",\"alloc\":{{")?;
    let mut alloc = Alloc { out, empty: true };
    alloc.all(world, rulebook.fork)?;
    write!(out, "\n}}}}\n")
}

/// What the holder at `index` has, in wei: never nothing.
#[must_use]
pub fn holder_balance(index: u64) -> U256 {
    U256::from(index + 1) * U256::from(1_000_000_000)
}

/// The chain configuration: every fork up to the named one, on from the start.
fn config(Rulebook { fork, lists_apart }: Rulebook) -> String {
    let blocks = [
        "homestead",
        "eip150",
        "eip155",
        "eip158",
        "byzantium",
        "constantinople",
        "petersburg",
        "istanbul",
        "berlin",
        "london",
        "mergeNetsplit",
    ];
    let times = [
        ("shanghai", Fork::Shanghai),
        ("cancun", Fork::Cancun),
        ("prague", Fork::Prague),
        ("osaka", Fork::Osaka),
        ("bpo1", Fork::Bpo1),
        ("bpo2", Fork::Bpo2),
        ("amsterdam", Fork::Amsterdam),
    ];
    let mut text =
        format!("{{\"chainId\":{CHAIN_ID},\"terminalTotalDifficulty\":0,\"terminalTotalDifficultyPassed\":true");
    blocks.iter().for_each(|name| text.push_str(&format!(",\"{name}Block\":0")));
    let on = times.iter().filter(|(_, scheduled)| *scheduled <= fork);
    on.for_each(|(name, _)| text.push_str(&format!(",\"{name}Time\":0")));
    if lists_apart {
        text.push_str(",\"balTime\":0");
    }
    if fork >= Fork::Cancun {
        text.push_str(&format!(",\"blobSchedule\":{{{}}}", blob_schedule(fork)));
    }
    text.push_str(&format!(",\"depositContractAddress\":\"{MAINNET_DEPOSIT_CONTRACT}\"}}"));
    text
}

fn blob_schedule(fork: Fork) -> String {
    let forks = [
        ("cancun", Fork::Cancun),
        ("prague", Fork::Prague),
        ("osaka", Fork::Osaka),
        ("bpo1", Fork::Bpo1),
        ("bpo2", Fork::Bpo2),
        ("amsterdam", Fork::Amsterdam),
    ];
    let entry = |(name, scheduled): &(&str, Fork)| {
        let blobs = Rules::mainnet(*scheduled).blobs.filter(|_| *scheduled <= fork)?;
        let (target, max, fraction) = (blobs.target, blobs.max, blobs.update_fraction);
        Some(format!("\"{name}\":{{\"target\":{target},\"max\":{max},\"baseFeeUpdateFraction\":{fraction}}}"))
    };
    forks.iter().filter_map(entry).collect::<Vec<_>>().join(",")
}

/// The accounts of a genesis file, one a line, as a stream.
struct Alloc<'a, W> {
    out: &'a mut W,
    empty: bool,
}

impl<W: Write> Alloc<'_, W> {
    fn all(&mut self, world: &World, fork: Fork) -> io::Result<()> {
        for (address, code) in system_contracts(fork) {
            self.contract(&Contract { address, code }, [])?;
        }
        for signer in &world.signers {
            self.account(signer.address, U256::ONE << 100)?;
        }
        for index in 0..world.holders {
            self.account(world.holder(index), holder_balance(index))?;
        }
        for index in 0..OLD_MORTALS {
            let mortal = Contract { address: world.old_mortal(index), code: contracts::mortal() };
            self.endowed_contract(&mortal, U256::from(1_000_000_000 + index), [])?;
        }
        for (index, token) in world.tokens.iter().enumerate() {
            self.contract(token, token_storage(world, index))?;
        }
        let reserves = World::pair_reserve() << 128 | World::pair_reserve();
        for pair in &world.pairs {
            self.contract(pair, [(U256::ZERO, reserves)])?;
        }
        let bare = world.nfts.iter().chain(&world.ledgers).chain(&world.links);
        for contract in bare.chain(world.singles.all()) {
            self.contract(contract, [])?;
        }
        Ok(())
    }

    fn account(&mut self, address: Address, balance: U256) -> io::Result<()> {
        self.separate()?;
        write!(self.out, "\"{address:#x}\":{{\"balance\":\"{balance:#x}\"}}")
    }

    fn contract(&mut self, contract: &Contract, storage: impl IntoIterator<Item = (U256, U256)>) -> io::Result<()> {
        self.endowed_contract(contract, U256::ZERO, storage)
    }

    fn endowed_contract(
        &mut self,
        Contract { address, code }: &Contract,
        balance: U256,
        storage: impl IntoIterator<Item = (U256, U256)>,
    ) -> io::Result<()> {
        self.separate()?;
        write!(self.out, "\"{address:#x}\":{{\"nonce\":\"0x1\",\"balance\":\"{balance:#x}\",\"code\":\"{code}\"")?;
        let mut open = ",\"storage\":{";
        for (slot, value) in storage {
            write!(self.out, "{open}\"{slot:#066x}\":\"{value:#066x}\"")?;
            open = ",";
        }
        write!(self.out, "{}", if open == "," { "}}" } else { "}" })
    }

    fn separate(&mut self) -> io::Result<()> {
        let first = std::mem::replace(&mut self.empty, false);
        write!(self.out, "{}", if first { "\n" } else { ",\n" })
    }
}

/// A token's storage: balances of signers, pairs and holders, the router's approvals, and the supply they add up to.
fn token_storage(world: &World, token: usize) -> impl Iterator<Item = (U256, U256)> {
    let endowment = World::token_endowment();
    let balance = |holder: Address, amount: U256| (slot_of(word(holder), BALANCES), amount);
    let signers = world.signers.iter().map(move |signer| balance(signer.address, endowment));
    let trades = move |pair: &usize| {
        let (token0, token1) = world.tokens_of(*pair);
        token == token0 || token == token1
    };
    let pairs = (0..world.pairs.len()).filter(trades);
    let pairs = pairs.map(move |pair| balance(world.pairs[pair].address, World::pair_reserve()));
    let holders = (0..world.holders).filter(move |holder| world.holds(*holder, token));
    let holders = holders.map(move |holder| balance(world.holder(holder), endowment));
    let router = word(world.singles.router.address);
    let approvals =
        world.signers.iter().map(move |signer| (slot_of(router, slot_of(word(signer.address), ALLOWANCES)), U256::MAX));
    // Enough for all of them; nothing depends on the exact sum.
    let supply = (SUPPLY, U256::ONE << 120);
    signers.chain(pairs).chain(holders).chain(approvals).chain([supply])
}

/// The contracts that the protocol calls, as far as `fork` knows them.
fn system_contracts(fork: Fork) -> Vec<(Address, Bytes)> {
    let mut contracts = Vec::new();
    if fork >= Fork::Cancun {
        contracts.push((eip4788::BEACON_ROOTS_ADDRESS, eip4788::BEACON_ROOTS_CODE.clone()));
    }
    if fork >= Fork::Prague {
        contracts.push((eip2935::HISTORY_STORAGE_ADDRESS, eip2935::HISTORY_STORAGE_CODE.clone()));
        contracts
            .push((eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE.clone()));
        contracts.push((
            eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
            eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_CODE.clone(),
        ));
        contracts.push((MAINNET_DEPOSIT_CONTRACT, contracts::deposit()));
    }
    if fork >= Fork::Amsterdam {
        contracts.push((eip8282::BUILDER_DEPOSIT_CONTRACT_ADDRESS, eip8282::BUILDER_DEPOSIT_CONTRACT_CODE.clone()));
        contracts.push((eip8282::BUILDER_EXIT_CONTRACT_ADDRESS, eip8282::BUILDER_EXIT_CONTRACT_CODE.clone()));
        contracts.push((CREATE2_FACTORY, CREATE2_FACTORY_CODE));
    }
    contracts
}
