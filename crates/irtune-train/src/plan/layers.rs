//! Which layers will train in each step.

use crate::error::TrainError;
use crate::prepare::make_policy;
use crate::settings::TrainSettings;
use irtune_select::{Draws as _, Evidence, GradientNorms, LayerPolicy, LayerSet, Probe, StepDraws};

/// The steps whose layers are found out; those after them are like the last ones.
const LOOKED_AT: u64 = 1000;

/// Which layers train, as far as it can be known.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    /// By step.
    sets: Vec<LayerSet>,
    /// The lowest layer that will ever train, where hidden states below it are kept; else 0.
    pub(crate) kept_below: usize,
    /// Forward passes that the method adds to a step, by step.
    probes: Vec<u64>,
}

impl Chosen {
    /// The layers of a step.
    pub(crate) fn layers(&self, step: u64) -> &LayerSet {
        &self.sets[(step as usize).min(self.sets.len() - 1)]
    }

    /// Forward passes beside the step's own: those of later steps come round as those of the known ones.
    pub(crate) fn probes(&self, step: u64) -> u64 {
        self.probes[step as usize % self.probes.len()]
    }
}

/// Lets the method choose for each step, from made-up evidence where it asks for some: how many layers train follows from
/// the method, which ones decides little about time.
///
/// # Errors
/// When there is no such method, or not for so many layers.
pub(crate) fn chosen(settings: &TrainSettings, layers: usize, steps: u64) -> Result<Chosen, TrainError> {
    let mut policy = make_policy(settings, layers)?;
    let keeps = settings.cache_states || settings.head_only;
    let (mut sets, mut probes) = (Vec::new(), Vec::new());
    for step in 0..steps.clamp(1, LOOKED_AT) {
        let (set, asked) = one(policy.as_mut(), settings.seed, step, layers)?;
        sets.push(set);
        probes.push(asked);
    }
    Ok(Chosen { sets, probes, kept_below: if keeps { policy.lowest() } else { 0 } })
}

/// Counts losses that are asked for, and gives them all the same value.
struct Counted(u64);

impl Probe for Counted {
    fn loss(&mut self, _: &LayerSet, _: f64) -> Option<f64> {
        self.0 += 1;
        Some(1.0)
    }
}

fn one(
    policy: &mut dyn LayerPolicy,
    seed: u64,
    step: u64,
    layers: usize,
) -> Result<(LayerSet, u64), TrainError> {
    let needs = policy.needs();
    let (mut draws, mut made_up) = (StepDraws::new(seed, step), StepDraws::new(!seed, step));
    let mut numbers = || (0..layers).map(|_| made_up.unit()).collect::<Vec<f64>>();
    let (weights, cosines, sizes) = (numbers(), numbers(), numbers());
    let mut probe = Counted(0);
    let mut before = Evidence::new(step, layers, &mut draws);
    if needs.weights.is_some() {
        before = before.with_weights(&weights);
    }
    if needs.probes {
        before = before.with_probe(&mut probe);
    }
    let set = policy.select(&mut before)?;
    let mut norms = GradientNorms::new(layers);
    set.iter().for_each(|layer| norms.measure(layer).push(sizes[layer]));
    let mut after = Evidence::new(step, layers, &mut draws);
    if needs.gradient_norms {
        after = after.with_gradient_norms(&norms);
    }
    if needs.layer_cosines {
        after = after.with_layer_cosines(&cosines);
    }
    policy.observe(&after)?;
    Ok((set, probe.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use irtune_select::METHODS;

    #[test]
    fn every_method_chooses_without_a_model() {
        for method in METHODS {
            let settings = TrainSettings { method: method.name.to_owned(), ..TrainSettings::default() };
            let settings = match method.name {
                "fixed" => TrainSettings {
                    method_options: crate::MethodOptions::of([("layers", "top:3")]),
                    ..settings
                },
                _ => settings,
            };
            let chosen = chosen(&settings, 12, 40).unwrap();
            assert!(!(0..60).any(|step| chosen.layers(step).count() == 0), "{}", method.name);
            let asks = (0..40).any(|step| chosen.probes(step) > 0);
            assert_eq!(asks, method.name == "ist");
        }
    }

    #[test]
    fn states_are_kept_below_what_never_trains() {
        let settings = TrainSettings {
            method: "fixed".to_owned(),
            method_options: crate::MethodOptions::of([("layers", "top:3")]),
            cache_states: true,
            ..TrainSettings::default()
        };
        assert_eq!(chosen(&settings, 12, 4).unwrap().kept_below, 9);
        let settings = TrainSettings { head_only: true, ..TrainSettings::default() };
        let chosen = chosen(&settings, 12, 4).unwrap();
        assert_eq!((chosen.kept_below, chosen.layers(0).count()), (12, 0));
    }
}
