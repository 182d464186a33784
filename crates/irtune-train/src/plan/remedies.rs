//! Settings that would fit where those that are asked for don't.

use super::memory::MemoryPlan;
use super::passes::Steps;
use super::remedy::Remedy;
use crate::error::TrainError;
use crate::run::data::RunData;
use crate::settings::{Adapter, MemoryLimit, TrainSettings, Tune};
use irtune_model::{Base, ModelError, Patterns};

/// Changes of one setting each that fit; those come first that change nothing but time.
///
/// # Errors
/// When examples can't be packed.
pub(crate) fn find(
    base: &Base,
    settings: &TrainSettings,
    data: &RunData,
    steps: &Steps,
    available: Option<u64>,
) -> Result<Vec<Remedy>, TrainError> {
    let Some(available) = available else { return Ok(Vec::new()) };
    let mut changes: Vec<(&'static str, String, TrainSettings)> = Vec::new();
    // Activations that don't fit are recomputed. The limit leaves out what a checkpoint copies, so less is tried too.
    for share in [95, 85, 70, 55, 40] {
        let limit = MemoryLimit::of_megabytes(available / 100 * share / 1_000_000);
        changes.push((
            "memory",
            limit.to_string(),
            TrainSettings { memory: Some(limit), ..settings.clone() },
        ));
    }
    let mut tokens = match settings.micro_batch_tokens {
        0 => 4096,
        tokens => tokens,
    };
    while tokens > 64 {
        tokens /= 2;
        let changed = TrainSettings { micro_batch_tokens: tokens, ..settings.clone() };
        changes.push(("micro_batch_tokens", tokens.to_string(), changed));
    }
    if settings.tune == Tune::Weights {
        let changed = TrainSettings { tune: Tune::Adapters, adapter: Adapter::Lora, ..settings.clone() };
        changes.push(("tune", Tune::Adapters.to_string(), changed));
    }
    let mut rank = settings.rank;
    let has_rank =
        settings.tune == Tune::Adapters && matches!(settings.adapter, Adapter::Lora | Adapter::Dora);
    while has_rank && rank > 4 {
        rank /= 2;
        changes.push(("rank", rank.to_string(), TrainSettings { rank, ..settings.clone() }));
    }
    if settings.tune == Tune::Adapters && !settings.rank_pattern.is_empty() {
        let changed = TrainSettings { rank_pattern: Patterns::default(), ..settings.clone() };
        changes.push(("rank_pattern", "\"\"".to_owned(), changed));
    }
    let mut size = settings.bottleneck_size;
    while settings.tune == Tune::Adapters && settings.adapter == Adapter::Bottleneck && size > 8 {
        size /= 2;
        changes.push((
            "bottleneck_size",
            size.to_string(),
            TrainSettings { bottleneck_size: size, ..settings.clone() },
        ));
    }
    let mut found: Vec<Remedy> = Vec::new();
    for (setting, value, changed) in changes {
        // The mildest change of each setting is enough.
        if found.iter().any(|remedy| remedy.setting == setting) {
            continue;
        }
        // Only the size of passes makes other passes.
        let other = match setting {
            "micro_batch_tokens" => Some(Steps::of(&changed, data, base.config.layers)?),
            _ => None,
        };
        match MemoryPlan::of(base, &changed, data, other.as_ref().unwrap_or(steps)) {
            Ok(memory) if memory.peak_bytes <= available => {
                found.push(Remedy { setting, value, peak_bytes: memory.peak_bytes });
            }
            Ok(_) | Err(TrainError::Model(ModelError::Memory { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
