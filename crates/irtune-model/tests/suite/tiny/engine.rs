//! Engines over the CPU, by the name of a precision.

use std::sync::Arc;

use irtune_cpu::{Cpu, bf16, gemm::Integers};
use irtune_model::{Base, Engine, Head, ModelError, Precision, Trained, engine_over};

/// A device and an engine's options together.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    pub precision: Precision,
    pub threads: usize,
    pub max_tokens: usize,
    pub max_examples: usize,
    pub training: bool,
    pub memory_bytes: Option<usize>,
}

/// An engine over the CPU.
pub fn engine(
    base: Arc<Base>,
    trained: Trained,
    head: impl Into<Head>,
    seed: u64,
    options: EngineOptions,
) -> Result<Box<dyn Engine>, ModelError> {
    let EngineOptions { precision, threads, max_tokens, max_examples, training, memory_bytes } = options;
    let options = irtune_model::EngineOptions { max_tokens, max_examples, training, memory_bytes };
    match precision {
        Precision::F32 => engine_over(Cpu::<f32>::new(threads)?, base, trained, head, seed, options),
        Precision::Bf16 => engine_over(Cpu::<bf16>::new(threads)?, base, trained, head, seed, options),
        Precision::Int16 | Precision::Int8 => {
            let width = if precision == Precision::Int8 { Integers::Int8 } else { Integers::Int16 };
            let device = Cpu::<bf16>::with_integers(threads, width)?;
            engine_over(device, base, trained, head, seed, options)
        }
        Precision::Auto => panic!("tests choose their precision"),
    }
}
