//! How much an answer may cost.

use std::time::{Duration, Instant};

use balsa_evm::CallWatch;

/// What a question may use up at most. No gas and no time mean no limit of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Gas of a call; of all calls together in simulated blocks.
    pub gas_cap: u64,
    /// Time for the whole answer.
    pub timeout: Duration,
    /// Simulated blocks of one request, gaps filled.
    pub blocks_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { gas_cap: 50_000_000, timeout: Duration::from_secs(5), blocks_max: 256 }
    }
}

/// Gas of a call where there is no cap. Memory is what it bounds: this much gas buys no more than about 200 MB of it
/// (Yellow Paper, appendix H), since its price grows with the square.
const UNCAPPED_GAS: u64 = 1 << 36;

impl Limits {
    /// The most gas that a call may have.
    pub(crate) fn gas_max(&self) -> u64 {
        if self.gas_cap == 0 { UNCAPPED_GAS } else { self.gas_cap }
    }
}

/// When an answer must be there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    end: Option<Instant>,
    pub(crate) timeout: Duration,
}

impl Deadline {
    /// Starts the clock.
    pub(crate) fn start(limits: &Limits) -> Self {
        let timeout = limits.timeout;
        Self { end: (!timeout.is_zero()).then(|| Instant::now().checked_add(timeout)).flatten(), timeout }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }

    /// Who ends a run when the time is up.
    pub(crate) fn watch(&self) -> CallWatch {
        let deadline = *self;
        CallWatch::new(move || deadline.is_over())
    }
}
