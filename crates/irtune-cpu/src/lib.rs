//! CPU operations of a decoder language model: every forward beside its backward, slices in, slices out.
//!
//! Matrices are row-major. A batch is *packed*: one matrix `[tokens, width]` without padding. Operands of GEMMs are
//! [`Element`]s (bf16 or f32), sums are f32. Every operation is compiled for several instruction sets ([`Level`]), of
//! which the processor's best is chosen at run time.
//!
//! `unsafe` code is for memory mapping, SIMD instructions, and writing disjoint parts of one matrix from several threads.

pub mod attention;
pub mod gemm;
mod mapped;
pub mod matrix;
pub mod ops;
pub mod quant;
mod simd;
mod threads;

pub use half::bf16;
pub use mapped::MappedFile;
pub use matrix::{Matrix, MatrixMut};
pub use simd::{
    at_every_level::at_every_level,
    element::Element,
    level::{InstructionSet, Level, has_vnni, level},
};
pub use threads::scratch::{Settled, settle};
