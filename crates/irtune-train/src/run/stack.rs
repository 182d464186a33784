//! A run's answers and those of the linear model, combined.

use super::Run;
use super::measure::SplitLogits;
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::summary::StackSummary;
use crate::infer::combine::{combined, log_probabilities};
use crate::infer::decision::Truth;
use crate::linear::score::Score;
use irtune_linear::{Answers, LinearError, Stack};

impl Run<'_> {
    /// Whether the kept model's answers are to be combined with a linear model's.
    pub(super) fn stacks(&self) -> bool {
        self.parts.settings.stack && self.parts.linear.is_some() && !self.parts.data.validation.is_empty()
    }

    /// Fits on the validation pairs how the kept model's answers are combined with the linear model's, where the
    /// settings ask for it, and makes what is known of the validation pairs, and of the test pairs, that of both.
    pub(super) fn combine(
        &mut self,
        test: Option<&mut SplitLogits>,
    ) -> Result<Option<StackSummary>, TrainError> {
        if !self.stacks() {
            return Ok(None);
        }
        let (Some(linear), Some(mut validation)) = (self.parts.linear, self.best_validation.take()) else {
            return Ok(None);
        };
        // There is no linear model of several labels.
        let Truth::One(targets) = &validation.truth else { return Ok(None) };
        let labels = self.parts.data.labels.len();
        let first = log_probabilities(&validation.logits, labels);
        let answers = Answers { first: &first, second: linear.of(DataSplit::Validation), labels };
        let stack = Stack::fit(answers, targets).map_err(LinearError::from)?;
        self.parts.folder.write_stack(self.parts.files, &stack)?;
        let replace = |logits: &mut SplitLogits| {
            logits.logits = combined(&stack, &logits.logits, linear.of(logits.split), labels);
        };
        replace(&mut validation);
        let score = |logits: &SplitLogits| -> Result<Score, TrainError> {
            Ok(Score::from(&self.measure(logits, &self.plain())?.0.metrics))
        };
        let mut summary = StackSummary { test_alone: None, validation: score(&validation)?, test: None };
        if let Some(test) = test {
            summary.test_alone = Some(score(test)?);
            replace(test);
            summary.test = Some(score(test)?);
        }
        self.best_validation = Some(validation);
        Ok(Some(summary))
    }
}
