//! Stage times, taken from the spans that the importer opens anyway (target `balsa::stage`).
//!
//! Assumes that one block is imported at a time: whatever happens between two calls of [`StageRecorder::take`]
//! belongs to that block. Spans of one stage may be open on several threads at once; a stage's time is the time in which
//! at least one of them was, so that it can be compared with the block's.

use super::sample::{Stage, StageTimes};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tracing::{Metadata, Subscriber, span};
use tracing_subscriber::{
    Layer,
    layer::{Context, Filter},
    registry::LookupSpan,
};

/// The target of stage spans.
const TARGET: &str = "balsa::stage";

/// Intervals that wait to be taken; with more of them the block that they belong to is not told apart any more.
const INTERVALS_MAX: usize = 1 << 16;

/// Collects the stage spans of the block that is being imported.
#[derive(Clone, Debug, Default)]
pub(crate) struct StageRecorder(Arc<Mutex<Vec<Open>>>);

/// What the stage spans of one block say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockStages {
    /// Time in each stage.
    pub(crate) times: StageTimes,
    /// Time of the merkleization before execution ended.
    pub(crate) merkleize_hidden: Duration,
    /// Time until the database had taken over what it was given.
    pub(crate) hand_over: Duration,
    /// Time in batches of transactions, of all threads together; nothing of the sequential executor.
    pub(crate) batches: Duration,
}

impl BlockStages {
    /// How many threads ran transactions at a time, on average.
    pub(crate) fn parallelism(&self) -> f64 {
        let execute = self.times.of(Stage::Execute).as_secs_f64();
        if self.batches.is_zero() || execute == 0.0 { 1.0 } else { self.batches.as_secs_f64() / execute }
    }
}

/// A time in which a thread was in a stage; open until it has an end.
#[derive(Clone, Copy, Debug)]
struct Open {
    span: u64,
    interval: Interval,
}

/// From entering a stage to leaving it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Interval {
    part: Part,
    start: Instant,
    end: Option<Instant>,
}

/// What a span is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Stage(Stage),
    HandOver,
    Batch,
}

impl StageRecorder {
    /// The block's stages; what was recorded is forgotten.
    pub(crate) fn take(&self) -> BlockStages {
        let intervals: Vec<Interval> = self.lock().drain(..).map(|open| open.interval).collect();
        sum_up(&intervals)
    }

