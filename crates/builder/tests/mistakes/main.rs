//! Mistakes that other clients have paid for, each as a block: what was accepted wrongly, or refused wrongly, or for the
//! wrong reason. Both paths are asked, and must agree to the word.

mod world;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use alloy_eip7928::{AccountChanges, BalanceChange, BlockAccessIndex, SlotChanges, StorageChange};
use alloy_eips::eip4895::{Withdrawal, Withdrawals};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use balsa_builder::BlockBuilder;
use balsa_executor::{ExecuteError, ExecutionMode, InvalidBlock, SealedBlock};
use balsa_state::{Account, FlatStore, MemoryStore, StateError};
use world::{
    ASK_BEACON_ROOT, BEACON_ROOTS, COINBASE, Call, LOAD, STORE, World, account, address, attributes, committed_to, key,
};

fn assert_list_fault(reason: &InvalidBlock) {
    let is_list_fault = matches!(reason, InvalidBlock::List(_) | InvalidBlock::ListMismatch(_));
    assert!(is_list_fault, "refused for another reason: {reason}");
}

/// (1) The state root cannot catch it: it was derived from the list.
#[test]
fn a_slot_that_only_a_system_call_touches_is_missing() {
    let world = World::new();
    let built = world.build(&[Call::new(0, 0, STORE).words(&[1, 7]).sign()], Withdrawals::default());
    world.accept(&built);
    for keep in [0, 1] {
        let reason = world.refuse_list(&built, |list| account(list, BEACON_ROOTS).storage_changes.truncate(keep));
        assert_list_fault(&reason);
    }
    assert_list_fault(&world.refuse_list(&built, |list| list.retain(|account| account.address != BEACON_ROOTS)));
}

/// (2) No-op entries, missing writes, a write declared as a read.
#[test]
fn content_that_execution_did_not_make() {
    let world = World::new();
    let calls = [Call::new(0, 0, STORE).words(&[1, 7]).sign(), Call::new(1, 0, LOAD).words(&[9]).sign()];
    let built = world.build(&calls, Withdrawals::default());
    let refused = |change: &dyn Fn(&mut Vec<AccountChanges>)| {
        assert_list_fault(&world.refuse_list(&built, change));
    };
    // A balance that does not change at this index.
    refused(&|list| {
        let store = account(list, STORE);
        store
            .balance_changes
            .push(BalanceChange { block_access_index: BlockAccessIndex::new(1), post_balance: U256::ZERO });
    });
    // A slot written with the value that it has.
    refused(&|list| {
        let change = StorageChange { block_access_index: BlockAccessIndex::new(2), new_value: U256::ZERO };
        let load = account(list, LOAD);
        load.storage_reads.clear();
        load.storage_changes.push(SlotChanges { slot: U256::from(9), changes: vec![change] });
    });
    refused(&|list| account(list, STORE).storage_changes.clear());
    refused(&|list| {
        let store = account(list, STORE);
        store.storage_changes.clear();
        store.storage_reads.push(U256::from(1));
    });
    refused(&|list| account(list, LOAD).storage_reads.clear());
    refused(&|list| account(list, STORE).storage_changes[0].changes[0].new_value = U256::from(8));
}

/// (3) The list is right, the header commits to another.
#[test]
fn right_content_under_a_forged_commitment() {
    let world = World::new();
    let built = world.build(&[Call::new(0, 0, STORE).words(&[1, 7]).sign()], Withdrawals::default());
    let mut header = built.block.header.clone();
    header.block_access_list_hash = Some(B256::repeat_byte(1));
    let forged = SealedBlock::from_parts(header, built.block.transactions.clone(), vec![], Some(Default::default()));
    let reason = world.refuse(&forged, built.list.as_ref().unwrap());
    assert!(matches!(reason, InvalidBlock::ListHash { .. }), "{reason}");
}

