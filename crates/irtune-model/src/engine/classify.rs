//! What classifies.

use irtune_device::{Device, Targets};

use crate::{
    adapters::AdapterConfig, base::config::ModelConfig, batch::PackedBatch, decoder::Decoder,
    error::ModelError,
};

/// A base with adapters and a classification head.
pub trait Classify {
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

    /// Prepacks the base's matrices with their adapters once, so that many examples classify faster; costs a part of a
    /// second and memory. Does nothing but in `int8`, and in `bf16` where the processor multiplies it, for models whose
    /// prepacked matrices take at most 256 MiB, in engines that don't train. Logits then differ as two roundings of the
    /// matrices do.
    fn prepack(&mut self);

    /// Logits of every example in evaluation mode.
    ///
    /// # Shapes
    /// `out`: `[examples, labels]`, overwritten.
    ///
    /// # Errors
    /// When a token is not in the vocabulary.
    fn logits(&mut self, batch: &PackedBatch, out: &mut Vec<f32>) -> Result<(), ModelError>;

    /// Sum of the examples' losses, all labels counted alike, in evaluation mode, with what the adapters of each layer add scaled by a factor.
    ///
    /// # Shapes
    /// `adapter_factors`: `[layers]`, none for 1 everywhere.
    ///
    /// # Errors
    /// When a token or target is out of range, or a shape is wrong.
    fn loss(
        &mut self,
        batch: &PackedBatch,
        targets: Targets<'_>,
        adapter_factors: Option<&[f32]>,
    ) -> Result<f64, ModelError>;

    /// From now on the base's own language-model head classifies, by the words that stand for the labels (token ids,
    /// as they follow a prompt). Examples are prompts then: an example's logit of a label is the log-likelihood of the
    /// label's words after it, the sum over their tokens, and its loss is the cross-entropy of its own label's words,
    /// the mean over their tokens. The classification head takes no part and is no parameter any more.
    ///
    /// # Errors
    /// When words are missing, not as many as the labels, or not in the vocabulary, or the base has no such head.
    fn classify_by_words(&mut self, words: Vec<Vec<u32>>) -> Result<(), ModelError>;

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
}

impl<D: Device> Classify for Decoder<D> {
    fn config(&self) -> &ModelConfig {
        self.config()
    }

    fn adapter(&self) -> Option<&AdapterConfig> {
        self.adapter()
    }

    fn labels(&self) -> usize {
        self.labels()
    }

    fn precision(&self) -> &'static str {
        self.precision()
    }

    fn threads(&self) -> usize {
        self.threads()
    }

    fn prepack(&mut self) {
        self.prepack()
    }

    fn logits(&mut self, batch: &PackedBatch, out: &mut Vec<f32>) -> Result<(), ModelError> {
        self.logits(batch, out)
    }

    fn loss(
        &mut self,
        batch: &PackedBatch,
        targets: Targets<'_>,
        adapter_factors: Option<&[f32]>,
    ) -> Result<f64, ModelError> {
        self.loss(batch, targets, adapter_factors)
    }

    fn classify_by_words(&mut self, words: Vec<Vec<u32>>) -> Result<(), ModelError> {
        self.classify_by_words(words)
    }

    fn output_projection_norm(&self, layer: usize) -> Result<f64, ModelError> {
        self.output_projection_norm(layer)
    }

    fn signal_to_noise(&self, layer: usize) -> Result<f64, ModelError> {
        self.signal_to_noise(layer)
    }
}
