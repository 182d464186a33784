//! Which layers train in a step: the layer-wise fine-tuning methods.
//!
//! A method is a [`LayerPolicy`] over plain numbers, one file each, listed in [`METHODS`]. This crate knows no
//! tensors, no files and no clock: what a policy may look at comes in through [`Evidence`], random numbers
//! included, so a choice is a function of the policy's state, the step and the evidence alone.
#![forbid(unsafe_code)]

mod badam;
mod draws;
mod error;
mod evidence;
mod fixed;
mod full;
mod gradient_norms;
mod ir;
mod ir_cost;
mod ir_options;
mod ist;
mod layer_set;
mod lisa;
mod methods;
mod option_values;
mod policy;
mod ranking;
mod replay;
mod rst;
pub mod sample;
mod scores;
mod signals;
mod spectrum;
pub mod split;
mod state;

pub use badam::{Badam, Order};
pub use draws::{Draws, StepDraws};
pub use error::SelectError;
pub use evidence::{Evidence, Probe};
pub use fixed::{Fixed, LayerList};
pub use full::Full;
pub use gradient_norms::GradientNorms;
pub use ir::{Ir, IrConfig};
pub use ir_cost::{IrCost, IrCostConfig};
pub use ir_options::{Fidelity, Metric, SplitNum};
pub use ist::Ist;
pub use layer_set::LayerSet;
pub use lisa::{Lisa, LisaConfig, OptimizerState};
pub use methods::{METHODS, Make, Method, MethodOption, method, option_names};
pub use option_values::OptionValues;
pub use policy::{LayerPolicy, unscored};
pub use replay::Replay;
pub use rst::Rst;
pub use signals::{Signals, WeightMeasure};
pub use spectrum::Spectrum;
pub use state::PolicyState;
