//! State tests: one transaction in many variants on one state, each with the root and the logs it must lead to.

use super::malformed;
use crate::chain::test_chain;
use crate::dump::{Dump, Places};
use crate::eip3155::{TraceOutput, Tracer, state_root_line};
use crate::exception::{accepts, name_of_admission_fault, name_of_sender_fault, name_of_transaction_fault};
use crate::fixture::{Environment, PostState, RawTest, StateTest};
use crate::world::{World, check_accounts};
use crate::{BenchStats, Options, Outcome, Place, state_transaction, transaction_fault};
use alloy_consensus::{Header, Transaction as _};
use alloy_primitives::{Address, B256, Bytes, keccak256};
use balsa_chainspec::{ChainSpec, Fork, Rules};
use balsa_evm::{
    BlockEnvironment, BlockGas, BlockHashes, CodeCache, Observation, TransactError, Transaction, TransactionEvm,
    TransactionResult, Watched,
};
use balsa_executor::{recover_sender, updates_of};
use balsa_state::{BlockState, State, StateDiff, StateView, Written};
use balsa_trie::{NoNodes, root_after};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a transaction is run over and over for its time.
const BENCH_TIME: Duration = Duration::from_millis(200);

pub(super) fn run(place: &Place, test: &RawTest<'_>, options: &Options) -> Vec<Outcome> {
    let test: StateTest<'_> = match serde_json::from_str(test.json.get()) {
        Ok(test) => test,
        Err(error) => return super::judged(place, "", Err(malformed(error))),
    };
    let forks = test.post.iter().filter(|(fork, _)| options.selects_fork(fork));
    forks.flat_map(|(fork, variants)| run_fork(place, &test, fork, variants, options)).collect()
}

