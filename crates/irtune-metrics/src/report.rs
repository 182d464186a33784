//! The metrics of a data set, as they are stored and shown.

use serde::{Deserialize, Serialize};

use crate::levels::levels;
use crate::{
    Bootstrap, ClassFigures, Confusion, Figures, Intervals, LevelMetrics, MetricsError, MultiLabelFigures,
    Predictions, Rankings,
};

/// All metrics of one data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Examples measured.
    pub examples: usize,
    /// Share of examples whose predicted label is the true one; where they can have several, that are given exactly theirs.
    pub accuracy: f64,
    /// Mean precision over the labels that some example has or is taken for; where they can have several, over all labels.
    /// So are the next two.
    pub macro_precision: f64,
    /// Mean recall.
    pub macro_recall: f64,
    /// Mean F1.
    pub macro_f1: f64,
    /// Mean average precision (area under the precision-recall curve) over the labels that some example has; where they can
    /// have several, over all labels.
    pub macro_average_precision: f64,
    /// One entry a label, in the order of the label set.
    pub classes: Vec<ClassMetrics>,
    /// Counts of true (row) against predicted (column) labels, in the order of the label set; empty where an example can
    /// have several.
    #[serde(default, skip_serializing_if = "Confusion::is_empty")]
    pub confusion: Confusion,
    /// Further figures where an example can have several labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_label: Option<MultiLabelFigures>,
    /// Bootstrap intervals of the overall figures, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Intervals>,
    /// The metrics of upper levels, where labels have names such as `content/claim` and some share a level.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LevelMetrics>,
}

/// The metrics of one label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassMetrics {
    /// The label.
    pub label: String,
    /// Share of the examples taken for the label that have it.
    pub precision: f64,
    /// Share of the examples that have the label and are taken for it.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Area under the label's precision-recall curve.
    pub average_precision: f64,
    /// Examples that have the label.
    pub support: u64,
    /// Examples taken for the label.
    pub predicted: u64,
}

impl Metrics {
    /// What the accuracy is called: that of several labels is stricter.
    pub fn accuracy_name(&self) -> &'static str {
        if self.multi_label.is_some() { "subset accuracy" } else { "accuracy" }
    }

    /// Measures labels and probabilities, without intervals.
    ///
    /// # Shapes
    /// `labels` `[examples]`; `probabilities` `[examples, classes]`, row-major; `names` `[classes]`, in the order of the
    /// label set.
    ///
    /// # Errors
    /// [`MetricsError`] as for [`Predictions::new`].
    pub fn new<T>(
        labels: &[u32],
        probabilities: &[T],
        names: &[impl AsRef<str>],
    ) -> Result<Metrics, MetricsError>
    where
        T: Copy + Into<f64>,
    {
        Metrics::of(&Predictions::new(labels, probabilities, names.len())?, names, None)
    }

    /// Measures a prediction, with intervals if a bootstrap is given, and at each level of the labels' names.
    ///
    /// # Shapes
    /// `names` `[classes]`, in the order of the label set.
    ///
    /// # Errors
    /// [`MetricsError::LabelNames`] if the names are not as many as the classes, [`MetricsError::Bootstrap`] if
    /// the bootstrap gives no interval.
    pub fn of(
        predictions: &Predictions,
        names: &[impl AsRef<str>],
        bootstrap: Option<&Bootstrap>,
    ) -> Result<Metrics, MetricsError> {
        let whole = Metrics::of_one_level(predictions, names, bootstrap)?;
        let upper = levels(names).into_iter().map(|level| {
            let (predictions, names) = predictions.at_level(names, level)?;
            Ok(LevelMetrics { level, metrics: Metrics::of_one_level(&predictions, &names, bootstrap)? })
        });
        Ok(Metrics { levels: upper.collect::<Result<_, MetricsError>>()?, ..whole })
    }

    fn of_one_level(
        predictions: &Predictions,
        names: &[impl AsRef<str>],
        bootstrap: Option<&Bootstrap>,
    ) -> Result<Metrics, MetricsError> {
        let classes = predictions.classes();
        if names.len() != classes {
            return Err(MetricsError::LabelNames { names: names.len(), classes });
        }
        let rankings = Rankings::of(predictions);
        let figures = Figures::of(predictions, &rankings, &vec![1; predictions.examples()]);
        let intervals = bootstrap.map(|bootstrap| bootstrap.intervals(predictions, &rankings)).transpose()?;
        let class = |(class, name): (usize, &_)| {
            let ClassFigures { precision, recall, f1, average_precision } = figures.classes[class];
            ClassMetrics {
                label: AsRef::<str>::as_ref(name).to_string(),
                precision,
                recall,
                f1,
                average_precision,
                support: figures.confusion.support(class),
                predicted: figures.confusion.predicted(class),
            }
        };
        Ok(Metrics {
            examples: predictions.examples(),
            accuracy: figures.accuracy,
            macro_precision: figures.macro_mean(|class| class.precision),
            macro_recall: figures.macro_mean(|class| class.recall),
            macro_f1: figures.macro_mean(|class| class.f1),
            macro_average_precision: figures.macro_average_precision(),
            classes: names.iter().enumerate().map(class).collect(),
            confusion: figures.confusion,
            multi_label: None,
            intervals,
            levels: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_must_match_the_classes() {
        let predictions = Predictions::new(&[0, 1], &[0.9, 0.1, 0.2, 0.8], 2).unwrap();
        let refused = Metrics::of(&predictions, &["clarity"], None);
        assert_eq!(refused, Err(MetricsError::LabelNames { names: 1, classes: 2 }));
    }

    #[test]
    fn it_is_read_back_as_it_was_written() {
        let predictions = Predictions::new(&[0, 1, 1], &[0.9, 0.1, 0.25, 0.75, 0.5, 0.5], 2).unwrap();
        let bootstrap = Bootstrap { resamples: 8, ..Bootstrap::default() };
        for bootstrap in [None, Some(&bootstrap)] {
            let metrics = Metrics::of(&predictions, &["clarity", "style"], bootstrap).unwrap();
            let text = serde_json::to_string(&metrics).unwrap();
            assert_eq!(text.contains("intervals"), bootstrap.is_some());
            assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["confusion"][1][1], 1);
            let back: Metrics = serde_json::from_str(&text).unwrap();
            assert_eq!(back.classes.len(), 2);
            assert_eq!(back.confusion, metrics.confusion);
        }
    }
}