/// (4) Two changes at one index, where validator and merkleizer might each pick another.
#[test]
fn two_changes_at_one_index() {
    let world = World::new();
    let built = world.build(&[Call::new(0, 0, STORE).words(&[1, 7]).sign()], Withdrawals::default());
    for wrong_first in [false, true] {
        let reason = world.refuse_list(&built, |list| {
            let changes = &mut account(list, STORE).storage_changes[0].changes;
            let wrong = StorageChange { new_value: U256::from(8), ..changes[0].clone() };
            changes.insert(usize::from(!wrong_first), wrong);
        });
        assert!(matches!(reason, InvalidBlock::List(_)), "{reason}");
    }
}

/// (5) The coinbase of a block in which nobody paid it.
#[test]
fn coinbase_of_a_block_without_transactions() {
    let world = World::new();
    let withdrawal = Withdrawal { index: 0, validator_index: 0, address: address(&key(3)), amount: 5 };
    for withdrawals in [Withdrawals::default(), Withdrawals::new(vec![withdrawal])] {
        let built = world.build(&[], withdrawals);
        world.accept(&built);
        let reason = world.refuse_list(&built, |list| {
            list.push(AccountChanges { address: COINBASE, ..AccountChanges::default() });
            list.sort_by_key(|account| account.address);
        });
        assert_list_fault(&reason);
    }
}

/// (6) Reads and writes of a contract that is created and destroyed in one transaction are reads, and no others are.
#[test]
fn phantom_reads_on_a_destroyed_account() {
    let world = World::new();
    // SLOAD 5; SSTORE 6 = 1; SELFDESTRUCT to the caller
    let initcode = Bytes::from_static(&[0x60, 5, 0x54, 0x50, 0x60, 1, 0x60, 6, 0x55, 0x33, 0xff]);
    let create = Call { to: TxKind::Create, input: initcode, ..Call::new(0, 0, Address::ZERO) };
    let built = world.build(&[create.sign()], Withdrawals::default());
    world.accept(&built);
    let created = address(&key(0)).create(0);
    let list: Vec<AccountChanges> = alloy_rlp::decode_exact(built.list.as_ref().unwrap()).unwrap();
    let listed = list.iter().find(|account| account.address == created).unwrap();
    assert_eq!(listed.storage_reads, [U256::from(5), U256::from(6)]);
    assert!(listed.storage_changes.is_empty() && listed.nonce_changes.is_empty() && listed.code_changes.is_empty());
    assert_list_fault(&world.refuse_list(&built, |list| account(list, created).storage_reads.push(U256::from(7))));
    assert_list_fault(&world.refuse_list(&built, |list| account(list, created).storage_reads.truncate(1)));
}

/// (7) A transaction must see what index 0 did, not what the parent had.
#[test]
fn predeploys_are_read_as_index_0_left_them() {
    let world = World::new();
    let built = world.build(&[Call::new(0, 0, ASK_BEACON_ROOT).sign()], Withdrawals::default());
    let executed = world.accept(&built);
    let hash = balsa_keccak::keccak256(ASK_BEACON_ROOT.as_slice());
    let stored = executed.diff.storage.iter().find(|storage| storage.address_hash == hash).unwrap();
    assert_eq!(stored.slots[0].1, U256::from_be_bytes([0xbe; 32]), "the root of this very block");
}

/// (9) A list of more items than the gas limit allows is refused for that, and never seeds a run.
#[test]
fn a_list_of_too_many_items() {
    let world = World::new();
    let built = world.build(&[Call::new(0, 0, STORE).words(&[1, 7]).sign()], Withdrawals::default());
    let max = built.block.header.gas_limit / 2000;
    let reason = world.refuse_list(&built, |list| {
        let more = (0..max).map(|n| AccountChanges {
            address: Address::left_padding_from(&(0xf000_0000 + n).to_be_bytes()),
            ..AccountChanges::default()
        });
        list.extend(more);
        list.sort_by_key(|account| account.address);
    });
    assert!(matches!(reason, InvalidBlock::ListItems { .. }), "{reason}");
}

