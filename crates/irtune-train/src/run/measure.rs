//! Measures a run's model on a split.

use super::Run;
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::evaluation::Evaluation;
use crate::infer::evaluate;
use irtune_metrics::{Metrics, Predictions};
use std::time::Instant;

impl Run<'_> {
    /// Evaluates on the validation pairs and keeps the model if it is the best; false when interrupted.
    pub(super) fn evaluate(&mut self) -> Result<bool, TrainError> {
        let Some((mut evaluation, _)) = self.measure(DataSplit::Validation)? else { return Ok(false) };
        let metric = self.parts.settings.best_metric;
        let value = evaluation.value(metric);
        evaluation.improved = match &self.state.best {
            Some(best) => metric.improves(value, best.value),
            None => value.is_finite(),
        };
        if evaluation.improved {
            self.state.evaluations_without_improvement = 0;
            self.keep_best(value)?;
        } else {
            self.state.evaluations_without_improvement += 1;
        }
        self.state.evaluated_step = Some(self.state.step);
        self.record(&evaluation)?;
        Ok(true)
    }

    pub(super) fn measure(
        &mut self,
        split: DataSplit,
    ) -> Result<Option<(Evaluation, Predictions)>, TrainError> {
        let started = Instant::now();
        let Some(logits) = self.logits(split)? else { return Ok(None) };
        self.evaluation(split, &logits, started).map(Some)
    }

    /// What the model says of the examples of a split; `None` when interrupted.
    pub(super) fn logits(&mut self, split: DataSplit) -> Result<Option<Vec<f32>>, TrainError> {
        let limit = self.parts.settings.batch_limit();
        let examples = self.parts.data.of(split);
        Ok(evaluate::logits(self.parts.engine, examples, limit, self.interrupt)?)
    }

    /// How good answers to a split are that were asked for at `started`.
    pub(super) fn evaluation(
        &mut self,
        split: DataSplit,
        logits: &[f32],
        started: Instant,
    ) -> Result<(Evaluation, Predictions), TrainError> {
        let examples = self.parts.data.of(split);
        let targets: Vec<u32> = examples.iter().filter_map(|example| example.label).collect();
        let labels = self.parts.data.labels.len();
        let probabilities: Vec<f64> = logits.chunks_exact(labels).flat_map(evaluate::softmax).collect();
        let predictions = Predictions::new(&targets, &probabilities, labels)?;
        let metrics = Metrics::of(&predictions, self.parts.data.labels.names(), None)?;
        let seconds = started.elapsed().as_secs_f64();
        self.state.totals.evaluation_seconds += seconds;
        let loss = evaluate::mean_loss(logits, &targets, labels);
        let evaluation = Evaluation { step: self.state.step, split, loss, metrics, improved: false, seconds };
        Ok((evaluation, predictions))
    }

    pub(super) fn record(&mut self, evaluation: &Evaluation) -> Result<(), TrainError> {
        self.logs.evaluation(self.parts.files, evaluation)?;
        self.observer.on_evaluation(evaluation);
        Ok(())
    }
}
