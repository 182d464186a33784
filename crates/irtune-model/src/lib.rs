//! Decoder language models with adapters: their files, their tokenizers, their forward and backward pass.
//!
//! - [`base`]: [`Base::open`] gives a model as it lies on disk: configuration, memory-mapped weights, tokenizer.
//! - [`families`]: the model families that are read, as data.
//! - [`adapters`]: what trains beside the frozen matrices, forward beside backward.
//! - [`batch`]: examples packed as a shared prefix tree.
//! - [`engine`]: [`engine_over`] makes what classifies and trains, over any [`Device`](irtune_device::Device).
//! - [`quantise`]: smaller GGUF files of a GGUF.
//! - [`peft`], [`tuned_weights`], [`merge`]: what was trained as files, and whole models of it.
#![forbid(unsafe_code)]

pub mod adapters;
pub mod base;
pub mod batch;
mod classifier_head;
mod decoder;
pub mod engine;
pub mod error;
pub mod families;
mod head;
pub mod host_tensor;
mod layer;
pub mod merge;
mod parameters;
pub mod peft;
pub mod quantise;
mod safetensors_file;
pub mod spectrum;
pub mod tuned_weights;

pub use adapters::{
    AdapterConfig, AdapterConfigError, BottleneckActivation, BottleneckConfig, BottleneckPlace, DoraConfig,
    Ia3Config, LoraConfig, LoraInit, PatternError, Patterns, Projection, Trained, UnknownProjection,
    merged_weight,
};
pub use base::{Base, BaseError, BaseFormat, BaseSource, OtherBase, chat, config, tokenizer, weights};
pub use batch::{BatchError, ChangedTokens, PackedBatch, SHORTEST_SHARED};
pub use chat::{ChatError, ChatTemplate, Message, Role};
pub use classifier_head::ClassifierHead;
pub use config::{ConfigError, ModelConfig};
pub use engine::{
    Budget, BudgetOf, Classify, Engine, EngineOptions, StateDict, StepReadings, Train, TrainingPass,
    engine_over,
};
pub use error::ModelError;
pub use families::{FAMILIES, Family, RopeScaling};
pub use head::{CounterScaling, Head, HeadInput, NamedHead, ProblemType};
pub use host_tensor::HostTensor;
pub use irtune_device::{AdamW, DropoutKey, LossOptions, Precision, Targets, UnknownPrecision};
pub use merge::{Changes, MergeError, Merged, MergedType, UnknownMergedType, write_merged};
pub use parameters::{WEIGHTS_HEAD_NAME, checked::ParameterError};
pub use peft::{
    AdapterError, AdapterFolder, EDIT_HEAD_FILE, HeadFolder, classifier_path, read_adapter, read_head,
    read_head_input, write_adapter, write_head,
};
pub use tokenizer::{Tokenizer, TokenizerError};
pub use tuned_weights::{TunedWeights, TunedWeightsError, read_tuned_weights, write_tuned_weights};
pub use weights::{Tensor, WeightError, Weights};
