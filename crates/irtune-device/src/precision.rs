//! Names of operand precisions.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Precision of the operands of matrix products; sums, residual stream, adapters and optimizer are always f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// bf16 where the processor multiplies it (AVX-512 BF16), `int16` where it has AVX2, else f32.
    #[default]
    Auto,
    /// bf16; processors without bf16 instructions keep activations in it, and multiply them as f32.
    Bf16,
    /// Activations in bf16; GEMMs with the base's weights in 16-bit integers. Each row has a scale for every
    /// quantisation group of at most 512 values of K.
    Int16,
    /// As `int16` in 8-bit integers, with quantisation groups of 64 values of K. Half again as many operations a second
    /// as bf16 where the processor has AVX-512 VNNI, slow where it hasn't.
    Int8,
    /// f32 throughout.
    F32,
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Precision::Auto => "auto",
            Precision::Bf16 => "bf16",
            Precision::Int16 => "int16",
            Precision::Int8 => "int8",
            Precision::F32 => "f32",
        })
    }
}

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(name: &str) -> Result<Self, UnknownPrecision> {
        match name {
            "auto" => Ok(Precision::Auto),
            "bf16" => Ok(Precision::Bf16),
            "int16" => Ok(Precision::Int16),
            "int8" => Ok(Precision::Int8),
            "f32" => Ok(Precision::F32),
            _ => Err(UnknownPrecision { name: name.to_owned() }),
        }
    }
}

/// Not a precision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no precision `{name}`: take auto, bf16, int16, int8 or f32")]
pub struct UnknownPrecision {
    /// What was given.
    pub name: String,
}
