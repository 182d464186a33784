//! Measures a run's model on a split.

use super::Run;
use crate::data_split::DataSplit;
use crate::error::TrainError;
use crate::folder::evaluation::Evaluation;
use crate::infer::decision::{Decided, Decision, Truth};
use crate::infer::evaluate;
use irtune_data::{Example, PairKind};
use std::time::Instant;

/// What the model puts out for a split.
pub(super) struct SplitLogits {
    pub(super) split: DataSplit,
    /// The true labels.
    pub(super) truth: Truth,
    /// Which of their texts the pairs have.
    pub(super) kinds: Vec<PairKind>,
    /// `[examples, labels]`
    pub(super) logits: Vec<f32>,
    /// Time it took.
    pub(super) seconds: f64,
}

impl Run<'_> {
    /// Evaluates on the validation pairs and keeps the model if it is the best; false when interrupted.
    pub(super) fn evaluate(&mut self) -> Result<bool, TrainError> {
        let Some(measured) = self.logits(DataSplit::Validation)? else { return Ok(false) };
        let (mut evaluation, _) = self.measure(&measured, &self.plain())?;
        let metric = self.parts.settings.best_metric;
        let value = evaluation.value(metric);
        evaluation.improved = match &self.state.best {
            Some(best) => metric.improves(value, best.value),
            None => value.is_finite(),
        };
        if evaluation.improved {
            self.state.evaluations_without_improvement = 0;
            self.keep_best(value)?;
            self.best_validation = Some(measured);
        } else {
            self.state.evaluations_without_improvement += 1;
        }
        self.state.evaluated_step = Some(self.state.step);
        self.record(&evaluation)?;
        Ok(true)
    }

    /// What the model puts out for a split as it is now; `None` when interrupted.
    pub(super) fn logits(&mut self, split: DataSplit) -> Result<Option<SplitLogits>, TrainError> {
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
        Ok(Some(SplitLogits { split, truth, kinds, logits, seconds }))
    }

    /// The figures of what the model puts out.
    pub(super) fn measure(
        &self,
        measured: &SplitLogits,
        decision: &Decision,
    ) -> Result<(Evaluation, Decided), TrainError> {
        let SplitLogits { split, truth, kinds, logits, seconds } = measured;
        let decided = decision.decide(truth, logits)?;
        let metrics = decided.metrics(self.parts.data.labels.names(), None)?;
        let loss = decision.loss(truth, logits);
        let (step, split, seconds) = (self.state.step, *split, *seconds);
        let kinds = decided.kinds(kinds);
        Ok((Evaluation { step, split, loss, metrics, kinds, improved: false, seconds }, decided))
    }

    /// Outputs as they are.
    pub(super) fn plain(&self) -> Decision {
        Decision::none(self.parts.settings.problem(), self.parts.data.labels.len())
    }

    pub(super) fn record(&mut self, evaluation: &Evaluation) -> Result<(), TrainError> {
        self.logs.evaluation(self.parts.files, evaluation)?;
        self.observer.on_evaluation(evaluation);
        Ok(())
    }
}
