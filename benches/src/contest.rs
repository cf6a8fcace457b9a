//! Several ways of doing the same thing, measured in turn.
//!
//! A machine's speed drifts with its clock and its neighbours, so two figures taken one after the other do not
//! make a ratio. Here every round runs every way once, the ratio to the reference is taken within the round, and the
//! median over all rounds is what counts. The clock is the processor's time of this process, all its threads together, which
//! stands still while another process runs.

use rustix::time::{ClockId, clock_gettime};
use std::fmt;
use std::time::Duration;

/// How long one round of one way takes at least; shorter work is repeated within the round. Well below the time slice of
/// a scheduler, so that on a busy machine most rounds find the caches as they left them.
const ROUND: Duration = Duration::from_micros(200);

/// The ways, the reference first.
pub struct Contest<'a> {
    title: &'a str,
    ways: Vec<Way<'a>>,
}

struct Way<'a> {
    name: &'a str,
    /// Does the work so many times; says how long all of them took.
    work: Box<dyn FnMut(u32) -> Duration + 'a>,
}

/// One way's median.
pub struct Figure {
    /// What was done.
    pub title: String,
    /// Which way.
    pub name: String,
    /// Of one run, the median over the rounds.
    pub time: Duration,
    /// How many times faster than the reference, the median over the rounds.
    pub factor: f64,
}

impl<'a> Contest<'a> {
    /// A contest without ways.
    pub fn new(title: &'a str) -> Self {
        Self { title, ways: Vec::new() }
    }

    /// What the ways do.
    pub fn title(&self) -> &str {
        self.title
    }

    /// Adds a way; the first one added is the reference.
    #[must_use]
    pub fn way(mut self, name: &'a str, mut work: impl FnMut() + 'a) -> Self {
        let work = move |repeats| {
            let start = processor_time();
            (0..repeats).for_each(|_| work());
            processor_time() - start
        };
        self.ways.push(Way { name, work: Box::new(work) });
        self
    }

    /// Adds a way that says itself how long so many runs took, as one in another process does.
    #[must_use]
    pub fn timed_way(mut self, name: &'a str, work: impl FnMut(u32) -> Duration + 'a) -> Self {
        self.ways.push(Way { name, work: Box::new(work) });
        self
    }

    /// Adds a way whose work uses up what `prepare` makes, off the clock.
    #[must_use]
    pub fn prepared_way<T>(
        mut self,
        name: &'a str,
        mut prepare: impl FnMut() -> T + 'a,
        mut work: impl FnMut(&mut T) + 'a,
    ) -> Self {
        let mut once = move || {
            let mut prepared = prepare();
            let start = processor_time();
            work(&mut prepared);
            processor_time() - start
        };
        let work = move |repeats| (0..repeats).map(|_| once()).sum();
        self.ways.push(Way { name, work: Box::new(work) });
        self
    }

    /// Runs `rounds` rounds; the figures are in the order in which the ways were added.
    pub fn run(mut self, rounds: usize) -> Vec<Figure> {
        let repeats: Vec<u32> = self.ways.iter_mut().map(Way::repeats).collect();
        let mut times = vec![Vec::with_capacity(rounds); self.ways.len()];
        for _ in 0..rounds {
            for ((way, &repeats), times) in self.ways.iter_mut().zip(&repeats).zip(&mut times) {
                times.push(way.time(repeats));
            }
        }
        let figure = |(way, of_way): (&Way<'_>, &Vec<Duration>)| Figure {
            title: self.title.to_string(),
            name: way.name.to_string(),
            time: Duration::from_secs_f64(median(of_way.iter().map(Duration::as_secs_f64))),
            factor: median(
                times[0].iter().zip(of_way).map(|(of_reference, time)| of_reference.div_duration_f64(*time)),
            ),
        };
        self.ways.iter().zip(&times).map(figure).collect()
    }
}

impl Way<'_> {
    /// How often to repeat the work in a round; finding out warms it up.
    fn repeats(&mut self) -> u32 {
        let mut repeats = 1;
        while self.time(repeats) * repeats < ROUND {
            repeats *= 2;
        }
        repeats
    }

    /// The time of one run, over `repeats` of them.
    fn time(&mut self, repeats: u32) -> Duration {
        (self.work)(repeats) / repeats
    }
}

/// The processor's time of this process, all its threads together.
pub fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

impl fmt::Display for Figure {
    /// A row of a table in Markdown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| `{}` | {} | {:.3?} | {:.2} |", self.title, self.name, self.time, self.factor)
    }
}
