//! Blockchain tests: blocks in RLP, valid ones and such as must be refused, and the head at the end.

use super::malformed;
use crate::chain::{genesis_header, test_chain};
use crate::dump::Dump;
use crate::exception::{accepts, name_of_block_fault, name_of_decode_fault};
use crate::fixture::{Accounts, Block, BlockchainTest, RawTest, encode_access_list, parse_bytes};
use crate::tree::{ImportError, Tree};
use crate::world::{World, check_accounts};
use crate::{Executors, Options, Outcome, Place, transaction_fault};
use alloy_primitives::{B256, Bytes};
use balsa_chainspec::ChainSpec;
use balsa_executor::{BodyError, ExecuteError, ExecutedBlock, InvalidBlock, SealedBlock};
use std::sync::Arc;

pub(super) fn run(place: &Place, test: &RawTest<'_>, options: &Options) -> Vec<Outcome> {
    let test: BlockchainTest<'_> = match serde_json::from_str(test.json.get()) {
        Ok(test) => test,
        Err(error) => return super::judged(place, "", Err(malformed(error))),
    };
    if !options.selects_fork(&test.network) {
        return Vec::new();
    }
    let mut dump = None;
    let judged = judge(&test, options, &mut dump);
    let outcome = Outcome::new(place, test.network.clone(), judged.map(Some));
    vec![Outcome { state: dump.map(Box::new), ..outcome }]
}

/// Runs the test. The state after it is shown whether it passed or not.
fn judge(test: &BlockchainTest<'_>, options: &Options, dump: &mut Option<Dump>) -> Result<B256, String> {
    if test.blocks.is_empty() {
        return Err("the test has no block".to_owned());
    }
    let chain = Arc::new(test_chain(&test.network, &test.config, options)?);
    let world = world_of(test.pre.get(), test.genesis_block_header.state_root)?;
    let genesis = genesis_header(&test.genesis_block_header)?;
    let mut run = Run {
        executors: Executors::of_chain(chain.clone(), options)?,
        tree: Tree::new(chain.clone(), genesis, world),
        chain,
    };
    let judged = run.take_all(test);
    // What the blocks were judged to be is not lost to a state that cannot be shown.
    let shown = run.dumped(test).map(|state| *dump = state);
    judged.and_then(|root| shown.map(|()| root))
}

/// The state of `pre`, whose root the genesis header holds.
pub(super) fn world_of(pre: &str, state_root: B256) -> Result<World, String> {
    let accounts: Accounts = serde_json::from_str(pre).map_err(malformed)?;
    let world = World::of(&accounts).map_err(|error| error.to_string())?;
    if world.root() == state_root {
        Ok(world)
    } else {
        Err(format!("root of pre is {}, the genesis header says {state_root}", world.root()))
    }
}

/// Compares the state at the end, and returns its root.
pub(super) fn check_post_state(world: &World, accounts: Option<&Accounts>, hash: Option<B256>) -> Result<B256, String> {
    let root = world.root();
    if let Some(expected) = hash.filter(|expected| *expected != root) {
        return Err(format!("state root at the end is {root}, expected {expected}"));
    }
    accounts.map_or(Ok(()), |accounts| check_accounts(&world.state, accounts))?;
    Ok(root)
}

struct Run {
    chain: Arc<ChainSpec>,
    executors: Executors,
    tree: Tree,
}

impl Run {
    /// Takes the blocks of the test, and compares the head and the state at the end.
    fn take_all(&mut self, test: &BlockchainTest<'_>) -> Result<B256, String> {
        for (index, block) in test.blocks.iter().enumerate() {
            self.take(block, &test.network).map_err(|error| format!("block {index}: {error}"))?;
        }
        if self.tree.head() != test.lastblockhash {
            return Err(format!("head is {}, expected {}", self.tree.head(), test.lastblockhash));
        }
        check_post_state(self.tree.head_world(), test.post_state.as_ref(), test.post_state_hash)
    }

    /// The state at the end, where it was asked for.
    fn dumped(self, test: &BlockchainTest<'_>) -> Result<Option<Dump>, String> {
        let Some(mut places) = self.executors.reached() else { return Ok(None) };
        let pre: Accounts = serde_json::from_str(test.pre.get()).map_err(malformed)?;
        places.name(&pre);
        let World { state, trie, .. } = self.tree.head_world();
        Dump::of(trie.root(), state, &places).map(Some).map_err(|error| error.to_string())
    }

