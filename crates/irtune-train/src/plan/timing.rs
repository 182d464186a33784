//! How long a run will take.
//!
//! A few layers of the base are run on the run's own pairs, twice with different numbers of layers. What the difference
//! takes is what one layer takes; the rest is what embedding, last layer and head take. So all of it is measured, at the
//! run's own precision, formats and threads, and a model of any depth takes the same two seconds.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use super::layers::Chosen;
use super::memory::MemoryPlan;
use super::passes::Steps;
use crate::batch;
use crate::error::TrainError;
use crate::prepare::timing_engine;
use crate::run::data::RunData;
use crate::settings::TrainSettings;
use crate::task::Task;
use irtune_data::Example;
use irtune_model::{AdamW, Base, DropoutKey, Engine, ModelError, PackedBatch};
use irtune_select::LayerSet;

/// Layers of the smaller model that is run, and how many more the larger one has.
const SMALL: usize = 2;
const FEWEST_MORE: usize = 2;
const MOST_MORE: usize = 10;
/// Tokens below which a GEMM would be slower than in a run.
const FEWEST_TOKENS: usize = 256;
/// Steps that are added up, at most; the others take what these take on average.
const ADDED_UP: u64 = 100_000;
/// Operations of a round, as many as two cores with AVX-512 make in some two seconds.
const ROUND_OPERATIONS: f64 = 3e11;

/// The time a run will take, if it makes all its steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimePlan {
    /// Steps.
    pub steps: u64,
    /// Tokens of a step, on average, shared beginnings counted once a pass.
    pub tokens_per_step: f64,
    /// Layers that train in a step, on average.
    pub layers_per_step: f64,
    /// A step, on average.
    pub step_seconds: f64,
    /// All steps.
    pub training_seconds: f64,
    /// All evaluations on the validation pairs, and the one on the test pairs.
    pub evaluation_seconds: f64,
    /// Training and evaluations.
    pub total_seconds: f64,
}

/// What is timed.
pub(crate) struct Of<'a> {
    pub(crate) path: &'a Path,
    pub(crate) settings: &'a TrainSettings,
    pub(crate) task: &'a Task,
    pub(crate) data: &'a RunData,
    /// Layers of the base.
    pub(crate) layers: usize,
    pub(crate) memory: &'a MemoryPlan,
    /// How long is measured, when one round doesn't take longer.
    pub(crate) seconds: f64,
}

/// Measures, and adds up.
///
/// # Errors
/// When the engine can't be made or fails.
pub(crate) fn time(of: Of<'_>, steps: &Steps, chosen: &Chosen) -> Result<TimePlan, TrainError> {
    let layers = of.layers;
    let times = measure(&of, layers)?;
    let (mut training, mut tokens, mut active) = (0.0, 0, 0);
    let added_up = steps.total.min(ADDED_UP);
    for step in 0..added_up {
        let (set, passes) = (chosen.layers(step), steps.passes(step));
        let first_epoch = step < steps.per_epoch;
        let kept_below = if first_epoch { 0 } else { chosen.kept_below };
        for &pass in passes {
            training += times.pass(set, pass, of.memory.kept_layers, kept_below);
            tokens += pass;
        }
        training += times.update(set.count());
        let probed = passes.first().copied().unwrap_or(0);
        training += chosen.probes(step) as f64 * times.evaluation(layers, probed);
        active += set.count();
    }
    let evaluations = of.settings.eval_every.times(steps.total, steps.per_epoch);
    let once = |passes: &[usize], layers: usize| {
        passes.iter().map(|&tokens| times.evaluation(layers, tokens)).sum::<f64>()
    };
    // The first time nothing is kept of these pairs.
    let again = once(&steps.validation, layers - chosen.kept_below.min(layers));
    let evaluation_seconds = once(&steps.validation, layers)
        + evaluations.saturating_sub(1) as f64 * again
        + once(&steps.test, layers);
    let per_step = |sum: f64| sum / added_up.max(1) as f64;
    let training_seconds = per_step(training) * steps.total as f64;
    Ok(TimePlan {
        steps: steps.total,
        tokens_per_step: per_step(tokens as f64),
        layers_per_step: per_step(active as f64),
        step_seconds: per_step(training),
        training_seconds,
        evaluation_seconds,
        total_seconds: training_seconds + evaluation_seconds,
    })
}

