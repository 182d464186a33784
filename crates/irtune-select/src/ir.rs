//! `ir`: IR-Tuning, which trains the layers whose adapters have the largest gradients.
//!
//! Layers are ranked by a score, highest last and by their number on ties, and the ranking is split where both
//! sides vary least; the upper side trains. Only layers that train get a new score. Two fidelities:
//!
//! | | `paper` | `published` |
//! |---|---|---|
//! | score of a layer | L2 norm of its adapters' gradient | `sqrt(Σ sqrt(‖g_p‖))` over its parameters p |
//! | a gradient that is not finite | an error | counts as a norm of 1000 |
//! | never-scored layers | train before any split, see below | stand at score 1000 |
//! | start | all layers are never-scored | the split runs on random scores |
//! | split | at the cheapest `k` ([`split::true_split`]) | one lower ([`split::published_split`]) |
//!
//! **Exploration** (`paper`): while some layers have never been scored, there is nothing to split by, and those
//! layers train: all of them, or as many as a split would keep at most, drawn at random (by exchange: position i
//! is swapped with a random one of those from i on, for i = 0, 1, …). When they are fewer than a split would keep
//! at least, the highest-scored layers fill up the set. So every layer has a score after a few steps.
//!
//! # Source
//! Liu & Litman, Findings of EMNLP 2025, arXiv 2510.00268; `ir.py` of ZhexiongLiu/IR-Tuning, commit 0a44982.

use std::ops::{Range, RangeInclusive};

use crate::{
    Evidence, Fidelity, LayerPolicy, LayerSet, Method, MethodOption, PolicyState, SelectError, Signals,
    SplitNum, split,
};

const NAME: &str = "ir";
const SCORES: &str = "scores";

/// The published code's score of a layer never scored, and its norm of a gradient that is not finite.
const PUBLISHED_START: f64 = 1000.0;

const FIDELITY: MethodOption = MethodOption {
    name: "fidelity",
    summary: "Whose details to follow: the method as the paper means it, or its published code.",
    values: "`paper` or `published`",
    default: "paper",
};
const SPLIT_NUM: MethodOption = MethodOption {
    name: "split_num",
    summary: "How often to split: twice splits the chosen side once more, so fewer layers train.",
    values: "`1` or `2`",
    default: "1",
};

pub(crate) const METHOD: Method = Method {
    name: NAME,
    summary: "IR-Tuning: trains the layers whose adapters have the largest gradients, chosen anew in every step.",
    options: &[FIDELITY, SPLIT_NUM],
    make: |layers, options| {
        let config = IrConfig { fidelity: options.get(&FIDELITY)?, split_num: options.get(&SPLIT_NUM)? };
        Ok(Box::new(config.init(layers)?))
    },
};

/// What can be set about `ir`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IrConfig {
    /// Whose details to follow.
    pub fidelity: Fidelity,
    /// How often to split.
    pub split_num: SplitNum,
}

impl IrConfig {
    /// The policy at its start, for a model of `layers` layers.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`] if there can be no such model.
    pub fn init(self, layers: usize) -> Result<Ir, SelectError> {
        LayerSet::check_layers(layers)?;
        Ok(Ir {
            config: self,
            scores: vec![None; layers],
            selected: None,
            fresh: Vec::with_capacity(layers),
            ranking: Vec::with_capacity(layers),
            ascending: Vec::with_capacity(layers),
            costs: Vec::with_capacity(layers),
        })
    }

    /// The sizes of set that the splits of `paper` can choose from `layers` layers.
    pub fn sizes(self, layers: usize) -> RangeInclusive<usize> {
        let (mut smallest, mut largest) = (layers, layers);
        for _ in 0..self.split_num.splits() {
            smallest -= split::left_out(smallest).end();
            largest -= split::left_out(largest).start();
        }
        smallest..=largest
    }
}

/// The IR-Tuning policy.
#[derive(Debug, Clone)]
pub struct Ir {
    config: IrConfig,
    scores: Vec<Option<f64>>,
    selected: Option<LayerSet>,
    // Scratch of a step, kept so that choosing and observing allocate nothing.
    fresh: Vec<Option<f64>>,
    ranking: Vec<(f64, usize)>,
    ascending: Vec<f64>,
    costs: Vec<f64>,
}

