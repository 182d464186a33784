//! How a run ends, or pauses.

use super::notice::Notice;
use super::{Run, RunParts, TrainOutcome};
use crate::closing::{Closed, Closing};
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::checkpoint;
use crate::folder::evaluation::Evaluation;
use crate::folder::peak_memory::peak_bytes;
use crate::folder::summary::Summary;
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
        let measured = match self.parts.data.test.is_empty() {
            true => None,
            false => match self.outputs(DataSplit::Test)? {
                None => return self.pause(),
                measured => measured,
            },
        };
        let step = self.state.best.as_ref().map_or(self.state.step, |best| best.step);
        let validation = self.best_validation.take();
        let closed = self.closing().close(step, validation, measured)?;
        if let Some(test) = &closed.test {
            self.record(test)?;
        }
        let collapsed = self.collapsed(&closed)?;
        if let Some(answer) = &collapsed {
            self.observer.on_notice(&Notice::Collapsed { answer: answer.clone() });
        }
        let Closed { calibration, stack, test, .. } = closed;
        let summary = Summary { collapsed, calibration, stack, ..self.summary(test, trained)? };
        self.parts.folder.write_summary(self.parts.files, &summary)?;
        self.parts.folder.tidy(self.parts.files, &summary)?;
        Ok(TrainOutcome::Finished(Box::new(summary)))
    }

    fn closing(&self) -> Closing<'_> {
        let RunParts { settings, data, folder, files, linear, .. } = &self.parts;
        Closing::of(settings, &data.labels, *linear, folder, *files)
    }

    /// Makes sure of what the kept model, which the engine holds, puts out for the validation pairs, if something is
    /// fitted to that; false when interrupted. It is known from the evaluation that kept the model, unless the run was
    /// resumed since.
    fn know_best_validation(&mut self) -> Result<bool, TrainError> {
        let closing = self.closing();
        let fits = closing.calibrate || closing.linear.is_some();
        if fits && self.best_validation.is_none() && !self.parts.data.validation.is_empty() {
            self.best_validation = self.outputs(DataSplit::Validation)?;
            return Ok(self.best_validation.is_some());
        }
        Ok(true)
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
            training_labels: self.parts.data.training_labels(),
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
