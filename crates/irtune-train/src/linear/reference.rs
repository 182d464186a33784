//! The linear model beside a run: what the run has to beat, and what its answers may be combined with.

use super::score::Score;
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::folder::summary::LinearSummary;
use crate::run::corpora::Corpora;
use irtune_data::{LabelSet, Pair};
use irtune_linear::LinearModel;
use irtune_metrics::{Metrics, Predictions};

/// What a linear model says of a run's pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearAnswers {
    /// How good it is.
    pub summary: LinearSummary,
    /// Log-probabilities of the validation pairs' labels, `[pairs, labels]`, row-major.
    pub validation: Vec<f64>,
    /// Of the test pairs'.
    pub test: Vec<f64>,
}

impl LinearAnswers {
    /// Log-probabilities of the labels of a split's pairs; none of the training pairs.
    pub(crate) fn of(&self, split: DataSplit) -> &[f64] {
        match split {
            DataSplit::Train => &[],
            DataSplit::Validation => &self.validation,
            DataSplit::Test => &self.test,
        }
    }
}

/// The linear model of a run's pairs, and its answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reference {
    pub(crate) model: LinearModel,
    pub(crate) answers: LinearAnswers,
}

impl Reference {
    /// Of the pairs of a run; read from its folder when it is there already.
    pub(crate) fn of(
        corpora: &Corpora,
        labels: &LabelSet,
        folder: Option<&RunFolder>,
    ) -> Result<Reference, TrainError> {
        let (validation, test) = (corpora.pairs(DataSplit::Validation), corpora.pairs(DataSplit::Test));
        let kept = folder.map(RunFolder::linear_model).transpose()?.flatten();
        let model = match kept {
            Some(model) => model,
            None => LinearModel::train(&corpora.train.pairs, validation, labels, &mut |_| {})?,
        };
        let answers = |pairs: &[Pair]| -> Result<(Vec<f64>, Option<Score>), TrainError> {
            if pairs.is_empty() {
                return Ok((Vec::new(), None));
            }
            let logs = model.log_probabilities(pairs);
            let targets = model.targets(pairs)?;
            let probabilities: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
            let predictions = Predictions::new(&targets, &probabilities, labels.len())?;
            let metrics = Metrics::of(&predictions, labels.names(), None)?;
            Ok((logs, Some(Score::from(&metrics))))
        };
        let (validation, on_validation) = answers(validation)?;
        let (test, on_test) = answers(test)?;
        let summary = LinearSummary { validation: on_validation, test: on_test };
        Ok(Reference { answers: LinearAnswers { summary, validation, test }, model })
    }
}
