//! How a run ends, or pauses.

use super::notice::Notice;
use super::{Run, RunParts, TrainOutcome};
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::checkpoint;
use crate::folder::evaluation::Evaluation;
use crate::folder::peak_memory::peak_bytes;
use crate::folder::summary::Summary;
use crate::infer::decision::Decided;
use crate::linear::score::Score;

impl Run<'_> {
    pub(super) fn pause(mut self) -> Result<TrainOutcome, TrainError> {
        self.save()?;
        let checkpoint = self.parts.folder.checkpoints_path().join(checkpoint::name(self.state.step));
        Ok(TrainOutcome::Interrupted { step: self.state.step, checkpoint })
    }

    /// Fits the best model's probabilities, measures it on the test pairs and ends the run.
    pub(super) fn finish(mut self) -> Result<TrainOutcome, TrainError> {
        // From here on the engine may hold the best parameters, so what a resumed run needs is stored first.
        self.save()?;
        if self.stopped_early() && self.state.step < self.total_steps {
            self.observer.on_notice(&Notice::StoppedEarly {
                step: self.state.step,
                evaluations: self.state.evaluations_without_improvement,
            });
        }
        if let Some(best) = self.best_parameters()? {
            self.parts.engine.load_parameters(&best)?;
        }
        let parameters = self.parts.engine.parameters();
        let trained = parameters.iter().map(|tensor| tensor.data.len()).sum();
        self.export(parameters)?;
        if !self.know_best_validation()? {
            return self.pause();
        }
        let mut measured = match self.parts.data.test.is_empty() {
            true => None,
            false => match self.logits(DataSplit::Test)? {
                None => return self.pause(),
                measured => measured,
            },
        };
        // Probabilities are fitted to what answers: both models together, where they are combined.
        let stack = self.combine(measured.as_mut())?;
        let fitted = self.calibrate()?;
        let mut test = None;
        let plain = self.plain();
        if let Some(measured) = &measured {
            let decision = fitted.as_ref().map_or(&plain, |fitted| &fitted.decision);
            let (mut evaluation, decided) = self.measure(measured, decision)?;
            evaluation.step = self.state.best.as_ref().map_or(self.state.step, |best| best.step);
            self.record(&evaluation)?;
            let RunParts { folder, files, data, .. } = &self.parts;
            let (labels, logits) = (&data.labels, &measured.logits);
            match &decided {
                Decided::One(found) => folder.write_test_predictions(*files, labels, found, logits)?,
                Decided::Several(found) => {
                    folder.write_multi_label_test_predictions(*files, labels, found, logits)?;
                }
            }
            test = Some(evaluation);
        }
        let collapsed = self.collapsed(fitted.as_ref().map_or(&plain, |fitted| &fitted.decision))?;
        if let Some(answer) = &collapsed {
            self.observer.on_notice(&Notice::Collapsed { answer: answer.clone() });
        }
        let calibration =
            fitted.map(|fitted| self.calibration_summary(fitted, measured.as_ref())).transpose()?;
        let summary = Summary { collapsed, calibration, stack, ..self.summary(test, trained)? };
        self.parts.folder.write_summary(self.parts.files, &summary)?;
        let path = self.parts.folder.checkpoints_path();
        self.parts.files.remove_directory(&path).map_err(|source| TrainError::Log { path, source })?;
        Ok(TrainOutcome::Finished(Box::new(summary)))
    }

    /// The kept model alone on the validation pairs, as its evaluation was logged.
    fn validation(&self) -> Result<Option<Score>, TrainError> {
        let Some(best) = &self.state.best else { return Ok(None) };
        for evaluation in self.parts.folder.evaluations()? {
            let evaluation = evaluation?;
            if (evaluation.step, evaluation.split) == (best.step, DataSplit::Validation) {
                return Ok(Some(Score::from(&evaluation.metrics)));
            }
        }
        Ok(None)
    }

    fn summary(&self, test: Option<Evaluation>, parameters: usize) -> Result<Summary, TrainError> {
        let (state, totals) = (&self.state, self.state.totals);
        Ok(Summary {
            method: self.parts.policy.name().to_owned(),
            steps: state.step,
            stopped_early: state.step < self.total_steps,
            best_metric: self.parts.settings.best_metric,
            best_step: state.best.as_ref().map_or(state.step, |best| best.step),
            best_value: state.best.as_ref().map(|best| best.value),
            validation: self.validation()?,
            collapsed: None,
            test,
            calibration: None,
            layer_steps: state.layer_steps.clone(),
            parameters,
            examples: totals.examples,
            tokens: totals.tokens,
            step_seconds: totals.step_seconds,
            evaluation_seconds: totals.evaluation_seconds,
            examples_per_second: totals.examples as f64 / totals.step_seconds,
            tokens_per_second: totals.tokens as f64 / totals.step_seconds,
            peak_bytes: peak_bytes(),
            linear: self.parts.linear.map(|linear| linear.summary),
            stack: None,
        })
    }
}
