//! The contracts of the load, called one by one.

mod common;

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_primitives::{Address, Bytes, TxKind, U256, keccak256};
use balsa_evm::{BlockEnvironment, TransactionEvm, TransactionResult};
use balsa_executor::Executor;
use balsa_state::{BlockState, StateView};
use balsa_workload::abi::{call, call_with_tail, slot_of, word};
use balsa_workload::contracts::{init_code, mortal};
use balsa_workload::generate::parsed_genesis;
use balsa_workload::genesis::CHAIN_ID;
use balsa_workload::profile::Profile;
use balsa_workload::world::World;
use common::MemoryChain;

/// A world whose contracts can be called, each call in a transaction of its own on what the ones before left.
struct Stage<'a> {
    world: &'a World,
    evm: TransactionEvm<BlockState<'a>>,
    nonces: Vec<u64>,
}

fn on_stage(fork: &str, play: impl FnOnce(Stage<'_>)) {
    let mut params = Profile::Quick.params();
    params.fork = fork.to_owned();
    params.state.signers = 4;
    params.state.holders = 4;
    let world = World::new(&params);
    let genesis = parsed_genesis(&params, &world).unwrap();
    let chain = MemoryChain::new(&genesis);
    let executor = Executor::new(Arc::new(genesis.spec), 1, Default::default()).unwrap();
    let parent = chain.parent();
    let rules = executor.spec().rules_of(&parent.header);
    let environment = BlockEnvironment::new(rules, &parent.header, parent.hashes.clone());
    let evm = TransactionEvm::new(&environment, executor.codes().clone(), BlockState::new(&parent.state));
    play(Stage { world: &world, evm, nonces: vec![0; 4] });
}

impl Stage<'_> {
    fn send(&mut self, signer: usize, to: TxKind, value: u64, input: Bytes, gas_limit: u64) -> TransactionResult {
        let transaction = TxEip1559 {
            chain_id: CHAIN_ID,
            nonce: self.nonces[signer],
            gas_limit,
            max_fee_per_gas: 1_000_000_000_000,
            max_priority_fee_per_gas: 0,
            to,
            value: U256::from(value),
            access_list: Default::default(),
            input,
        };
        self.nonces[signer] += 1;
        let signer = &self.world.signers[signer];
        let signature = signer.sign(transaction.signature_hash());
        let result = self.evm.transact(&transaction.into_signed(signature).into(), signer.address).unwrap();
        self.evm.apply_outcomes(|state, outcome| state.write(&outcome.address, outcome.written())).unwrap();
        result
    }

    fn call(&mut self, signer: usize, to: Address, input: Bytes) -> TransactionResult {
        self.send(signer, TxKind::Call(to), 0, input, 5_000_000)
    }

    /// A call that must succeed, and the word that it returned.
    #[track_caller]
    fn word_of(&mut self, to: Address, signature: &str, words: &[U256]) -> U256 {
        let result = self.call(3, to, call(signature, words));
        assert!(result.success, "{signature}: {:?}", result.halt);
        U256::from_be_slice(&result.output[..32])
    }

    fn signer(&self, index: usize) -> U256 {
        word(self.world.signers[index].address)
    }

    fn slot(&mut self, address: Address, slot: U256) -> U256 {
        self.evm.view_mut().storage(&address, None, &slot).unwrap()
    }

    fn balance(&mut self, address: Address) -> U256 {
        self.evm.view_mut().account(&address).unwrap().map_or(U256::ZERO, |account| account.info.balance)
    }
}

