//! `lisa`: layerwise importance sampled AdamW, a few random layers that train for a while.
//!
//! In every step whose number is a multiple of the interval, `layers` layers are drawn uniformly
//! ([`sample::uniform`], from the layers in ascending order) and train until the next draw. The original trains whole
//! layers with embeddings and head; here the adapters of the drawn layers train, and the head as the run says.
//!
//! # Source
//! Pan et al., "LISA", NeurIPS 2024, arXiv 2403.17919; OptimalScale/LMFlow, commit f3597dba.

use std::num::{NonZeroU64, NonZeroUsize};
use std::str::FromStr;

use crate::{
    Evidence, LayerPolicy, LayerSet, Method, MethodOption, PolicyState, SelectError, Signals, sample,
    unscored,
};

const NAME: &str = "lisa";
const CHOSEN: &str = "chosen";

const LAYERS: MethodOption = MethodOption {
    name: "layers",
    summary: "How many layers train at a time; a model of fewer trains all.",
    values: "a number from `1`, such as `2`",
    default: "2",
};
const INTERVAL: MethodOption = MethodOption {
    name: "interval",
    summary: "Steps between two draws.",
    values: "a number from `1`, such as `20`",
    default: "20",
};
const OPTIMIZER_STATE: MethodOption = MethodOption {
    name: "optimizer_state",
    summary: "Whether a layer that leaves keeps its optimizer state until it returns.",
    values: "`keep` or `reset`",
    default: "keep",
};

pub(crate) const METHOD: Method = Method {
    name: NAME,
    summary: "LISA: trains a few uniformly random layers for a while, then draws others.",
    options: &[LAYERS, INTERVAL, OPTIMIZER_STATE],
    notes: &[],
    make: |layers, options| {
        let config = LisaConfig {
            layers: options.get(&LAYERS)?,
            interval: options.get(&INTERVAL)?,
            optimizer_state: options.get(&OPTIMIZER_STATE)?,
        };
        Ok(Box::new(config.init(layers)?))
    },
};

/// What can be set about `lisa`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LisaConfig {
    /// Layers that train at a time.
    pub layers: NonZeroUsize,
    /// Steps between two draws.
    pub interval: NonZeroU64,
    /// What becomes of the optimizer state of layers that leave.
    pub optimizer_state: OptimizerState,
}

/// What becomes of the optimizer state of a layer that no longer trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptimizerState {
    /// It stands still until the layer trains again.
    Keep,
    /// It is cleared.
    Reset,
}

impl FromStr for OptimizerState {
    type Err = ();

    fn from_str(text: &str) -> Result<OptimizerState, ()> {
        match text {
            "keep" => Ok(OptimizerState::Keep),
            "reset" => Ok(OptimizerState::Reset),
            _ => Err(()),
        }
    }
}

impl LisaConfig {
    /// The policy at its start, for a model of `layers` layers.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`] if there can be no such model.
    pub fn init(self, layers: usize) -> Result<Lisa, SelectError> {
        LayerSet::check_layers(layers)?;
        Ok(Lisa { config: self, layers, chosen: None, left: None, pool: Vec::with_capacity(layers) })
    }
}

/// The LISA policy.
#[derive(Debug, Clone)]
pub struct Lisa {
    config: LisaConfig,
    layers: usize,
    chosen: Option<LayerSet>,
    left: Option<LayerSet>,
    pool: Vec<usize>,
}

impl LayerPolicy for Lisa {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs(&self) -> Signals {
        Signals::none()
    }

    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        evidence.expect_layers(NAME, self.layers)?;
        self.left = None;
        if let Some(chosen) =
            self.chosen.filter(|_| !evidence.step.is_multiple_of(self.config.interval.get()))
        {
            return Ok(chosen);
        }
        self.pool.clear();
        self.pool.extend(0..self.layers);
        let count = self.config.layers.get().min(self.layers);
        sample::uniform(evidence.draws(), &mut self.pool, count);
        let drawn = LayerSet::new(self.layers, self.pool[..count].iter().copied())?;
        self.left = self.chosen.and_then(|before| before.without(&drawn));
        self.chosen = Some(drawn);
        Ok(drawn)
    }

    fn optimizer_reset(&self) -> Option<LayerSet> {
        self.left.filter(|_| self.config.optimizer_state == OptimizerState::Reset)
    }

    fn observe(&mut self, _: &Evidence<'_>) -> Result<(), SelectError> {
        Ok(())
    }

    fn scores(&self) -> &[Option<f64>] {
        unscored(self.layers)
    }

    fn state(&self) -> PolicyState {
        PolicyState::new(NAME).with_set(CHOSEN, self.chosen.as_ref(), self.layers)
    }

    fn restore(&mut self, state: &PolicyState) -> Result<(), SelectError> {
        self.chosen = state.set(NAME, CHOSEN, self.layers)?;
        self.left = None;
        Ok(())
    }
}
