//! What a model said of examples that can have several labels.

use crate::MetricsError;

/// Which labels examples have, which they are given, and the probability of each.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiLabelPredictions {
    truth: Vec<bool>,
    predicted: Vec<bool>,
    probabilities: Vec<f64>,
    classes: usize,
}

impl MultiLabelPredictions {
    /// Joins what is true, what is said, and probabilities.
    ///
    /// # Shapes
    /// All `[examples, classes]`, row-major.
    ///
    /// # Errors
    /// [`MetricsError`] if there is no example or class, the shapes differ or a probability is not finite.
    pub fn new(
        truth: Vec<bool>,
        predicted: Vec<bool>,
        probabilities: Vec<f64>,
        classes: usize,
    ) -> Result<MultiLabelPredictions, MetricsError> {
        check(&truth, &probabilities, classes)?;
        let (examples, expected, found) = (truth.len() / classes, truth.len(), predicted.len());
        if found != expected {
            return Err(MetricsError::ProbabilityCount { examples, classes, expected, found });
        }
        Ok(MultiLabelPredictions { truth, predicted, probabilities, classes })
    }

    /// Predictions of several sets of examples as those of one, such as of the parts of a cross-validation.
    ///
    /// # Errors
    /// [`MetricsError::NoExamples`] of nothing, [`MetricsError::LabelNames`] if they have not the same number of classes.
    pub fn joined(parts: &[MultiLabelPredictions]) -> Result<MultiLabelPredictions, MetricsError> {
        let classes = parts.first().ok_or(MetricsError::NoExamples)?.classes;
        if let Some(other) = parts.iter().find(|part| part.classes != classes) {
            return Err(MetricsError::LabelNames { names: other.classes, classes });
        }
        Ok(MultiLabelPredictions {
            truth: parts.iter().flat_map(|part| &part.truth).copied().collect(),
            predicted: parts.iter().flat_map(|part| &part.predicted).copied().collect(),
            probabilities: parts.iter().flat_map(|part| &part.probabilities).copied().collect(),
            classes,
        })
    }

    /// Examples.
    pub fn examples(&self) -> usize {
        self.truth.len() / self.classes
    }

    /// Labels of the label set.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Whether an example has each label, `[classes]`.
    pub fn truth(&self, example: usize) -> &[bool] {
        &self.truth[example * self.classes..][..self.classes]
    }

    /// Whether an example is given each label, `[classes]`.
    pub fn predicted(&self, example: usize) -> &[bool] {
        &self.predicted[example * self.classes..][..self.classes]
    }

    /// One example's probabilities, `[classes]`.
    pub fn probabilities(&self, example: usize) -> &[f64] {
        &self.probabilities[example * self.classes..][..self.classes]
    }

    /// The same for groups of labels: a group is had, and given, where one of its labels is; its probability is the highest
    /// of theirs.
    ///
    /// # Shapes
    /// `group` `[classes]`: the group of each label, counted from 0.
    pub(crate) fn grouped(&self, group: &[usize], groups: usize) -> MultiLabelPredictions {
        let mut joined = MultiLabelPredictions {
            truth: vec![false; self.examples() * groups],
            predicted: vec![false; self.examples() * groups],
            probabilities: vec![0.0; self.examples() * groups],
            classes: groups,
        };
        for at in 0..self.truth.len() {
            let to = at / self.classes * groups + group[at % self.classes];
            joined.truth[to] |= self.truth[at];
            joined.predicted[to] |= self.predicted[at];
            joined.probabilities[to] = joined.probabilities[to].max(self.probabilities[at]);
        }
        joined
    }
}

/// Confirms that there is a finite value for each label of each example.
pub(crate) fn check<T>(truth: &[bool], values: &[T], classes: usize) -> Result<(), MetricsError>
where
    T: Copy + Into<f64>,
{
    if classes == 0 {
        return Err(MetricsError::NoClasses);
    }
    if truth.is_empty() {
        return Err(MetricsError::NoExamples);
    }
    let (examples, expected, found) = (truth.len() / classes, truth.len(), values.len());
    if found != expected || !expected.is_multiple_of(classes) {
        return Err(MetricsError::ProbabilityCount { examples, classes, expected, found });
    }
    match values.iter().position(|&value| !value.into().is_finite()) {
        None => Ok(()),
        Some(at) => {
            let (example, class, value) = (at / classes, at % classes, values[at].into());
            Err(MetricsError::NonFiniteProbability { example, class, value })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_and_labels_grouped() {
        let one = MultiLabelPredictions::new(vec![true, false], vec![true, true], vec![0.9, 0.6], 2).unwrap();
        let two =
            MultiLabelPredictions::new(vec![false, false], vec![false, false], vec![0.1, 0.2], 2).unwrap();
        let both = MultiLabelPredictions::joined(&[one.clone(), two]).unwrap();
        assert_eq!((both.examples(), both.truth(1), both.predicted(0)), (2, &[false; 2][..], &[true; 2][..]));
        let grouped = both.grouped(&[0, 0], 1);
        assert_eq!((grouped.truth(0), grouped.truth(1)), (&[true][..], &[false][..]));
        assert_eq!((grouped.probabilities(0), grouped.probabilities(1)), (&[0.9][..], &[0.2][..]));
        let wider = MultiLabelPredictions::new(vec![true; 3], vec![true; 3], vec![0.5; 3], 3).unwrap();
        let refused = MultiLabelPredictions::joined(&[one, wider]);
        assert_eq!(refused, Err(MetricsError::LabelNames { names: 3, classes: 2 }));
        assert_eq!(MultiLabelPredictions::joined(&[]), Err(MetricsError::NoExamples));
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let refused = |truth: usize, predicted: usize, probabilities: &[f64], classes| {
            MultiLabelPredictions::new(
                vec![true; truth],
                vec![true; predicted],
                probabilities.to_vec(),
                classes,
            )
            .unwrap_err()
        };
        assert_eq!(refused(0, 0, &[], 2), MetricsError::NoExamples);
        assert_eq!(refused(1, 1, &[0.5], 0), MetricsError::NoClasses);
        let count = MetricsError::ProbabilityCount { examples: 1, classes: 2, expected: 2, found: 1 };
        assert_eq!(refused(2, 2, &[0.5], 2), count);
        assert_eq!(refused(2, 1, &[0.5, 0.5], 2), count);
        assert!(matches!(refused(3, 3, &[0.5; 3], 2), MetricsError::ProbabilityCount { .. }));
        let value = f64::INFINITY;
        let expected = MetricsError::NonFiniteProbability { example: 0, class: 1, value };
        assert_eq!(refused(2, 2, &[0.5, value], 2), expected);
    }
}
