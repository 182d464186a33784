//! One training step, from the choice of the layers to the update; no I/O and no clock.

mod error;
pub(crate) mod head_only;
mod parts;
mod probe;
mod recipe;
pub(crate) mod schedule;
mod scratch;
mod targets;

use std::ops::Range;

use irtune_data::{Example, Target};
use irtune_model::{AdamW, DropoutKey, Engine, ModelError, TrainingPass};
use irtune_select::{Evidence, LayerPolicy, LayerSet, Signals, StepDraws, WeightMeasure};

use crate::batch;

pub use error::StepError;
use parts::Part;
use probe::EngineProbe;
pub use recipe::StepRecipe;
pub use scratch::StepScratch;

/// What a step trains on.
#[derive(Debug, Clone, Copy)]
pub struct StepBatch<'a> {
    /// Steps completed before this one.
    pub step: u64,
    /// All examples of the step.
    pub examples: &'a [&'a Example],
    /// Of this step's update.
    pub learning_rate: f64,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOutcome {
    /// Mean cross-entropy of the step's examples (of their labels, where they can have several), weighted and smoothed as the engine was set to, before the update.
    pub loss: f64,
    /// L2 norm of everything that trained, before clipping.
    pub gradient_norm: f64,
    /// The layers that trained.
    pub active_layers: LayerSet,
    /// Tokens that went through the model, shared beginnings counted once a pass.
    pub tokens: usize,
}

/// The number a layer about the frozen weights that a policy asks for; `on_layer` is told how many are done.
///
/// # Errors
/// When the base lacks a matrix.
pub fn measure_weights(
    engine: &dyn Engine,
    measure: WeightMeasure,
    mut on_layer: impl FnMut(usize),
) -> Result<Vec<f64>, ModelError> {
    let layer = |layer| {
        let number = match measure {
            WeightMeasure::OutputProjection => engine.output_projection_norm(layer),
            WeightMeasure::SignalToNoise => engine.signal_to_noise(layer),
        };
        on_layer(layer + 1);
        number
    };
    (0..engine.config().layers).map(layer).collect()
}

/// Makes one training step.
///
/// The loss is the mean over all examples of the step, by their labels' weights where there are some, and dropout depends on their tokens alone, so how they are divided
/// into micro-batches changes nothing but the order of sums.
///
/// # Errors
/// When the loss or the gradient is not finite (nothing is updated then), or when a part of the step fails.
pub fn training_step(
    engine: &mut dyn Engine,
    policy: &mut dyn LayerPolicy,
    recipe: &StepRecipe,
    batch: &StepBatch<'_>,
    scratch: &mut StepScratch,
) -> Result<StepOutcome, StepError> {
    if batch.examples.is_empty() {
        return Err(StepError::Empty);
    }
    let layers = engine.config().layers;
    let needs = policy.needs();
    let mut draws = StepDraws::new(recipe.seed, batch.step);
    let chosen = choose(engine, policy, recipe, batch, scratch, &mut draws)?;
    chosen.write_flags(&mut scratch.active);
    for layer in policy.optimizer_reset().iter().flat_map(LayerSet::iter) {
        engine.reset_optimizer(layer);
    }

    engine.watch_cosines(needs.layer_cosines);
    scratch.norms.clear();
    let several = batch.examples.len() > recipe.batch_size;
    let by_micro_batch = needs.gradient_norms && recipe.norms_of_micro_batches && several;
    if by_micro_batch {
        measure_micro_batches(engine, recipe, batch, scratch)?;
    }

    engine.zero_gradients();
    let mut tokens = 0;
    scratch.parts.clear();
    for index in 0..batch.examples.len().div_ceil(recipe.batch_size) {
        let most_tokens = if needs.layer_cosines { 0 } else { recipe.micro_batch_tokens };
        let range = micro_batch(recipe, batch, index);
        tokens += add_gradients(engine, recipe, batch, scratch, range, most_tokens)?;
    }
    // Everything up to here is asked of the device without waiting for it; this is the step's one wait.
    engine.read_step(&scratch.active, recipe.train_head, &mut scratch.readings);
    if let Some(&loss) = scratch.readings.losses.iter().find(|loss| !loss.is_finite()) {
        return Err(StepError::Loss { loss });
    }
    let loss = parts::sum(&scratch.parts, &scratch.readings.losses) / normalizer(engine, batch);
    if !loss.is_finite() {
        return Err(StepError::Loss { loss });
    }

    let mut squares = if recipe.train_head { scratch.readings.head_norm.powi(2) } else { 0.0 };
    for layer in chosen.iter() {
        let norms = &scratch.readings.layer_norms[layer];
        squares += norms.iter().map(|norm| norm * norm).sum::<f64>();
        if needs.gradient_norms && !by_micro_batch {
            scratch.norms.measure(layer).extend_from_slice(norms);
        }
    }
    let gradient_norm = squares.sqrt();
    if !gradient_norm.is_finite() {
        return Err(StepError::Gradient { norm: gradient_norm });
    }
    let mut evidence = Evidence::new(batch.step, layers, &mut draws);
    if needs.gradient_norms {
        evidence = evidence.with_gradient_norms(&scratch.norms);
    }
    if needs.layer_cosines {
        evidence = evidence.with_layer_cosines(&scratch.readings.cosines);
    }
    policy.observe(&evidence)?;

    if let Some(factor) = clip_factor(gradient_norm, recipe.max_grad_norm) {
        engine.scale_gradients(&scratch.active, recipe.train_head, factor);
    }
    engine.update(&scratch.active, recipe.train_head, &optimizer(recipe, batch.learning_rate))?;
    Ok(StepOutcome { loss, gradient_norm, active_layers: chosen, tokens })
}

