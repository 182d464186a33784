//! What a model said of labelled examples.

use crate::MetricsError;

/// True labels and predicted probabilities of the same examples, checked to fit together.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    labels: Vec<usize>,
    predicted: Vec<usize>,
    probabilities: Vec<f64>,
    classes: usize,
}

impl Predictions {
    /// Joins labels and probabilities; the predicted label is the most probable one, the first on ties.
    ///
    /// # Shapes
    /// `labels` `[examples]`; `probabilities` `[examples, classes]`, row-major.
    ///
    /// # Errors
    /// [`MetricsError`] if there is no example or class, the shapes differ, a label is outside the classes or a
    /// probability is not finite.
    pub fn new<T>(labels: &[u32], probabilities: &[T], classes: usize) -> Result<Predictions, MetricsError>
    where
        T: Copy + Into<f64>,
    {
        let probabilities = checked(labels, probabilities, classes)?;
        Ok(Predictions {
            labels: labels.iter().map(|&label| label as usize).collect(),
            predicted: probabilities.chunks_exact(classes).map(most_probable).collect(),
            probabilities,
            classes,
        })
    }

    /// Predictions of several sets of examples as those of one, such as of the parts of a cross-validation.
    ///
    /// # Errors
    /// [`MetricsError::NoExamples`] of nothing, [`MetricsError::LabelNames`] if they have not the same number of classes.
    pub fn joined(parts: &[&Predictions]) -> Result<Predictions, MetricsError> {
        let classes = parts.first().ok_or(MetricsError::NoExamples)?.classes;
        if let Some(other) = parts.iter().find(|part| part.classes != classes) {
            return Err(MetricsError::LabelNames { names: other.classes, classes });
        }
        Ok(Predictions {
            labels: parts.iter().flat_map(|part| part.labels.iter().copied()).collect(),
            predicted: parts.iter().flat_map(|part| part.predicted.iter().copied()).collect(),
            probabilities: parts.iter().flat_map(|part| part.probabilities.iter().copied()).collect(),
            classes,
        })
    }

    /// Those of some examples, in the given order.
    pub fn selected(&self, examples: &[usize]) -> Predictions {
        let of = |list: &[usize]| examples.iter().map(|&example| list[example]).collect();
        let row = |&example: &usize| &self.probabilities[example * self.classes..][..self.classes];
        Predictions {
            labels: of(&self.labels),
            predicted: of(&self.predicted),
            probabilities: examples.iter().flat_map(row).copied().collect(),
            classes: self.classes,
        }
    }

    /// Examples.
    pub fn examples(&self) -> usize {
        self.labels.len()
    }

    /// Labels of the label set.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The true label of every example.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// The predicted label of every example.
    pub fn predicted(&self) -> &[usize] {
        &self.predicted
    }

    /// One example's probability of one class.
    pub fn probability(&self, example: usize, class: usize) -> f64 {
        self.probabilities[example * self.classes + class]
    }
}

/// The values as f64, if they fit the labels and are finite.
///
/// # Shapes
/// `labels` `[examples]`; `values` `[examples, classes]`, row-major.
pub(crate) fn checked<T>(labels: &[u32], values: &[T], classes: usize) -> Result<Vec<f64>, MetricsError>
where
    T: Copy + Into<f64>,
{
    let examples = labels.len();
    if examples == 0 {
        return Err(MetricsError::NoExamples);
    }
    if classes == 0 {
        return Err(MetricsError::NoClasses);
    }
    let (expected, found) = (examples * classes, values.len());
    if found != expected {
        return Err(MetricsError::ProbabilityCount { examples, classes, expected, found });
    }
    if let Some(example) = labels.iter().position(|&label| label as usize >= classes) {
        return Err(MetricsError::LabelOutOfRange { example, label: labels[example], classes });
    }
    let values: Vec<f64> = values.iter().map(|&value| value.into()).collect();
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(at) => {
            let (example, class, value) = (at / classes, at % classes, values[at]);
            Err(MetricsError::NonFiniteProbability { example, class, value })
        }
    }
}

fn most_probable(row: &[f64]) -> usize {
    let mut best = 0;
    for (class, &value) in row.iter().enumerate() {
        if value > row[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_fall_to_the_first_label() {
        let predictions = Predictions::new(&[0, 2], &[0.2f32, 0.4, 0.4, 0.5, 0.25, 0.25], 3).unwrap();
        assert_eq!(predictions.predicted(), [1, 0]);
        assert_eq!(predictions.labels(), [0, 2]);
        assert_eq!(predictions.probability(1, 2), 0.25);
    }

    #[test]
    fn parts_are_joined_in_their_order() {
        let one = Predictions::new(&[0], &[0.9, 0.1], 2).unwrap();
        let other = Predictions::new(&[1, 0], &[0.2, 0.8, 0.3, 0.7], 2).unwrap();
        let whole = Predictions::new(&[0, 1, 0], &[0.9, 0.1, 0.2, 0.8, 0.3, 0.7], 2).unwrap();
        assert_eq!(Predictions::joined(&[&one, &other]), Ok(whole));
        assert_eq!(Predictions::joined(&[]), Err(MetricsError::NoExamples));
        assert_eq!(Predictions::joined(&[&one, &other]).unwrap().selected(&[1, 2]), other);
        let wider = Predictions::new(&[0], &[0.9, 0.1, 0.0], 3).unwrap();
        let refused = Predictions::joined(&[&one, &wider]);
        assert_eq!(refused, Err(MetricsError::LabelNames { names: 3, classes: 2 }));
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let refused = |labels: &[u32], probabilities: &[f64], classes| {
            Predictions::new(labels, probabilities, classes).unwrap_err()
        };
        assert_eq!(refused(&[], &[], 2), MetricsError::NoExamples);
        assert_eq!(refused(&[0], &[], 0), MetricsError::NoClasses);
        assert_eq!(
            refused(&[0, 1], &[0.5, 0.5, 1.0], 2),
            MetricsError::ProbabilityCount { examples: 2, classes: 2, expected: 4, found: 3 }
        );
        assert_eq!(
            refused(&[0, 2], &[0.5; 4], 2),
            MetricsError::LabelOutOfRange { example: 1, label: 2, classes: 2 }
        );
        assert_eq!(
            refused(&[0, 1], &[0.5, 0.5, f64::INFINITY, 0.5], 2),
            MetricsError::NonFiniteProbability { example: 1, class: 0, value: f64::INFINITY }
        );
        let nan = refused(&[0], &[0.5, f64::NAN], 2);
        assert!(matches!(nan, MetricsError::NonFiniteProbability { example: 0, class: 1, .. }), "{nan:?}");
    }
}