#[test]
fn tokens_move_with_events_and_approvals_run_out() {
    on_stage("Amsterdam", |mut stage| {
        let token = stage.world.tokens[0].address;
        let (alice, bob, carol) = (stage.signer(0), stage.signer(1), stage.signer(2));
        let before = stage.word_of(token, "balanceOf(address)", &[bob]);
        let sent = stage.call(0, token, call("transfer(address,uint256)", &[bob, U256::from(7)]));
        assert!(sent.success);
        let event = keccak256("Transfer(address,address,uint256)");
        assert_eq!(sent.logs[0].topics(), [event, alice.into(), bob.into()]);
        assert_eq!(sent.logs[0].data.data[..], U256::from(7).to_be_bytes::<32>());
        assert_eq!(stage.word_of(token, "balanceOf(address)", &[bob]), before + U256::from(7));

        let too_much = call("transfer(address,uint256)", &[bob, U256::MAX]);
        assert!(!stage.call(0, token, too_much).success);

        let spend = |amount: u64| call("transferFrom(address,address,uint256)", &[alice, carol, U256::from(amount)]);
        assert!(!stage.call(1, token, spend(5)).success, "no approval yet");
        let approved = stage.call(0, token, call("approve(address,uint256)", &[bob, U256::from(9)]));
        assert_eq!(approved.logs[0].topics()[0], keccak256("Approval(address,address,uint256)"));
        assert!(stage.call(1, token, spend(5)).success);
        assert_eq!(stage.word_of(token, "allowance(address,address)", &[alice, bob]), U256::from(4));
        assert!(!stage.call(1, token, spend(5)).success, "only 4 are left");
    });
}

#[test]
fn pools_keep_their_product_and_pay_what_it_allows() {
    on_stage("Amsterdam", |mut stage| {
        let router = stage.world.singles.router.address;
        let pairs: Vec<Address> = stage.world.pairs.iter().map(|pair| pair.address).collect();
        let tokens: Vec<Address> = stage.world.tokens.iter().map(|token| token.address).collect();
        let alice = stage.signer(0);
        let amount = U256::from(10).pow(U256::from(20));
        let forward = U256::ONE << 160;
        let path = [amount, word(tokens[0]), U256::from(2), word(pairs[0]) | forward, word(pairs[1]) | forward];
        let before = stage.word_of(tokens[2], "balanceOf(address)", &[alice]);
        let swapped = stage.call(0, router, call("swap(uint256,address,uint256)", &path));
        assert!(swapped.success, "{:?}", swapped.halt);

        let out_of = |amount: U256, reserve_in: U256, reserve_out: U256| {
            let paid = amount * U256::from(997);
            paid * reserve_out / (reserve_in * U256::from(1000) + paid)
        };
        let reserve = World::pair_reserve();
        let between = out_of(amount, reserve, reserve);
        let expected = out_of(between, reserve, reserve);
        assert_eq!(stage.word_of(tokens[2], "balanceOf(address)", &[alice]), before + expected);

        let reserves = stage.call(0, pairs[0], call("getReserves()", &[])).output;
        let (reserve0, reserve1) = (U256::from_be_slice(&reserves[..32]), U256::from_be_slice(&reserves[32..]));
        assert_eq!((reserve0, reserve1), (reserve + amount, reserve - between));

        // The other way around through the same pool.
        let back = [U256::from(1000), word(tokens[1]), U256::ONE, word(pairs[0])];
        let gained = stage.call(0, router, call("swap(uint256,address,uint256)", &back));
        assert!(gained.success);
        assert_eq!(U256::from_be_slice(&gained.output), out_of(U256::from(1000), reserve1, reserve0));
        let nothing_paid = call("swap(bool,address)", &[U256::ONE, alice]);
        assert!(!stage.call(0, pairs[0], nothing_paid).success);
    });
}

#[test]
fn collectibles_have_one_owner() {
    on_stage("Amsterdam", |mut stage| {
        let nft = stage.world.nfts[0].address;
        let (alice, bob) = (stage.signer(0), stage.signer(1));
        for _ in 0..2 {
            assert!(stage.call(0, nft, call("mint(address)", &[alice])).success);
        }
        let give = call("transferFrom(address,address,uint256)", &[alice, bob, U256::ONE]);
        assert!(!stage.call(1, nft, give.clone()).success, "not his");
        let given = stage.call(0, nft, give);
        assert_eq!(given.logs[0].topics().len(), 4);
        assert_eq!(stage.word_of(nft, "ownerOf(uint256)", &[U256::ONE]), bob);
        assert_eq!(stage.word_of(nft, "ownerOf(uint256)", &[U256::ZERO]), alice);
        assert_eq!(stage.slot(nft, slot_of(alice, U256::from(2))), U256::ONE, "alice has one left");
    });
}

