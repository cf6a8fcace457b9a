//! What hashing memory that was never written to takes of the system's. The only test of its process, whose peak it
//! reads.
#![cfg(target_os = "linux")]

use std::{fs, sync::Arc};

use alloy_consensus::{Header, SignableTransaction, TxLegacy};
use alloy_primitives::{Address, B256, Signature, TxKind};
use balsa_chainspec::{ChainSpec, Fork};
use balsa_evm::{BlockEnvironment, BlockHashes, CodeCache, Transaction, TransactionEvm};
use balsa_state::{BlockState, MemoryStore, State};

/// What is hashed.
const BYTES: u32 = 256 << 20;

/// Hashes so much, and returns the hash.
fn init_code() -> Vec<u8> {
    let mut code = vec![0x63];
    code.extend(BYTES.to_be_bytes());
    code.extend([0x60, 0, 0x20, 0x60, 0, 0x52, 0x60, 32, 0x60, 0, 0xf3]);
    code
}

/// The most memory that the process has held so far.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

#[test]
fn memory_that_is_only_hashed_takes_nothing_up() {
    let gas_limit = u64::MAX >> 1;
    let header = Header { number: 1, gas_limit, ..Header::default() };
    let rules = ChainSpec::all_at_genesis(1, Fork::Homestead).rules_of(&header);
    let environment = BlockEnvironment::new(rules, &header, Arc::new(BlockHashes::new(1, B256::ZERO, |_| None)));
    let state = State::new(Arc::new(MemoryStore::default()));
    let mut evm = TransactionEvm::new(&environment, Arc::<CodeCache>::default(), BlockState::new(&state));
    let transaction = TxLegacy { gas_limit, to: TxKind::Create, input: init_code().into(), ..TxLegacy::default() };
    let transaction: Transaction = transaction.into_signed(Signature::test_signature()).into();

    let before = peak_kib();
    let result = evm.transact(&transaction, Address::repeat_byte(1)).unwrap();
    let grown = peak_kib() - before;
    assert!(result.success, "{result:?}");
    assert!(grown < u64::from(BYTES) / 1024 / 8, "{grown} KiB");
}