    /// Takes the next block of the test, which must be kept or refused as the test says.
    fn take(&mut self, block: &Block<'_>, network: &str) -> Result<(), String> {
        let bytes = parse_bytes(&block.rlp).ok_or("malformed fixture: rlp")?;
        let list = access_list(block)?;
        let valid = block.block_header.as_ref().map(|header| header.hash);
        let expected = block.exception(network);
        match (valid, expected, self.import(&bytes, list, valid)?) {
            (Some(_), None, Ok(())) => Ok(()),
            (Some(_), None, Err(names)) => Err(format!("refused: {}", names.join(", "))),
            (_, Some(expected), Ok(())) => Err(format!("accepted, expected {expected}")),
            (None, None, Ok(())) => Err("accepted, but it must be refused".to_owned()),
            (None, None, Err(_)) => Ok(()),
            (_, Some(expected), Err(names)) if names.iter().any(|name| accepts(expected, name)) => Ok(()),
            (_, Some(expected), Err(names)) => Err(format!("refused for {}, expected {expected}", names.join(", "))),
        }
    }

    /// Imports a block, or names why it is refused. Errors that say nothing about the block are the outer ones.
    fn import(
        &mut self,
        bytes: &[u8],
        list: Option<Bytes>,
        hash: Option<B256>,
    ) -> Result<Result<(), Vec<String>>, String> {
        let block = match SealedBlock::decode(bytes) {
            Ok(block) => block,
            Err(error) => {
                // The block's fork stands in the header, which may be what is broken: the last fork knows all types.
                let rules = self.chain.rules_at(u64::MAX, u64::MAX, self.chain.terminal_total_difficulty.is_some());
                let name = transaction_fault::find_in_block(&rules, bytes);
                let names = [Some(name_of_decode_fault(&error)), name];
                return Ok(Err(names.into_iter().flatten().map(str::to_owned).collect()));
            }
        };
        if let Some(expected) = hash.filter(|expected| *expected != block.hash) {
            return Err(format!("hash {}, expected {expected}", block.hash));
        }
        match self.executors.execute(&self.tree, &block, list.clone())? {
            Ok(executed) => self.keep(&block, executed).map(Ok),
            Err(error) => self.reasons(&block, list, error).map(Err),
        }
    }

    /// The names of what is wrong with the block: of the first fault, and where the header does not commit to the
    /// transactions of the body, also of the fault that shows when it does.
    ///
    /// The older suites were filled by putting a bad transaction into a block whose header was made without it, and
    /// name the fault of the transaction.
    fn reasons(&self, block: &SealedBlock, list: Option<Bytes>, error: ImportError) -> Result<Vec<String>, String> {
        let mut names = vec![name_of(&error)?];
        let mut block = block.clone();
        let mut error = error;
        let executors = self.executors.untraced();
        while mend(&mut block, &error) {
            error = match executors.execute(&self.tree, &block, list.clone())? {
                Ok(_) => break,
                Err(error) => error,
            };
            names.push(name_of(&error)?);
        }
        Ok(names)
    }

    fn keep(&mut self, block: &SealedBlock, executed: ExecutedBlock) -> Result<(), String> {
        self.tree.insert(block, executed).map_err(|error| error.to_string())
    }
}

/// Makes the header commit to the body's transactions, if that is what is wrong.
fn mend(block: &mut SealedBlock, error: &ImportError) -> bool {
    let ImportError::Execute(ExecuteError::Invalid(refusal)) = error else { return false };
    let InvalidBlock::Body(fault) = &refusal.rule else { return false };
    match fault {
        BodyError::TransactionsRoot { found, .. } => block.header.transactions_root = *found,
        BodyError::BlobGasUsed { found, .. } => block.header.blob_gas_used = Some(*found),
        _ => return false,
    }
    true
}

/// The list that came with the block: of a valid one with it, of an invalid one with what its bytes say.
fn access_list(block: &Block<'_>) -> Result<Option<Bytes>, String> {
    let decoded = block.rlp_decoded.as_ref().and_then(|decoded| decoded.block_access_list);
    let list = block.block_access_list.or(decoded);
    list.map(|json| encode_access_list(json.get()).map_err(malformed)).transpose()
}

/// The suites' name for why a block was refused.
///
/// # Errors
/// If the error says nothing about the block.
pub(super) fn name_of(error: &ImportError) -> Result<String, String> {
    Ok(match error {
        ImportError::UnknownParent(parent) if parent.is_zero() => "BlockException.UNKNOWN_PARENT_ZERO".to_owned(),
        ImportError::UnknownParent(_) => "BlockException.UNKNOWN_PARENT".to_owned(),
        ImportError::WrongConsensus { found: true, .. } => {
            "BlockException.IMPORT_IMPOSSIBLE_PARIS_WRONG_POS".to_owned()
        }
        ImportError::WrongConsensus { .. } => "BlockException.IMPORT_IMPOSSIBLE_PARIS_WRONG_POW".to_owned(),
        ImportError::Ommers(error) => error.exception_name().to_owned(),
        ImportError::Execute(ExecuteError::Invalid(refusal)) => name_of_block_fault(&refusal.rule),
        ImportError::Execute(ExecuteError::Internal(error)) => return Err(format!("internal error: {error}")),
    })
}