/// (11) The first faulty transaction is the reason, on both paths, whichever worker finished first.
#[test]
fn errors_are_judged_in_transaction_order() {
    let world = World::new();
    let calls = [Call::new(0, 0, STORE).words(&[1, 7]).sign(), Call::new(1, 0, LOAD).words(&[9]).sign()];
    let built = world.build(&calls, Withdrawals::default());
    let faulty = [
        calls[0].clone(),
        Call { nonce: 5, ..Call::new(1, 0, LOAD) }.sign(),
        Call { gas_limit: 21_000, ..Call::new(2, 0, STORE).words(&[1, 2, 3]) }.sign(),
    ];
    let reason = world.refuse(&with_transactions(&built.block, faulty.to_vec()), built.list.as_ref().unwrap());
    assert!(matches!(reason, InvalidBlock::Transaction { index: 1, .. }), "{reason}");
}

/// (12) The sequential executor must hold the list that came against the one that it recorded, not against itself.
#[test]
fn the_received_list_is_not_its_own_judge() {
    let world = World::new();
    let built = world.build(&[Call::new(0, 0, STORE).words(&[1, 7]).sign()], Withdrawals::default());
    let mut list: Vec<AccountChanges> = alloy_rlp::decode_exact(built.list.as_ref().unwrap()).unwrap();
    account(&mut list, STORE).storage_changes[0].changes[0].new_value = U256::from(8);
    let bytes = Bytes::from(alloy_rlp::encode(&list));
    let forged = committed_to(&built.block, &bytes);
    for list in [Some(bytes), None] {
        let executor = world.executor.with_mode(ExecutionMode::Sequential);
        let result = executor.execute(&forged, list, &world.parent());
        assert!(matches!(result, Err(ExecuteError::Invalid(_))), "{:?}", result.map(|executed| executed.path));
    }
}

/// (13) A transaction that the builder drops leaves no trace in the list.
#[test]
fn a_dropped_transaction_leaves_no_trace() {
    let world = World::new();
    let wanted = [Call::new(0, 0, STORE).words(&[1, 7]).sign(), Call::new(1, 0, LOAD).words(&[9]).sign()];
    let plain = world.build(&wanted, Withdrawals::default());
    let parent = world.parent();
    let mut open = BlockBuilder::open(&world.executor, &parent, attributes(Withdrawals::default())).unwrap();
    for (n, transaction) in wanted.iter().enumerate() {
        let dropped = Call { nonce: 9, ..Call::new(5, 0, STORE).words(&[3, 3]) }.sign();
        assert!(open.add(&dropped, address(&key(5))).unwrap().is_err(), "nonce 9 cannot come first");
        open.add(transaction, address(&key(n as u8))).unwrap().unwrap();
    }
    let built = open.seal().unwrap();
    assert_eq!(built.list, plain.list);
    assert_eq!(built.block.hash, plain.block.hash);
}

/// (15) Whoever is paid nothing does not come into being.
#[test]
fn a_zero_tip_does_not_create_the_coinbase() {
    let world = World::new();
    let call = Call { tip: 0, ..Call::new(0, 0, STORE).words(&[1, 7]) };
    let built = world.build(&[call.sign()], Withdrawals::default());
    let executed = world.accept(&built);
    let coinbase = balsa_keccak::keccak256(COINBASE.as_slice());
    assert!(executed.diff.accounts.iter().all(|(hash, _)| *hash != coinbase));
}

