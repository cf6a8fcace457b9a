//! Build processes: a thread each, that makes a first version at once and better ones until it is fetched.
//!
//! A version is replaced by one of more value only. A fetched payload is not improved any more, but can be fetched again;
//! it is forgotten when newer processes take its place.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256};
use balsa_builder::{Attributes, BuildError};
use balsa_engine::{BuiltPayload, EngineError, PayloadId};
use balsa_executor::{Executor, Parent};
use balsa_txpool::Pool;
use tracing::{debug, error};

use crate::{
    BuildSettings,
    build::{Room, Version, build},
};

/// Build processes that are remembered; the oldest goes first.
const JOBS_MAX: usize = 8;

/// How long a fetch waits for the first version with transactions. A consensus client that asks at once gets them too.
const FULL_VERSION_WAIT: Duration = Duration::from_millis(200);

/// How long a fetch waits for the version that is being built, which is told to come to an end.
const FETCH_WAIT: Duration = Duration::from_millis(500);

/// How long a fetch waits if there is no version at all yet.
const FIRST_VERSION_WAIT: Duration = Duration::from_secs(5);

/// All build processes of the node, oldest first.
#[derive(Debug, Default)]
pub(crate) struct PayloadJobs(Mutex<VecDeque<Arc<Job>>>);

/// What a process builds, and from what.
pub(crate) struct Work {
    pub(crate) executor: Arc<Executor>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) parent: Parent,
    pub(crate) attributes: Attributes,
    pub(crate) settings: BuildSettings,
}

/// A build process, as those see it who fetch from it.
#[derive(Debug)]
struct Job {
    id: PayloadId,
    parent: B256,
    fee_recipient: Address,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    best: Option<Arc<Version>>,
    /// Why there is no version.
    failed: Option<String>,
    is_building: bool,
    /// Whether there was a version with transactions.
    is_full: bool,
    is_stopped: bool,
}

impl PayloadJobs {
    /// Starts a process, unless there is one of this name.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start(&self, id: PayloadId, work: Work) -> io::Result<()> {
        let mut jobs = lock(&self.0);
        if jobs.iter().any(|job| job.id == id) {
            return Ok(());
        }
        let state = State { is_building: true, ..State::default() };
        let (parent, fee_recipient) = (work.parent.hash, work.attributes.fee_recipient);
        // The head has moved: what was begun on another is as good as it gets, and can still be fetched.
        jobs.iter().filter(|job| job.parent != parent).for_each(|job| job.stop());
        let job = Arc::new(Job { id, parent, fee_recipient, state: Mutex::new(state), changed: Condvar::new() });
        let running = job.clone();
        thread::Builder::new().name(format!("build-{id}")).spawn(move || running.run(&work))?;
        jobs.push_back(job);
        if jobs.len() > JOBS_MAX
            && let Some(oldest) = jobs.pop_front()
        {
            oldest.stop();
        }
        Ok(())
    }

    /// The best version of a process, which stops improving it.
    ///
    /// # Errors
    /// There is no process of this name, or it could build nothing.
    pub(crate) fn fetch(&self, id: PayloadId) -> Result<Arc<Version>, EngineError> {
        let found = lock(&self.0).iter().find(|job| job.id == id).cloned();
        found.ok_or(EngineError::UnknownPayload(id))?.fetch()
    }

    /// The best version so far of what is being built on this block.
    pub(crate) fn pending(&self, parent: &B256) -> Option<Arc<Version>> {
        let jobs = lock(&self.0);
        jobs.iter().rev().filter(|job| job.parent == *parent).find_map(|job| lock(&job.state).best.clone())
    }

    /// Who is paid by the block that was asked for last.
    pub(crate) fn fee_recipient(&self) -> Option<Address> {
        lock(&self.0).back().map(|job| job.fee_recipient)
    }

    /// Ends all processes.
    pub(crate) fn stop(&self) {
        lock(&self.0).drain(..).for_each(|job| job.stop());
    }
}

impl Job {
    fn run(&self, work: &Work) {
        let deadline = Instant::now() + work.settings.deadline;
        let mut seen = None;
        // An empty block first: it is there before anyone can ask for it.
        self.publish(self.version(work, false), false);
        loop {
            let sequence = work.pool.sequence();
            if seen != Some(sequence) {
                seen = Some(sequence);
                self.publish(self.version(work, true), true);
            }
            if !self.wait(work.settings.interval, deadline) {
                return;
            }
        }
    }

    fn version(&self, work: &Work, with_transactions: bool) -> Result<Version, BuildError> {
        let Work { executor, pool, parent, attributes, settings } = work;
        let best = with_transactions.then(|| pool.best());
        let room = Room { blobs_max: settings.blobs_max };
        build(executor, parent, attributes.clone(), best, room, || lock(&self.state).is_stopped)
    }

    fn publish(&self, version: Result<Version, BuildError>, is_full: bool) {
        let mut state = lock(&self.state);
        state.is_full |= is_full;
        match version {
            Ok(version) => {
                if state.best.as_ref().is_none_or(|best| is_better(&version.payload, &best.payload)) {
                    let (transactions, value) = (version.payload.block.transactions.len(), version.payload.value);
                    debug!(id = %self.id, number = version.payload.block.header.number, transactions, %value, "built a payload");
                    state.best = Some(Arc::new(version));
                }
            }
            Err(error) => {
                error!(id = %self.id, %error, "cannot build a payload");
                state.failed = Some(error.to_string());
            }
        }
        self.changed.notify_all();
    }

    /// Waits for the next look at the pool; `false` if there is none.
    fn wait(&self, interval: Duration, deadline: Instant) -> bool {
        let mut state = lock(&self.state);
        state.is_building = false;
        self.changed.notify_all();
        let next = (Instant::now() + interval).min(deadline);
        while !state.is_stopped {
            let left = next.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.is_building = !state.is_stopped && Instant::now() < deadline;
        state.is_building
    }

    fn fetch(&self) -> Result<Arc<Version>, EngineError> {
        drop(self.wait_while(FULL_VERSION_WAIT, |state| state.is_building && !state.is_full));
        self.stop();
        let is_building = |state: &State| state.is_building;
        let mut state = self.wait_while(FETCH_WAIT, is_building);
        if state.best.is_none() {
            drop(state);
            state = self.wait_while(FIRST_VERSION_WAIT, |state| state.is_building && state.best.is_none());
        }
        let why = || state.failed.clone().unwrap_or_else(|| "the first version is not ready".to_owned());
        state.best.clone().ok_or_else(|| EngineError::Internal(format!("payload {}: {}", self.id, why())))
    }

    /// Waits as long as the state is so, but no longer than this.
    fn wait_while(&self, patience: Duration, is_so: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_timeout_while(lock(&self.state), patience, |state| is_so(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn stop(&self) {
        lock(&self.state).is_stopped = true;
        self.changed.notify_all();
    }
}

/// More for the fee recipient; among equals more for everyone else.
fn is_better(one: &BuiltPayload, other: &BuiltPayload) -> bool {
    let worth = |built: &BuiltPayload| (built.value, built.block.header.gas_used);
    worth(one) > worth(other)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