/// Asks the policy for the step's layers, with what it needs for the choice.
fn choose(
    engine: &mut dyn Engine,
    policy: &mut dyn LayerPolicy,
    recipe: &StepRecipe,
    batch: &StepBatch<'_>,
    scratch: &mut StepScratch,
    draws: &mut StepDraws,
) -> Result<LayerSet, StepError> {
    let (needs, layers) = (policy.needs(), engine.config().layers);
    let weights = scratch.weights.take();
    let mut evidence = Evidence::new(batch.step, layers, draws);
    if let Some(weights) = weights.as_deref().filter(|_| needs.weights.is_some()) {
        evidence = evidence.with_weights(weights);
    }
    if !needs.probes {
        return Ok(policy.select(&mut evidence)?);
    }
    let mut probe = EngineProbe::new(engine, recipe, batch, scratch);
    let chosen = policy.select(&mut evidence.with_probe(&mut probe));
    // What went wrong with the engine says more than that a loss could not be measured.
    match probe.failure() {
        Some(failure) => Err(failure),
        None => Ok(chosen?),
    }
}

/// The places of a micro-batch's examples in the step.
pub(crate) fn micro_batch(recipe: &StepRecipe, batch: &StepBatch<'_>, index: usize) -> Range<usize> {
    let first = index * recipe.batch_size;
    first..batch.examples.len().min(first + recipe.batch_size)
}

/// Packs some of a step's examples, with their targets.
pub(crate) fn pack(
    batch: &StepBatch<'_>,
    scratch: &mut StepScratch,
    range: Range<usize>,
) -> Result<(), StepError> {
    scratch.targets.refill(&batch.examples[range.clone()], range.start)?;
    Ok(batch::refill(&mut scratch.batch, &batch.examples[range])?)
}

/// Adds some examples' share of the step's gradient, in passes of at most `most_tokens`; gives their tokens.
fn add_gradients(
    engine: &mut dyn Engine,
    recipe: &StepRecipe,
    batch: &StepBatch<'_>,
    scratch: &mut StepScratch,
    range: Range<usize>,
    most_tokens: usize,
) -> Result<usize, StepError> {
    let normalizer = normalizer(engine, batch);
    each_pass(batch, scratch, range, most_tokens, &mut |scratch| {
        let pass = TrainingPass {
            active: &scratch.active,
            train_head: recipe.train_head,
            normalizer,
            dropout: recipe.dropout.then_some(DropoutKey { seed: recipe.seed, step: batch.step }),
        };
        Ok(engine.add_gradients(&scratch.batch, scratch.targets.all(), pass)?)
    })
}

/// What is done with a pass, which is packed in the scratch.
type EachPass<'a> = &'a mut dyn FnMut(&mut StepScratch) -> Result<(), StepError>;

/// Makes the passes of some examples, half of them after the other while they have more than `most_tokens`; gives their
/// tokens.
fn each_pass(
    batch: &StepBatch<'_>,
    scratch: &mut StepScratch,
    range: Range<usize>,
    most_tokens: usize,
    pass: EachPass<'_>,
) -> Result<usize, StepError> {
    pack(batch, scratch, range.clone())?;
    if most_tokens > 0 && scratch.batch.tokens.len() > most_tokens && range.len() > 1 {
        let middle = middle(&batch.examples[range.clone()]);
        let mut tokens = 0;
        scratch.parts.push(Part::Open);
        for part in [range.start..range.start + middle, range.start + middle..range.end] {
            tokens += each_pass(batch, scratch, part, most_tokens, pass)?;
        }
        scratch.parts.push(Part::Close);
        return Ok(tokens);
    }
    pass(scratch)?;
    scratch.parts.push(Part::Pass);
    Ok(scratch.batch.tokens.len())
}

