//! How many tokens go through the model, step by step.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use crate::error::TrainError;
use crate::infer::evaluate::{self, BatchLimit};
use crate::prepare::make_policy;
use crate::run::data::RunData;
use crate::run::epochs;
use crate::settings::TrainSettings;
use crate::step::{self, StepBatch, StepRecipe, StepScratch};
use irtune_data::Example;

/// Steps that are looked at, at most; the others are taken to be like them.
const LOOKED_AT: u64 = 1000;

/// The steps of a run, by their passes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Steps {
    /// Steps of the run, if it doesn't stop early.
    pub(crate) total: u64,
    /// Steps of an epoch.
    pub(crate) per_epoch: u64,
    /// Tokens of the passes of the first steps.
    pub(crate) passes: Vec<Vec<usize>>,
    /// Tokens of the passes of an evaluation on the validation pairs, and on the test pairs.
    pub(crate) validation: Vec<usize>,
    pub(crate) test: Vec<usize>,
    /// Every token id that any example has.
    pub(crate) distinct: BTreeSet<u32>,
}

impl Steps {
    /// Packs the batches of a run as its steps and evaluations do.
    ///
    /// # Errors
    /// When examples can't be packed, or the method is none for so many layers.
    pub(crate) fn of(settings: &TrainSettings, data: &RunData, layers: usize) -> Result<Self, TrainError> {
        let order = epochs::order(settings, &data.train)?;
        let per_epoch = order.steps_per_epoch() as u64;
        let total = settings.total_steps(per_epoch);
        let needs = make_policy(settings, layers)?.needs();
        let (recipe, mut scratch) = (StepRecipe::of(settings), StepScratch::new(0));
        let mut passes = Vec::new();
        for epoch in 0..total.min(LOOKED_AT).div_ceil(per_epoch) {
            for indices in order.batches(epoch) {
                let examples: Vec<&Example> = indices.iter().map(|&index| &data.train[index]).collect();
                let batch = StepBatch { step: 0, examples: &examples, learning_rate: 0.0 };
                let tokens = step::pass_tokens(&recipe, &batch, needs, &mut scratch);
                let step = passes.len() as u64 + 1;
                let failed = |source| TrainError::Step { step, checkpoint: None, source: Box::new(source) };
                passes.push(tokens.map_err(failed)?);
            }
        }
        passes.truncate(usize::try_from(total).unwrap_or(usize::MAX));
        let limit = settings.batch_limit();
        let examples = [&data.train, &data.validation, &data.test].into_iter().flatten();
        Ok(Self {
            total,
            per_epoch,
            passes,
            validation: evaluated(&data.validation, limit)?,
            test: evaluated(&data.test, limit)?,
            distinct: examples.flat_map(|example| example.tokens.iter().copied()).collect(),
        })
    }

    /// Tokens of the largest pass of a step.
    pub(crate) fn largest(&self) -> usize {
        self.passes.iter().flatten().copied().max().unwrap_or(0)
    }

    /// Tokens of the largest pass of an evaluation, which keeps no layer's activations.
    pub(crate) fn largest_evaluation(&self) -> usize {
        self.validation.iter().chain(&self.test).copied().max().unwrap_or(0)
    }

    /// The passes of a step; beyond those that were looked at it is like an earlier one.
    pub(crate) fn passes(&self, step: u64) -> &[usize] {
        match self.passes.len() as u64 {
            0 => &[],
            known => &self.passes[(step % known) as usize],
        }
    }
}

fn evaluated(examples: &[Example], limit: BatchLimit) -> Result<Vec<usize>, TrainError> {
    let mut tokens = Vec::new();
    evaluate::each_batch(examples, limit, &AtomicBool::new(false), &mut |_, packed| {
        tokens.push(packed.tokens.len());
        Ok(())
    })?;
    Ok(tokens)
}
