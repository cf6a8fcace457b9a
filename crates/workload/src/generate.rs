//! The chain of a load: the plan's transactions through the payload builder, block after block.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_eips::eip4895::{Withdrawal, Withdrawals};
use alloy_primitives::{Address, B256};
use balsa_builder::{Attributes, BlockBuilder, BuildError, BuiltBlock, Skipped};
use balsa_chainspec::{Fork, Genesis, GenesisError};
use balsa_executor::{ExecutionMode, Executor, InternalError, Parent};

use crate::accounts::address;
use crate::genesis;
use crate::kind::Kind;
use crate::params::{Params, ParamsError};
use crate::plan::Plan;
use crate::prestate::{Prestate, PrestateError};
use crate::random::Random;
use crate::sign::{Feed, SignedIntent};
use crate::tip::Tip;
use crate::world::{FEE_RECIPIENTS, World};

/// Seconds between blocks.
const BLOCK_TIME: u64 = 12;
/// How many accounts withdrawals go to.
const VALIDATORS: u64 = 4096;
/// What block makers write into their blocks.
const EXTRA_DATA: &[u8] = b"balsa workload";

/// What came of a load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Blocks, without the genesis block.
    pub blocks: u64,
    /// Transactions in them.
    pub transactions: u64,
    /// Gas used by all blocks.
    pub gas: u64,
    /// Hash of the genesis block.
    pub genesis: B256,
    /// Hash of the last block.
    pub head: B256,
    /// What each kind of transaction did.
    pub kinds: BTreeMap<Kind, KindSummary>,
}

/// What one kind of transaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindSummary {
    /// Transactions.
    pub count: u64,
    /// Those that ran to their end.
    pub succeeded: u64,
    /// Regular gas of all of them.
    pub regular_gas: u64,
    /// State gas of all of them (EIP-8037).
    pub state_gas: u64,
}

/// Why a chain could not be made. `E` is what its receiver may say.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum GenerateError<E> {
    #[error("parameters: {0}")]
    Params(#[from] ParamsError),
    #[error(transparent)]
    Prestate(#[from] PrestateError),
    #[error("threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    #[error("block {number}: {error}")]
    Build { number: u64, error: BuildError },
    #[error("block {number}: {error}")]
    Internal { number: u64, error: InternalError },
    #[error("block {number}: {kind:?} of {sender} was refused: {reason}")]
    Refused { number: u64, kind: Kind, sender: Address, reason: Skipped },
    #[error("the thread that signs is gone")]
    SignerLost,
    #[error(transparent)]
    Receiver(E),
}

/// The genesis of `params`, by way of its file.
///
/// # Errors
/// A genesis file that does not parse is a fault of this crate.
pub fn parsed_genesis(params: &Params, world: &World) -> Result<Genesis, GenesisError> {
    let mut file = Vec::new();
    genesis::write(params, world, &mut file).unwrap_or_else(|fault| panic!("writing to memory: {fault}"));
    balsa_chainspec::genesis::parse(&file)
}

/// Makes the chain of `params`, handing each block to `receive` as soon as it is sealed.
///
/// # Errors
/// See [`GenerateError`]; none of them depends on anything but the parameters and `receive`.
pub fn generate<E>(
    params: &Params,
    mut receive: impl FnMut(&BuiltBlock) -> Result<(), E>,
) -> Result<Summary, GenerateError<E>> {
    params.check()?;
    let world = Arc::new(World::new(params));
    let prestate = Prestate::new(params, world.clone(), drop)?;
    let executor = Executor::new(prestate.spec.clone(), 1, ExecutionMode::Sequential)?;
    let mut tip = Tip::new(prestate);
    let plan = Plan::new(params, world.clone())?;
    let mut summary = Summary { genesis: tip.parent().hash, ..Summary::default() };
    std::thread::scope(|scope| {
        let feed = Feed::start(scope, plan, &world, params.block.fee_max);
        let random = Random::stream(params.seed, "blocks");
        let mut maker = BlockMaker { params, fork: params.rulebook()?.fork, world: &world, random, feed, withdrawn: 0 };
        for _ in 0..params.blocks {
            let built = maker.build(&executor, tip.parent(), &mut summary)?;
            receive(&built).map_err(GenerateError::Receiver)?;
            summary.blocks += 1;
            summary.gas += built.block.header.gas_used;
            summary.head = built.block.hash;
            tip.advance(&built.block, &built.diff, built.trie);
        }
        Ok(summary)
    })
}

/// Makes one block after another.
struct BlockMaker<'a> {
    params: &'a Params,
    fork: Fork,
    world: &'a World,
    random: Random,
    feed: Feed,
    /// Index of the next withdrawal.
    withdrawn: u64,
}