/// (16) A store that fails is this node's trouble and says nothing about the block; a list that names too little is the
/// block's.
#[test]
fn a_failing_store_is_no_verdict() {
    struct Failing(MemoryStore, Arc<AtomicBool>);
    impl Failing {
        fn check(&self) -> Result<(), StateError> {
            if self.1.load(Ordering::Relaxed) { Err(StateError::store(std::io::Error::other("disk"))) } else { Ok(()) }
        }
    }
    impl FlatStore for Failing {
        fn account(&self, hash: &B256) -> Result<Option<Account>, StateError> {
            self.check()?;
            self.0.account(hash)
        }
        fn slot(&self, address: &B256, slot: &B256) -> Result<U256, StateError> {
            self.check()?;
            self.0.slot(address, slot)
        }
        fn code(&self, hash: &B256) -> Result<Option<Bytes>, StateError> {
            self.check()?;
            self.0.code(hash)
        }
    }
    let fails = Arc::new(AtomicBool::new(false));
    let world = World::with_store(|store| Arc::new(Failing(store, fails.clone())));
    let built = world.build(&[Call::new(0, 0, STORE).words(&[1, 7]).sign()], Withdrawals::default());
    world.accept(&built);
    fails.store(true, Ordering::Relaxed);
    for mode in [ExecutionMode::Sequential, ExecutionMode::Parallel] {
        let result = world.execute(mode, &built.block, built.list.as_ref().unwrap());
        assert!(matches!(result, Err(ExecuteError::Internal(_))), "{:?}", result.map(|executed| executed.path));
    }
}

/// (17) The parallel path must not lose a check that the serial one has: here, that a transaction fits the block.
#[test]
fn a_transaction_that_does_not_fit_what_is_left() {
    let world = World::new();
    // INVALID eats all gas: two of these leave too little for the third's limit.
    let burn = |n: u8| {
        let initcode = Bytes::from_static(&[0xfe]);
        Call { to: TxKind::Create, input: initcode, gas_limit: 14_000_000, ..Call::new(n, 0, Address::ZERO) }.sign()
    };
    let built = world.build(&[burn(0), burn(1)], Withdrawals::default());
    world.accept(&built);
    let block = with_transactions(&built.block, vec![burn(0), burn(1), burn(2)]);
    let reason = world.refuse(&block, built.list.as_ref().unwrap());
    assert!(matches!(reason, InvalidBlock::Admission { index: 2, .. }), "{reason}");
}

/// (19) An account that is funded and emptied within the block does not exist after it (EIP-161), whatever the list
/// says about its balance on the way.
#[test]
fn an_account_funded_and_emptied_in_one_block() {
    let world = World::new();
    // The address of a contract that account 1 is about to create, funded by account 0 first. The initcode sends all
    // of it to the caller and is gone.
    let created = address(&key(1)).create(0);
    let fund = Call { value: 1_000, ..Call::new(0, 0, created) };
    let initcode = Bytes::from_static(&[0x33, 0xff]);
    let create = Call { to: TxKind::Create, input: initcode, ..Call::new(1, 0, Address::ZERO) };
    let built = world.build(&[fund.sign(), create.sign()], Withdrawals::default());
    let executed = world.accept(&built);
    let hash = balsa_keccak::keccak256(created.as_slice());
    assert!(executed.diff.accounts.iter().all(|(changed, _)| *changed != hash), "it was not there before, nor after");
    let list: Vec<AccountChanges> = alloy_rlp::decode_exact(built.list.as_ref().unwrap()).unwrap();
    let balances = &list.iter().find(|account| account.address == created).unwrap().balance_changes;
    let expected = [(1, 1_000u64), (2, 0)];
    let expected = expected.map(|(index, balance)| BalanceChange {
        block_access_index: BlockAccessIndex::new(index),
        post_balance: U256::from(balance),
    });
    assert_eq!(balances.as_slice(), expected);
}

/// The block with other transactions, its header committing to them; everything else is as it was.
fn with_transactions(block: &SealedBlock, transactions: Vec<balsa_evm::Transaction>) -> SealedBlock {
    let mut header = block.header.clone();
    header.transactions_root = alloy_consensus::proofs::calculate_transaction_root(&transactions);
    SealedBlock::from_parts(header, transactions, Vec::new(), block.withdrawals.clone())
}
