//! How much memory a run will hold at its most.

use std::collections::BTreeSet;

use serde::Serialize;

use super::passes::Steps;
use super::{remedies, system_memory};
use crate::devices;
use crate::error::TrainError;
use crate::prepare::{engine_options, make_policy, trained};
use crate::run::data::RunData;
use crate::settings::{Objective, TrainSettings};
use irtune_model::families::Role;
use irtune_model::{Base, Budget, BudgetOf, CounterScaling, HeadInput, ModelConfig};

/// Bytes of code and constants of the program that are read in a run.
const CODE_BYTES: u64 = 8 << 20;

/// Linux maps neighbouring pages of a file with the one that is touched, as many as are in 64 KiB.
const MAPPED_AROUND: usize = 1 << 16;

/// The most memory that a run will hold, and what for, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemoryPlan {
    /// All of it.
    pub peak_bytes: u64,
    /// Mapped weights that are read; the system can drop these pages and read them again.
    pub weight_bytes: u64,
    /// Activations of the largest pass.
    pub activation_bytes: u64,
    /// What trains, and its gradients.
    pub parameter_bytes: u64,
    /// The optimizer's two moments.
    pub moment_bytes: u64,
    /// Copies of what trains and of its moments while a checkpoint is written.
    pub checkpoint_bytes: u64,
    /// The program: its code, the tokenizer, the pairs.
    pub program_bytes: u64,
    /// Tokens of the largest pass of a step.
    pub tokens: usize,
    /// Layers that keep their activations.
    pub kept_layers: usize,
    /// Layers that are recomputed in the backward, because `memory` leaves no room.
    pub recomputed_layers: usize,
    /// What this machine has for the run; nothing where it doesn't tell.
    pub available_bytes: Option<u64>,
}

impl MemoryPlan {
    /// Of these settings on a base.
    ///
    /// # Errors
    /// When the settings name no method, or `memory` leaves too little.
    pub(crate) fn of(
        base: &Base,
        settings: &TrainSettings,
        data: &RunData,
        steps: &Steps,
    ) -> Result<Self, TrainError> {
        let (trained, head) = (trained(settings, &base.config)?, data.head(settings.head));
        let options = engine_options(settings, data);
        let largest = BudgetOf {
            config: &base.config,
            weights: base.weights.resident_bytes(),
            trained: &trained,
            head: &head.input,
            tokens: options.max_tokens,
            operand_bytes: devices::operand_bytes(settings.precision),
        };
        // What lies below the lowest layer that ever trains keeps nothing.
        let layers = base.config.layers;
        let above = layers - make_policy(settings, layers)?.lowest().min(layers);
        let kept_layers = Budget::new(largest).kept_layers(options.memory_bytes)?.min(above);
        let recomputed_layers = above - kept_layers;
        // Buffers are made for the largest batch that could be; those that are give what becomes resident.
        let tokens = steps.largest();
        let budget = Budget::new(BudgetOf { tokens, ..largest });
        // An evaluation uses what all layers share, and the place of one layer.
        let evaluated = Budget::new(BudgetOf { tokens: tokens.max(steps.largest_evaluation()), ..largest });
        let bytes = |count: usize| count as u64;
        let activation_bytes = bytes(evaluated.shared)
            .saturating_add(bytes(evaluated.kept))
            .saturating_add(bytes(budget.kept).saturating_mul(bytes(kept_layers.saturating_sub(1))))
            .saturating_add(bytes(budget.recomputed).saturating_mul(bytes(recomputed_layers)));
        let head_values = head.labels * head.input.columns(base.config.hidden_size);
        // Of 16 bytes for each number that trains, half is its value and its gradient and half its moments. Adapters
        // that never train have values only.
        let idle = if trained.is_weights() { 0 } else { budget.parameters / layers * (layers - above) };
        let trained_bytes = bytes(budget.parameters - idle + 16 * head_values);
        let idle_bytes = bytes(idle) / 4;
        let program_bytes =
            system_memory::held_bytes().map_or(bytes(budget.program), |held| held + CODE_BYTES);
        let mut plan = Self {
            peak_bytes: 0,
            weight_bytes: weights_read(base, settings, &steps.distinct),
            activation_bytes,
            parameter_bytes: trained_bytes / 2 + idle_bytes,
            moment_bytes: trained_bytes / 2,
            checkpoint_bytes: trained_bytes / 4 * 3 + idle_bytes,
            program_bytes,
            tokens,
            kept_layers,
            recomputed_layers,
            available_bytes: system_memory::available_bytes(),
        };
        plan.peak_bytes = plan.weight_bytes
            + plan.activation_bytes
            + plan.parameter_bytes
            + plan.moment_bytes
            + plan.checkpoint_bytes
            + plan.program_bytes;
        Ok(plan)
    }

    /// Whether the machine has so much.
    pub fn fits(&self) -> bool {
        self.available_bytes.is_none_or(|available| self.peak_bytes <= available)
    }
}

/// Bytes of the weights that a run reads: all matrices and norms of the layers, and of the embedding the rows of the
/// tokens that there are. A language-model head of its own is read where words are learnt.
fn weights_read(base: &Base, settings: &TrainSettings, distinct: &BTreeSet<u32>) -> u64 {
    let embedding = base.config.family.outer_name(Role::Embedding);
    let words = settings.objective == Objective::Words;
    let read = base.weights.tensors().map(|tensor| {
        let (bytes, rows) = (tensor.bytes.len(), tensor.shape.first().copied().unwrap_or(1).max(1));
        if tensor.name != embedding {
            let is_head = rows == base.config.vocabulary_size;
            return if is_head && !words { 0 } else { bytes };
        }
        if words && base.config.tied_embeddings {
            return bytes;
        }
        let row = bytes / rows;
        let around = |token: &u32| (tensor.bytes.start + *token as usize * row) / MAPPED_AROUND;
        let touched: BTreeSet<usize> = distinct.iter().map(around).collect();
        (touched.len() * MAPPED_AROUND).min(bytes)
    });
    read.sum::<usize>() as u64
}

/// About the most memory that training by the default recipe takes, for weights of so many bytes.
pub fn usual_bytes(config: &ModelConfig, weight_bytes: u64) -> u64 {
    let settings = TrainSettings::default();
    let budget = Budget::new(BudgetOf {
        config,
        weights: usize::try_from(weight_bytes).unwrap_or(usize::MAX),
        trained: &settings.adapter_for(config).into(),
        head: &HeadInput::Edit(CounterScaling::default()),
        tokens: settings.micro_batch_tokens,
        operand_bytes: devices::operand_bytes(settings.precision),
    });
    let checkpoint = budget.parameters / 4 * 3;
    (budget.program
        + budget.weights
        + budget.parameters
        + checkpoint
        + budget.shared
        + budget.layers * budget.kept) as u64
}

/// Refuses a run that can't fit.
///
/// # Errors
/// [`TrainError::DoesNotFit`], with settings that would.
pub(crate) fn check(base: &Base, settings: &TrainSettings, data: &RunData) -> Result<(), TrainError> {
    if !settings.check_memory {
        return Ok(());
    }
    let steps = Steps::of(settings, data, base.config.layers)?;
    let memory = MemoryPlan::of(base, settings, data, &steps)?;
    let Some(available) = memory.available_bytes.filter(|_| !memory.fits()) else { return Ok(()) };
    let remedies = remedies::find(base, settings, data, &steps, Some(available))?;
    Err(TrainError::DoesNotFit { needed: memory.peak_bytes, available, remedies })
}
