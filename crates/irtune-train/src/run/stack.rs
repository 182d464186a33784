//! A run's answers and those of the linear model, combined.

use super::Run;
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::infer::combine::{combined, log_probabilities};
use crate::linear::score::Score;
use irtune_linear::{Answers, LinearError, Stack};
use std::time::Instant;

impl Run<'_> {
    /// Fits on the validation pairs how the answers of the kept model are combined with the linear model's, where the
    /// settings ask for it; false when interrupted.
    pub(super) fn fit_stack(&mut self) -> Result<bool, TrainError> {
        let Some(linear) = self.parts.linear.filter(|_| self.parts.settings.stack) else { return Ok(true) };
        let Some(logits) = self.logits(DataSplit::Validation)? else { return Ok(false) };
        let data = self.parts.data;
        let targets: Vec<u32> = data.validation.iter().filter_map(|example| example.label).collect();
        let first = log_probabilities(&logits, data.labels.len());
        let answers = Answers { first: &first, second: &linear.validation, labels: data.labels.len() };
        let stack = Stack::fit(answers, &targets).map_err(LinearError::from)?;
        self.parts.folder.write_stack(self.parts.files, &stack)?;
        let labels = data.labels.len();
        let logits = combined(&stack, &logits, &linear.validation, labels);
        let (evaluation, _) = self.evaluation(DataSplit::Validation, &logits, Instant::now())?;
        self.stack = Some((stack, Score::from(&evaluation.metrics)));
        Ok(true)
    }

    /// The answers of both models to a split, if they are combined.
    pub(super) fn stacked(&self, split: DataSplit, logits: &[f32]) -> Option<Vec<f32>> {
        let ((stack, _), linear) = (self.stack.as_ref()?, self.parts.linear?);
        Some(combined(stack, logits, linear.of(split), self.parts.data.labels.len()))
    }
}
