//! The contract between a decoder and the hardware that computes it.
//!
//! A decoder with adapters is written once, over the trait [`Device`]. A device brings its own buffers and the
//! operations on them, each forward beside its backward. The operations are grouped by subject: [`Memory`], [`Gemm`],
//! [`DecoderOps`], [`AdapterOps`], [`Losses`] and [`Optimizer`].
//!
//! Matrices are row-major and packed. A buffer may be longer than the rows in use, which always start at its
//! beginning. A batch is one matrix `[tokens, width]` without padding.
//!
//! The crate also holds the plain types that both sides need: how a model file stores a matrix ([`Format`],
//! [`WeightView`], [`FrozenMatrix`]), what an attention runs over ([`AttentionShape`]), and the settings of losses and
//! optimizer. The feature `conformance` adds checks that any device can run in its tests.
//!
//! The crate has one `unsafe` block, which maps a file into memory ([`MappedFile`]). Everything else is safe code.
#![deny(unsafe_code)]

mod activation;
mod adapter_ops;
mod attention;
#[cfg(feature = "conformance")]
pub mod conformance;
mod decoder_ops;
mod dora;
mod dropout;
mod error;
mod gate;
mod gemm;
mod layout;
mod loss;
mod mapped_file;
mod memory;
mod optimizer;
mod pooling;
mod precision;
mod rotary;
pub mod weight;

pub use activation::Activation;
pub use adapter_ops::AdapterOps;
pub use attention::{
    Attention, AttentionGradients, AttentionInputs, AttentionOutputs, AttentionShape, Scores,
};
pub use decoder_ops::{DecoderOps, Norm, NormInput};
pub use dora::{DoraMatrix, DoraNorms, DoraPlace, DoraScratch};
pub use dropout::{DropoutKey, MaskRef, mix_key};
pub use error::DeviceError;
pub use gate::Gate;
pub use gemm::{BMatrix, Epilogue, FloatMatrix, Gemm, LowRank, Output, Side, Term};
pub use layout::{BatchLayout, Pick, RowSet, Segment};
pub use loss::{CrossEntropy, HeadShape, LossOptions, Losses, PickRows, Targets};
pub use mapped_file::MappedFile;
pub use memory::{Memory, Slot};
pub use optimizer::{AdamW, Optimizer, OptimizerState, Stretch};
pub use pooling::{Pooling, RowSums, RowTerm};
pub use precision::{Precision, UnknownPrecision};
pub use rotary::RotaryTable;
pub use weight::{Format, FrozenMatrix, Stored, WeightView};

/// Everything that a decoder with adapters asks of the hardware.
///
/// Implement the traits it bundles; this one then comes by itself. Shapes that disagree are a mistake of the caller:
/// an operation panics on them.
pub trait Device: Memory + Gemm + DecoderOps + AdapterOps + Losses + Optimizer {}

impl<D: Memory + Gemm + DecoderOps + AdapterOps + Losses + Optimizer> Device for D {}
