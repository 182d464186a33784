//! The devices that there are: a precision becomes an engine here, and nowhere else.

use std::sync::Arc;

use irtune_cpu::{Cpu, bf16, gemm::Integers};

use irtune_model::{Base, Engine, EngineOptions, Head, ModelError, Precision, Trained, engine_over};

pub use irtune_cpu::is_slow_here;

/// Which device computes, and how much of it.
#[derive(Clone, Copy, Debug)]
pub struct DeviceOptions {
    /// Precision of operands.
    pub precision: Precision,
    /// Threads of the device's own pool; inside a rayon pool the device uses that one instead.
    pub threads: usize,
}

impl DeviceOptions {
    /// All cores where no number of threads is given.
    pub(crate) fn of(precision: Precision, threads: Option<usize>) -> Self {
        Self { precision, threads: threads.unwrap_or_else(cores) }
    }
}

/// Cores the system gives to the program.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The precision that a machine computes in where another is asked for, or it is left to the machine.
pub fn resolved(precision: Precision) -> Precision {
    match irtune_cpu::resolve_precision(precision) {
        Precision::Auto => Precision::Bf16,
        precision => precision,
    }
}

/// Bytes of a value that enters GEMMs.
pub fn operand_bytes(precision: Precision) -> usize {
    match resolved(precision) {
        Precision::F32 => size_of::<f32>(),
        Precision::Bf16 | Precision::Int16 | Precision::Int8 | Precision::Auto => size_of::<bf16>(),
    }
}

/// Makes an engine over the device that computes in this precision.
///
/// # Errors
/// As [`engine_over`], and when the threads can't be started.
pub fn engine(
    device: DeviceOptions,
    base: Arc<Base>,
    trained: Trained,
    head: impl Into<Head>,
    seed: u64,
    options: EngineOptions,
) -> Result<Box<dyn Engine>, ModelError> {
    let threads = device.threads;
    match irtune_cpu::resolve_precision(device.precision) {
        Precision::F32 => engine_over(Cpu::<f32>::new(threads)?, base, trained, head, seed, options),
        Precision::Int16 => {
            let device = Cpu::<bf16>::with_integers(threads, Integers::Int16)?;
            engine_over(device, base, trained, head, seed, options)
        }
        Precision::Int8 => {
            let device = Cpu::<bf16>::with_integers(threads, Integers::Int8)?;
            engine_over(device, base, trained, head, seed, options)
        }
        Precision::Bf16 | Precision::Auto => {
            engine_over(Cpu::<bf16>::new(threads)?, base, trained, head, seed, options)
        }
    }
}
