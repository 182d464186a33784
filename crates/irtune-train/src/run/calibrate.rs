//! Fits the kept model's probabilities to the validation pairs.

use super::Run;
use super::measure::SplitLogits;
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::calibration::StoredCalibration;
use crate::folder::summary::{CalibrationEffect, CalibrationSummary};
use crate::infer::decision::Decision;
use irtune_metrics::OffsetWorth;

/// What was fitted.
pub(super) struct Fitted {
    pub(super) decision: Decision,
    stored: StoredCalibration,
    offsets: Option<OffsetWorth>,
}

impl Run<'_> {
    /// Whether the kept model's probabilities are to be fitted.
    fn calibrates(&self) -> bool {
        self.parts.settings.calibrate && !self.parts.data.validation.is_empty()
    }

    /// Makes sure of what the kept model, which the engine holds, puts out for the validation pairs, if something is
    /// fitted to that; false when interrupted. It is known from the evaluation that kept the model, unless the run was resumed since.
    pub(super) fn know_best_validation(&mut self) -> Result<bool, TrainError> {
        if (self.calibrates() || self.stacks()) && self.best_validation.is_none() {
            self.best_validation = self.logits(DataSplit::Validation)?;
            return Ok(self.best_validation.is_some());
        }
        Ok(true)
    }

    /// Fits the kept model's probabilities and writes how; `None` when it is not asked for or there is nothing to fit to.
    pub(super) fn calibrate(&self) -> Result<Option<Fitted>, TrainError> {
        let Some(SplitLogits { truth, logits, .. }) =
            self.best_validation.as_ref().filter(|_| self.calibrates())
        else {
            return Ok(None);
        };
        let (settings, labels) = (self.parts.settings, &self.parts.data.labels);
        let target = settings.offsets.target(settings.best_metric);
        let (decision, offsets) = Decision::fit(truth, logits, labels.len(), target, settings.seed)?;
        let stored = StoredCalibration::of(&decision, labels, target);
        self.parts.folder.write_calibration(self.parts.files, &stored)?;
        Ok(Some(Fitted { decision, stored, offsets }))
    }

    /// What was fitted, and what it changes on the test pairs.
    pub(super) fn calibration_summary(
        &self,
        fitted: Fitted,
        test: Option<&SplitLogits>,
    ) -> Result<CalibrationSummary, TrainError> {
        let Fitted { decision, stored, offsets } = fitted;
        let test = test.map(|test| {
            let names = self.parts.data.labels.names();
            let figures =
                |decision: &Decision| decision.decide(&test.truth, &test.logits)?.key_figures(names);
            Ok::<_, TrainError>(CalibrationEffect {
                plain: figures(&self.plain())?,
                without_offsets: figures(&decision.untuned())?,
                calibrated: figures(&decision)?,
            })
        });
        Ok(CalibrationSummary { fitted: stored, offsets, test: test.transpose()? })
    }
}
