//! `spectrum`: the layers whose frozen weights hold the most signal, chosen once.
//!
//! A layer's number is the mean over its matrices of the signal-to-noise ratio of their singular values, measured by
//! the engine before the first step. The layers of the highest numbers train, higher layers first on ties. The
//! original chooses matrices, the same share of each kind; here a layer trains as a whole.
//!
//! # Source
//! Hartford et al., "Spectrum", 2024, arXiv 2406.06623; `spectrum.py` of cognitivecomputations/spectrum, commit
//! 0ed1756.

use crate::option_values::Share;
use crate::ranking::Ranking;
use crate::scores::Scores;
use crate::{
    Evidence, LayerPolicy, LayerSet, Method, MethodOption, PolicyState, SelectError, Signals, WeightMeasure,
};

const NAME: &str = "spectrum";

const SHARE: MethodOption = MethodOption {
    name: "share",
    summary: "Share of the layers that train, rounded down but never to none.",
    values: "a number above 0 up to 1, such as `0.25`",
    default: "0.25",
};

pub(crate) const METHOD: Method = Method {
    name: NAME,
    summary: "Spectrum: trains the share of layers whose frozen weights have the highest signal-to-noise ratio, the \
              same in every step.",
    options: &[SHARE],
    notes: &[],
    make: |layers, options| Ok(Box::new(Spectrum::new(layers, options.get::<Share>(&SHARE)?.0)?)),
};

/// The Spectrum policy.
#[derive(Debug, Clone)]
pub struct Spectrum {
    count: usize,
    ratios: Scores,
    ranking: Ranking,
    /// What trains, once the ratios are known.
    chosen: Option<LayerSet>,
}

impl Spectrum {
    /// The policy for a model of `layers` layers, a share of which trains, above 0 and at most 1.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`] if there can be no such model.
    pub fn new(layers: usize, share: f64) -> Result<Spectrum, SelectError> {
        LayerSet::check_layers(layers)?;
        let count = ((layers as f64 * share) as usize).clamp(1, layers);
        Ok(Spectrum { count, ratios: Scores::new(layers), ranking: Ranking::new(layers), chosen: None })
    }

    /// The layers of the highest ratios.
    fn choose(&mut self) -> Result<LayerSet, SelectError> {
        let layers = self.scores().len();
        self.ranking.sort(self.ratios.get().iter().map(|ratio| ratio.unwrap_or_default()));
        self.ranking.set(layers - self.count..layers)
    }
}

impl LayerPolicy for Spectrum {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs(&self) -> Signals {
        match self.scores().contains(&None) {
            true => Signals::weights(WeightMeasure::SignalToNoise),
            false => Signals::none(),
        }
    }

    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        let layers = self.scores().len();
        evidence.expect_layers(NAME, layers)?;
        if self.scores().contains(&None) {
            self.ratios.set(evidence.weights(NAME)?);
        }
        let set = self.choose()?;
        self.chosen = Some(set);
        Ok(set)
    }

    fn observe(&mut self, _: &Evidence<'_>) -> Result<(), SelectError> {
        Ok(())
    }

    fn lowest(&self) -> usize {
        self.chosen.and_then(|set| set.iter().next()).unwrap_or(0)
    }

    fn lowest_may_rise(&self) -> bool {
        self.chosen.is_none() && self.count < self.scores().len()
    }

    fn scores(&self) -> &[Option<f64>] {
        self.ratios.get()
    }

    fn state(&self) -> PolicyState {
        self.ratios.save(PolicyState::new(NAME))
    }

    fn restore(&mut self, state: &PolicyState) -> Result<(), SelectError> {
        self.ratios = self.ratios.restored(NAME, state, |ratio| ratio >= 0.0)?;
        self.chosen = if self.scores().contains(&None) { None } else { Some(self.choose()?) };
        Ok(())
    }
}