fn run_fork(
    place: &Place,
    test: &StateTest<'_>,
    fork: &str,
    variants: &[PostState<'_>],
    options: &Options,
) -> Vec<Outcome> {
    let prepared = test_chain(fork, &test.config, options).and_then(|chain| Stage::new(test, chain));
    let selected = |index: &usize| options.variant.is_none_or(|variant| variant == *index);
    let variants = variants.iter().enumerate().filter(|(index, _)| selected(index));
    let run = |(_, post): (usize, &PostState<'_>)| {
        let mut seen = Seen::default();
        let judged = match &prepared {
            Ok(stage) => stage.judge(test, post, options, &mut seen),
            Err(error) => Err(error.clone()),
        };
        let indexes = post.indexes;
        let variant = format!("d{}g{}v{}", indexes.data, indexes.gas, indexes.value);
        let outcome = Outcome::new(place, fork, judged.map(|()| None)).with_variant(variant);
        // A fuzzer's tests expect no root that is right, and the root is what it asks for.
        let Seen { root, dump, bench } = seen;
        Outcome { state_root: root, state: dump.map(Box::new), bench_stats: bench, ..outcome }
    };
    variants.map(run).collect()
}

/// What is told of a variant, whether it passed or not.
#[derive(Default)]
struct Seen {
    root: Option<B256>,
    dump: Option<Dump>,
    bench: Option<BenchStats>,
}

/// What the variants of a fork share.
struct Stage {
    chain_id: u64,
    rules: Rules,
    world: World,
    environment: BlockEnvironment,
}

/// What became of a transaction: what it did, or the suites' name for why it may not stand here.
type Run = Result<TransactionResult, String>;

impl Stage {
    fn new(test: &StateTest<'_>, chain: ChainSpec) -> Result<Self, String> {
        let header = header_of(&test.env, &chain);
        let rules = chain.rules_of(&header);
        let hashes =
            Arc::new(BlockHashes::new(header.number, hash_of_number(header.number.wrapping_sub(1)), |number| {
                Some(hash_of_number(number))
            }));
        let world = World::of(&test.pre).map_err(|error| error.to_string())?;
        Ok(Self { chain_id: chain.chain_id, rules, world, environment: BlockEnvironment::new(rules, &header, hashes) })
    }

    /// Runs one variant: is everything as it must be?
    fn judge(
        &self,
        test: &StateTest<'_>,
        post: &PostState<'_>,
        options: &Options,
        seen: &mut Seen,
    ) -> Result<(), String> {
        let mut state = BlockState::new(&self.world.state);
        let run = self.run(test, post, &mut state, options.trace.as_ref())?;
        self.touch_beneficiary(&mut state).map_err(|error| error.to_string())?;
        let (root, after) = self.close(&state)?;
        seen.root = Some(root);
        if let Some(output) = &options.trace {
            output.write(&state_root_line(root));
        }
        if options.dump {
            let mut places = Places::default();
            places.name(&test.pre);
            places.reach(state.reached());
            seen.dump = Some(Dump::of(root, &after, &places).map_err(|error| error.to_string())?);
        }
        if options.bench {
            seen.bench = self.bench(test, post)?;
        }
        check_exception(post.expect_exception.as_deref(), &run)?;
        let logs = run.map(|result| result.logs).unwrap_or_default();
        let logs_hash = keccak256(alloy_rlp::encode(&logs));
        if root != post.hash {
            return Err(format!("state root {root}, expected {}", post.hash));
        }
        if logs_hash != post.logs {
            return Err(format!("logs hash {logs_hash}, expected {}", post.logs));
        }
        post.state.as_ref().map_or(Ok(()), |accounts| check_accounts(&after, accounts))
    }

    /// How long the transaction takes, each time on the state before it. Nothing of one that may not stand here.
    fn bench(&self, test: &StateTest<'_>, post: &PostState<'_>) -> Result<Option<BenchStats>, String> {
        let start = Instant::now();
        for runs in 1.. {
            let run = self.run(test, post, &mut BlockState::new(&self.world.state), None)?;
            let elapsed = start.elapsed();
            let Ok(result) = run else { break };
            if elapsed >= BENCH_TIME {
                let time_ns = u64::try_from(elapsed.as_nanos() / runs).unwrap_or(u64::MAX);
                return Ok(Some(BenchStats { time_ns, gas_used: result.gas.used }));
            }
        }
        Ok(None)
    }

    /// Errors of the fixture or of ours are the outer ones.
    fn run(
        &self,
        test: &StateTest<'_>,
        post: &PostState<'_>,
        state: &mut BlockState<'_>,
        trace: Option<&TraceOutput>,
    ) -> Result<Run, String> {
        let (transaction, sender) = match &post.txbytes {
            Some(bytes) => {
                let bytes = crate::fixture::parse_bytes(bytes).ok_or("malformed fixture: txbytes")?;
                match self.decode(&bytes) {
                    Ok(decoded) => decoded,
                    Err(name) => return Ok(Err(name)),
                }
            }
            None => match state_transaction::of(test, post.indexes, self.chain_id)? {
                Some(transaction) => transaction,
                None => return Ok(Err("TransactionException.RLP_INVALID_VALUE".to_owned())),
            },
        };
        let gas = BlockGas::new(&self.rules, self.environment.gas_limit());
        if let Err(error) = gas.admit(transaction.gas_limit()) {
            return Ok(Err(name_of_admission_fault(&error).to_owned()));
        }
        let codes = Arc::<CodeCache>::default();
        match trace {
            None => finish(TransactionEvm::new(&self.environment, codes, state), &transaction, sender),
            Some(output) => {
                let mut tracer = Tracer::new(output);
                let observer = Watched::new(&mut tracer);
                let evm = TransactionEvm::observed(&self.environment, codes, state, observer);
                finish(evm, &transaction, sender)
            }
        }
    }

    fn decode(&self, bytes: &Bytes) -> Result<(Transaction, Address), String> {
        let named = |fallback: &str| transaction_fault::find(&self.rules, bytes).unwrap_or(fallback).to_owned();
        let transaction = transaction_fault::decode(bytes).map_err(|error| named(&error.to_string()))?;
        let sender = recover_sender(&self.rules, &transaction);
        let sender = sender.map_err(|error| named(name_of_sender_fault(&error)))?;
        Ok((transaction, sender))
    }

    /// The reward of a state test's block is nothing, and touches its beneficiary all the same: before EIP-161 that
    /// brings the account into being.
    fn touch_beneficiary(&self, state: &mut BlockState<'_>) -> Result<(), balsa_state::StateError> {
        let beneficiary = self.environment.beneficiary();
        if self.rules.has(Fork::SpuriousDragon) || state.account(&beneficiary)?.is_some() {
            return Ok(());
        }
        state.write(&beneficiary, Written { info: Some(Default::default()), ..Written::default() })
    }

    fn close(&self, state: &BlockState<'_>) -> Result<(B256, State), String> {
        let (changes, codes) = state.changes();
        let updates = updates_of(&changes, !self.rules.has(Fork::SpuriousDragon));
        let after = root_after(&self.world.trie, &NoNodes, &updates).map_err(|error| error.to_string())?;
        let diff: StateDiff = balsa_executor::diff_of(changes, codes, &after);
        Ok((after.root, self.world.grown(diff, after.trie).state))
    }
}

/// Runs the transaction, and writes to the state what it did.
fn finish<'s, 'w: 's, O: Observation<&'s mut BlockState<'w>>>(
    mut evm: TransactionEvm<&'s mut BlockState<'w>, O>,
    transaction: &Transaction,
    sender: Address,
) -> Result<Run, String> {
    match evm.transact(transaction, sender) {
        Ok(result) => {
            let write = |state: &mut &mut BlockState<'_>, outcome: balsa_evm::AccountOutcome<'_>| {
                if outcome.is_changed() { state.write(&outcome.address, outcome.written()) } else { Ok(()) }
            };
            evm.apply_outcomes(write).map_err(|error| error.to_string())?;
            Ok(Ok(result))
        }
        Err(TransactError::Invalid(error)) => Ok(Err(name_of_transaction_fault(&error).to_owned())),
        Err(error) => Err(error.to_string()),
    }
}

fn check_exception(expected: Option<&str>, run: &Run) -> Result<(), String> {
    match (expected, run) {
        (None, Ok(_)) => Ok(()),
        (Some(expected), Err(name)) if accepts(expected, name) => Ok(()),
        (None, Err(name)) => Err(format!("refused: {name}")),
        (Some(expected), Err(name)) => Err(format!("refused for {name}, expected {expected}")),
        (Some(expected), Ok(_)) => Err(format!("accepted, expected {expected}")),
    }
}

fn header_of(env: &Environment, chain: &ChainSpec) -> Header {
    let merged = chain.terminal_total_difficulty.is_some_and(|terminal| terminal.is_zero());
    Header {
        beneficiary: env.current_coinbase,
        gas_limit: env.current_gas_limit.0.saturating_to(),
        number: env.current_number.0,
        timestamp: env.current_timestamp.0,
        difficulty: if merged { Default::default() } else { env.current_difficulty.0 },
        mix_hash: env.current_random.map(|random| random.0.into()).unwrap_or_default(),
        base_fee_per_gas: env.current_base_fee.map(|fee| fee.0),
        excess_blob_gas: env.current_excess_blob_gas.map(|gas| gas.0),
        slot_number: env.slot_number.map(|slot| slot.0),
        ..Header::default()
    }
}

/// What state tests take for the hash of a block: the hash of its number in decimal notation.
fn hash_of_number(number: u64) -> B256 {
    keccak256(number.to_string())
}
