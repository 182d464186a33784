//! What a model put out for labelled examples, before it is made probabilities.

use crate::MetricsError;
use crate::predictions::checked;

/// True labels and a model's outputs of the same examples, checked to fit together.
#[derive(Debug, Clone, PartialEq)]
pub struct Logits {
    labels: Vec<usize>,
    values: Vec<f64>,
    classes: usize,
}

impl Logits {
    /// Joins labels and outputs.
    ///
    /// # Shapes
    /// `labels` `[examples]`; `values` `[examples, classes]`, row-major.
    ///
    /// # Errors
    /// [`MetricsError`] if there is no example or class, the shapes differ, a label is outside the classes or an output
    /// is not finite.
    pub fn new<T>(labels: &[u32], values: &[T], classes: usize) -> Result<Logits, MetricsError>
    where
        T: Copy + Into<f64>,
    {
        let values = checked(labels, values, classes)?;
        Ok(Logits { labels: labels.iter().map(|&label| label as usize).collect(), values, classes })
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

    /// One example's outputs.
    ///
    /// # Shapes
    /// `[classes]`
    pub fn row(&self, example: usize) -> &[f64] {
        &self.values[example * self.classes..][..self.classes]
    }

    /// Every true label with its example's outputs.
    pub fn rows(&self) -> impl Iterator<Item = (usize, &[f64])> {
        self.labels.iter().copied().zip(self.values.chunks_exact(self.classes))
    }

    /// The same with a number added to all outputs of a label.
    ///
    /// # Shapes
    /// `offsets` `[classes]`
    pub(crate) fn with_offsets(&self, offsets: &[f64]) -> Logits {
        let values = self.values.chunks_exact(self.classes);
        let values = values.flat_map(|row| row.iter().zip(offsets).map(|(value, offset)| value + offset));
        Logits { values: values.collect(), ..self.clone() }
    }
}
