//! How far the figures would move had other examples of the same kind been drawn.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::random::below;
use crate::{Figures, MetricsError, Predictions, Rankings};

/// Percentile bootstrap over examples: draw as many with replacement, measure, repeat.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bootstrap {
    /// Sets of examples to draw.
    pub resamples: usize,
    /// Share of the resampled figures that lie inside an interval.
    pub confidence: f64,
    /// Seed of the draws; equal seeds give equal intervals.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Bootstrap {
        Bootstrap { resamples: 1000, confidence: 0.95, seed: 171 }
    }
}

/// Where a figure lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The intervals of the overall figures, and how they were made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// How they were made.
    pub bootstrap: Bootstrap,
    /// Accuracy.
    pub accuracy: Interval,
    /// Macro precision.
    pub macro_precision: Interval,
    /// Macro recall.
    pub macro_recall: Interval,
    /// Macro F1.
    pub macro_f1: Interval,
    /// Macro average precision.
    pub macro_average_precision: Interval,
}

impl Bootstrap {
    /// The intervals of a prediction's overall figures.
    ///
    /// # Errors
    /// [`MetricsError::Bootstrap`] without resamples or if the confidence is not between 0 and 1.
    pub fn intervals(
        &self,
        predictions: &Predictions,
        rankings: &Rankings,
    ) -> Result<Intervals, MetricsError> {
        self.intervals_by(predictions.examples(), |weights| {
            let figures = Figures::of(predictions, rankings, weights);
            [
                figures.accuracy,
                figures.macro_mean(|class| class.precision),
                figures.macro_mean(|class| class.recall),
                figures.macro_mean(|class| class.f1),
                figures.macro_average_precision(),
            ]
        })
    }

    /// The intervals of the overall figures that `overall` has of a weighting of the examples.
    pub(crate) fn intervals_by(
        &self,
        examples: usize,
        overall: impl Fn(&[u32]) -> [f64; 5],
    ) -> Result<Intervals, MetricsError> {
        let Bootstrap { resamples, confidence, .. } = self.check()?;
        let mut drawn: [Vec<f64>; 5] = std::array::from_fn(|_| Vec::with_capacity(resamples));
        let mut weights = vec![0; examples];
        for resample in 0..resamples {
            self.draw(resample as u64, &mut weights);
            for (list, figure) in drawn.iter_mut().zip(overall(&weights)) {
                list.push(figure);
            }
        }
        let tail = (1.0 - confidence) / 2.0;
        let [accuracy, macro_precision, macro_recall, macro_f1, macro_average_precision] =
            drawn.map(|mut list| {
                list.sort_by(f64::total_cmp);
                Interval { low: percentile(&list, tail), high: percentile(&list, 1.0 - tail) }
            });
        Ok(Intervals {
            bootstrap: *self,
            accuracy,
            macro_precision,
            macro_recall,
            macro_f1,
            macro_average_precision,
        })
    }

    /// Itself, if it gives an interval.
    pub(crate) fn check(self) -> Result<Bootstrap, MetricsError> {
        let Bootstrap { resamples, confidence, .. } = self;
        if resamples == 0 || !(confidence > 0.0 && confidence < 1.0) {
            return Err(MetricsError::Bootstrap { resamples, confidence });
        }
        Ok(self)
    }

    /// How often each example is in one resample; every resample has its own sequence of random numbers.
    ///
    /// # Shapes
    /// `weights` `[examples]`, overwritten; they sum to the number of examples.
    pub fn draw(&self, resample: u64, weights: &mut [u32]) {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        generator.set_stream(resample);
        weights.fill(0);
        for _ in 0..weights.len() {
            weights[below(&mut generator, weights.len())] += 1;
        }
    }
}

/// The value below which a share of sorted values lies, interpolated linearly between neighbours.
///
/// # Shapes
/// `ascending` `[n]`, n ≥ 1.
///
/// # Source
/// `percentile` of NumPy, method `linear`.
pub fn percentile(ascending: &[f64], share: f64) -> f64 {
    let position = share * (ascending.len() - 1) as f64;
    let below = (position as usize).min(ascending.len() - 1);
    let above = (below + 1).min(ascending.len() - 1);
    ascending[below] + (ascending[above] - ascending[below]) * (position - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions() -> Predictions {
        let labels: Vec<u32> = (0..60).map(|example| example % 3).collect();
        let probabilities: Vec<f64> = (0..180).map(|at| f64::from(at * at % 23) / 23.0).collect();
        Predictions::new(&labels, &probabilities, 3).unwrap()
    }

    fn intervals(bootstrap: Bootstrap) -> Result<Intervals, MetricsError> {
        let predictions = predictions();
        bootstrap.intervals(&predictions, &Rankings::of(&predictions))
    }

    #[test]
    fn a_resample_has_as_many_examples_and_depends_on_its_number() {
        let bootstrap = Bootstrap::default();
        let mut draws = vec![[0u32; 50]; 2];
        for (resample, weights) in draws.iter_mut().enumerate() {
            bootstrap.draw(resample as u64, weights);
            assert_eq!(weights.iter().sum::<u32>(), 50);
        }
        assert_ne!(draws[0], draws[1]);
    }

    #[test]
    fn intervals_hold_the_figure_and_widen_with_confidence() {
        let narrow = intervals(Bootstrap { confidence: 0.5, ..Bootstrap::default() }).unwrap();
        let wide = intervals(Bootstrap::default()).unwrap();
        let predictions = predictions();
        let plain = Figures::of(&predictions, &Rankings::of(&predictions), &[1; 60]);
        assert!(wide.accuracy.low < narrow.accuracy.low && narrow.accuracy.high < wide.accuracy.high);
        assert!(wide.accuracy.low < plain.accuracy && plain.accuracy < wide.accuracy.high);
        // 60 draws of a share: the normal approximation of the interval, within a quarter of its width.
        let width = 2.0 * 1.96 * (plain.accuracy * (1.0 - plain.accuracy) / 60.0).sqrt();
        assert!(((wide.accuracy.high - wide.accuracy.low) / width - 1.0).abs() < 0.25);
    }

    #[test]
    fn the_seed_decides() {
        let at = |seed| intervals(Bootstrap { seed, resamples: 50, ..Bootstrap::default() }).unwrap();
        assert_eq!(at(1), at(1));
        assert_ne!(at(1).macro_average_precision, at(2).macro_average_precision);
    }

    #[test]
    fn what_gives_no_interval_is_refused() {
        for (resamples, confidence) in [(0, 0.95), (10, 0.0), (10, 1.0), (10, -0.5)] {
            let refused = intervals(Bootstrap { resamples, confidence, seed: 1 });
            assert_eq!(refused, Err(MetricsError::Bootstrap { resamples, confidence }));
        }
        assert!(intervals(Bootstrap { resamples: 10, confidence: f64::NAN, seed: 1 }).is_err());
    }
}
