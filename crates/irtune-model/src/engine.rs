//! What trains and classifies: a base with adapters and a head, on a device that is chosen when it is made.

use std::{path::Path, sync::Arc};

use irtune_device::{AdamW, Device, DropoutKey, LossOptions};

use crate::{
    adapters::{Trained, config::AdapterConfig},
    base::Base,
    batch::PackedBatch,
    config::ModelConfig,
    decoder::Decoder,
    error::ModelError,
    host_tensor::HostTensor,
};

/// How an engine works, beside what it computes.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// Tokens of the largest batch that is expected; a larger one makes the buffers grow.
    pub max_tokens: usize,
    /// Examples of the largest batch that is expected.
    pub max_examples: usize,
    /// Whether it will train; without, activations are kept for no layer.
    pub training: bool,
    /// Most memory that training is to use, in bytes: layers whose activations don't fit are computed again in the
    /// backward pass. All activations are kept when not given.
    pub memory_bytes: Option<usize>,
}

/// A base with adapters and a classification head.
pub trait Engine: Send {
    /// The base's sizes.
    fn config(&self) -> &ModelConfig;
    /// The adapters' settings.
    fn adapter(&self) -> Option<&AdapterConfig>;
    /// Number of labels.
    fn labels(&self) -> usize;
    /// Precision of operands: `bf16`, `int16`, `int8` or `f32`.
    fn precision(&self) -> &'static str;
    /// Threads that work.
    fn threads(&self) -> usize;

    /// Merges the base's matrices with their adapters once, so that many examples classify faster; costs a part of a
    /// second and memory. Does nothing but in `int8`, and in `bf16` where the processor multiplies it, for models whose
    /// merged matrices take at most 256 MiB, in engines that don't train. Logits then differ as two roundings of the
    /// matrices do.
    fn merge(&mut self);

    /// Logits of every example in evaluation mode.
    ///
    /// # Shapes
    /// `out`: `[examples, labels]`, overwritten.
    ///
    /// # Errors
    /// When a token is not in the vocabulary.
    fn logits(&mut self, batch: &PackedBatch, out: &mut Vec<f32>) -> Result<(), ModelError>;

    /// How [`Engine::accumulate`] counts labels from now on; all alike before.
    ///
    /// # Errors
    /// When there are not as many class weights as labels.
    fn set_loss(&mut self, options: LossOptions) -> Result<(), ModelError>;

    /// What [`Engine::set_loss`] was given.
    fn loss_options(&self) -> &LossOptions;

    /// Sum of the examples' losses, all labels counted alike, in evaluation mode, with what the adapters of each layer add scaled by a factor.
    ///
    /// # Shapes
    /// `targets`: `[examples]`; `adapter_factors`: `[layers]`, none for 1 everywhere.
    ///
    /// # Errors
    /// When a token or target is out of range, or a shape is wrong.
    fn loss(
        &mut self,
        batch: &PackedBatch,
        targets: &[u32],
        adapter_factors: Option<&[f32]>,
    ) -> Result<f64, ModelError>;

    /// Forward and backward: adds the gradient of (sum of the examples' losses) / `normalizer` to that of the active
    /// layers' parameters and of the head; returns the sum of losses. Labels count as [`Engine::set_loss`] says.
    ///
    /// A warm step allocates nothing, but for a layer whose own weights train for the first time.
    ///
    /// # Shapes
    /// `targets`: `[examples]`; `active`: `[layers]`.
    ///
    /// # Errors
    /// When a token or target is out of range, or a shape is wrong.
    fn accumulate(
        &mut self,
        batch: &PackedBatch,
        targets: &[u32],
        active: &[bool],
        train_head: bool,
        normalizer: f64,
        dropout: Option<DropoutKey>,
    ) -> Result<f64, ModelError>;

    /// Keeps the hidden states at the beginning of `layer` in a nameless file inside `folder` from now on, so that
    /// passes in which nothing below it trains compute them once; for the number of layers, those that the head pools.
    /// A pass that trains a lower layer, or drops inputs of adapters below that do something, goes without. What is
    /// kept is forgotten when parameters are loaded or adapters below are updated.
    ///
    /// # Errors
    /// When there is nothing below the layer or no such layer, or the file can't be made.
    fn cache_states(&mut self, layer: usize, folder: &Path) -> Result<(), ModelError>;

