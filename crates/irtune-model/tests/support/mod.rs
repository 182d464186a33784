//! What the parity tests stand on.
#![allow(dead_code)] // every test binary uses its own part

pub mod golden;
pub mod tolerances;
