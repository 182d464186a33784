//! Writes the best model of a run.

use crate::settings::{Objective, TrainSettings, Tune};
use irtune_data::LabelSet;
use irtune_model::{
    Base, HeadInput, HostTensor, ModelError, NamedHead, write_adapter, write_head, write_tuned_weights,
};
use std::path::Path;

/// Writes what trained, and the head, as a folder that [`crate::Predictor`] can load: an adapter, or tuned weights.
pub type Export<'a> = &'a dyn Fn(&Path, &[HostTensor]) -> Result<(), ModelError>;

pub(crate) fn exporter<'a>(
    base: &'a Base,
    settings: &TrainSettings,
    labels: &'a LabelSet,
    input: HeadInput,
    base_name: &'a str,
) -> impl Fn(&Path, &[HostTensor]) -> Result<(), ModelError> + use<'a> {
    let adapter = settings.adapter_for(&base.config).map(|adapter| adapter.exported());
    let tune = settings.tune;
    // A language model knows no labels.
    let problem = settings.problem();
    let labels = match settings.objective {
        Objective::Head => labels.names(),
        Objective::Words => &[],
    };
    move |path, tensors| {
        // What was trained over another file's bytes is no model of this base.
        base.check_unchanged()?;
        let (config, head) = (&base.config, NamedHead { labels, input: &input, problem });
        match (&adapter, tune) {
            (_, Tune::Weights) => write_tuned_weights(path, config, head, tensors)?,
            (Some(adapter), _) => write_adapter(path, adapter, config, base_name, head, tensors)?,
            (None, _) => write_head(path, config, head, tensors)?,
        }
        Ok(())
    }
}