/// Tokens of each pass of a step for a policy that needs these signals.
///
/// # Errors
/// When the examples can't be packed, or lack targets.
pub(crate) fn pass_tokens(
    recipe: &StepRecipe,
    batch: &StepBatch<'_>,
    needs: Signals,
    scratch: &mut StepScratch,
) -> Result<Vec<usize>, StepError> {
    let several = batch.examples.len() > recipe.batch_size;
    let twice = needs.gradient_norms && recipe.norms_of_micro_batches && several;
    let most_tokens = if needs.layer_cosines { 0 } else { recipe.micro_batch_tokens };
    let mut tokens = Vec::new();
    scratch.parts.clear();
    for most_tokens in twice.then_some(0).into_iter().chain([most_tokens]) {
        for index in 0..batch.examples.len().div_ceil(recipe.batch_size) {
            let range = micro_batch(recipe, batch, index);
            each_pass(batch, scratch, range, most_tokens, &mut |scratch| {
                tokens.push(scratch.batch.tokens.len());
                Ok(())
            })?;
        }
    }
    Ok(tokens)
}

/// How many of the examples make the part that is nearest to half of their tokens; at least one, and not all.
fn middle(examples: &[&Example]) -> usize {
    let length = |example: &&Example| example.tokens.len();
    let all: usize = examples.iter().map(length).sum();
    let mut before = 0;
    let whole = examples.iter().take_while(|example| {
        before += length(example);
        2 * before <= all + length(example)
    });
    whole.count().clamp(1, examples.len() - 1)
}

/// What a step's sum of losses is divided by: what its examples' labels count, so their number when all count alike; an
/// example with a distribution over the labels counts 1, as in `CrossEntropyLoss` of PyTorch, and one that can have several
/// as many as there are, as in its `BCEWithLogitsLoss`.
fn normalizer(engine: &dyn Engine, batch: &StepBatch<'_>) -> f64 {
    let options = engine.loss_options();
    let targets = batch.examples.iter().filter_map(|example| example.target.as_ref());
    let counts = targets.map(|target| match target {
        Target::Class(class) => options.weight(*class as usize),
        Target::Shares { .. } => 1.0,
        Target::Labels(has) => has.len() as f64,
    });
    counts.sum()
}

/// Lists, for every layer that trains, the gradient norms of one micro-batch after the other.
///
/// The published code's hooks see each micro-batch's own gradient, and its score sums over what they saw.
fn measure_micro_batches(
    engine: &mut dyn Engine,
    recipe: &StepRecipe,
    batch: &StepBatch<'_>,
    scratch: &mut StepScratch,
) -> Result<(), StepError> {
    let layers: Vec<usize> = (0..scratch.active.len()).filter(|&layer| scratch.active[layer]).collect();
    let mut listed = vec![Vec::new(); layers.len()];
    for index in 0..batch.examples.len().div_ceil(recipe.batch_size) {
        engine.zero_gradients();
        add_gradients(engine, recipe, batch, scratch, micro_batch(recipe, batch, index), 0)?;
        engine.read_step(&scratch.active, false, &mut scratch.readings);
        if let Some(&loss) = scratch.readings.losses.iter().find(|loss| !loss.is_finite()) {
            return Err(StepError::Loss { loss });
        }
        for (list, &layer) in listed.iter_mut().zip(&layers) {
            list.extend_from_slice(&scratch.readings.layer_norms[layer]);
        }
    }
    for (list, &layer) in listed.iter().zip(&layers) {
        scratch.norms.measure(layer).extend_from_slice(list);
    }
    Ok(())
}

/// The factor that `torch.nn.utils.clip_grad_norm_` scales by, when it is below 1.
fn clip_factor(norm: f64, maximum: f64) -> Option<f32> {
    let factor = maximum / (norm + 1e-6);
    (maximum > 0.0 && factor < 1.0).then_some(factor as f32)
}

/// AdamW as the published recipe has it: the defaults of torch.
fn optimizer(recipe: &StepRecipe, learning_rate: f64) -> AdamW {
    AdamW { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: recipe.weight_decay }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_even_as_their_examples_allow() {
        let example = |length: usize| Example {
            tokens: vec![1; length],
            target: Some(Target::Class(0)),
            ..Example::default()
        };
        for (lengths, expected) in
            [(&[1, 1, 1, 1][..], 2), (&[9, 1, 1, 1], 1), (&[1, 1, 1, 9], 3), (&[3, 3, 3], 2), (&[5, 5], 1)]
        {
            let examples: Vec<Example> = lengths.iter().map(|&length| example(length)).collect();
            assert_eq!(middle(&examples.iter().collect::<Vec<_>>()), expected, "{lengths:?}");
        }
    }

    #[test]
    fn clipping_is_that_of_torch() {
        // torch.nn.utils.clip_grad_norm_ of a gradient (3, 4) with max_norm 1 gives (0.6, 0.8) · (1 - 2e-7).
        let factor = clip_factor(5.0, 1.0).unwrap();
        assert!((f64::from(factor) - 1.0 / 5.000001).abs() < 1e-8);
        assert_eq!(clip_factor(0.5, 1.0), None);
        assert_eq!(clip_factor(5.0, 0.0), None);
    }
}
