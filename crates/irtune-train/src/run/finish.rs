//! How a run ends, or pauses.

use super::notice::Notice;
use super::{Run, RunParts, TrainOutcome};
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::checkpoint;
use crate::folder::evaluation::Evaluation;
use crate::folder::peak_memory::peak_bytes;
use crate::folder::summary::{StackSummary, Summary};
use crate::linear::score::Score;
use std::time::Instant;

/// The test pairs, measured.
struct Tested {
    evaluation: Evaluation,
    /// The model alone, where it was combined with the linear one.
    alone: Option<Score>,
}

impl Run<'_> {
    pub(super) fn pause(mut self) -> Result<TrainOutcome, TrainError> {
        self.save()?;
        let checkpoint = self.parts.folder.checkpoints_path().join(checkpoint::name(self.state.step));
        Ok(TrainOutcome::Interrupted { step: self.state.step, checkpoint })
    }

    /// Measures the best model on the test pairs and ends the run.
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
        if !self.fit_stack()? {
            return self.pause();
        }
        let mut test = None;
        if !self.parts.data.test.is_empty() {
            let Some(measured) = self.test()? else { return self.pause() };
            test = Some(measured);
        }
        let stack = self.stack_summary(test.as_ref());
        let summary = self.summary(test.map(|test| test.evaluation), stack, trained)?;
        self.parts.folder.write_summary(self.parts.files, &summary)?;
        let path = self.parts.folder.checkpoints_path();
        self.parts.files.remove_directory(&path).map_err(|source| TrainError::Log { path, source })?;
        Ok(TrainOutcome::Finished(Box::new(summary)))
    }

    /// Measures the best model on the test pairs, combined with the linear model where that was asked for, and keeps its
    /// answers; `None` when interrupted.
    fn test(&mut self) -> Result<Option<Tested>, TrainError> {
        let started = Instant::now();
        let Some(logits) = self.logits(DataSplit::Test)? else { return Ok(None) };
        let (mut alone, mut logits) = (None, logits);
        if let Some(stacked) = self.stacked(DataSplit::Test, &logits) {
            let (evaluation, _) = self.evaluation(DataSplit::Test, &logits, Instant::now())?;
            alone = Some(Score::from(&evaluation.metrics));
            logits = stacked;
        }
        let (mut evaluation, predictions) = self.evaluation(DataSplit::Test, &logits, started)?;
        evaluation.step = self.state.best.as_ref().map_or(self.state.step, |best| best.step);
        self.record(&evaluation)?;
        let RunParts { folder, files, data, .. } = &self.parts;
        folder.write_test_predictions(*files, &data.labels, &predictions)?;
        Ok(Some(Tested { evaluation, alone }))
    }

    /// What the combination is worth, if there is one.
    fn stack_summary(&self, test: Option<&Tested>) -> Option<StackSummary> {
        let (_, validation) = self.stack.as_ref()?;
        Some(StackSummary {
            validation: *validation,
            test_alone: test.and_then(|test| test.alone),
            test: test.map(|test| Score::from(&test.evaluation.metrics)),
        })
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

    fn summary(
        &self,
        test: Option<Evaluation>,
        stack: Option<StackSummary>,
        parameters: usize,
    ) -> Result<Summary, TrainError> {
        let (state, totals) = (&self.state, self.state.totals);
        Ok(Summary {
            method: self.parts.policy.name().to_owned(),
            steps: state.step,
            stopped_early: state.step < self.total_steps,
            best_metric: self.parts.settings.best_metric,
            best_step: state.best.as_ref().map_or(state.step, |best| best.step),
            best_value: state.best.as_ref().map(|best| best.value),
            validation: self.validation()?,
            test,
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
            stack,
        })
    }
}
