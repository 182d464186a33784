//! The metrics of examples that can have several labels.

use serde::{Deserialize, Serialize};

use super::predictions::MultiLabelPredictions;
use super::tally::LabelTally;
use crate::levels::{groups, levels};
use crate::{
    Bootstrap, ClassMetrics, Confusion, Intervals, LevelMetrics, Metrics, MetricsError, ProbabilityFigures,
    Rankings,
};

/// Figures that examples have which can have several labels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiLabelFigures {
    /// Share of the labels given that are right, all labels counted together.
    pub micro_precision: f64,
    /// Share of the labels there are that are given, all labels counted together.
    pub micro_recall: f64,
    /// Harmonic mean of both.
    pub micro_f1: f64,
    /// Mean of the examples' own F1; 0 for one that has no labels and is given none.
    pub samples_f1: f64,
    /// Share of all labels of all examples that are given wrongly or missed.
    pub hamming_loss: f64,
}

impl MultiLabelPredictions {
    /// Measures predictions, with intervals if a bootstrap is given, and at each level of the labels' names. Accuracy is the
    /// share of examples that are given exactly their labels.
    ///
    /// # Shapes
    /// `names` `[classes]`, in the order of the label set.
    ///
    /// # Errors
    /// [`MetricsError::LabelNames`] if the names are not as many as the classes, [`MetricsError::Bootstrap`] if
    /// the bootstrap gives no interval.
    ///
    /// # Source
    /// `precision_recall_fscore_support` (`average` none, `macro`, `micro`, `samples`; `zero_division=0`), `accuracy_score`,
    /// `hamming_loss` and `average_precision_score` of scikit-learn 1.9, of indicator matrices; equal to 1e-9.
    pub fn metrics(
        &self,
        names: &[impl AsRef<str>],
        bootstrap: Option<&Bootstrap>,
    ) -> Result<Metrics, MetricsError> {
        let whole = self.of_one_level(names, bootstrap)?;
        let upper = levels(names).into_iter().map(|level| {
            let (uppers, group) = groups(names, level);
            let metrics = self.grouped(&group, uppers.len()).of_one_level(&uppers, bootstrap)?;
            Ok(LevelMetrics { level, metrics })
        });
        Ok(Metrics { levels: upper.collect::<Result<_, MetricsError>>()?, ..whole })
    }

    fn of_one_level(
        &self,
        names: &[impl AsRef<str>],
        bootstrap: Option<&Bootstrap>,
    ) -> Result<Metrics, MetricsError> {
        let classes = self.classes();
        if names.len() != classes {
            return Err(MetricsError::LabelNames { names: names.len(), classes });
        }
        let rankings = self.rankings();
        let weights = vec![1; self.examples()];
        let tally = LabelTally::of(self, &weights);
        let intervals = bootstrap.map(|bootstrap| self.intervals(bootstrap, &rankings)).transpose()?;
        let class = |(class, name): (usize, &_)| ClassMetrics {
            label: AsRef::<str>::as_ref(name).to_string(),
            precision: tally.precision(class),
            recall: tally.recall(class),
            f1: tally.f1(class),
            average_precision: rankings.average_precision(class, &weights),
            support: tally.support(class),
            predicted: tally.predicted(class),
        };
        let [accuracy, macro_precision, macro_recall, macro_f1, macro_average_precision] =
            overall(&tally, &rankings, &weights);
        let [micro_precision, micro_recall, micro_f1] = tally.micro();
        Ok(Metrics {
            examples: self.examples(),
            accuracy,
            macro_precision,
            macro_recall,
            macro_f1,
            macro_average_precision,
            classes: names.iter().enumerate().map(class).collect(),
            confusion: Confusion::default(),
            multi_label: Some(MultiLabelFigures {
                micro_precision,
                micro_recall,
                micro_f1,
                samples_f1: tally.samples_f1(),
                hamming_loss: tally.hamming_loss(),
            }),
            intervals,
            levels: Vec::new(),
        })
    }

