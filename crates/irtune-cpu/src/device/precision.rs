//! Which precisions this processor is fast in.

use irtune_device::Precision;

use crate::simd::level::{Level, has_vnni, level};

/// What [`Precision::Auto`] is on this processor; every other precision is itself.
pub fn resolve_precision(precision: Precision) -> Precision {
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
