//! What a model puts out for the pairs of a split.

use crate::data_split::DataSplit;
use crate::folder::evaluation::Evaluation;
use crate::infer::decision::{Decided, Decision, Truth};
use irtune_data::{LabelSet, PairKind};
use irtune_metrics::MetricsError;

/// What a model puts out for the pairs of a split.
pub(crate) struct SplitOutputs {
    pub(crate) split: DataSplit,
    /// The true labels.
    pub(crate) truth: Truth,
    /// Which of their texts the pairs have.
    pub(crate) kinds: Vec<PairKind>,
    /// `[pairs, labels]`
    pub(crate) logits: Vec<f32>,
    /// Time it took.
    pub(crate) seconds: f64,
}

impl SplitOutputs {
    /// The figures of a model of so many steps, and what it says.
    pub(crate) fn measure(
        &self,
        step: u64,
        decision: &Decision,
        labels: &LabelSet,
    ) -> Result<(Evaluation, Decided), MetricsError> {
        let SplitOutputs { split, truth, kinds, logits, seconds } = self;
        let decided = decision.decide(truth, logits)?;
        let metrics = decided.metrics(labels.names(), None)?;
        let loss = decision.loss(truth, logits);
        let kinds = decided.kinds(kinds);
        let (split, seconds) = (*split, *seconds);
        Ok((Evaluation { step, split, loss, metrics, kinds, improved: false, seconds }, decided))
    }
}
