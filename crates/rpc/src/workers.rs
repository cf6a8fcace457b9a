//! Where calls run: a bounded number at once, apart from the threads that serve the sockets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use crate::{Limits, RpcError};

/// Turns for calls. A call that runs out of time is answered at once, but it keeps its turn until it ends: that is what
/// bounds the threads.
pub(crate) struct Workers {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    time_max: Duration,
}

impl Workers {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(limits.running_calls_max)),
            waiting: AtomicUsize::new(0),
            waiting_max: limits.waiting_calls_max,
            time_max: limits.call_time_max,
        }
    }

    /// Runs a call when it is its turn.
    ///
    /// # Errors
    /// -32005 if too many wait already, -32002 if it does not end in time, -32603 if it panics.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        let Some(_waiting) = Waiting::join(&self.waiting, self.waiting_max) else {
            return Err(RpcError::new(RpcError::LIMIT_EXCEEDED, "too many calls are waiting"));
        };
        let in_turn = async {
            let Ok(turn) = self.turns.clone().acquire_owned().await else { unreachable!("never closed") };
            spawn_blocking(move || {
                let _turn = turn;
                call()
            })
            .await
        };
        match timeout(self.time_max, in_turn).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(panic)) => Err(RpcError::internal(panic)),
            Err(_) => Err(RpcError::new(RpcError::TIMED_OUT, "request timed out")),
        }
    }
}

/// One place among those that wait or run.
struct Waiting<'w>(&'w AtomicUsize);

impl<'w> Waiting<'w> {
    fn join(count: &'w AtomicUsize, max: usize) -> Option<Self> {
        let one_more = |waiting: usize| (waiting < max).then_some(waiting + 1);
        count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok().then_some(Self(count))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn workers(running: usize, waiting: usize, call_time_max: Duration) -> Arc<Workers> {
        let limits =
            Limits { running_calls_max: running, waiting_calls_max: waiting, call_time_max, ..Limits::public() };
        Arc::new(Workers::new(&limits))
    }

    #[tokio::test]
    async fn what_takes_too_long_is_answered_and_keeps_its_turn() {
        let workers = workers(1, 10, Duration::from_millis(50));
        let (end, ended) = mpsc::channel::<()>();
        let slow = workers.run(move || Ok(ended.recv().is_ok())).await;
        assert_eq!(slow.unwrap_err().code, RpcError::TIMED_OUT);
        assert_eq!(workers.run(|| Ok(1)).await.unwrap_err().code, RpcError::TIMED_OUT);
        end.send(()).unwrap();
        while workers.run(|| Ok(1)).await.is_err() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn more_than_may_wait_are_refused() {
        let workers = workers(1, 1, LONG);
        let (_end, ended) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let workers = workers.clone();
            async move { workers.run(move || Ok(ended.recv().is_ok())).await }
        });
        while workers.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(workers.run(|| Ok(1)).await.unwrap_err().code, RpcError::LIMIT_EXCEEDED);
        first.abort();
    }

    #[tokio::test]
    async fn a_panic_is_this_nodes_trouble() {
        let answer = workers(1, 1, LONG).run(|| -> Result<(), RpcError> { panic!("on purpose") }).await;
        assert_eq!(answer.unwrap_err().code, RpcError::INTERNAL);
    }
}