impl BlockMaker<'_> {
    fn build<E>(
        &mut self,
        executor: &Executor,
        parent: &Parent,
        summary: &mut Summary,
    ) -> Result<BuiltBlock, GenerateError<E>> {
        let number = parent.header.number + 1;
        let attributes = self.attributes(number);
        let failed = |error| GenerateError::Build { number, error };
        let mut block = BlockBuilder::open(executor, parent, attributes).map_err(failed)?;
        self.fill(&mut block, number, summary)?;
        block.seal().map_err(failed)
    }

    /// Adds transactions until the block has what was drawn for it, or the next one does not fit.
    fn fill<E>(
        &mut self,
        block: &mut BlockBuilder<'_>,
        number: u64,
        summary: &mut Summary,
    ) -> Result<(), GenerateError<E>> {
        let sizes = &self.params.block;
        let transactions = self.random.between(sizes.transactions.min, sizes.transactions.max) as usize;
        let gas_target = self.random.between(sizes.gas_target.min, sizes.gas_target.max);
        if self.random.chance(sizes.empty_permille) {
            return Ok(());
        }
        while block.transaction_count() < transactions && block.gas_used() < gas_target {
            let next = self.feed.take().ok_or(GenerateError::SignerLost)?;
            let added = block.add(&next.transaction, next.sender);
            match added.map_err(|error| GenerateError::Internal { number, error })? {
                Ok(taken) => {
                    summary.transactions += 1;
                    let kind = summary.kinds.entry(next.kind).or_default();
                    kind.count += 1;
                    kind.succeeded += u64::from(taken.success);
                    kind.regular_gas += taken.gas.regular;
                    kind.state_gas += taken.gas.state;
                }
                // A later block has room for it; an empty one must.
                Err(full) if is_full(&full) && block.transaction_count() > 0 => {
                    self.feed.hold_back(next);
                    return Ok(());
                }
                Err(reason) => {
                    let SignedIntent { kind, sender, .. } = next;
                    return Err(GenerateError::Refused { number, kind, sender, reason });
                }
            }
        }
        Ok(())
    }

    fn attributes(&mut self, number: u64) -> Attributes {
        let recipient = self.random.below(FEE_RECIPIENTS);
        Attributes {
            timestamp: genesis::TIMESTAMP + number * BLOCK_TIME,
            prev_randao: self.random.hash(),
            fee_recipient: self.world.fee_recipient(recipient),
            withdrawals: (self.fork >= Fork::Shanghai).then(|| self.withdrawals()),
            parent_beacon_block_root: (self.fork >= Fork::Cancun).then(|| self.random.hash()),
            slot_number: (self.fork >= Fork::Amsterdam).then_some(number),
            gas_limit_target: self.params.block.gas_limit,
            extra_data: EXTRA_DATA.into(),
        }
    }

    /// Withdrawals of any amount, now and then of none.
    fn withdrawals(&mut self) -> Withdrawals {
        let withdrawals = (0..self.params.block.withdrawals).map(|_| {
            let validator_index = self.random.below(VALIDATORS);
            let amount = if self.random.chance(50) { 0 } else { self.random.below(32_000_000_000) };
            let index = self.withdrawn;
            self.withdrawn += 1;
            let address = address(self.world.seed, "validator", validator_index);
            Withdrawal { index, validator_index, address, amount }
        });
        Withdrawals::new(withdrawals.collect())
    }
}

/// Whether the transaction is good, and only the block has no room for it.
const fn is_full(skipped: &Skipped) -> bool {
    match skipped {
        Skipped::Gas(_) | Skipped::Blobs { .. } | Skipped::Size { .. } => true,
        Skipped::Invalid(_) => false,
    }
}
