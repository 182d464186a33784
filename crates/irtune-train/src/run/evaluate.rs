//! Measures a run's model on a split.

use super::Run;
use crate::closing::split_outputs::SplitOutputs;
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::evaluation::Evaluation;
use crate::infer::decision::{Decision, Truth};
use crate::infer::evaluate;
use irtune_data::Example;
use std::time::Instant;

impl Run<'_> {
    /// Evaluates on the validation pairs and keeps the model if it is the best; false when interrupted.
    pub(super) fn evaluate(&mut self) -> Result<bool, TrainError> {
        let Some(outputs) = self.outputs(DataSplit::Validation)? else { return Ok(false) };
        let labels = &self.parts.data.labels;
        let plain = Decision::none(self.parts.settings.problem(), labels.len());
        let (mut evaluation, _) = outputs.measure(self.state.step, &plain, labels)?;
        let metric = self.parts.settings.best_metric;
        let value = evaluation.value(metric);
        evaluation.improved = match &self.state.best {
            Some(best) => metric.improves(value, best.value),
            None => value.is_finite(),
        };
        if evaluation.improved {
            self.state.evaluations_without_improvement = 0;
            self.keep_best(value)?;
            self.best_validation = Some(outputs);
        } else {
            self.state.evaluations_without_improvement += 1;
        }
        self.state.evaluated_step = Some(self.state.step);
        self.record(&evaluation)?;
        Ok(true)
    }

    /// What the model puts out for a split as it is now; `None` when interrupted.
    pub(super) fn outputs(&mut self, split: DataSplit) -> Result<Option<SplitOutputs>, TrainError> {
        let started = Instant::now();
        let examples: &[Example] = match split {
            DataSplit::Train => &self.parts.data.train,
            DataSplit::Validation => &self.parts.data.validation,
            DataSplit::Test => &self.parts.data.test,
        };
        let limit = self.parts.settings.batch_limit();
        let Some(logits) = evaluate::logits(self.parts.engine, examples, limit, self.interrupt)? else {
            return Ok(None);
        };
        let mut truth = Truth::none(self.parts.settings.problem());
        for target in examples.iter().filter_map(|example| example.target.as_ref()) {
            truth.push(target);
        }
        let kinds = examples.iter().map(|example| example.kind).collect();
        let seconds = started.elapsed().as_secs_f64();
        self.state.totals.evaluation_seconds += seconds;
        Ok(Some(SplitOutputs { split, truth, kinds, logits, seconds }))
    }

    pub(super) fn record(&mut self, evaluation: &Evaluation) -> Result<(), TrainError> {
        self.logs.evaluation(self.parts.files, evaluation)?;
        self.observer.on_evaluation(evaluation);
        Ok(())
    }
}
