//! Labels that the probabilities of a model contradict which has not seen them.

use serde::{Deserialize, Serialize};

use crate::Predictions;

/// Two probabilities that differ by less count as equal.
const SAME: f64 = 1e-6;

/// What confident learning finds in held-out probabilities.
///
/// A label's threshold is the mean probability that its own examples give to it. An example is confidently of the label
/// whose threshold it reaches; of the likeliest of all labels when it reaches several. Where that is another label than the
/// one given, and the likeliest label too, the given one is an issue.
///
/// # Source
/// Northcutt, Jiang & Chuang 2021, *Confident Learning*; `find_label_issues(filter_by="confident_learning")` and
/// `compute_confident_joint` of cleanlab 2.9, but for its diagonal of at least 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfidentLearning {
    /// Each label's threshold; `None` for a label that no example has.
    pub thresholds: Vec<Option<f64>>,
    /// Counts of confident examples by given (row) and confident (column) label.
    pub joint: Vec<Vec<u64>>,
    /// The issues, the worst first: those with the least normalised margin.
    pub issues: Vec<LabelIssue>,
}

/// A label that is probably wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LabelIssue {
    /// The example.
    pub example: usize,
    /// Its label's number.
    pub given: usize,
    /// The number of the label that it confidently is.
    pub suggested: usize,
    /// Half of 1 plus the probability of the given label minus the largest one of another: below a half when another is
    /// more probable.
    pub margin: f64,
}

impl ConfidentLearning {
    /// Looks for issues in probabilities of examples that the model has not been trained on.
    pub fn of(predictions: &Predictions) -> ConfidentLearning {
        let classes = predictions.classes();
        let thresholds: Vec<Option<f64>> = (0..classes).map(|class| threshold(predictions, class)).collect();
        let mut joint = vec![vec![0; classes]; classes];
        let mut issues = Vec::new();
        for (example, &given) in predictions.labels().iter().enumerate() {
            let probability = |class: usize| predictions.probability(example, class);
            let reaches = |class: &usize| {
                thresholds[*class].is_some_and(|threshold| probability(*class) >= threshold - SAME)
            };
            let mut reached = (0..classes).filter(reaches);
            let suggested = match (reached.next(), reached.next()) {
                (None, _) => continue,
                (Some(only), None) => only,
                (Some(_), Some(_)) => predictions.predicted()[example],
            };
            joint[given][suggested] += 1;
            let others = (0..classes).filter(|&class| class != given);
            let other = others.map(probability).fold(f64::NEG_INFINITY, f64::max);
            if suggested != given && probability(given) < other - SAME {
                let margin = (probability(given) - other + 1.0) / 2.0;
                issues.push(LabelIssue { example, given, suggested, margin });
            }
        }
        issues.sort_by(|one, other| one.margin.total_cmp(&other.margin));
        ConfidentLearning { thresholds, joint, issues }
    }
}

/// The mean probability of a label in its own examples.
fn threshold(predictions: &Predictions, class: usize) -> Option<f64> {
    let own = predictions.labels().iter().enumerate().filter(|(_, label)| **label == class);
    let (count, sum) = own.fold((0, 0.0), |(count, sum), (example, _)| {
        (count + 1, sum + predictions.probability(example, class))
    });
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flipped_labels_are_found() {
        // Probabilities of an able model; every tenth label is another one.
        let (mut labels, mut probabilities) = (Vec::new(), Vec::new());
        for example in 0..300 {
            let class = example % 3;
            labels.push(if example % 10 == 0 { (class + 1) % 3 } else { class } as u32);
            // A tenth of wrong labels puts the thresholds below every right one.
            let sure = 0.8 + 0.05 * ((example * 7 % 11) as f64 / 11.0);
            probabilities.extend((0..3).map(|other| if other == class { sure } else { (1.0 - sure) / 2.0 }));
        }
        let found = ConfidentLearning::of(&Predictions::new(&labels, &probabilities, 3).unwrap());
        assert_eq!(found.issues.len(), 30);
        for issue in &found.issues {
            assert!(issue.example % 10 == 0 && issue.suggested == issue.example % 3 && issue.margin < 0.5);
        }
        assert!(found.issues.is_sorted_by(|one, other| one.margin <= other.margin));
        assert_eq!(found.joint.iter().flatten().sum::<u64>(), 300);
    }

    #[test]
    fn a_label_without_examples_is_never_suggested() {
        let predictions =
            Predictions::new(&[0, 0, 1], &[0.1, 0.2, 0.7, 0.5, 0.3, 0.2, 0.2, 0.7, 0.1], 3).unwrap();
        let found = ConfidentLearning::of(&predictions);
        assert_eq!(found.thresholds[2], None);
        assert!(found.issues.is_empty(), "{:?}", found.issues);
    }
}