#[test]
fn ledgers_write_read_and_clear_rows() {
    on_stage("Amsterdam", |mut stage| {
        let ledger = stage.world.ledgers[0].address;
        let row = |number: u64| U256::from(number);
        let write = call("write(uint256,uint256,uint256)", &[row(5), row(3), row(64)]);
        assert!(stage.call(0, ledger, write).success);
        let written = [4, 5, 6, 7, 8].map(|number| stage.slot(ledger, row(number)));
        assert_eq!(written, [0, 69, 71, 71, 0].map(row));
        assert_eq!(stage.word_of(ledger, "read(uint256,uint256)", &[row(0), row(20)]), row(69 + 71 + 71));
        assert!(stage.call(0, ledger, call("clear(uint256,uint256)", &[row(5), row(2)])).success);
        assert_eq!(stage.word_of(ledger, "read(uint256,uint256)", &[row(0), row(20)]), row(71));
    });
}

#[test]
fn hashing_is_keccak_and_precompiles_answer() {
    on_stage("Amsterdam", |mut stage| {
        let hasher = stage.world.singles.hasher.address;
        let mut memory = [0; 128];
        memory[32..64].copy_from_slice(&stage.signer(3).to_be_bytes::<32>());
        for _ in 0..3 {
            let hash = keccak256(memory);
            memory[..32].copy_from_slice(hash.as_slice());
        }
        let hashed = stage.word_of(hasher, "hash(uint256)", &[U256::from(3)]);
        assert_eq!(hashed, U256::from_be_slice(&memory[..32]));
        let caller = stage.signer(3);
        assert_eq!(stage.slot(hasher, caller), hashed);
        let first = stage.word_of(hasher, "precompiles(uint256)", &[U256::from(1)]);
        assert_ne!(first, stage.word_of(hasher, "precompiles(uint256)", &[U256::from(2)]));
    });
}

#[test]
fn the_factory_creates_where_the_plan_expects_it() {
    on_stage("Amsterdam", |mut stage| {
        let factory = stage.world.singles.factory.address;
        let code = init_code(&mortal(), 1);
        let salt = U256::from(77);
        let made =
            stage.send(0, TxKind::Call(factory), 500, call_with_tail("create2(uint256)", salt, &code), 5_000_000);
        assert!(made.success, "{:?}", made.halt);
        let child = factory.create2(salt.to_be_bytes::<32>(), keccak256(&code));
        assert_eq!(U256::from_be_slice(&made.output), word(child));
        assert_eq!(stage.balance(child), U256::from(500));
        assert_eq!(stage.slot(child, U256::ZERO), U256::ONE, "the constructor wrote");

        let heir = Address::repeat_byte(0x77);
        assert!(stage.call(0, child, heir.into_word().into()).success);
        assert_eq!((stage.balance(child), stage.balance(heir)), (U256::ZERO, U256::from(500)));

        let killed = stage.call(0, factory, call_with_tail("createAndKill(uint256)", U256::from(78), &code));
        assert!(killed.success);
        let gone = Address::from_word(killed.output.as_ref().try_into().unwrap());
        assert!(stage.evm.view_mut().account(&gone).unwrap().is_none());

        let created = stage.call(0, factory, call_with_tail("create(uint256)", U256::ZERO, &code));
        // The factory's nonce is 1 at genesis and counts each creation.
        assert_eq!(U256::from_be_slice(&created.output), word(factory.create(3)));
        assert_eq!(stage.slot(factory, U256::ZERO), U256::from(3));
    });
}

