//! How often answers are wrong when only the surest ones are given.

use serde::{Deserialize, Serialize};

use crate::Predictions;
use crate::calibration_error::confidences;

/// Risk over coverage: the share of wrong answers among those given, as fewer of them are given.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskCoverage {
    points: Vec<RiskCoveragePoint>,
    area: f64,
}

/// What comes of giving only answers of some probability or more.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskCoveragePoint {
    /// The lowest probability of an answer that is given.
    pub threshold: f64,
    /// Share of the examples that get an answer.
    pub coverage: f64,
    /// Share of these answers that are wrong.
    pub risk: f64,
}

impl RiskCoverage {
    /// Ranks answers by their probability. Equal ones are given together or not at all.
    ///
    /// # Source
    /// El-Yaniv & Wiener 2010, "On the Foundations of Noise-free Selective Classification"; the area under the curve:
    /// Geifman, Uziel & El-Yaniv 2019, "Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers".
    pub fn of(predictions: &Predictions) -> RiskCoverage {
        let mut answers: Vec<(f64, bool)> = confidences(predictions).collect();
        answers.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let examples = answers.len() as f64;
        let (mut points, mut area) = (Vec::new(), 0.0);
        let (mut given, mut wrong) = (0usize, 0usize);
        for equal in answers.chunk_by(|(one, _), (other, _)| one == other) {
            let wrong_here = equal.iter().filter(|(_, right)| !right).count();
            let share = wrong_here as f64 / equal.len() as f64;
            // The mean over all orders of equal answers.
            for more in 1..=equal.len() {
                area += (wrong as f64 + share * more as f64) / (given + more) as f64;
            }
            given += equal.len();
            wrong += wrong_here;
            let (threshold, coverage, risk) =
                (equal[0].0, given as f64 / examples, wrong as f64 / given as f64);
            points.push(RiskCoveragePoint { threshold, coverage, risk });
        }
        RiskCoverage { points, area: area / examples }
    }

    /// Every threshold that makes a difference, the highest first.
    pub fn points(&self) -> &[RiskCoveragePoint] {
        &self.points
    }

    /// The area under the curve: the mean risk over the numbers of answers that can be given.
    pub fn area(&self) -> f64 {
        self.area
    }

    /// The fewest answers that are at least this share of the examples.
    pub fn at_coverage(&self, coverage: f64) -> RiskCoveragePoint {
        let enough = |point: &&RiskCoveragePoint| point.coverage >= coverage;
        let last = self.points[self.points.len() - 1];
        self.points.iter().find(enough).copied().unwrap_or(last)
    }

    /// The most answers of which at most this share is wrong; `None` where the surest ones are wrong too often.
    pub fn at_risk(&self, risk: f64) -> Option<RiskCoveragePoint> {
        self.points.iter().rev().find(|point| point.risk <= risk).copied()
    }

    /// What comes of giving the answers whose probability is not below a threshold; `None` when there is none.
    pub fn at_threshold(&self, threshold: f64) -> Option<RiskCoveragePoint> {
        let point = self.points.iter().rev().find(|point| point.threshold >= threshold).copied();
        point.map(|point| RiskCoveragePoint { threshold, ..point })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of .9 (right), .8 (wrong), .8 (right), .6 (wrong).
    fn curve() -> RiskCoverage {
        let probabilities = [0.9, 0.1, 0.8, 0.2, 0.2, 0.8, 0.4, 0.6];
        RiskCoverage::of(&Predictions::new(&[0, 1, 1, 0], &probabilities, 2).unwrap())
    }

    #[test]
    fn equal_answers_are_given_together() {
        let point = |threshold, coverage, risk| RiskCoveragePoint { threshold, coverage, risk };
        let curve = curve();
        assert_eq!(
            curve.points(),
            [point(0.9, 0.25, 0.0), point(0.8, 0.75, 1.0 / 3.0), point(0.6, 1.0, 0.5)]
        );
        // The two orders of the equal answers have the risks 0, 1/2, 1/3, 1/2 and 0, 0, 1/3, 1/2.
        let area = (0.0 + 0.25 + 1.0 / 3.0 + 0.5) / 4.0;
        assert!((curve.area() - area).abs() < 1e-15);
    }

    #[test]
    fn a_point_is_found_by_what_is_wanted() {
        let curve = curve();
        assert_eq!(curve.at_coverage(0.5).threshold, 0.8);
        assert_eq!(curve.at_coverage(0.75).threshold, 0.8);
        assert_eq!(curve.at_coverage(1.0).threshold, 0.6);
        assert_eq!(curve.at_risk(0.4).map(|point| point.coverage), Some(0.75));
        assert_eq!(curve.at_risk(0.3).map(|point| point.coverage), Some(0.25));
        assert_eq!(curve.at_threshold(0.85).map(|point| point.coverage), Some(0.25));
        assert_eq!(curve.at_threshold(0.8).map(|point| point.coverage), Some(0.75));
        assert_eq!(curve.at_threshold(0.95), None);
        let wrong = Predictions::new(&[1], &[0.7, 0.3], 2).unwrap();
        assert_eq!(RiskCoverage::of(&wrong).at_risk(0.5), None);
    }
}