/// Seconds of a few layers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Seconds {
    /// Forward and backward where all layers train.
    trains: f64,
    /// The same where the lowest layer trains alone.
    frozen: f64,
    /// A forward that keeps nothing.
    forward: f64,
    /// The update of all layers and of the head.
    update: f64,
}

impl Seconds {
    fn each(self, other: Self, combine: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            trains: combine(self.trains, other.trains),
            frozen: combine(self.frozen, other.frozen),
            forward: combine(self.forward, other.forward),
            update: combine(self.update, other.update),
        }
    }
}

/// What was measured, and what follows from it.
#[derive(Debug, Clone, Copy)]
struct Times {
    /// Of the smaller model.
    small: Seconds,
    /// Of each further layer.
    layer: Seconds,
    /// Layers of the smaller model.
    small_layers: usize,
    /// Layers of the base.
    layers: usize,
    /// Tokens of the pass that was measured.
    tokens: usize,
}

impl Times {
    fn of(measured: [(usize, Seconds); 2], layers: usize, tokens: usize) -> Self {
        let [(small_layers, small), (large_layers, large)] = measured;
        let more = (large_layers - small_layers).max(1) as f64;
        let layer = large.each(small, |large, small| ((large - small) / more).max(0.0));
        Self { small, layer, small_layers, layers, tokens }
    }

    /// A pass of so many tokens in which these layers train; activations of the highest layers are kept, others are
    /// recomputed, and hidden states below a layer are known.
    fn pass(&self, set: &LayerSet, tokens: usize, kept: usize, known_below: usize) -> f64 {
        let Self { small, layer, layers, .. } = *self;
        let share = tokens as f64 / self.tokens as f64;
        let Some(lowest) = set.iter().next() else {
            return self.evaluation(layers - known_below.min(layers), tokens);
        };
        let above = layers - lowest;
        let recomputed = above.saturating_sub(kept) as f64;
        let frozen = (above - set.count()) as f64;
        let further = above as f64 - self.small_layers as f64;
        let below = lowest.saturating_sub(known_below) as f64;
        share
            * (small.trains + further * layer.trains - frozen * (layer.trains - layer.frozen)
                + (below + recomputed) * layer.forward)
                .max(0.0)
    }

    /// A forward through so many layers.
    fn evaluation(&self, layers: usize, tokens: usize) -> f64 {
        let further = layers as f64 - self.small_layers as f64;
        (self.small.forward + further * self.layer.forward).max(0.0) * tokens as f64 / self.tokens as f64
    }

    /// The update of so many layers and the head.
    fn update(&self, layers: usize) -> f64 {
        (self.small.update + (layers as f64 - self.small_layers as f64) * self.layer.update).max(0.0)
    }
}

/// Runs both models on some of the pairs, by turns.
fn measure(of: &Of<'_>, layers: usize) -> Result<Times, TrainError> {
    let open = || Base::open(of.path).map_err(ModelError::from);
    let small = open()?;
    let sizes = small.config.projections().map(|projection| small.config.projection_shape(projection));
    let weights: usize = sizes.map(|(outputs, inputs)| outputs * inputs).sum();
    // Two passes forward and backward, and a forward alone, take ten operations for each weight and token.
    let token_operations = 10.0 * weights as f64;
    let affordable = ROUND_OPERATIONS / (token_operations * (2 * SMALL + FEWEST_MORE) as f64);
    let batch = Batch::of(&of.data.train, of.settings, (affordable as usize).max(FEWEST_TOKENS))?;
    let tokens = batch.packed.tokens.len();
    // The more layers tell the two models apart, the less does noise count.
    let more = (ROUND_OPERATIONS / (token_operations * tokens as f64)) as usize;
    let more = more.saturating_sub(2 * SMALL).clamp(FEWEST_MORE, MOST_MORE);
    let sizes = [SMALL.min(layers), (SMALL + more).min(layers)];
    let mut engines = Vec::with_capacity(sizes.len());
    for (mut base, size) in [small, open()?].into_iter().zip(sizes) {
        base.config.layers = size;
        engines.push(timing_engine(&Arc::new(base), of.settings, of.data, of.task)?);
    }
    // The first round reads weights from the disk and makes buffers, so it isn't counted.
    for engine in &mut engines {
        batch.round(engine.as_mut(), of.settings)?;
    }
    let (mut sums, mut rounds, begun) = ([Seconds::default(); 2], 0.0, Instant::now());
    while rounds == 0.0 || begun.elapsed().as_secs_f64() < of.seconds {
        for (engine, sum) in engines.iter_mut().zip(&mut sums) {
            *sum = sum.each(batch.round(engine.as_mut(), of.settings)?, |sum, one| sum + one);
        }
        rounds += 1.0;
    }
    let means = sums.map(|sum| sum.each(sum, |sum, _| sum / rounds));
    Ok(Times::of([(sizes[0], means[0]), (sizes[1], means[1])], layers, tokens))
}

