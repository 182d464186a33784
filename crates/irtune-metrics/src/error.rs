//! What cannot be measured.

use thiserror::Error;

/// Why no metrics could be computed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum MetricsError {
    /// There are no examples.
    #[error("there are no examples to measure; metrics need at least one")]
    NoExamples,
    /// The label set is empty.
    #[error("the label set is empty; metrics need at least one label")]
    NoClasses,
    /// The probabilities are not one for every example and label.
    #[error("{examples} examples of {classes} labels need {expected} probabilities, but there are {found}")]
    ProbabilityCount {
        /// Examples.
        examples: usize,
        /// Labels of the label set.
        classes: usize,
        /// Their product.
        expected: usize,
        /// Probabilities given.
        found: usize,
    },
    /// A true label is outside the label set.
    #[error(
        "example {example} has label number {label}, but the label set has {classes} labels, counted from 0"
    )]
    LabelOutOfRange {
        /// The example, counted from 0.
        example: usize,
        /// Its label.
        label: u32,
        /// Labels of the label set.
        classes: usize,
    },
    /// A probability, or an output, is not a finite number, so nothing can be ranked by it.
    #[error("example {example} has {value} for label number {class}; the model's output is not finite")]
    NonFiniteProbability {
        /// The example, counted from 0.
        example: usize,
        /// The label.
        class: usize,
        /// The probability.
        value: f64,
    },
    /// The bootstrap cannot be done as asked.
    #[error(
        "a bootstrap of {resamples} resamples at confidence {confidence} gives no interval; it needs at least one \
         resample and a confidence between 0 and 1"
    )]
    Bootstrap {
        /// Resamples asked for.
        resamples: usize,
        /// Confidence asked for.
        confidence: f64,
    },
    /// The label names are not as many as the classes.
    #[error("{names} label names were given for {classes} labels")]
    LabelNames {
        /// Names given.
        names: usize,
        /// Labels of the label set.
        classes: usize,
    },
}
