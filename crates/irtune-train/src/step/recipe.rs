//! What is the same in every step of a run.

use crate::settings::TrainSettings;

/// What is the same in every step of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepRecipe {
    /// Examples of a micro-batch.
    pub batch_size: usize,
    /// A micro-batch of more tokens goes through the model in parts; 0 for never.
    pub micro_batch_tokens: usize,
    /// Whether the head trains.
    pub train_head: bool,
    /// Longest gradient; 0 leaves all as they are.
    pub max_grad_norm: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Of dropout and of the choice of layers.
    pub seed: u64,
    /// Whether adapters drop inputs.
    pub dropout: bool,
    /// Shows the policy the gradient norms of each micro-batch instead of the step's, as the published code does.
    ///
    /// With more than one micro-batch this runs each of them twice.
    pub norms_of_micro_batches: bool,
}

impl StepRecipe {
    /// What the settings of a run say.
    pub fn of(settings: &TrainSettings) -> Self {
        Self {
            // Of batches that are made by tokens a step is one; it is divided by its tokens, if at all.
            batch_size: if settings.batch_tokens.is_some() { usize::MAX } else { settings.batch_size },
            micro_batch_tokens: settings.micro_batch_tokens,
            train_head: settings.train_head,
            max_grad_norm: settings.max_grad_norm,
            weight_decay: settings.weight_decay,
            seed: settings.seed,
            dropout: settings.dropout > 0.0,
            norms_of_micro_batches: settings.method_options.get("fidelity") == Some("published"),
        }
    }
}
