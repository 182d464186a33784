//! What a classification head reads of an example, and how its outputs are meant.

use serde::{Deserialize, Serialize};

/// A classification head: a linear map without bias.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Its rows.
    pub labels: usize,
    /// What it reads.
    pub input: HeadInput,
}

/// What a classification head reads of an example.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum HeadInput {
    /// The last token's state after the final norm, `[hidden]`: as transformers' `ForSequenceClassification`.
    #[default]
    Pooled,
    /// That state, the mean of the states of deleted tokens, the mean of those of inserted tokens (zeros where there are
    /// none), and standardised counters of the change, `[3 · hidden + counters]`.
    Edit(CounterScaling),
}

/// How counters of a change are standardised: `(counter − mean) / deviation`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CounterScaling {
    /// What is counted.
    pub names: Vec<String>,
    /// Mean over the training examples, by counter.
    pub mean: Vec<f32>,
    /// Standard deviation over the training examples, by counter; 1 for a counter that is the same everywhere.
    pub deviation: Vec<f32>,
}

/// Whether an example has one label or any number of them. The names are transformers'.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProblemType {
    /// One label: probabilities are a softmax over the outputs.
    #[default]
    #[serde(rename = "single_label_classification")]
    SingleLabel,
    /// Several labels, or none: each label's probability is the sigmoid of its own output.
    #[serde(rename = "multi_label_classification")]
    MultiLabel,
}

impl ProblemType {
    /// Whether an example has one label.
    pub fn is_single(&self) -> bool {
        *self == ProblemType::SingleLabel
    }
}

/// A head as files describe it: its labels, in the order of its rows, what it reads, and how its outputs are meant.
/// Without labels there is none, as beside a language model's adapter.
#[derive(Clone, Copy, Debug)]
pub struct NamedHead<'a> {
    /// The labels.
    pub labels: &'a [String],
    /// What it reads.
    pub input: &'a HeadInput,
    /// How many of the labels an example has.
    pub problem: ProblemType,
}

impl<'a> From<&'a [String]> for NamedHead<'a> {
    /// A head over the last token's state, which tells one label.
    fn from(labels: &'a [String]) -> Self {
        Self { labels, input: &HeadInput::Pooled, problem: ProblemType::SingleLabel }
    }
}

impl<'a> From<&'a Vec<String>> for NamedHead<'a> {
    fn from(labels: &'a Vec<String>) -> Self {
        labels.as_slice().into()
    }
}

impl<'a, const N: usize> From<&'a [String; N]> for NamedHead<'a> {
    fn from(labels: &'a [String; N]) -> Self {
        labels.as_slice().into()
    }
}

impl NamedHead<'_> {
    /// The head without its labels' names.
    pub(crate) fn unnamed(&self) -> Head {
        Head { labels: self.labels.len(), input: self.input.clone() }
    }
}

impl Head {
    /// The shape of its matrix, for states of so many values.
    pub(crate) fn shape(&self, hidden: usize) -> Vec<usize> {
        vec![self.labels, self.input.columns(hidden)]
    }
}

/// States of an example that an edit head reads.
pub(crate) const EDIT_PARTS: usize = 3;

impl From<usize> for Head {
    /// A head of so many labels over the last token's state.
    fn from(labels: usize) -> Self {
        Self { labels, input: HeadInput::Pooled }
    }
}

impl HeadInput {
    /// Values that are read of an example, for states of so many values.
    pub fn columns(&self, hidden: usize) -> usize {
        match self {
            HeadInput::Pooled => hidden,
            HeadInput::Edit(scaling) => EDIT_PARTS * hidden + scaling.len(),
        }
    }

    /// How counters are standardised, where they are read.
    pub fn scaling(&self) -> Option<&CounterScaling> {
        match self {
            HeadInput::Pooled => None,
            HeadInput::Edit(scaling) => Some(scaling),
        }
    }
}

impl CounterScaling {
    /// Means and population standard deviations of the counters of examples, computed in f64; a deviation of 0 is kept as 1,
    /// as scikit-learn's `StandardScaler` does.
    ///
    /// # Panics
    /// When an example has another number of counters than there are names.
    pub fn of<'a>(names: &[&str], examples: impl Iterator<Item = &'a [f32]> + Clone) -> Self {
        let count = examples.clone().count().max(1) as f64;
        let mean_of = |value: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
            let mut sums = vec![0.0; names.len()];
            for counters in examples.clone() {
                assert_eq!(counters.len(), names.len(), "a number for each counter");
                for (index, (sum, &counter)) in sums.iter_mut().zip(counters).enumerate() {
                    *sum += value(index, f64::from(counter));
                }
            }
            sums.into_iter().map(|sum| sum / count).collect()
        };
        let mean = mean_of(&|_, counter| counter);
        let variance = mean_of(&|index, counter| (counter - mean[index]).powi(2));
        let deviation = |variance: &f64| if *variance > 0.0 { variance.sqrt() as f32 } else { 1.0 };
        Self {
            names: names.iter().map(|&name| name.to_owned()).collect(),
            deviation: variance.iter().map(deviation).collect(),
            mean: mean.into_iter().map(|mean| mean as f32).collect(),
        }
    }

    /// Number of counters.
    pub fn len(&self) -> usize {
        self.mean.len()
    }

    /// Whether nothing is counted.
    pub fn is_empty(&self) -> bool {
        self.mean.is_empty()
    }

    /// An example's counters, standardised.
    pub(crate) fn standardised<'a>(&'a self, counters: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        let scaling = self.mean.iter().zip(&self.deviation);
        counters.iter().zip(scaling).map(|(counter, (mean, deviation))| (counter - mean) / deviation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_standardised_as_by_scikit_learn() {
        let examples: [&[f32]; 3] = [&[1.0, 7.0], &[2.0, 7.0], &[6.0, 7.0]];
        let scaling = CounterScaling::of(&["words", "hunks"], examples.into_iter());
        // StandardScaler: mean_ [3, 7], scale_ [√(14/3), 1].
        assert_eq!(scaling.mean, [3.0, 7.0]);
        assert_eq!(scaling.deviation, [(14.0f64 / 3.0).sqrt() as f32, 1.0]);
        let standardised: Vec<f32> = scaling.standardised(examples[2]).collect();
        assert!((standardised[0] - 1.388_73).abs() < 1e-6 && standardised[1] == 0.0, "{standardised:?}");
        assert_eq!(HeadInput::Edit(scaling).columns(10), 32);
        let none = CounterScaling::of(&["words"], [].into_iter());
        assert_eq!((none.mean, none.deviation), (vec![0.0], vec![1.0]));
    }
}