/// What is run.
struct Batch {
    packed: PackedBatch,
    classes: Vec<u32>,
}

impl Batch {
    /// Training pairs of at most so many tokens, as many as a pass of the run has.
    fn of(examples: &[Example], settings: &TrainSettings, tokens: usize) -> Result<Self, ModelError> {
        let limits = [settings.micro_batch_tokens, settings.step_tokens().unwrap_or(0)];
        let most = limits.into_iter().filter(|&limit| limit > 0).fold(tokens, usize::min);
        let all = if settings.batch_tokens.is_some() { examples.len() } else { settings.batch_size };
        let mut count = all.min(examples.len()).max(1);
        let mut packed = PackedBatch::default();
        loop {
            // Evenly from all of them, so that their lengths are the usual ones.
            let chosen: Vec<&Example> =
                (0..count).map(|place| &examples[place * examples.len() / count]).collect();
            batch::refill(&mut packed, &chosen)?;
            if packed.tokens.len() <= most || count == 1 {
                return Ok(Self { packed, classes: vec![0; count] });
            }
            count = (count * most / packed.tokens.len()).clamp(1, count - 1);
        }
    }

    /// Each kind of pass once.
    fn round(&self, engine: &mut dyn Engine, settings: &TrainSettings) -> Result<Seconds, ModelError> {
        let layers = engine.config().layers;
        let adapts = !settings.head_only;
        let all = vec![adapts; layers];
        let mut lowest = vec![false; layers];
        lowest[0] = adapts;
        let dropout = (settings.dropout > 0.0).then_some(DropoutKey { seed: settings.seed, step: 0 });
        let train = |active: &[bool], engine: &mut dyn Engine| {
            let begun = Instant::now();
            engine.zero_gradients();
            let count = self.classes.len() as f64;
            engine.accumulate(&self.packed, &self.classes, active, settings.train_head, count, dropout)?;
            Ok::<f64, ModelError>(begun.elapsed().as_secs_f64())
        };
        let frozen = train(&lowest, engine)?;
        let trains = train(&all, engine)?;
        let begun = Instant::now();
        let rate = AdamW { learning_rate: 0.0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
        engine.update(&all, settings.train_head, &rate)?;
        let update = begun.elapsed().as_secs_f64();
        let (begun, mut logits) = (Instant::now(), Vec::new());
        engine.logits(&self.packed, &mut logits)?;
        Ok(Seconds { trains, frozen, forward: begun.elapsed().as_secs_f64(), update })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_follow_from_two_depths() {
        // A base that costs 10 of its own, and by layer 3 in training, 2 frozen, 1 forward, 0.5 to update.
        let model = |layers: f64| Seconds {
            trains: 10.0 + 3.0 * layers,
            frozen: 11.0 + 2.0 * layers,
            forward: 10.0 + layers,
            update: 0.25 + 0.5 * layers,
        };
        let times = Times::of([(2, model(2.0)), (4, model(4.0))], 12, 100);
        let close =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        let set = |layers: &[usize]| LayerSet::new(12, layers.iter().copied()).unwrap();
        close(times.pass(&set(&(0..12).collect::<Vec<_>>()), 100, 12, 0), 46.0);
        // Half the tokens take half the time.
        close(times.pass(&set(&(0..12).collect::<Vec<_>>()), 50, 12, 0), 23.0);
        // Four layers below, eight above, of which two train.
        close(times.pass(&set(&[4, 6]), 100, 12, 0), 10.0 + 2.0 * 3.0 + 6.0 * 2.0 + 4.0);
        // The states below are known; three layers keep what they need, the other five are recomputed.
        close(times.pass(&set(&[4, 6]), 100, 3, 4), 10.0 + 2.0 * 3.0 + 6.0 * 2.0 + 5.0);
        close(times.evaluation(12, 100), 22.0);
        close(times.update(6), 3.25);
    }
}
