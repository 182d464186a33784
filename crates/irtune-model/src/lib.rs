//! Decoder language models with adapters: their files, their tokenizers, their forward and backward pass.
//!
//! [`Base::open`] gives a model as it lies on disk: configuration, memory-mapped weights, tokenizer. An adapter and
//! a classifier's head are trained on top of it and kept in PEFT's format ([`peft`]).
#![forbid(unsafe_code)]

pub mod adapters;
pub mod base;
pub mod batch;
mod decoder;
pub mod engine;
pub mod error;
pub mod families;
pub mod host_tensor;
mod layer;
pub mod merge;
mod parameters;
pub mod peft;
mod safetensors_file;
pub mod spectrum;
pub mod tuned_weights;

pub use adapters::{
    AdapterConfig, AdapterConfigError, BottleneckActivation, BottleneckConfig, BottleneckPlace, DoraConfig,
    Ia3Config, LoraConfig, LoraInit, Projection, Trained, UnknownProjection, merged_weight,
};
pub use base::{Base, BaseError, BaseFormat, BaseSource, config, tokenizer, weights};
pub use batch::{BatchError, PackedBatch, SHORTEST_SHARED};
pub use config::{ConfigError, ModelConfig, RopeScaling};
pub use engine::{
    Classify, Engine, EngineOptions, StateDict, StepReadings, Train, TrainingPass, engine_over,
};
pub use error::ModelError;
pub use families::{FAMILIES, Family};
pub use host_tensor::HostTensor;
pub use irtune_device::{AdamW, DropoutKey, LossOptions, Precision, UnknownPrecision};
pub use merge::{Changes, MergeError, Merged, MergedType, UnknownMergedType, write_merged};
pub use parameters::{WEIGHTS_HEAD_NAME, checked::ParameterError};
pub use peft::{AdapterError, AdapterFolder, HeadFolder, read_adapter, read_head, write_adapter, write_head};
pub use tokenizer::{Tokenizer, TokenizerError};
pub use tuned_weights::{TunedWeights, TunedWeightsError, read_tuned_weights, write_tuned_weights};
pub use weights::{Tensor, WeightError, Weights};
