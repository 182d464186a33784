//! `ir-cost`: the layers of the highest summed score that a budget of backward work can pay for.
//!
//! The backward pass stops at the lowest layer that trains, so what a set costs is known before it is chosen. With l
//! its lowest layer and n its size, in a model of L layers:
//!
//! `cost = (L − 1 − l) + adapter_cost · n`
//!
//! one unit for the input gradient of every layer above l, and `adapter_cost` for the adapter gradients of each
//! training layer. The budget is a share of what training all layers costs. All layers at or above a given l cost the
//! same, so the best set with no layer below l is simply the highest-scored ones that the rest of the budget pays
//! for; the best of these over all l is the best set there is.
//!
//! Scores are those of `ir` (`paper`): the L2 norm of the layer's adapter gradient, new for layers that trained. As
//! there, never-scored layers come first: the set with the most of them wins, the sum decides among equals. A layer
//! so low that no set with it can be paid for never trains; the highest layer alone always can be.
//!
//! The default `adapter_cost` of 0.1 is what the arithmetic of LoRA of rank 32 suggests: on five projections of
//! SmolLM2-135M the adapters have 6 % of a layer's weights, and their gradients take as many products as an input
//! gradient does.

use crate::option_values::{Amount, Share};
use crate::ranking::Ranking;
use crate::scores::Scores;
use crate::{
    Evidence, Fidelity, LayerPolicy, LayerSet, Method, MethodOption, PolicyState, SelectError, Signals,
};

const NAME: &str = "ir-cost";

const BUDGET: MethodOption = MethodOption {
    name: "budget",
    summary: "Share of the full backward pass that a step may cost.",
    values: "a number above 0 up to 1, such as `0.5`",
    default: "0.5",
};
const ADAPTER_COST: MethodOption = MethodOption {
    name: "adapter_cost",
    summary: "What the adapter gradients of a layer cost, where its input gradient costs 1.",
    values: "a number from 0, such as `0.1`",
    default: "0.1",
};

pub(crate) const METHOD: Method = Method {
    name: NAME,
    summary: "Trains the layers with the highest sum of gradient scores that a budget of backward work can pay for, \
              chosen anew in every step.",
    options: &[BUDGET, ADAPTER_COST],
    notes: &[],
    make: |layers, options| {
        let config = IrCostConfig {
            budget: options.get::<Share>(&BUDGET)?.0,
            adapter_cost: options.get::<Amount>(&ADAPTER_COST)?.0,
        };
        Ok(Box::new(config.init(layers)?))
    },
};

/// What can be set about `ir-cost`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IrCostConfig {
    /// Share of the full backward pass that a step may cost, above 0 and at most 1.
    pub budget: f64,
    /// Cost of a layer's adapter gradients, not negative, in units of its input gradient.
    pub adapter_cost: f64,
}

impl IrCostConfig {
    /// The policy at its start, for a model of `layers` layers.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`] if there can be no such model.
    pub fn init(self, layers: usize) -> Result<IrCost, SelectError> {
        LayerSet::check_layers(layers)?;
        let (scores, ranking) = (Scores::new(layers), Ranking::new(layers));
        Ok(IrCost { config: self, scores, ranking, selected: None, candidate: Vec::with_capacity(layers) })
    }

    /// What `count` training layers cost, the lowest of which is `lowest`, in a model of `layers` layers.
    pub fn cost(self, layers: usize, lowest: usize, count: usize) -> f64 {
        (layers - 1 - lowest) as f64 + self.adapter_cost * count as f64
    }

    /// What a step may cost, with room for rounding.
    pub fn limit(self, layers: usize) -> f64 {
        self.budget * self.cost(layers, 0, layers) * (1.0 + 1e-12)
    }

    /// The most layers at or above `lowest` that the budget pays for.
    fn affordable(self, layers: usize, lowest: usize) -> usize {
        let fits = |&count: &usize| self.cost(layers, lowest, count) <= self.limit(layers);
        (1..=layers - lowest).rev().find(fits).unwrap_or(usize::from(lowest + 1 == layers))
    }
}

/// The policy that weighs importance against cost.
#[derive(Debug, Clone)]
pub struct IrCost {
    config: IrCostConfig,
    scores: Scores,
    ranking: Ranking,
    selected: Option<LayerSet>,
    candidate: Vec<usize>,
}

/// How good a set is: how many of its layers have never been scored, then the sum of the others' scores.
type Worth = (usize, f64);

impl IrCost {
    /// Puts the best layers at or above `lowest` into the candidate; what they are worth.
    fn fill(&mut self, lowest: usize) -> Worth {
        let count = self.config.affordable(self.scores.get().len(), lowest);
        let (mut unscored, mut sum) = (0, 0.0);
        self.candidate.clear();
        for &mut (score, layer) in self.ranking.order().iter_mut().rev() {
            if layer < lowest || self.candidate.len() == count {
                continue;
            }
            self.candidate.push(layer);
            match score.is_finite() {
                true => sum += score,
                false => unscored += 1,
            }
        }
        (unscored, sum)
    }
}

impl LayerPolicy for IrCost {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs(&self) -> Signals {
        Signals::gradient_norms()
    }

    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        let layers = self.scores().len();
        evidence.expect_layers(NAME, layers)?;
        self.ranking.sort(self.scores.get().iter().map(|score| score.unwrap_or(f64::INFINITY)));
        // From the top down: among sets of equal worth the one that costs least stays.
        let mut best = (layers - 1, self.fill(layers - 1));
        for lowest in (0..layers - 1).rev() {
            let worth = self.fill(lowest);
            if worth > best.1 {
                best = (lowest, worth);
            }
        }
        self.fill(best.0);
        let set = LayerSet::new(layers, self.candidate.iter().copied())?;
        self.selected = Some(set);
        Ok(set)
    }

    fn observe(&mut self, evidence: &Evidence<'_>) -> Result<(), SelectError> {
        evidence.expect_layers(NAME, self.scores().len())?;
        self.scores.observe_gradients(NAME, Fidelity::Paper, self.selected.as_ref(), evidence)
    }

    fn scores(&self) -> &[Option<f64>] {
        self.scores.get()
    }

    fn state(&self) -> PolicyState {
        self.scores.save(PolicyState::new(NAME))
    }

    fn restore(&mut self, state: &PolicyState) -> Result<(), SelectError> {
        self.scores = self.scores.restored(NAME, state, |score| score >= 0.0)?;
        self.selected = None;
        Ok(())
    }
}
