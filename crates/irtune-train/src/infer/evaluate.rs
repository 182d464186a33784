//! Running a model over examples and measuring its answers.

use crate::batch::{self, Input};
pub use irtune_metrics::{mean_loss, softmax};
use irtune_model::{Engine, ModelError, PackedBatch};
use std::sync::atomic::{AtomicBool, Ordering};

/// How many examples go through the model together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimit {
    /// Most examples.
    pub examples: usize,
    /// A batch of more tokens is made with fewer examples, but at least one; 0 for never.
    pub tokens: usize,
}

/// Tokens that classify together: with some 2000 the instruction, which is computed once a batch, hardly counts any
/// more, and products are at their fastest.
const CLASSIFIED_TOKENS: usize = 2048;

impl BatchLimit {
    /// For an engine that only classifies, and so keeps one layer's activations.
    pub fn classifying(examples: usize) -> Self {
        Self { examples: examples.max(1), tokens: CLASSIFIED_TOKENS }
    }

    /// Tokens that a batch can have, of examples of at most `longest` tokens, `largest` together.
    pub(crate) fn most_tokens(self, longest: usize, largest: usize) -> usize {
        match self.tokens {
            0 => largest,
            most => most.max(longest).min(largest),
        }
    }
}

/// Examples from which on the engine merges the base's matrices with their adapters first, where it can.
const WORTH_MERGING: usize = 64;

/// Logits of examples, a batch at a time; `None` when interrupted between two batches.
///
/// Examples are sorted, so that those that begin alike share a batch and their beginning is computed once.
///
/// # Shapes
/// The result is `[examples, labels]`, row-major, in the order of `examples`.
///
/// # Errors
/// When examples can't be packed or the engine fails.
pub fn logits(
    engine: &mut dyn Engine,
    examples: &[impl Input],
    limit: BatchLimit,
    interrupt: &AtomicBool,
) -> Result<Option<Vec<f32>>, ModelError> {
    logits_told(engine, examples, limit, interrupt, &mut |_| {})
}

/// The same; `told` learns after every batch how many examples are done.
///
/// # Errors
/// As [`logits`].
pub fn logits_told(
    engine: &mut dyn Engine,
    examples: &[impl Input],
    limit: BatchLimit,
    interrupt: &AtomicBool,
    told: &mut dyn FnMut(usize),
) -> Result<Option<Vec<f32>>, ModelError> {
    if examples.len() >= WORTH_MERGING {
        engine.prepack();
    }
    let labels = engine.labels();
    let (mut done, mut batch_logits) = (0, Vec::new());
    let mut all = vec![0.0; examples.len() * labels];
    let whole = each_batch(examples, limit, interrupt, &mut |batch, packed| {
        engine.logits(packed, &mut batch_logits)?;
        for (&example, logits) in batch.iter().zip(batch_logits.chunks_exact(labels)) {
            all[example * labels..][..labels].copy_from_slice(logits);
        }
        done += batch.len();
        told(done);
        Ok(())
    })?;
    Ok(whole.then_some(all))
}

/// What is done with a batch: the places of its examples, and these packed.
type EachBatch<'a> = &'a mut dyn FnMut(&[usize], &PackedBatch) -> Result<(), ModelError>;

/// Packs sorted examples a batch at a time; false when interrupted between two batches.
///
/// # Errors
/// When examples can't be packed, or a batch fails.
pub(crate) fn each_batch(
    examples: &[impl Input],
    limit: BatchLimit,
    interrupt: &AtomicBool,
    with: EachBatch<'_>,
) -> Result<bool, ModelError> {
    let mut order: Vec<usize> = (0..examples.len()).collect();
    order.sort_by(|&left, &right| examples[left].as_ref().cmp(examples[right].as_ref()));
    let mut packed = PackedBatch::default();
    let mut rest = order.as_slice();
    let mut most = limit.examples;
    while !rest.is_empty() {
        if interrupt.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let (batch, after) = rest.split_at(most.min(rest.len()));
        let inputs: Vec<_> = batch.iter().map(|&example| &examples[example]).collect();
        batch::refill(&mut packed, &inputs)?;
        let count = packed.tokens.len();
        if limit.tokens > 0 && count > limit.tokens && batch.len() > 1 {
            most = (batch.len() * limit.tokens / count).clamp(1, batch.len() - 1);
            continue;
        }
        (rest, most) = (after, limit.examples);
        with(batch, &packed)?;
    }
    Ok(true)
}
