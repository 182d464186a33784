//! How good probabilities are, beyond which label is the most probable.

use serde::{Deserialize, Serialize};

use crate::calibration_error::{CALIBRATION_BINS, ReliabilityBin, ReliabilityBins};
use crate::risk_coverage::{RiskCoverage, RiskCoveragePoint};
use crate::{Bootstrap, Interval, MetricsError, Predictions, percentile};

/// Shares of the examples at which risk is told.
const COVERAGES: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
/// Shares of wrong answers at which coverage is told.
const RISKS: [f64; 4] = [0.02, 0.05, 0.1, 0.2];

/// Figures of the probabilities of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbabilityFigures {
    /// Mean negative logarithm of the true label's probability, which counts as no less than 2⁻⁵².
    pub log_loss: f64,
    /// Mean over the examples of the sum over the labels of the squared distance to 1 for the true label, to 0 for the
    /// others; from 0 to 2.
    pub brier: f64,
    /// Expected calibration error of the predicted labels' probabilities, 15 bins of equal width.
    pub calibration_error: f64,
    /// Its interval, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_error_interval: Option<Interval>,
    /// The same of 15 bins of about as many examples each.
    pub adaptive_calibration_error: f64,
    /// Its interval, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adaptive_calibration_error_interval: Option<Interval>,
    /// The bins of equal width.
    pub reliability: Vec<ReliabilityBin>,
    /// The area under the curve of risk over coverage.
    pub risk_coverage_area: f64,
    /// What comes of answering at least so many of the examples, the surest ones first: 10 %, 20 % and so on.
    pub by_coverage: Vec<RiskCoveragePoint>,
    /// What comes of answering as many as can be with at most so many wrong.
    pub by_risk: Vec<AtRisk>,
}

/// The most answers of which at most a share is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtRisk {
    /// The share that may be wrong.
    pub most: f64,
    /// What comes of it; `None` where even the surest answers are wrong more often.
    pub point: Option<RiskCoveragePoint>,
}

impl ProbabilityFigures {
    /// Measures probabilities, with intervals if a bootstrap is given.
    ///
    /// # Errors
    /// [`MetricsError::Bootstrap`] if the bootstrap gives no interval.
    ///
    /// # Source
    /// `log_loss` and `brier_score_loss(scale_by_half = False)` of scikit-learn, which two of the figures equal to 1e-9;
    /// for the others see [`ReliabilityBins`] and [`RiskCoverage`].
    pub fn of(
        predictions: &Predictions,
        bootstrap: Option<&Bootstrap>,
    ) -> Result<ProbabilityFigures, MetricsError> {
        let weights = vec![1; predictions.examples()];
        let equal_width = ReliabilityBins::equal_width(predictions, CALIBRATION_BINS);
        let equal_mass = ReliabilityBins::equal_mass(predictions, CALIBRATION_BINS);
        let interval = |bins: &ReliabilityBins| {
            bootstrap.map(|bootstrap| bootstrap.calibration_error(&[bins])).transpose()
        };
        let risk_coverage = RiskCoverage::of(predictions);
        let at_risk = |&most: &f64| AtRisk { most, point: risk_coverage.at_risk(most) };
        Ok(ProbabilityFigures {
            log_loss: log_loss(predictions),
            brier: brier(predictions),
            calibration_error: equal_width.error(&weights),
            calibration_error_interval: interval(&equal_width)?,
            adaptive_calibration_error: equal_mass.error(&weights),
            adaptive_calibration_error_interval: interval(&equal_mass)?,
            reliability: equal_width.bins(&weights),
            risk_coverage_area: risk_coverage.area(),
            by_coverage: COVERAGES.iter().map(|&coverage| risk_coverage.at_coverage(coverage)).collect(),
            by_risk: RISKS.iter().map(at_risk).collect(),
        })
    }
}

