//! What a run was begun on.

use serde::{Deserialize, Serialize};

use crate::devices::cores;

/// What a run was begun on: `environment.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// Version of this program.
    pub version: String,
    /// Operating system.
    pub operating_system: String,
    /// Kind of processor.
    pub architecture: String,
    /// Cores the system gives to the program.
    pub cores: usize,
    /// Arithmetic of the frozen model.
    pub precision: String,
    /// Threads of the engine.
    pub threads: usize,
    /// Of every random draw.
    pub seed: u64,
}

impl Platform {
    /// This program and machine, with the arithmetic and the threads of a run.
    pub(crate) fn here(precision: &str, threads: usize, seed: u64) -> Platform {
        Platform {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            operating_system: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            cores: cores(),
            precision: precision.to_owned(),
            threads,
            seed,
        }
    }
}