    /// The stages of a block whose import began then, without those of blocks that were built before it.
    pub(crate) fn take_since(&self, began: Instant) -> BlockStages {
        let all = self.lock().drain(..).map(|open| open.interval).collect::<Vec<_>>();
        let own: Vec<Interval> = all.into_iter().filter(|interval| interval.start >= began).collect();
        sum_up(&own)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Open>> {
        // The list is whole at every point where a thread could have panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for StageRecorder {
    fn on_enter(&self, id: &span::Id, context: Context<'_, S>) {
        let start = Instant::now();
        if let Some(part) = context.metadata(id).and_then(part_of) {
            let mut intervals = self.lock();
            // Whatever nobody takes, such as the stages of blocks that are only built, must not grow for ever.
            if intervals.len() == INTERVALS_MAX {
                intervals.clear();
            }
            intervals.push(Open { span: id.into_u64(), interval: Interval { part, start, end: None } });
        }
    }

    fn on_exit(&self, id: &span::Id, context: Context<'_, S>) {
        let end = Instant::now();
        if context.metadata(id).and_then(part_of).is_none() {
            return;
        }
        let mut intervals = self.lock();
        let open = intervals.iter_mut().rev().find(|open| open.span == id.into_u64() && open.interval.end.is_none());
        if let Some(open) = open {
            open.interval.end = Some(end);
        }
    }
}

/// Lets through the stage spans and nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StageSpans;

impl<S> Filter<S> for StageSpans {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        part_of(metadata).is_some()
    }
}

fn part_of(metadata: &Metadata<'_>) -> Option<Part> {
    if metadata.target() != TARGET {
        return None;
    }
    Some(Part::Stage(match metadata.name() {
        "hand_over" => return Some(Part::HandOver),
        "batch" => return Some(Part::Batch),
        "decode_block" | "decode_list" | "hash_keys" => Stage::Decode,
        "senders" => Stage::Senders,
        "prefetch" => Stage::Prefetch,
        "execute" => Stage::Execute,
        "merkleize" => Stage::Merkleize,
        "verdicts" => Stage::Verdicts,
        "stage" => Stage::Stage,
        _ => return None,
    }))
}

fn sum_up(intervals: &[Interval]) -> BlockStages {
    let mut stages = BlockStages::default();
    for stage in Stage::ALL {
        stages.times.set(stage, covered(of(intervals, Part::Stage(stage)), None));
    }
    let executed = of(intervals, Part::Stage(Stage::Execute)).into_iter().map(|(_, end)| end).max();
    stages.merkleize_hidden =
        executed.map_or(Duration::ZERO, |end| covered(of(intervals, Part::Stage(Stage::Merkleize)), Some(end)));
    stages.hand_over = covered(of(intervals, Part::HandOver), None);
    stages.batches = of(intervals, Part::Batch).into_iter().map(|(start, end)| end - start).sum();
    stages
}

fn of(intervals: &[Interval], part: Part) -> Vec<(Instant, Instant)> {
    let mut closed: Vec<_> = intervals
        .iter()
        .filter(|interval| interval.part == part)
        .filter_map(|interval| Some((interval.start, interval.end?)))
        .collect();
    closed.sort();
    closed
}

/// Time covered by intervals sorted by their start, up to a limit.
fn covered(intervals: Vec<(Instant, Instant)>, limit: Option<Instant>) -> Duration {
    let mut total = Duration::ZERO;
    let mut reached: Option<Instant> = None;
    for (start, end) in intervals {
        let end = limit.map_or(end, |limit| end.min(limit));
        let start = reached.map_or(start, |reached| start.max(reached));
        total += end.saturating_duration_since(start);
        reached = Some(reached.map_or(end, |reached| reached.max(end)));
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::debug_span;
    use tracing_subscriber::layer::SubscriberExt;

    #[track_caller]
    fn check(intervals: &[(Stage, u64, u64)], expected: &[(Stage, u64)], hidden: u64) {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let intervals: Vec<Interval> = intervals
            .iter()
            .map(|(stage, start, end)| Interval { part: Part::Stage(*stage), start: at(*start), end: Some(at(*end)) })
            .collect();
        let found = sum_up(&intervals);
        let mut times = StageTimes::default();
        for (stage, ms) in expected {
            times.set(*stage, Duration::from_millis(*ms));
        }
        assert_eq!(
            found,
            BlockStages { times, merkleize_hidden: Duration::from_millis(hidden), ..BlockStages::default() }
        );
    }

    #[test]
    fn overlapping_spans_of_a_stage_count_once() {
        use Stage::{Execute, Merkleize};
        check(&[], &[], 0);
        check(&[(Execute, 0, 10), (Execute, 5, 15), (Execute, 20, 25)], &[(Execute, 20)], 0);
        check(&[(Execute, 0, 10), (Execute, 2, 3)], &[(Execute, 10)], 0);
        check(&[(Merkleize, 2, 8), (Execute, 0, 10)], &[(Execute, 10), (Merkleize, 6)], 6);
        check(&[(Merkleize, 2, 14), (Execute, 0, 10)], &[(Execute, 10), (Merkleize, 12)], 8);
        check(&[(Merkleize, 12, 14), (Execute, 0, 10)], &[(Execute, 10), (Merkleize, 2)], 0);
    }

    #[test]
    fn batches_count_for_every_thread() {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let interval = |part, start, end| Interval { part, start: at(start), end: Some(at(end)) };
        let execute = interval(Part::Stage(Stage::Execute), 0, 10);
        let stages = sum_up(&[execute, interval(Part::Batch, 1, 10), interval(Part::Batch, 2, 8)]);
        assert_eq!(stages.batches, Duration::from_millis(15));
        assert!((stages.parallelism() - 1.5).abs() < 1e-9);
        assert!((sum_up(&[execute]).parallelism() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_was_built_before_is_not_the_blocks() {
        let recorder = StageRecorder::default();
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let open = |start, end| Open {
            span: 1,
            interval: Interval { part: Part::Stage(Stage::Execute), start, end: Some(end) },
        };
        let built = open(began.checked_sub(Duration::from_millis(5)).unwrap_or(began), at(0));
        recorder.lock().extend([built, open(at(1), at(4))]);
        assert_eq!(recorder.take_since(at(1)).times.of(Stage::Execute), Duration::from_millis(3));
        assert_eq!(recorder.take(), BlockStages::default());
    }

    #[test]
    fn spans_are_recorded_and_others_are_not() {
        let recorder = StageRecorder::default();
        let subscriber = tracing_subscriber::registry().with(recorder.clone().with_filter(StageSpans));
        tracing::subscriber::with_default(subscriber, || {
            debug_span!(target: "balsa::stage", "execute").in_scope(|| {
                debug_span!("execute").in_scope(|| ());
                debug_span!(target: "balsa::stage", "unheard of").in_scope(|| ());
            });
        });
        let stages = recorder.take();
        assert!(!stages.times.of(Stage::Execute).is_zero());
        assert!(stages.times.of(Stage::Merkleize).is_zero());
        assert_eq!(recorder.take(), BlockStages::default());
    }
}
