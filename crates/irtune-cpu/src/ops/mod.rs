//! Operations of a decoder beside GEMM and attention, each forward beside its backward.

pub mod activation;
pub mod adamw;
pub mod bias;
pub mod columns;
pub mod cosine;
pub mod direction;
pub mod dropout;
pub mod gated;
pub mod head_norm;
pub mod loss;
pub mod norm;
pub mod pool;
pub mod rotary;
pub mod rows;
pub mod token_loss;
