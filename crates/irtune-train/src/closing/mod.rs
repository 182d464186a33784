//! What becomes of a model's outputs when it is finished: they are combined with a linear model's, fitted to the
//! validation pairs, and measured on the test pairs.

mod calibrate;
mod combine;
pub(crate) mod split_outputs;

use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::folder::evaluation::Evaluation;
use crate::folder::summary::{CalibrationSummary, StackSummary};
use crate::infer::decision::{Decided, Decision};
use crate::linear::reference::LinearAnswers;
use crate::settings::TrainSettings;
use irtune_data::LabelSet;
use irtune_files::Files;
use irtune_metrics::OffsetTarget;
use irtune_model::ProblemType;
use split_outputs::SplitOutputs;

/// What is to be fitted, and where it is written.
pub(crate) struct Closing<'a> {
    pub(crate) labels: &'a LabelSet,
    pub(crate) problem: ProblemType,
    /// Whether probabilities are fitted to the validation pairs.
    pub(crate) calibrate: bool,
    /// What offsets or thresholds are to raise.
    pub(crate) target: Option<OffsetTarget>,
    /// Of the parts of the cross-validations.
    pub(crate) seed: u64,
    /// What the answers are combined with, if they are.
    pub(crate) linear: Option<&'a LinearAnswers>,
    pub(crate) folder: &'a RunFolder,
    pub(crate) files: &'a dyn Files,
}

/// What was fitted and found.
pub(crate) struct Closed {
    pub(crate) stack: Option<StackSummary>,
    pub(crate) calibration: Option<CalibrationSummary>,
    /// How outputs become answers.
    pub(crate) decision: Decision,
    /// What answers the validation pairs.
    pub(crate) validation: Option<SplitOutputs>,
    /// The test pairs, if there are some.
    pub(crate) test: Option<Evaluation>,
}

impl<'a> Closing<'a> {
    /// Of a run with these settings.
    pub(crate) fn of(
        settings: &TrainSettings,
        labels: &'a LabelSet,
        linear: Option<&'a LinearAnswers>,
        folder: &'a RunFolder,
        files: &'a dyn Files,
    ) -> Closing<'a> {
        Closing {
            labels,
            problem: settings.problem(),
            calibrate: settings.calibrate,
            target: settings.offsets.target(settings.best_metric),
            seed: settings.seed,
            linear: linear.filter(|_| settings.stack),
            folder,
            files,
        }
    }

    /// Fits to the validation pairs what is to be fitted, measures the test pairs with it, and writes all of it.
    ///
    /// # Errors
    /// When an output is not finite or a file can't be written.
    pub(crate) fn close(
        &self,
        step: u64,
        mut validation: Option<SplitOutputs>,
        mut test: Option<SplitOutputs>,
    ) -> Result<Closed, TrainError> {
        // Probabilities are fitted to what answers: both models together, where they are combined.
        let stack = match (self.linear, &mut validation) {
            (Some(linear), Some(validation)) => self.combine(linear, validation, test.as_mut())?,
            _ => None,
        };
        let fitted = validation.as_ref().map(|validation| self.calibrate(validation)).transpose()?.flatten();
        let decision = fitted.as_ref().map_or_else(|| self.plain(), |fitted| fitted.decision.clone());
        let measured = test.as_ref().map(|test| self.measure_test(step, test, &decision)).transpose()?;
        let calibration = fitted.map(|fitted| self.calibration_summary(fitted, test.as_ref())).transpose()?;
        Ok(Closed { stack, calibration, decision, validation, test: measured })
    }

    fn measure_test(
        &self,
        step: u64,
        test: &SplitOutputs,
        decision: &Decision,
    ) -> Result<Evaluation, TrainError> {
        let (evaluation, decided) = test.measure(step, decision, self.labels)?;
        match &decided {
            Decided::One(found) => {
                self.folder.write_test_predictions(self.files, self.labels, found, &test.logits)?;
            }
            Decided::Several(found) => {
                self.folder.write_multi_label_test_predictions(
                    self.files,
                    self.labels,
                    found,
                    &test.logits,
                )?;
            }
        }
        Ok(evaluation)
    }

    /// Outputs as they are.
    fn plain(&self) -> Decision {
        Decision::none(self.problem, self.labels.len())
    }
}
