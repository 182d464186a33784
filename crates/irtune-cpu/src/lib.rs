//! CPU operations of a decoder language model: every forward beside its backward, slices in, slices out.
//!
//! Matrices are row-major; a batch is *packed*: one matrix `[tokens, width]` without padding.
//! Operands of matrix products are [`Element`]s (bf16 or f32), sums are f32. Each operation is compiled for the
//! instruction sets of the `level` module and chosen at run time. [`Cpu`] puts them behind the contract of
//! `irtune-device`. Beside the one block there that maps files, all `unsafe` code of the workspace is here: SIMD
//! intrinsics, and writing disjoint tiles of one matrix from several threads.

pub mod activation;
pub mod adamw;
pub mod attention;
pub mod bias;
pub mod columns;
mod device;
pub mod direction;
pub mod dropout;
pub mod element;
mod exponential;
#[cfg(target_arch = "x86_64")]
mod four_bits;
pub mod head_norm;
mod integer;
mod level;
pub mod loss;
pub mod matrix;
mod microkernel;
pub mod norm;
mod pack;
mod parallel;
pub mod peak;
mod prefetch;
pub mod product;
pub mod rotary;
pub mod rows;
mod scratch;
pub mod swiglu;
pub mod token_loss;
mod transpose;
pub mod weight;

pub use device::Cpu;
pub use element::Element;
pub use half::bf16;
pub use integer::Width;
pub use level::{Level, has_vnni, level};
pub use matrix::{Matrix, MatrixMut};
pub use scratch::{Settled, settle};