impl LayerPolicy for Ir {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs(&self) -> Signals {
        Signals::gradient_norms()
    }

    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        let layers = self.scores.len();
        evidence.expect_layers(NAME, layers)?;
        let set = match self.config.fidelity {
            Fidelity::Paper if self.scores.contains(&None) => self.explore(evidence)?,
            Fidelity::Paper => {
                self.rank(Option::unwrap_or_default);
                self.upper_side(split::true_split)?
            }
            Fidelity::Published => {
                let standing = |score: Option<f64>| score.unwrap_or(PUBLISHED_START);
                if self.scores.iter().all(|&score| standing(score) == PUBLISHED_START) {
                    self.rank(|_| evidence.draws().unit());
                } else {
                    self.rank(standing);
                }
                self.upper_side(split::published_split)?
            }
        };
        self.selected = Some(set);
        Ok(set)
    }

    fn observe(&mut self, evidence: &Evidence<'_>) -> Result<(), SelectError> {
        let step = evidence.step;
        evidence.expect_layers(NAME, self.scores.len())?;
        let norms = evidence.gradient_norms().ok_or(SelectError::NoGradientNorms { method: NAME, step })?;
        if norms.layers() != self.scores.len() {
            let (expected, found) = (self.scores.len(), norms.layers());
            return Err(SelectError::EvidenceLayers { method: NAME, step, expected, found });
        }
        self.fresh.clone_from(&self.scores);
        for (layer, fresh) in self.fresh.iter_mut().enumerate() {
            let trained = self.selected.is_some_and(|set| set.contains(layer));
            match norms.layer(layer).filter(|norms| !norms.is_empty()) {
                Some(norms) => *fresh = Some(score(self.config.fidelity, norms, step, layer)?),
                None if trained => return Err(SelectError::MissingGradientNorms { step, layer }),
                None => {}
            }
        }
        std::mem::swap(&mut self.scores, &mut self.fresh);
        Ok(())
    }

    fn scores(&self) -> &[Option<f64>] {
        &self.scores
    }

    fn state(&self) -> PolicyState {
        PolicyState::new(NAME).with(SCORES, &self.scores)
    }

    fn restore(&mut self, state: &PolicyState) -> Result<(), SelectError> {
        let scores = state.list(NAME, SCORES, self.scores.len())?;
        for (layer, &score) in scores.iter().enumerate() {
            if let Some(score) = score.filter(|score| !(score.is_finite() && *score >= 0.0)) {
                return Err(SelectError::StateScore { method: NAME, layer, score });
            }
        }
        self.scores.copy_from_slice(scores);
        self.selected = None;
        Ok(())
    }
}

impl Ir {
    /// Puts the layers in the order of a score, lowest first, lower layers first on ties.
    fn rank(&mut self, mut score: impl FnMut(Option<f64>) -> f64) {
        self.ranking.clear();
        self.ranking.extend(self.scores.iter().enumerate().map(|(layer, &own)| (score(own), layer)));
        // The layer is part of the key, so no two keys are equal and an unstable sort has one outcome.
        self.ranking.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    }

    /// The upper side of the ranking after the configured number of splits.
    fn upper_side(&mut self, split: fn(&[f64]) -> usize) -> Result<LayerSet, SelectError> {
        let mut start = 0;
        for _ in 0..self.config.split_num.splits() {
            self.ascending.clear();
            self.ascending.extend(self.ranking[start..].iter().map(|&(score, _)| score));
            split::costs(&self.ascending, &mut self.costs);
            start += split(&self.costs);
        }
        self.ranked(start..self.ranking.len())
    }

    /// The never-scored layers, as many as may train, filled up with the highest-scored ones.
    fn explore(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        let layers = self.scores.len();
        let (smallest, largest) = self.config.sizes(layers).into_inner();
        // Above all scores, the never-scored layers end the ranking.
        self.rank(|score| score.unwrap_or(f64::INFINITY));
        let unscored = self.scores.iter().filter(|score| score.is_none()).count();
        if unscored <= largest {
            return self.ranked(layers - unscored.max(smallest)..layers);
        }
        let first = layers - unscored;
        for position in first..first + largest {
            let other = position + evidence.draws().below(layers - position);
            self.ranking.swap(position, other);
        }
        self.ranked(first..first + largest)
    }

    fn ranked(&self, ranks: Range<usize>) -> Result<LayerSet, SelectError> {
        LayerSet::new(self.scores.len(), self.ranking[ranks].iter().map(|&(_, layer)| layer))
    }
}

/// The score of a layer from its parameters' gradient norms, which are at least one.
fn score(fidelity: Fidelity, norms: &[f64], step: u64, layer: usize) -> Result<f64, SelectError> {
    let sum: f64 = match fidelity {
        Fidelity::Paper => norms.iter().map(|norm| norm * norm).sum(),
        Fidelity::Published => norms.iter().map(|&norm| published_norm(norm).sqrt()).sum(),
    };
    if sum.is_finite() && norms.iter().all(|&norm| norm.is_nan() || norm >= 0.0) {
        return Ok(sum.sqrt());
    }
    // The first that is no norm at all, else the one too large to be squared.
    let no_norm = norms.iter().position(|&norm| !(norm.is_finite() && norm >= 0.0));
    let largest = (0..norms.len()).max_by(|&a, &b| norms[a].total_cmp(&norms[b])).unwrap_or(0);
    let parameter = no_norm.unwrap_or(largest);
    Err(SelectError::InvalidGradientNorm { step, layer, parameter, norm: norms[parameter] })
}

/// A gradient norm as the published code sees it.
fn published_norm(norm: f64) -> f64 {
    if norm.is_nan() || norm.is_infinite() { PUBLISHED_START } else { norm }
}
