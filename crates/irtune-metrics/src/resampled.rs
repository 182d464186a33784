//! Figures of resampled examples, kept so that runs can be averaged and compared on the same resamples.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::random::below;
use crate::{Bootstrap, Figures, Interval, MetricsError, Predictions, Rankings, percentile};

/// The overall figures of each resample of a prediction's examples. Predictions of as many examples see the same
/// resamples, so that figures of two of them are paired.
///
/// # Shapes
/// Each list is `[resamples]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Resampled {
    /// Share of right answers.
    pub accuracy: Vec<f64>,
    /// Mean F1 over the labels.
    pub macro_f1: Vec<f64>,
    /// Mean average precision over the labels.
    pub macro_average_precision: Vec<f64>,
}

/// A difference of two means over runs, on resampled examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The percentile interval.
    pub interval: Interval,
    /// Two-sided p: twice the share of resamples on the less frequent side of 0, of which the plain figures count as
    /// one more.
    pub p: f64,
}

impl Bootstrap {
    /// Measures a prediction on every resample.
    ///
    /// # Errors
    /// [`MetricsError::Bootstrap`] without resamples or if the confidence is not between 0 and 1.
    pub fn resample(&self, predictions: &Predictions) -> Result<Resampled, MetricsError> {
        self.check()?;
        let rankings = Rankings::of(predictions);
        let mut weights = vec![0; predictions.examples()];
        let list = || Vec::with_capacity(self.resamples);
        let mut all = Resampled { accuracy: list(), macro_f1: list(), macro_average_precision: list() };
        for resample in 0..self.resamples {
            self.draw(resample as u64, &mut weights);
            let figures = Figures::of(predictions, &rankings, &weights);
            all.accuracy.push(figures.accuracy);
            all.macro_f1.push(figures.macro_mean(|class| class.f1));
            all.macro_average_precision.push(figures.macro_average_precision());
        }
        Ok(all)
    }

    /// The interval of a mean over runs, of which each resample draws as many with replacement. Runs are measured on
    /// the same resampled examples: both the runs and the examples could have been others.
    ///
    /// # Shapes
    /// `runs` `[runs][resamples]`, at least one run.
    ///
    /// # Source
    /// A bootstrap of crossed factors, Owen 2007 ("The pigeonhole bootstrap").
    pub fn interval_over_runs(&self, runs: &[&[f64]]) -> Interval {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        // The streams below belong to the draws of examples.
        generator.set_stream(u64::MAX);
        let mean = |resample: usize| {
            let mut sum = 0.0;
            for _ in runs {
                sum += runs[below(&mut generator, runs.len())][resample];
            }
            sum / runs.len() as f64
        };
        let resamples = runs.iter().map(|run| run.len()).min().unwrap_or(0);
        self.percentiles((0..resamples).map(mean).collect())
    }

    /// The difference, second less first, of the means over runs on the same resampled examples.
    ///
    /// # Shapes
    /// `first` and `second` `[runs][resamples]`, at least one run each.
    pub fn difference(&self, first: &[&[f64]], second: &[&[f64]]) -> Difference {
        let mean = |runs: &[&[f64]], resample: usize| {
            runs.iter().map(|run| run[resample]).sum::<f64>() / runs.len() as f64
        };
        let resamples = first.iter().chain(second).map(|run| run.len()).min().unwrap_or(0);
        let drawn: Vec<f64> =
            (0..resamples).map(|resample| mean(second, resample) - mean(first, resample)).collect();
        let not_above = drawn.iter().filter(|difference| **difference <= 0.0).count();
        let not_below = drawn.iter().filter(|difference| **difference >= 0.0).count();
        let p = 2.0 * (1 + not_above.min(not_below)) as f64 / (resamples + 1) as f64;
        Difference { interval: self.percentiles(drawn), p: p.min(1.0) }
    }

    fn percentiles(&self, mut drawn: Vec<f64>) -> Interval {
        drawn.sort_by(f64::total_cmp);
        let tail = (1.0 - self.confidence) / 2.0;
        Interval { low: percentile(&drawn, tail), high: percentile(&drawn, 1.0 - tail) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions(shift: usize) -> Predictions {
        let labels: Vec<u32> = (0..120).map(|example| example % 3).collect();
        let probabilities: Vec<f64> = (0..360).map(|at| ((at * at + shift) % 23) as f64 / 23.0).collect();
        Predictions::new(&labels, &probabilities, 3).unwrap()
    }

    #[test]
    fn one_runs_interval_is_that_of_its_examples() {
        let bootstrap = Bootstrap { resamples: 200, ..Bootstrap::default() };
        let predictions = predictions(0);
        let resampled = bootstrap.resample(&predictions).unwrap();
        let plain = bootstrap.intervals(&predictions, &Rankings::of(&predictions)).unwrap();
        assert_eq!(bootstrap.interval_over_runs(&[&resampled.accuracy]), plain.accuracy);
        assert_eq!(bootstrap.interval_over_runs(&[&resampled.macro_f1]), plain.macro_f1);
        let area = bootstrap.interval_over_runs(&[&resampled.macro_average_precision]);
        assert_eq!(area, plain.macro_average_precision);
        assert!(Bootstrap { resamples: 0, ..bootstrap }.resample(&predictions).is_err());
    }

    #[test]
    fn runs_that_differ_widen_the_interval() {
        let bootstrap = Bootstrap { resamples: 1000, ..Bootstrap::default() };
        let run = bootstrap.resample(&predictions(0)).unwrap().accuracy;
        let better: Vec<f64> = run.iter().map(|figure| figure + 0.2).collect();
        let worse: Vec<f64> = run.iter().map(|figure| figure - 0.2).collect();
        let width = |interval: Interval| interval.high - interval.low;
        let same = width(bootstrap.interval_over_runs(&[&run, &run, &run]));
        let spread = width(bootstrap.interval_over_runs(&[&run, &better, &worse]));
        assert!(spread > 1.5 * same, "{same} {spread}");
    }

    #[test]
    fn equal_runs_do_not_differ_and_distant_ones_do() {
        let bootstrap = Bootstrap { resamples: 999, ..Bootstrap::default() };
        let run = bootstrap.resample(&predictions(0)).unwrap().accuracy;
        let same = bootstrap.difference(&[&run], &[&run]);
        assert_eq!(same, Difference { interval: Interval { low: 0.0, high: 0.0 }, p: 1.0 });
        let better: Vec<f64> = run.iter().map(|figure| figure + 0.1).collect();
        let apart = bootstrap.difference(&[&run], &[&better]);
        assert_eq!(apart.p, 0.002);
        assert!((apart.interval.low - 0.1).abs() < 1e-12);
    }
}
