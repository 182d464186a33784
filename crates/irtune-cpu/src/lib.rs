//! The processor as a device: operations of a decoder language model, every forward beside its backward.
//!
//! The operations take slices and write slices. Matrices are row-major. A batch is *packed*: one matrix
//! `[tokens, width]` without padding. Operands of GEMMs are [`Element`]s (bf16 or f32), sums are f32. Every operation is
//! compiled for several instruction sets ([`Level`]), of which the processor's best is chosen at run time. [`Cpu`] puts
//! the operations behind the contract of `irtune-device`.
//!
//! `unsafe` code is for SIMD instructions, and for writing disjoint parts of one matrix from several threads.

pub mod attention;
mod device;
pub mod gemm;
pub mod matrix;
pub mod ops;
pub mod quant;
mod simd;
mod threads;

pub use device::{Cpu, is_slow_here, resolve_precision};
pub use half::bf16;
pub use matrix::{Matrix, MatrixMut};
pub use simd::{
    at_every_level,
    element::Element,
    level::{InstructionSet, Level, has_vnni, level},
};
