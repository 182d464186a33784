//! What trains and classifies: a base with adapters and a head, on a device that is chosen when it is made.
//!
//! An [`Engine`] is three things: it classifies ([`Classify`]), trains ([`Train`]), and gives and takes its parameters
//! ([`StateDict`]).

mod classify;
mod state;
mod train;

use std::sync::Arc;

use irtune_device::Device;

use crate::{adapters::Trained, base::Base, decoder::Decoder, error::ModelError, head::Head};

pub use crate::decoder::{Budget, BudgetOf, EngineOptions, StepReadings, TrainingPass};
pub use classify::Classify;
pub use state::StateDict;
pub use train::Train;

/// A base with adapters and a classification head.
pub trait Engine: Classify + Train + StateDict + Send {}

impl<T: Classify + Train + StateDict + Send> Engine for T {}

/// Makes an engine over `base` that computes on `device`: adapters initialised as PEFT does (LoRA's A uniform within 1/√inputs, B zero), the head
/// drawn from a normal distribution with the base's initializer range, both from `seed`. A number of labels stands for a
/// head over the last token's state.
///
/// # Errors
/// When the base lacks a tensor, a tensor has another shape than its configuration says, or settings are unusable.
pub fn engine_over<D: Device + 'static>(
    device: D,
    base: Arc<Base>,
    trained: Trained,
    head: impl Into<Head>,
    seed: u64,
    options: EngineOptions,
) -> Result<Box<dyn Engine>, ModelError> {
    Ok(Box::new(Decoder::new(device, base, trained, head.into(), seed, options)?))
}
