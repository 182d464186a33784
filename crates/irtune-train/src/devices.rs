//! The devices that there are: a precision becomes an engine here, and nowhere else.

use std::sync::Arc;

use irtune_cpu::{Cpu, Level, bf16, gemm::Integers, has_vnni, level};
use irtune_model::{Base, Engine, EngineOptions, ModelError, Precision, Trained, engine_over};

/// Which device computes, and how much of it.
#[derive(Clone, Copy, Debug)]
pub struct DeviceOptions {
    /// Precision of operands.
    pub precision: Precision,
    /// Threads of the device's own pool; inside a rayon pool the device uses that one instead.
    pub threads: usize,
}

/// Makes an engine over the device that computes in this precision.
///
/// # Errors
/// As [`engine_over`], and when the threads can't be started.
pub fn engine(
    device: DeviceOptions,
    base: Arc<Base>,
    trained: Trained,
    labels: usize,
    seed: u64,
    options: EngineOptions,
) -> Result<Box<dyn Engine>, ModelError> {
    let threads = device.threads;
    match here(device.precision) {
        Precision::F32 => engine_over(Cpu::<f32>::new(threads)?, base, trained, labels, seed, options),
        Precision::Int16 => {
            let device = Cpu::<bf16>::with_integers(threads, Integers::Int16)?;
            engine_over(device, base, trained, labels, seed, options)
        }
        Precision::Int8 => {
            let device = Cpu::<bf16>::with_integers(threads, Integers::Int8)?;
            engine_over(device, base, trained, labels, seed, options)
        }
        Precision::Bf16 | Precision::Auto => {
            engine_over(Cpu::<bf16>::new(threads)?, base, trained, labels, seed, options)
        }
    }
}

/// What `auto` is on this processor; every other precision is itself.
fn here(precision: Precision) -> Precision {
    match (precision, level()) {
        (Precision::Auto, Level::Avx512Bf16) => Precision::Bf16,
        (Precision::Auto, Level::Avx2 | Level::Avx512) => Precision::Int16,
        (Precision::Auto, Level::Portable) => Precision::F32,
        (precision, _) => precision,
    }
}

/// Whether this processor has no instructions for a precision and goes the slow way.
pub fn is_slow_here(precision: Precision) -> bool {
    precision == Precision::Int8 && !has_vnni()
}