#[test]
fn failures_fail_as_they_say() {
    on_stage("Amsterdam", |mut stage| {
        let reverter = stage.world.singles.reverter.address;
        let reverted = stage.call(0, reverter, call("fail(uint256)", &[U256::ZERO]));
        assert!(!reverted.success && reverted.halt.is_none());
        assert_eq!(U256::from_be_slice(&reverted.output), U256::from(0xbadc0de));
        let halted = stage.call(0, reverter, call("fail(uint256)", &[U256::ONE]));
        assert!(!halted.success && halted.halt.is_some());
        for mode in [U256::ZERO, U256::ONE] {
            assert!(stage.call(0, reverter, call("catch(uint256)", &[mode])).success);
        }
        assert_eq!(stage.slot(reverter, U256::ZERO), U256::from(2), "two caught");
        let caller = stage.signer(0);
        assert_eq!(stage.slot(reverter, caller), U256::ZERO, "and taken back");

        let burner = stage.world.singles.burner.address;
        let burnt = stage.send(0, TxKind::Call(burner), 0, Bytes::new(), 200_000);
        assert!(burnt.halt.is_some_and(|halt| halt.contains("OutOfGas")));
        assert_eq!(burnt.gas.used, 200_000);
    });
}

#[test]
fn calls_go_deep_and_around() {
    on_stage("Amsterdam", |mut stage| {
        let link = stage.world.links[0].address;
        let bottom = stage.word_of(link, "descend(uint256)", &[U256::from(20)]);
        let ring: Vec<U256> = stage.world.links.iter().map(|link| word(link.address)).collect();
        assert!(ring.contains(&bottom));
        // 21 steps, each counted once in some link, wherever delegation took it.
        let links: Vec<Address> = stage.world.links.iter().map(|link| link.address).collect();
        let slots = links.iter().flat_map(|link| (0..8).map(|slot| (*link, U256::from(slot))));
        let counted: U256 = slots.map(|(link, slot)| stage.slot(link, slot)).sum();
        assert_eq!(counted, U256::from(21));
    });
}

#[test]
fn observers_see_and_tips_arrive() {
    on_stage("Amsterdam", |mut stage| {
        let observer = stage.world.singles.observer.address;
        let token = stage.world.tokens[0].clone();
        let holder = stage.world.holder(1);
        let seen = [U256::from(3), word(holder), word(token.address), word(token.address)];
        let expected = U256::from(2_000_000_000)
            ^ U256::from_be_slice(keccak256(&token.code).as_slice())
            ^ U256::from(token.code.len());
        assert_eq!(stage.word_of(observer, "observe(uint256)", &seen), expected);

        let tipper = stage.world.singles.tipper.address;
        let before = stage.balance(Address::ZERO);
        assert!(stage.send(0, TxKind::Call(tipper), 123, Bytes::new(), 500_000).success);
        assert_eq!(
            stage.balance(Address::ZERO),
            before + U256::from(123),
            "the genesis block pays to the zero address"
        );
    });
}

#[test]
fn deposits_emit_the_event_that_requests_are_read_from() {
    on_stage("Amsterdam", |mut stage| {
        let contract = balsa_chainspec::MAINNET_DEPOSIT_CONTRACT;
        let record: Vec<u8> = (0..184).map(|byte| byte as u8).collect();
        let deposited = stage.call(0, contract, record.clone().into());
        assert!(deposited.success);
        let data = &deposited.logs[0].data.data;
        assert_eq!(data.len(), 576);
        assert_eq!(data[192..240], record[..48]);
        assert_eq!(data[288..320], record[48..80]);
        assert_eq!(data[352..360], record[80..88]);
        assert_eq!(data[416..512], record[88..184]);
        assert_eq!(data[544..552], [0; 8], "the first index");
        let second = stage.call(0, contract, record.into());
        assert_eq!(second.logs[0].data.data[544..552], 1_u64.to_le_bytes());
        assert!(!stage.call(0, contract, Bytes::from_static(&[1])).success);
    });
}

#[test]
fn contracts_run_under_the_oldest_fork_too() {
    on_stage("Merge", |mut stage| {
        let token = stage.world.tokens[0].address;
        let bob = stage.signer(1);
        assert!(stage.call(0, token, call("transfer(address,uint256)", &[bob, U256::ONE])).success);
        let link = stage.world.links[0].address;
        assert!(stage.call(0, link, call("descend(uint256)", &[U256::from(9)])).success);
    });
}
