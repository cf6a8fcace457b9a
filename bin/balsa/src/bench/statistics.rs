//! The statistics of a benchmark: what a distribution looks like, and how sure a mean is.

use serde::Serialize;

/// A distribution of times, in the unit of its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Distribution {
    /// Arithmetic mean.
    pub(crate) mean: f64,
    /// Median.
    pub(crate) p50: f64,
    /// Nine of ten values are no larger.
    pub(crate) p90: f64,
    /// Ninety-nine of a hundred values are no larger.
    pub(crate) p99: f64,
}

impl Distribution {
    /// The distribution of `values`; all zero if there are none.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self {
            mean: mean(&values),
            p50: percentile(&values, 50),
            p90: percentile(&values, 90),
            p99: percentile(&values, 99),
        }
    }
}

/// A mean over repeats, and the interval that holds the true mean with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Estimate {
    /// Arithmetic mean.
    pub(crate) mean: f64,
    /// The interval, if there are two repeats or more.
    pub(crate) ci95: Option<Interval>,
}

/// An interval, ends included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Interval {
    /// Lower end.
    pub(crate) low: f64,
    /// Upper end.
    pub(crate) high: f64,
}

impl Estimate {
    /// Student's t interval over one value for each repeat.
    pub(crate) fn of(values: &[f64]) -> Self {
        let mean = mean(values);
        let ci95 = standard_error(values, mean).map(|error| {
            let reach = t_quantile_975(values.len() - 1) * error;
            Interval { low: mean - reach, high: mean + reach }
        });
        Self { mean, ci95 }
    }

    /// The same for ratios, on their logarithms: their geometric mean, and an interval that cannot go below zero.
    /// All of them must be positive.
    pub(crate) fn of_ratios(ratios: &[f64]) -> Self {
        let logarithms: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
        let Self { mean, ci95 } = Self::of(&logarithms);
        Self {
            mean: mean.exp(),
            ci95: ci95.map(|interval| Interval { low: interval.low.exp(), high: interval.high.exp() }),
        }
    }

    /// Half the interval's width over the mean: the `± x %` of people.
    pub(crate) fn relative_error(&self) -> Option<f64> {
        let interval = self.ci95?;
        (self.mean != 0.0).then(|| (interval.high - interval.low) / 2.0 / self.mean)
    }
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Nearest rank: the smallest value that at least `percent` of the sorted values do not exceed.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

fn standard_error(values: &[f64], mean: f64) -> Option<f64> {
    let count = values.len();
    if count < 2 {
        return None;
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (count - 1) as f64 / count as f64).sqrt())
}

/// The 97.5 % quantile of Student's t distribution. Between the rows of the table the next smaller number of
/// degrees is taken, so that an interval is never too narrow.
fn t_quantile_975(degrees: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];
    match degrees {
        0 => f64::INFINITY,
        1..=30 => TABLE[degrees - 1],
        31..=59 => TABLE[29],
        60..=119 => 2.000,
        _ => 1.980,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[f64], expected: [f64; 4]) {
        let found = Distribution::of(values.to_vec());
        assert_eq!([found.mean, found.p50, found.p90, found.p99], expected);
    }

    #[test]
    fn distributions() {
        check(&[], [0.0; 4]);
        check(&[3.0], [3.0; 4]);
        check(&[2.0, 1.0], [1.5, 1.0, 2.0, 2.0]);
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        check(&hundred, [50.5, 50.0, 90.0, 99.0]);
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        check(&ten, [5.5, 5.0, 9.0, 10.0]);
    }

    #[test]
    fn intervals() {
        assert_eq!(Estimate::of(&[]), Estimate { mean: 0.0, ci95: None });
        assert_eq!(Estimate::of(&[7.0]), Estimate { mean: 7.0, ci95: None });
        // Sample deviation 1, standard error 1/sqrt(3), t(2) = 4.303.
        let found = Estimate::of(&[1.0, 2.0, 3.0]);
        let interval = found.ci95.expect("three values have an interval");
        assert!((interval.high - (2.0 + 4.303 / 3f64.sqrt())).abs() < 1e-12);
        assert!((interval.low + interval.high - 4.0).abs() < 1e-12);
        assert!((found.relative_error().expect("a mean") - 4.303 / 3f64.sqrt() / 2.0).abs() < 1e-12);
        let same = Estimate::of(&[5.0, 5.0]);
        assert_eq!(same.ci95, Some(Interval { low: 5.0, high: 5.0 }));
    }

    #[test]
    fn ratios() {
        let found = Estimate::of_ratios(&[1.0, 4.0]);
        assert!((found.mean - 2.0).abs() < 1e-12);
        let interval = found.ci95.expect("two ratios have an interval");
        assert!((interval.low * interval.high - 4.0).abs() < 1e-9 && interval.low > 0.0);
        assert_eq!(Estimate::of_ratios(&[3.0]).ci95, None);
    }

    #[test]
    fn the_interval_covers_the_true_mean_as_often_as_it_says() {
        // A fixed linear congruential generator: the sum of twelve uniforms is nearly normal around zero.
        let mut state = 42_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        let mut covered = 0;
        for _ in 0..2_000 {
            let values: Vec<f64> = (0..5).map(|_| (0..12).map(|_| uniform()).sum()).collect();
            let interval = Estimate::of(&values).ci95.expect("five values");
            covered += u32::from(interval.low <= 0.0 && 0.0 <= interval.high);
        }
        assert!((1_860..=1_940).contains(&covered), "{covered} of 2000");
    }
}
