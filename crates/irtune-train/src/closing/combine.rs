//! A model's answers and those of the linear model, combined.

use super::Closing;
use super::split_outputs::SplitOutputs;
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::summary::StackSummary;
use crate::infer::combine::{combined, log_probabilities};
use crate::infer::decision::Truth;
use crate::linear::reference::LinearAnswers;
use crate::linear::score::Score;
use irtune_linear::{Answers, LinearError, Stack};

impl Closing<'_> {
    /// Fits on the validation pairs how the model's answers are combined with the linear model's, writes it, and makes
    /// what is known of the validation pairs, and of the test pairs, that of both.
    pub(super) fn combine(
        &self,
        linear: &LinearAnswers,
        validation: &mut SplitOutputs,
        test: Option<&mut SplitOutputs>,
    ) -> Result<Option<StackSummary>, TrainError> {
        // There is no linear model of several labels.
        let Truth::One(targets) = &validation.truth else { return Ok(None) };
        let labels = self.labels.len();
        let first = log_probabilities(&validation.logits, labels);
        let answers = Answers { first: &first, second: linear.of(DataSplit::Validation), labels };
        let stack = Stack::fit(answers, targets).map_err(LinearError::from)?;
        self.folder.write_stack(self.files, &stack)?;
        let replace = |outputs: &mut SplitOutputs| {
            outputs.logits = combined(&stack, &outputs.logits, linear.of(outputs.split), labels);
        };
        replace(validation);
        let score = |outputs: &SplitOutputs| -> Result<Score, TrainError> {
            Ok(Score::from(&outputs.measure(0, &self.plain(), self.labels)?.0.metrics))
        };
        let mut summary = StackSummary { test_alone: None, validation: score(validation)?, test: None };
        if let Some(test) = test {
            summary.test_alone = Some(score(test)?);
            replace(test);
            summary.test = Some(score(test)?);
        }
        Ok(Some(summary))
    }
}
