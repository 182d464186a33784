//! Everything that can go wrong in this crate.

use std::path::PathBuf;

use irtune_device::DeviceError;

use crate::{
    adapters::{config::AdapterConfigError, site::SiteError},
    base::BaseError,
    batch::BatchError,
    config::ConfigError,
    parameters::checked::ParameterError,
    peft::AdapterError,
    tokenizer::TokenizerError,
    tuned_weights::TunedWeightsError,
    weights::WeightError,
};

/// Everything that can go wrong in this crate.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// There is no base at the path.
    #[error(transparent)]
    Base(BaseError),
    /// The configuration can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The weights can't be used.
    #[error(transparent)]
    Weight(#[from] WeightError),
    /// The tokenizer can't be used.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// An adapter's settings can't be used.
    #[error(transparent)]
    AdapterConfig(#[from] AdapterConfigError),
    /// An adapter folder can't be written or read.
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    /// Parameters don't fit the engine.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// A folder of tuned weights can't be written or read.
    #[error(transparent)]
    TunedWeights(#[from] TunedWeightsError),
    /// Examples can't be packed.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A classifier needs labels.
    #[error("a classifier needs at least one label")]
    NoLabels,
    /// The device can't do what was asked for.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A token is not in the vocabulary.
    #[error(
        "token {token} is not in the base's vocabulary of {vocabulary_size}: the tokenizer belongs to another base"
    )]
    TokenOutOfRange {
        /// The token's id.
        token: u32,
        /// Tokens that there are.
        vocabulary_size: usize,
    },
    /// One target for each example.
    #[error("{targets} targets were given for {examples} examples")]
    Targets {
        /// How many were given.
        targets: usize,
        /// How many are needed.
        examples: usize,
    },
    /// A target is not a label's number.
    #[error("target {target} is not below the number of labels, {labels}")]
    TargetOutOfRange {
        /// What was given.
        target: u32,
        /// Labels that there are.
        labels: usize,
    },
    /// One share for each label of each example.
    #[error("{given} shares of labels were given where the batch needs {expected}")]
    Shares {
        /// How many were given.
        given: usize,
        /// How many are needed.
        expected: usize,
    },
    /// Words are asked for one label an example.
    #[error("shares of labels need a classification head; label words learn one label an example")]
    SharesOfWords,
    /// One weight for each label.
    #[error("{weights} class weights were given for {labels} labels")]
    ClassWeights {
        /// How many were given.
        weights: usize,
        /// Labels that there are.
        labels: usize,
    },
    /// A label has nothing that could be said.
    #[error("label {label} has no words: give it at least one with `label_words`")]
    NoWords {
        /// The label's number.
        label: usize,
    },
    /// One list of words for each label.
    #[error("words were given for {given} labels, but there are {labels}")]
    Words {
        /// How many were given.
        given: usize,
        /// Labels that there are.
        labels: usize,
    },
    /// One flag for each layer.
    #[error("{given} layers were marked active or not, but the base has {layers}")]
    ActiveLayers {
        /// How many were given.
        given: usize,
        /// Layers that there are.
        layers: usize,
    },
    /// Training doesn't fit into the memory it may use.
    #[error(
        "training needs at least {} MB, but may use {} MB: allow more, or take smaller batches or shorter examples",
        needed.div_ceil(1_000_000), limit / 1_000_000
    )]
    Memory {
        /// What it may use, in bytes.
        limit: usize,
        /// What it needs when all layers but the last are recomputed, in bytes.
        needed: usize,
    },
    /// An edit head reads what changed.
    #[error(
        "an edit head reads which tokens changed and counters of it: set them with `PackedBatch::set_changes`"
    )]
    NoChanges,
    /// Changes that nothing would read, though more rows would be computed for them.
    #[error("the batch says which tokens changed, which this head does not read: leave `set_changes` out")]
    UnreadChanges,
    /// A number for each counter that the head reads.
    #[error("the batch has {given} counters of each change, but the head reads {expected}")]
    Counters {
        /// How many the batch has.
        given: usize,
        /// How many the head reads.
        expected: usize,
    },
    /// A language-model head takes the place of a classification head.
    #[error(
        "label words are told by the language-model head, which an edit head is not: take the pooled head, or no words"
    )]
    WordsBesideEdit,
    /// Hidden states can only be kept above a layer.
    #[error(
        "hidden states can be kept below a layer from 1 to {layers}, the last of which is the head, not {layer}"
    )]
    CacheLayer {
        /// What was asked for.
        layer: usize,
        /// Layers that there are.
        layers: usize,
    },
    /// Kept hidden states can't be written or read.
    #[error("hidden states can't be kept in {}: make room there, or leave `cache_states` out", folder.display())]
    Cache {
        /// The folder of their file.
        folder: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// One factor for each layer.
    #[error("{given} factors of adapters were given, but the base has {layers} layers")]
    AdapterFactors {
        /// How many were given.
        given: usize,
        /// Layers that there are.
        layers: usize,
    },
    /// The engine was made for inference only.
    #[error("this engine was made without memory for training: set `training` in its options")]
    NotForTraining,
    /// Layers are to train, but have no adapters.
    #[error("layers were marked active, but there are no adapters to train: give adapter settings")]
    NothingToTrain,
    /// An adapter can't become part of its base.
    #[error("the adapter can't be merged into the base: {why}")]
    NotMerged {
        /// What stands in the way.
        why: &'static str,
    },
    /// Without adapters there is nothing to weaken.
    #[error(
        "layers can be weakened by their adapters only, but here their own weights train: take another method than ist, or `tune = \"adapters\"`"
    )]
    NothingToWeaken,
}

impl From<BaseError> for ModelError {
    fn from(error: BaseError) -> Self {
        match error {
            BaseError::Config(error) => Self::Config(error),
            BaseError::Weight(error) => Self::Weight(error),
            BaseError::Tokenizer(error) => Self::Tokenizer(error),
            error => Self::Base(error),
        }
    }
}

impl From<SiteError> for ModelError {
    fn from(error: SiteError) -> Self {
        match error {
            SiteError::Weight(error) => Self::Weight(error),
            SiteError::Device(error) => Self::Device(error),
        }
    }
}
