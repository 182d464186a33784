//! Why weights can't be used.

use std::path::PathBuf;

use irtune_device::Format;

use super::gguf::GgufError;

/// The names of the types that are read.
fn read_types() -> String {
    Format::ALL.map(Format::name).join(", ")
}

/// Why weights can't be used.
#[derive(Debug, thiserror::Error)]
pub enum WeightError {
    /// A file can't be opened.
    #[error("cannot open {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A folder without weights.
    #[error(
        "{} holds neither model.safetensors nor model.safetensors.index.json; download the model in the safetensors \
         format, or give a .gguf file",
        folder.display()
    )]
    NoWeights {
        /// The folder.
        folder: PathBuf,
    },
    /// Not a whole safetensors file.
    #[error("{} is no whole safetensors file: {source}; download it again", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: safetensors::SafeTensorError,
    },
    /// A type that the kernels don't decode.
    #[error(
        "{}: the tensor `{tensor}` is stored as {found}, which isn't read; take a file of the model in one of these \
         types: {}",
        path.display(), read_types()
    )]
    ElementType {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// How it is stored.
        found: String,
    },
    /// A matrix of eight-bit floats alone.
    #[error(
        "{}: the tensor `{tensor}` is stored as F8_E4M3, but its scales `{scales}` are missing; download the model again",
        path.display()
    )]
    NoScales {
        /// The file.
        path: PathBuf,
        /// The matrix.
        tensor: String,
        /// Where its scales should be.
        scales: String,
    },
    /// Scales that don't belong to their matrix.
    #[error(
        "{}: the scales `{scales}` don't fit the tensor `{tensor}`; take the model that isn't quantised, or a .gguf file",
        path.display()
    )]
    Scales {
        /// The file.
        path: PathBuf,
        /// The matrix.
        tensor: String,
        /// The tensor with its scales, or with what is said of them.
        scales: String,
    },
    /// The list of shards is damaged.
    #[error("{} is no index of weight files: {source}; download it again", path.display())]
    Index {
        /// The index file.
        path: PathBuf,
        /// Where it went wrong.
        source: serde_json::Error,
    },
    /// The list of shards leads elsewhere.
    #[error("{} names the file `{file}`, which is not a file of that folder; download it again", path.display())]
    IndexFile {
        /// The index file.
        path: PathBuf,
        /// What it names.
        file: String,
    },
    /// The list of shards promises what isn't there.
    #[error("{} has no tensor `{tensor}`, though the index says so; download the model again", path.display())]
    IndexTensor {
        /// The shard.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// A tensor that occurs twice.
    #[error("{}: the tensor `{tensor}` occurs twice; remove the surplus file or download the model again", path.display())]
    Duplicate {
        /// The file with the second one.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// A tensor that the configuration asks for.
    #[error("{}: the tensor `{tensor}` is missing; does config.json belong to these weights?", path.display())]
    Missing {
        /// The file, or the first of several.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// A tensor of another size than the configuration asks for.
    #[error(
        "{}: the tensor `{tensor}` has the shape {found:?}, but the configuration asks for {expected:?}; do both belong to \
         the same model?",
        path.display()
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
        /// What is needed.
        expected: Vec<usize>,
    },
    /// The file was not left alone while it was in use.
    #[error(
        "{}: the file was changed, replaced or cut short while it was in use, so nothing that was computed since is sure; put \
         the base's own file back, leave it alone, and run this again",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// More layers than tensors.
    #[error(
        "{}: the weights are {tensors} tensors, too few for {layers} layers; does the configuration belong to these weights?",
        path.display()
    )]
    TooFewTensors {
        /// The first file.
        path: PathBuf,
        /// How many tensors there are.
        tensors: usize,
        /// Layers of the configuration.
        layers: usize,
    },
    /// A tensor of a layer that isn't part of the computation.
    #[error(
        "{}: the tensor `{tensor}` has no place in a {family} decoder of {layers} layers and would be left out; choose \
         another base",
        path.display()
    )]
    Surplus {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The decoder's family.
        family: &'static str,
        /// Layers of the configuration.
        layers: usize,
    },
    /// The GGUF can't be used.
    #[error(transparent)]
    Gguf(#[from] GgufError),
}
