//! Why an adapter folder can't be written or read.

use std::path::PathBuf;

use crate::{
    adapters::{config::AdapterConfigError, patterns::PatternError},
    weights::WeightError,
};

/// Why an adapter folder can't be written or read.
#[derive(Debug, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "the fields' names recur and say what they are: the file, the tensor, the field"
)]
pub enum AdapterError {
    /// A file can't be read.
    #[error("cannot read {}: {source}; an adapter folder holds adapter_config.json and adapter_model.safetensors", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// A file or folder can't be written.
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    /// The folder holds something else, which replacing it would delete.
    #[error("{} holds `{file}`, which is no part of an adapter: give a new or an empty folder", path.display())]
    Foreign { path: PathBuf, file: String },
    /// Not JSON.
    #[error("{} is not a JSON object: {source}; copy the adapter again", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    /// A field that is missing or holds something else than it should.
    #[error("{}: `{field}` is {found}, but must be {expected}", path.display())]
    Field { path: PathBuf, field: &'static str, found: String, expected: &'static str },
    /// A pattern that is no regular expression.
    #[error("{}: {field}: {source}", path.display())]
    Pattern { path: PathBuf, field: &'static str, source: PatternError },
    /// A kind of adapter that isn't built.
    #[error("{}: `{field}` is {value}, which is not supported; train an adapter with {supported}", path.display())]
    Unsupported { path: PathBuf, field: &'static str, value: String, supported: &'static str },
    /// A field that PEFT had not when this was written.
    #[error(
        "{}: `{field}` is {value}, and no such field is known: it may change what the adapter computes; take it out of the file \
         if it doesn't",
        path.display()
    )]
    Unknown { path: PathBuf, field: String, value: String },
    /// A module that has no place in a decoder layer.
    #[error(
        "{}: `target_modules` names `{target}`, which is no projection of a decoder layer (q_proj, k_proj, v_proj, o_proj, \
         gate_proj, up_proj, down_proj are)",
        path.display()
    )]
    Target { path: PathBuf, target: String },
    /// Settings that can't be used.
    #[error("{}: {source}", path.display())]
    Config { path: PathBuf, source: AdapterConfigError },
    /// PiSSA's matrices mean nothing without the ones they started from.
    #[error("{}: PiSSA's matrices are written as a LoRA of twice the rank: convert them first", path.display())]
    Unconverted { path: PathBuf },
    /// The tensors' file is damaged.
    #[error(transparent)]
    Weight(#[from] WeightError),
    /// The tensors can't be written as a file.
    #[error("cannot write {}: {source}", path.display())]
    Serialize { path: PathBuf, source: safetensors::SafeTensorError },
    /// A tensor that the settings ask for.
    #[error("{}: the tensor `{tensor}` is missing; copy the adapter again", path.display())]
    MissingTensor { path: PathBuf, tensor: String },
    /// Counters without their scaling.
    #[error(
        "{}: `edit_head` must hold `counters`, and as many numbers in `mean` and in `deviation`, these above 0; copy the adapter again",
        path.display()
    )]
    EditHead { path: PathBuf },
    /// A tensor of another size.
    #[error(
        "{}: the tensor `{tensor}` has the shape {found:?}, but {expected:?} is needed; does the adapter belong to this base?",
        path.display()
    )]
    Shape { path: PathBuf, tensor: String, found: Vec<usize>, expected: Vec<usize> },
    /// A tensor that would be left out.
    #[error(
        "{}: the tensor `{tensor}` has no place in this adapter and would be left out; does the adapter belong to this base?",
        path.display()
    )]
    Surplus { path: PathBuf, tensor: String },
    /// Labels that aren't numbered from 0.
    #[error("{}: `id2label` must name the labels 0, 1, 2 and so on, each once", path.display())]
    Labels { path: PathBuf },
    /// Not as many labels as rows in the head.
    #[error("{}: there are {labels} labels, but the head has {rows} rows; copy the adapter again", path.display())]
    LabelCount { path: PathBuf, labels: usize, rows: usize },
}