    /// The figures of the probabilities, where each label of each example counts as a decision of its own: whether it has
    /// it. They have no intervals, since the decisions of an example depend on each other.
    ///
    /// # Errors
    /// As [`ProbabilityFigures::of`].
    pub fn probability_figures(&self) -> Result<ProbabilityFigures, MetricsError> {
        ProbabilityFigures::of(&self.decisions()?, None)
    }

    fn rankings(&self) -> Rankings {
        Rankings::by(
            self.examples(),
            self.classes(),
            |example, class| self.probabilities(example)[class],
            |example, class| self.truth(example)[class],
        )
    }

    fn intervals(&self, bootstrap: &Bootstrap, rankings: &Rankings) -> Result<Intervals, MetricsError> {
        bootstrap.intervals_by(self.examples(), |weights| {
            overall(&LabelTally::of(self, weights), rankings, weights)
        })
    }
}

/// Accuracy, then the means over the labels of precision, recall, F1 and average precision.
fn overall(tally: &LabelTally, rankings: &Rankings, weights: &[u32]) -> [f64; 5] {
    let classes = rankings.classes();
    let mean = |figure: &dyn Fn(usize) -> f64| (0..classes).map(figure).sum::<f64>() / classes as f64;
    [
        tally.accuracy(),
        mean(&|class| tally.precision(class)),
        mean(&|class| tally.recall(class)),
        mean(&|class| tally.f1(class)),
        mean(&|class| rankings.average_precision(class, weights)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions() -> MultiLabelPredictions {
        let truth = [[true, true, false], [false, false, false], [true, false, true]].concat();
        let predicted = [[true, false, false], [false, false, false], [true, true, true]].concat();
        let probabilities = vec![0.9, 0.4, 0.2, 0.1, 0.3, 0.1, 0.8, 0.6, 0.7];
        MultiLabelPredictions::new(truth, predicted, probabilities, 3).unwrap()
    }

    #[test]
    fn figures_are_those_of_counting_by_hand() {
        let metrics = predictions().metrics(&["a/x", "a/y", "b"], None).unwrap();
        assert_eq!((metrics.examples, metrics.accuracy), (3, 1.0 / 3.0));
        let found = metrics.multi_label.unwrap();
        assert_eq!((found.micro_precision, found.micro_recall), (0.75, 0.75));
        assert!((found.samples_f1 - (2.0 / 3.0 + 0.0 + 0.8) / 3.0).abs() < 1e-15);
        assert!((found.hamming_loss - 2.0 / 9.0).abs() < 1e-15);
        let [LevelMetrics { level: 1, metrics: upper }] = metrics.levels.as_slice() else {
            panic!("{:?}", metrics.levels)
        };
        assert_eq!((upper.accuracy, upper.classes[0].support), (1.0, 2));
        let json = serde_json::to_string(&metrics).unwrap();
        assert!(!json.contains("confusion"), "{json}");
        assert_eq!(serde_json::from_str::<Metrics>(&json).unwrap(), metrics);
        let refused = predictions().metrics(&["a"], None);
        assert_eq!(refused, Err(MetricsError::LabelNames { names: 1, classes: 3 }));
    }

    #[test]
    fn intervals_hold_the_figures() {
        let bootstrap = Bootstrap { resamples: 200, ..Bootstrap::default() };
        let metrics = predictions().metrics(&["a", "b", "c"], Some(&bootstrap)).unwrap();
        let intervals = metrics.intervals.unwrap();
        assert!(intervals.accuracy.low <= metrics.accuracy && metrics.accuracy <= intervals.accuracy.high);
        let none = Bootstrap { resamples: 0, ..bootstrap };
        assert!(predictions().metrics(&["a", "b", "c"], Some(&none)).is_err());
    }

    #[test]
    fn probabilities_are_those_of_decisions() {
        let predictions = MultiLabelPredictions::new(vec![true, false], vec![true; 2], vec![0.75, 0.5], 2);
        let figures = predictions.unwrap().probability_figures().unwrap();
        let expected = -(0.75f64.ln() + 0.5f64.ln()) / 2.0;
        assert!((figures.log_loss - expected).abs() < 1e-12);
        assert_eq!(figures.calibration_error_interval, None);
    }
}
