//! Which layers train in a step: the layer-wise fine-tuning methods.
//!
//! A method is a [`LayerPolicy`] over plain numbers, one file each, listed in [`METHODS`]. This crate knows no
//! tensors, no files and no clock: what a policy may look at comes in through [`Evidence`], random numbers
//! included, so a choice is a function of the policy's state, the seed and the step alone.
#![forbid(unsafe_code)]

mod draws;
mod error;
mod evidence;
mod full;
mod ir;
mod ir_options;
mod layer_set;
mod methods;
mod policy;
pub mod split;
mod state;

pub use draws::{Draws, StepDraws};
pub use error::SelectError;
pub use evidence::{Evidence, GradientNorms};
pub use full::Full;
pub use ir::{Ir, IrConfig};
pub use ir_options::{Fidelity, SplitNum};
pub use layer_set::LayerSet;
pub use methods::{METHODS, Method, MethodOption, method};
pub use policy::{LayerPolicy, Signals};
pub use state::PolicyState;