impl Bootstrap {
    /// The basic bootstrap interval of a mean calibration error over runs on the same examples, no lower than 0: twice
    /// the error less the percentiles of the resamples, each of which draws examples with replacement.
    ///
    /// Few examples in a bin make a gap by chance, so that the error of a sample is too large on average, and that of a
    /// resample larger still. The percentiles themselves would count this twice; here the one stands against the other.
    /// Near an error of 0 the interval still lies a little too high.
    ///
    /// # Errors
    /// [`MetricsError::Bootstrap`] if the bootstrap gives no interval, [`MetricsError::NoExamples`] without runs.
    ///
    /// # Source
    /// Davison & Hinkley 1997, "Bootstrap Methods and their Application", section 5.2.
    pub fn calibration_error(&self, runs: &[&ReliabilityBins]) -> Result<Interval, MetricsError> {
        let Bootstrap { resamples, confidence, .. } = self.check()?;
        let examples = runs.iter().map(|run| run.examples()).min().ok_or(MetricsError::NoExamples)?;
        let mean =
            |weights: &[u32]| runs.iter().map(|run| run.error(weights)).sum::<f64>() / runs.len() as f64;
        let mut weights = vec![1; examples];
        let error = mean(&weights);
        let mut drawn: Vec<f64> = (0..resamples as u64)
            .map(|resample| {
                self.draw(resample, &mut weights);
                mean(&weights)
            })
            .collect();
        drawn.sort_by(f64::total_cmp);
        let tail = (1.0 - confidence) / 2.0;
        let end = |share| (2.0 * error - percentile(&drawn, share)).max(0.0);
        Ok(Interval { low: end(1.0 - tail), high: end(tail) })
    }
}

fn log_loss(predictions: &Predictions) -> f64 {
    let labels = predictions.labels().iter().enumerate();
    let losses = labels.map(|(example, &label)| {
        -predictions.probability(example, label).clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
    });
    losses.sum::<f64>() / predictions.examples() as f64
}

fn brier(predictions: &Predictions) -> f64 {
    let squares = |(example, &label): (usize, &usize)| -> f64 {
        let truth = |class| if class == label { 1.0 } else { 0.0 };
        let square = |class| (predictions.probability(example, class) - truth(class)).powi(2);
        (0..predictions.classes()).map(square).sum()
    };
    predictions.labels().iter().enumerate().map(squares).sum::<f64>() / predictions.examples() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    /// Answers of two labels that are right as often as their probability says.
    fn calibrated(examples: usize, seed: u64) -> Predictions {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = || (generator.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        let (mut labels, mut probabilities) = (Vec::new(), Vec::new());
        for _ in 0..examples {
            let sure = 0.5 + 0.5 * uniform();
            labels.push(u32::from(uniform() >= sure));
            probabilities.extend([sure, 1.0 - sure]);
        }
        Predictions::new(&labels, &probabilities, 2).unwrap()
    }

    /// Of the percentile interval none would: every resample has gaps.
    #[test]
    fn most_intervals_of_calibrated_probabilities_reach_zero() {
        let bootstrap = Bootstrap { resamples: 200, ..Bootstrap::default() };
        let mut reached = 0;
        for seed in 0..20 {
            let figures = ProbabilityFigures::of(&calibrated(300, seed), Some(&bootstrap)).unwrap();
            assert!(figures.calibration_error > 0.0, "a sample has gaps by chance");
            let Interval { low, high } = figures.calibration_error_interval.unwrap();
            assert!(low <= high && high < 0.15, "{low} {high}");
            reached += usize::from(low == 0.0);
        }
        assert!(reached > 10, "of 20 intervals {reached} hold the truth");
    }

    #[test]
    fn too_sure_answers_have_an_interval_above_zero() {
        let (labels, probabilities): (Vec<u32>, Vec<f64>) =
            ((0..200).map(|example| u32::from(example % 4 == 0)).collect(), [0.95, 0.05].repeat(200));
        let predictions = Predictions::new(&labels, &probabilities, 2).unwrap();
        let figures = ProbabilityFigures::of(&predictions, Some(&Bootstrap::default())).unwrap();
        assert!((figures.calibration_error - 0.2).abs() < 1e-12);
        let Interval { low, high } = figures.calibration_error_interval.unwrap();
        assert!(low > 0.1 && low < 0.2 && high > 0.2 && high < 0.3, "{low} {high}");
        assert!(ProbabilityFigures::of(&predictions, None).unwrap().calibration_error_interval.is_none());
        // Beside a run that errs less, the mean is lower.
        let [sure, right] =
            [&predictions, &calibrated(200, 1)].map(|of| ReliabilityBins::equal_width(of, CALIBRATION_BINS));
        let both = Bootstrap::default().calibration_error(&[&sure, &right]).unwrap();
        assert!(both.low > 0.0 && both.high < high, "{both:?}");
        assert_eq!(Bootstrap::default().calibration_error(&[]), Err(MetricsError::NoExamples));
        let none = Bootstrap { resamples: 0, ..Bootstrap::default() };
        assert!(ProbabilityFigures::of(&predictions, Some(&none)).is_err());
    }
}