    /// From now on the base's own language-model head classifies, by the words that stand for the labels (token ids,
    /// as they follow a prompt). Examples are prompts then: an example's logit of a label is the log-likelihood of the
    /// label's words after it, the sum over their tokens, and its loss is the cross-entropy of its own label's words,
    /// the mean over their tokens. The classification head takes no part and is no parameter any more.
    ///
    /// # Errors
    /// When words are missing, not as many as the labels, or not in the vocabulary, or the base has no such head.
    fn classify_by_words(&mut self, words: Vec<Vec<u32>>) -> Result<(), ModelError>;

    /// Sets all gradients to zero, and forgets measured cosines.
    fn zero_gradients(&mut self);
    /// Whether [`Engine::accumulate`] measures the cosines between the layers' inputs and outputs.
    fn watch_cosines(&mut self, watched: bool);
    /// The cosine between input and output of every layer, the mean over the passes since the gradients were zero;
    /// nothing if none were watched.
    ///
    /// In a pass, input and output of a layer are averaged over the examples at every position, and their cosines over
    /// the positions. The last layer has outputs at the examples' last positions only.
    ///
    /// # Shapes
    /// `out`: `[layers]`, overwritten.
    ///
    /// # Source
    /// `CosineSimilarityTracker` of ZhexiongLiu/IR-Tuning, commit 0a44982, which counts padding as positions.
    fn layer_cosines(&self, out: &mut Vec<f64>);
    /// L2 norm over all values of a layer's attention output projection.
    ///
    /// # Errors
    /// When the base lacks the matrix.
    fn output_projection_norm(&self, layer: usize) -> Result<f64, ModelError>;
    /// Mean over a layer's matrices of their signal-to-noise ratio ([`crate::spectrum`]); takes seconds.
    ///
    /// # Errors
    /// When the base lacks a matrix.
    fn signal_to_noise(&self, layer: usize) -> Result<f64, ModelError>;
    /// L2 norm of each parameter's gradient in a layer: of adapters by target module, in the order of
    /// [`AdapterConfig::tensors`]; of the layer's own weights both norms' gains, then the projections.
    fn gradient_norms(&self, layer: usize, out: &mut Vec<f64>);
    /// L2 norm of the head's gradient.
    fn head_gradient_norm(&self) -> f64;
    /// Multiplies the gradients of the active layers and, if asked, of the head.
    fn scale_gradients(&mut self, active: &[bool], train_head: bool, factor: f32);
    /// One AdamW step of the active layers' parameters and, if asked, of the head; each parameter counts its own steps.
    fn update(&mut self, active: &[bool], train_head: bool, settings: &AdamW);
    /// Clears the moments and step counts of a layer's parameters.
    fn reset_optimizer(&mut self, layer: usize);

    /// Adapter and head parameters under PEFT's names, in its orientation; where the layers' own weights train, those of
    /// the layers that ever trained and of the head, under transformers' names.
    fn parameters(&self) -> Vec<HostTensor>;
    /// Parameters of this engine as its folder has them, for [`AdapterConfig::exported`]: PiSSA's become a LoRA of twice the
    /// rank, which does the same over the base as it is; all others stay as they are.
    fn exported(&self, parameters: Vec<HostTensor>) -> Vec<HostTensor> {
        parameters
    }
    /// Gradients, named as the parameters; where the layers' own weights train, those of the layers that trained since
    /// the gradients were zero.
    fn gradients(&self) -> Vec<HostTensor>;
    /// Replaces all parameters; a layer whose own weights are not among them goes back to the base's.
    ///
    /// # Errors
    /// When a name is missing, unknown or given twice, or a shape differs.
    fn load_parameters(&mut self, tensors: &[HostTensor]) -> Result<(), ModelError>;
    /// Moments and step counts, where there are any: `{name}.first_moment`, `{name}.second_moment`, `{name}.steps` (shape `[1]`).
    fn optimizer_state(&self) -> Vec<HostTensor>;
    /// Replaces moments and step counts.
    ///
    /// # Errors
    /// As [`Engine::load_parameters`].
    fn load_optimizer_state(&mut self, tensors: &[HostTensor]) -> Result<(), ModelError>;
}

/// Makes an engine over `base` that computes on `device`: adapters initialised as PEFT does (LoRA's A uniform within 1/√inputs, B zero), the head
/// drawn from a normal distribution with the base's initializer range, both from `seed`.
///
/// # Errors
/// When the base lacks a tensor, a tensor has another shape than its configuration says, or settings are unusable.
pub fn engine_over<D: Device + 'static>(
    device: D,
    base: Arc<Base>,
    trained: Trained,
    labels: usize,
    seed: u64,
    options: EngineOptions,
) -> Result<Box<dyn Engine>, ModelError> {
    Ok(Box::new(Decoder::new(device, &base, trained, labels, seed, options)?))
}
