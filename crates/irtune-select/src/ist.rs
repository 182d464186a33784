//! `ist`: importance-aware sparse tuning, which finds out which layers matter by weakening them.
//!
//! Every layer has a state s, at first 0; the higher, the less important. In every step `⌊0.25 L⌋` layers train, drawn
//! with weights σ(−s). Every `interval` steps, but not at the first, the states are updated before that: up to three
//! different candidate sets of `⌊0.5 L⌋` layers are drawn with weights σ(s), and for each the loss is measured with
//! its layers' adapters scaled by 0.25. A candidate's reward is exp(−loss) less the mean over the candidates, and each
//! of its layers gets `s += 10 · reward · σ(s) (1 − σ(s))`, σ(s) as it was before the update.
//!
//! Sets are drawn by [`sample::weighted`], and hold at least one layer. A candidate equal to an earlier one is drawn
//! again, up to 64 times: a model of one or two layers has fewer than three. Losses are measured on the examples that
//! the step is about to train on (its first micro-batch), where the original takes a batch of its own.
//!
//! # Source
//! Yao et al., "Layer-wise Importance Matters", EMNLP Findings 2024, arXiv 2410.11772;
//! antgroup/importance-aware-sparse-tuning-IST-paper, commit 53ab149.

use std::num::NonZeroU64;

use arrayvec::ArrayVec;

use crate::{
    Evidence, LayerPolicy, LayerSet, Method, MethodOption, PolicyState, SelectError, Signals, sample,
};

const NAME: &str = "ist";
const STATES: &str = "states";
const CANDIDATES: usize = 3;
const ATTEMPTS: usize = 64;
const SUPPRESSION: f64 = 0.25;
const RATE: f64 = 10.0;

const INTERVAL: MethodOption = MethodOption {
    name: "interval",
    summary: "Steps between two updates of the layers' importance, each of which takes three forward passes.",
    values: "a number from `1`, such as `10`",
    default: "10",
};

pub(crate) const METHOD: Method = Method {
    name: NAME,
    summary: "IST: trains a quarter of the layers, drawn by an importance that is learnt from the loss when layers are \
              weakened.",
    options: &[INTERVAL],
    notes: &[],
    make: |layers, options| Ok(Box::new(Ist::new(layers, options.get(&INTERVAL)?)?)),
};

/// The IST policy.
#[derive(Debug, Clone)]
pub struct Ist {
    interval: u64,
    states: Vec<Option<f64>>,
    weights: Vec<f64>,
    drawn: Vec<usize>,
}

impl Ist {
    /// The policy at its start, for a model of `layers` layers, with `interval` steps between updates.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`] if there can be no such model.
    pub fn new(layers: usize, interval: NonZeroU64) -> Result<Ist, SelectError> {
        LayerSet::check_layers(layers)?;
        let (weights, drawn) = (Vec::with_capacity(layers), Vec::with_capacity(layers));
        Ok(Ist { interval: interval.get(), states: vec![Some(0.0); layers], weights, drawn })
    }

    /// A set drawn with weights σ(sign · s).
    fn draw(&mut self, evidence: &mut Evidence<'_>, sign: f64, share: f64) -> Result<LayerSet, SelectError> {
        let layers = self.states.len();
        let count = ((layers as f64 * share) as usize).max(1);
        self.weights.clear();
        self.weights.extend(self.states.iter().map(|state| sigmoid(sign * state.unwrap_or_default())));
        sample::weighted(evidence.draws(), &self.weights, count, &mut self.drawn);
        LayerSet::new(layers, self.drawn.iter().copied())
    }

    fn update(&mut self, evidence: &mut Evidence<'_>) -> Result<(), SelectError> {
        let mut candidates = ArrayVec::<(LayerSet, f64), CANDIDATES>::new();
        for _ in 0..ATTEMPTS {
            let set = self.draw(evidence, 1.0, 0.5)?;
            if candidates.iter().any(|&(earlier, _)| earlier == set) {
                continue;
            }
            candidates.push((set, (-evidence.probe(NAME, &set, SUPPRESSION)?).exp()));
            if candidates.is_full() {
                break;
            }
        }
        let mean = candidates.iter().map(|&(_, gain)| gain).sum::<f64>() / candidates.len() as f64;
        for (layer, state) in self.states.iter_mut().enumerate() {
            let Some(own) = state else { continue };
            let slope = sigmoid(*own) * (1.0 - sigmoid(*own));
            for &(_, gain) in candidates.iter().filter(|(set, _)| set.contains(layer)) {
                *own += (gain - mean) * slope * RATE;
            }
        }
        Ok(())
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl LayerPolicy for Ist {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs(&self) -> Signals {
        Signals::probes()
    }

    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        evidence.expect_layers(NAME, self.states.len())?;
        if evidence.step > 0 && evidence.step.is_multiple_of(self.interval) {
            self.update(evidence)?;
        }
        self.draw(evidence, -1.0, 0.25)
    }

    fn observe(&mut self, _: &Evidence<'_>) -> Result<(), SelectError> {
        Ok(())
    }

    fn scores(&self) -> &[Option<f64>] {
        &self.states
    }

    fn state(&self) -> PolicyState {
        PolicyState::new(NAME).with(STATES, &self.states)
    }

    fn restore(&mut self, state: &PolicyState) -> Result<(), SelectError> {
        let states = state.list(NAME, STATES, self.states.len())?;
        if !states.iter().all(|state| state.is_some_and(f64::is_finite)) {
            return Err(SelectError::StateDamaged { method: NAME, list: STATES });
        }
        self.states.copy_from_slice(states);
        Ok(())
    }
}
