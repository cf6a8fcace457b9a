//! The executors that run a test's blocks, as the mode asks.

use crate::dump::Places;
use crate::eip3155::Tracer;
use crate::tree::{ImportError, Tree};
use crate::{Mode, Options, TraceOutput};
use alloy_primitives::Bytes;
use balsa_chainspec::{ChainSpec, Fork};
use balsa_evm::{Unobserved, Watched};
use balsa_executor::{ExecutedBlock, ExecutionMode, Executor, Path, SealedBlock};
use balsa_state::BlockState;
use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

/// One pool for all tests: threads are dear. Code is kept for one test: hundreds of thousands of tests have more of it
/// than memory should hold.
static EXECUTOR: LazyLock<Result<Executor, String>> = LazyLock::new(|| {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let spec = Arc::new(ChainSpec::all_at_genesis(1, Fork::Frontier));
    Executor::new(spec, threads, ExecutionMode::Sequential).map_err(|error| error.to_string())
});

/// The executors of one chain.
pub(crate) struct Executors {
    serial: Executor,
    parallel: Executor,
    mode: Mode,
    trace: Option<TraceOutput>,
    /// What blocks have reached so far, if a dump is to be made of it.
    reached: Option<RefCell<Places>>,
}

impl Executors {
    pub(crate) fn of_chain(spec: Arc<ChainSpec>, options: &Options) -> Result<Self, String> {
        let serial = EXECUTOR.as_ref().map_err(Clone::clone)?.for_chain(spec);
        // Small blocks go to the pool too: nearly all of the suites' are small.
        let parallel = serial.with_mode(ExecutionMode::Parallel);
        let reached = options.dump.then(RefCell::default);
        Ok(Self { serial, parallel, mode: options.mode, trace: options.trace.clone(), reached })
    }

    /// The same executors, without traces, and without notes of what is reached.
    pub(crate) fn untraced(&self) -> Self {
        let mode = |executor: &Executor, mode| executor.with_mode(mode);
        let serial = mode(&self.serial, ExecutionMode::Sequential);
        Self {
            serial,
            parallel: mode(&self.parallel, ExecutionMode::Parallel),
            mode: self.mode,
            trace: None,
            reached: None,
        }
    }

    /// The sequential executor's run, traced if that was asked for.
    fn in_sequence(&self, tree: &Tree, block: &SealedBlock, list: Option<Bytes>) -> Result<ExecutedBlock, ImportError> {
        let closed = |state: &BlockState<'_>| {
            if let Some(reached) = &self.reached {
                reached.borrow_mut().reach(state.reached());
            }
        };
        match &self.trace {
            None => tree.execute_observed(&self.serial, block, list, Unobserved, closed),
            Some(output) => {
                let mut tracer = Tracer::new(output);
                tree.execute_observed(&self.serial, block, list, Watched::new(&mut tracer), closed)
            }
        }
    }

    /// The addresses and slots that the blocks so far have reached, if they were asked for.
    pub(crate) fn reached(self) -> Option<Places> {
        self.reached.map(RefCell::into_inner)
    }

    /// Executes a block: in both ways where it has a list and the mode asks for both, which must then agree.
    ///
    /// # Errors
    /// If the two do not agree, or the parallel one is wrong about a valid block.
    pub(crate) fn execute(
        &self,
        tree: &Tree,
        block: &SealedBlock,
        list: Option<Bytes>,
    ) -> Result<Result<ExecutedBlock, ImportError>, String> {
        match (self.mode, list) {
            (Mode::Serial, _) | (_, None) => Ok(self.in_sequence(tree, block, None)),
            (Mode::Parallel, list) => in_parallel(tree.execute(&self.parallel, block, list)),
            (Mode::Both, Some(list)) => {
                let serial = self.in_sequence(tree, block, Some(list.clone()));
                let parallel = in_parallel(tree.execute(&self.parallel, block, Some(list)))?;
                compare(&serial, &parallel)?;
                Ok(serial)
            }
        }
    }
}

/// A valid block that only the sequential executor could run is a fault of the parallel one.
fn in_parallel(run: Result<ExecutedBlock, ImportError>) -> Result<Result<ExecutedBlock, ImportError>, String> {
    match &run {
        Ok(executed) if executed.path == Path::Fallback => {
            Err("the parallel executor failed on a valid block".to_owned())
        }
        _ => Ok(run),
    }
}

fn compare(
    serial: &Result<ExecutedBlock, ImportError>,
    parallel: &Result<ExecutedBlock, ImportError>,
) -> Result<(), String> {
    let differ = |what: &str| Err(format!("the executors differ: {what}"));
    match (serial, parallel) {
        (Ok(serial), Ok(parallel)) if serial.trie.root() != parallel.trie.root() => differ("state root"),
        (Ok(serial), Ok(parallel)) if serial.receipts != parallel.receipts => differ("receipts"),
        (Ok(serial), Ok(parallel)) if serial.diff != parallel.diff => differ("change of state"),
        (Ok(serial), Ok(parallel)) if serial.requests != parallel.requests => differ("requests"),
        (Ok(serial), Ok(parallel)) if serial.list != parallel.list => differ("access list"),
        (Ok(serial), Ok(parallel)) if serial.gas_used != parallel.gas_used => differ("gas used"),
        (Ok(_), Ok(_)) => Ok(()),
        (Err(serial), Err(parallel)) if serial.to_string() == parallel.to_string() => Ok(()),
        (Err(serial), Err(parallel)) => differ(&format!("serial says {serial}, parallel {parallel}")),
        (Ok(_), Err(parallel)) => differ(&format!("only the parallel one refuses: {parallel}")),
        (Err(serial), Ok(_)) => differ(&format!("only the serial one refuses: {serial}")),
    }
}
