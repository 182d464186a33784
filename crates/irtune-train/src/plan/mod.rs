//! What a run will take, before it is begun: memory, and time.
//!
//! Nothing is trained and nothing is written. The pairs are read and encoded as a run does it, so the tokens of every
//! step are known exactly. Memory follows from them and from the engine's own sizes ([`MemoryPlan`]). Time is that of a
//! few layers of the very base, measured for about two seconds, times the layers that each step will compute
//! ([`TimePlan`]).

mod layers;
mod memory;
mod passes;
mod remedies;
mod remedy;
mod system_memory;
mod timing;

use serde::Serialize;

use crate::devices::{self, DeviceOptions};
use crate::error::TrainError;
use crate::prepare::{self, Loaded, Origin};
use crate::run::observer::Observer;
use crate::run::request::{TrainRequest, absolute};
use irtune_data::PromptChoice;

pub(crate) use memory::check;
pub use memory::{MemoryPlan, usual_bytes};
pub use remedy::Remedy;
pub use timing::TimePlan;

/// What a run will take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Arithmetic of the engine.
    pub precision: String,
    /// Threads of the engine.
    pub threads: usize,
    /// Layers of the base.
    pub layers: usize,
    /// Training pairs.
    pub train_examples: usize,
    /// Validation pairs.
    pub validation_examples: usize,
    /// Test pairs.
    pub test_examples: usize,
    /// Memory.
    pub memory: MemoryPlan,
    /// Settings that would fit, where these don't.
    pub remedies: Vec<Remedy>,
    /// Time; nothing where the settings don't fit.
    pub time: Option<TimePlan>,
}

/// Seconds that a plan measures for, usually.
pub const MEASURED_SECONDS: f64 = 2.0;

/// Plans a run; times a few layers for so many seconds, once at least.
///
/// # Errors
/// As [`crate::train`] before its first step.
pub fn plan(
    request: &TrainRequest,
    measured_seconds: f64,
    observer: &mut dyn Observer,
) -> Result<Plan, TrainError> {
    let problems = request.settings.problems();
    if !problems.is_empty() {
        return Err(TrainError::Settings { problems });
    }
    let mut settings = request.settings.clone();
    settings.class_weights = settings.class_weights.loaded()?;
    let prompt = PromptChoice::named_or_file(&settings.prompt)?;
    let sources = request.sources()?;
    let path = absolute(&request.base)?;
    let asked = prepare::Preparation {
        settings: &settings,
        sources: &sources,
        columns: &request.columns,
        base: &path,
        origin: Origin::New(prompt),
    };
    let Loaded { base, task, data, .. } = prepare::load(&asked, observer)?;
    settings.resolve_targets(&base.config)?;
    let steps = passes::Steps::of(&settings, &data, base.config.layers)?;
    let memory = MemoryPlan::of(&base, &settings, &data, &steps)?;
    let remedies = match memory.fits() {
        true => Vec::new(),
        false => remedies::find(&base, &settings, &data, &steps, memory.available_bytes)?,
    };
    let time = match memory.fits() {
        true => {
            let chosen = layers::chosen(&settings, base.config.layers, steps.total)?;
            let of = timing::Of {
                layers: base.config.layers,
                path: &path,
                settings: &settings,
                task: &task,
                data: &data,
                memory: &memory,
                seconds: measured_seconds,
            };
            Some(timing::time(of, &steps, &chosen)?)
        }
        false => None,
    };
    Ok(Plan {
        precision: devices::resolved(settings.precision).to_string(),
        threads: DeviceOptions::of(settings.precision, settings.threads).threads,
        layers: base.config.layers,
        train_examples: data.train.len(),
        validation_examples: data.validation.len(),
        test_examples: data.test.len(),
        memory,
        remedies,
        time,
    })
}
