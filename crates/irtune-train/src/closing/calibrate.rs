//! Fits probabilities to the validation pairs.

use super::Closing;
use super::split_outputs::SplitOutputs;
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

impl Closing<'_> {
    /// Fits probabilities and writes how; `None` when it is not asked for.
    pub(super) fn calibrate(&self, validation: &SplitOutputs) -> Result<Option<Fitted>, TrainError> {
        if !self.calibrate {
            return Ok(None);
        }
        let SplitOutputs { truth, logits, .. } = validation;
        let (decision, offsets) = Decision::fit(truth, logits, self.labels.len(), self.target, self.seed)?;
        let stored = StoredCalibration::of(&decision, self.labels, self.target);
        self.folder.write_calibration(self.files, &stored)?;
        Ok(Some(Fitted { decision, stored, offsets }))
    }

    /// What was fitted, and what it changes on the test pairs.
    pub(super) fn calibration_summary(
        &self,
        fitted: Fitted,
        test: Option<&SplitOutputs>,
    ) -> Result<CalibrationSummary, TrainError> {
        let Fitted { decision, stored, offsets } = fitted;
        let test = test.map(|test| {
            let names = self.labels.names();
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
