//! Measures a run's model on a split.

use super::Run;
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::evaluation::Evaluation;
use crate::infer::evaluate;
use crate::infer::kinds::KindFigures;
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
        let examples = match split {
            DataSplit::Train => &self.parts.data.train,
            DataSplit::Validation => &self.parts.data.validation,
            DataSplit::Test => &self.parts.data.test,
        };
        let limit = self.parts.settings.batch_limit();
        let Some(logits) = evaluate::logits(self.parts.engine, examples, limit, self.interrupt)? else {
            return Ok(None);
        };
        let targets: Vec<u32> = examples.iter().filter_map(|example| example.label).collect();
        let labels = self.parts.data.labels.len();
        let probabilities: Vec<f64> = logits.chunks_exact(labels).flat_map(evaluate::softmax).collect();
        let predictions = Predictions::new(&targets, &probabilities, labels)?;
        let metrics = Metrics::of(&predictions, self.parts.data.labels.names(), None)?;
        let seconds = started.elapsed().as_secs_f64();
        self.state.totals.evaluation_seconds += seconds;
        let loss = evaluate::mean_loss(&logits, &targets, labels);
        let kinds: Vec<_> = examples.iter().map(|example| example.kind).collect();
        let kinds = KindFigures::of(&predictions, &kinds);
        let evaluation =
            Evaluation { step: self.state.step, split, loss, metrics, kinds, improved: false, seconds };
        Ok(Some((evaluation, predictions)))
    }

    pub(super) fn record(&mut self, evaluation: &Evaluation) -> Result<(), TrainError> {
        self.logs.evaluation(self.parts.files, evaluation)?;
        self.observer.on_evaluation(evaluation);
        Ok(())
    }
}
