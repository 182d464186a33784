//! `ir`: IR-Tuning, which trains the layers that matter most by a score of each.
//!
//! Layers are ranked by the score, lower layers first on ties, and the ranking is split where both sides vary least;
//! one side trains. What the score is (`metric`):
//!
//! | metric | score | measured | side |
//! |---|---|---|---|
//! | `gradient` | from the adapters' gradients, see below | of layers that train, every step | high |
//! | `cosine` | mean over positions of the cosine between the layer's input and output | of all layers, every step | low |
//! | `weight` | L2 norm over the values of the attention's output projection | once | high |
//!
//! Two fidelities:
//!
//! | | `paper` | `published` |
//! |---|---|---|
//! | gradient score of a layer | L2 norm of its adapters' gradient | `sqrt(Σ sqrt(‖g_p‖))` over its parameters p |
//! | a gradient that is not finite | an error | counts as a norm of 1000 |
//! | never-scored layers | train before any split, see below | stand at score 1000 (`cosine`: 1) |
//! | start | all layers are never-scored | the split runs on random scores |
//! | split | at the cheapest `k` ([`split::true_split`]) | one lower ([`split::published_split`]) |
//! | window of the split | `⌊0.35 L⌋ ..= ⌊0.65 L⌋` | list positions, `cosine` without the last, `weight` without the first |
//!
//! **Exploration** (`paper`): while some layers have never been scored, there is nothing to split by, and those
//! layers train: all of them, or as many as a split would keep at most, drawn at random ([`sample::uniform`]). When
//! they are fewer than a split would keep at least, the highest-scored layers fill up the set. So every layer has a
//! score after a few steps.
//!
//! **Settling**: with `settle = n` the set of the first step from step n on is kept to the end (under `paper` of the
//! first in which every layer has a score), and nothing is measured any more.
//!
//! **Where the published code fails**: the positions that it looks at are none, and it raises, or the first of them leaves no
//! layer. That is so with `gradient` of one layer, with `cosine` and `weight` of one to three; with a second split with
//! `cosine` of four to eleven layers and with `weight` of four to eight, in some steps or in all. Where costs tie, the first
//! equal one in the whole list counts, which may be the very first: `cosine` then has no layer. Here the nearest
//! position counts, and at least one layer trains.
//!
//! **Cosines are not the published ones.** Those of the last layer are of the positions that are read, and nothing is padded;
//! the published code measures the last layer everywhere and padding as well. So with `metric = "cosine"`, `published` is
//! the published code in how it splits, not in every decision.
//!
//! # Source
//! Liu & Litman, Findings of EMNLP 2025, arXiv 2510.00268; `ir.py` of ZhexiongLiu/IR-Tuning, commit 0a44982.

use std::ops::{Range, RangeInclusive};

use crate::ranking::Ranking;
use crate::scores::Scores;
use crate::{
    Evidence, Fidelity, LayerPolicy, LayerSet, Method, MethodOption, Metric, PolicyState, SelectError,
    Signals, SplitNum, WeightMeasure, sample, split,
};

const NAME: &str = "ir";
const SETTLED: &str = "settled";

const METRIC: MethodOption = MethodOption {
    name: "metric",
    summary: "What layers are scored by: their adapters' gradients, how little they turn their input, or the size of \
              their output projection.",
    values: "`gradient`, `cosine` or `weight`",
    default: "gradient",
};
const FIDELITY: MethodOption = MethodOption {
    name: "fidelity",
    summary: "Whose details to follow: the method as the paper means it, or its published code, with `cosine` not \
              decision for decision.",
    values: "`paper` or `published`",
    default: "paper",
};
const SPLIT_NUM: MethodOption = MethodOption {
    name: "split_num",
    summary: "How often to split: twice splits the chosen side once more, so fewer layers train.",
    values: "`1` or `2`",
    default: "1",
};
const SETTLE: MethodOption = MethodOption {
    name: "settle",
    summary: "After this many steps of choosing anew the set is frozen.",
    values: "a number of steps, `0` for never",
    default: "0",
};

/// Where `published` is not the published code.
const PUBLISHED: &[&str] = &[
    "`--fidelity published` follows the authors' code in these: how gradients become scores, how scores are split, and what a \
     layer stands at before it was scored. In some models that code selects no layer, or raises an error: with `gradient` \
     of 1 layer, with `cosine` of 1 to 3, with `weight` of 1 to 3; and with `split_num` 2 with `cosine` of 4 to 11 layers \
     and with `weight` of 4 to 8, in some steps or in all. Where several splits cost the same it takes the first of that \
     cost in the whole ranking, which with `cosine` can be before the first layer, so that none trains. irtune then \
     trains what the nearest split leaves, at least one layer.",
    "With `cosine` choices are not those of the authors' code decision for decision, as the scores differ. The cosine of the \
     last layer is measured where a classifier reads, at each example's last position; there at all positions. And \
     there a batch is padded, and padding is measured too; here nothing is padded. So scores agree for all layers but the \
     last on batches of texts of equal length, and on others they don't.",
];

pub(crate) const METHOD: Method = Method {
    name: NAME,
    summary: "IR-Tuning: ranks the layers by a score, such as the size of their adapters' gradients, splits the \
              ranking and trains the side that matters more, chosen anew in every step.",
    options: &[METRIC, FIDELITY, SPLIT_NUM, SETTLE],
    notes: PUBLISHED,
    make: |layers, options| {
        let config = IrConfig {
            metric: options.get(&METRIC)?,
            fidelity: options.get(&FIDELITY)?,
            split_num: options.get(&SPLIT_NUM)?,
            settle: options.get(&SETTLE)?,
        };
        Ok(Box::new(config.init(layers)?))
    },
};

/// What can be set about `ir`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IrConfig {
    /// What layers are scored by.
    pub metric: Metric,
    /// Whose details to follow.
    pub fidelity: Fidelity,
    /// How often to split.
    pub split_num: SplitNum,
    /// Steps after which the set is frozen; 0 never freezes it.
    pub settle: u64,
}

impl IrConfig {
    /// The policy at its start, for a model of `layers` layers.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`] if there can be no such model.
    pub fn init(self, layers: usize) -> Result<Ir, SelectError> {
        LayerSet::check_layers(layers)?;
        let (scores, ranking) = (Scores::new(layers), Ranking::new(layers));
        Ok(Ir { config: self, scores, selected: None, settled: None, ranking })
    }

    /// The sizes of set that the splits of `paper` can choose from `layers` layers.
    pub fn sizes(self, layers: usize) -> RangeInclusive<usize> {
        let (mut smallest, mut largest) = (layers, layers);
        for _ in 0..self.split_num.splits() {
            let (low, high) = (split::left_out(smallest), split::left_out(largest));
            (smallest, largest) = match self.metric {
                Metric::Cosine => ((*low.start()).max(1), (*high.end()).max(1)),
                _ => (smallest - low.end(), largest - high.start()),
            };
        }
        smallest..=largest
    }

    /// The score of a layer never scored, as the published code has it.
    fn published_start(self) -> f64 {
        if self.metric == Metric::Cosine { 1.0 } else { 1000.0 }
    }

    /// The positions of the list of costs that the published code looks at.
    fn published_window(self, count: usize) -> Range<usize> {
        let (first, last) = split::window(count).into_inner();
        match self.metric {
            Metric::Gradient => first..last + 1,
            Metric::Cosine => first..last,
            Metric::Weight => first + 1..last + 1,
        }
    }
}

/// The IR-Tuning policy.
#[derive(Debug, Clone)]
pub struct Ir {
    config: IrConfig,
    scores: Scores,
    selected: Option<LayerSet>,
    settled: Option<LayerSet>,
    ranking: Ranking,
}

impl LayerPolicy for Ir {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs(&self) -> Signals {
        match self.config.metric {
            _ if self.settled.is_some() => Signals::none(),
            Metric::Gradient => Signals::gradient_norms(),
            Metric::Cosine => Signals::layer_cosines(),
            Metric::Weight if self.unscored() > 0 => Signals::weights(WeightMeasure::OutputProjection),
            Metric::Weight => Signals::none(),
        }
    }

    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        evidence.expect_layers(NAME, self.scores().len())?;
        if let Some(settled) = self.settled {
            return Ok(settled);
        }
        if self.config.metric == Metric::Weight && self.unscored() > 0 {
            self.scores.set(evidence.weights(NAME)?);
        }
        let explores = self.config.fidelity == Fidelity::Paper && self.unscored() > 0;
        let set = if explores { self.explore(evidence)? } else { self.split(evidence)? };
        self.selected = Some(set);
        if self.config.settle > 0 && evidence.step >= self.config.settle && !explores {
            self.settled = Some(set);
        }
        Ok(set)
    }

    fn observe(&mut self, evidence: &Evidence<'_>) -> Result<(), SelectError> {
        evidence.expect_layers(NAME, self.scores().len())?;
        match self.config.metric {
            _ if self.settled.is_some() => {}
            Metric::Gradient => {
                self.scores.observe_gradients(
                    NAME,
                    self.config.fidelity,
                    self.selected.as_ref(),
                    evidence,
                )?;
            }
            Metric::Cosine => self.scores.set(evidence.layer_cosines(NAME)?),
            Metric::Weight => {}
        }
        Ok(())
    }

    fn lowest(&self) -> usize {
        let last = self.settled.or(self.selected.filter(|_| self.scores_stay()));
        last.and_then(|set| set.iter().next()).unwrap_or(0)
    }

    fn lowest_may_rise(&self) -> bool {
        self.settled.is_none() && (self.config.settle > 0 || self.config.metric == Metric::Weight)
    }

    fn scores(&self) -> &[Option<f64>] {
        self.scores.get()
    }

    fn state(&self) -> PolicyState {
        let state = self.scores.save(PolicyState::new(NAME));
        state.with_set(SETTLED, self.settled.as_ref(), self.scores().len())
    }

    fn restore(&mut self, state: &PolicyState) -> Result<(), SelectError> {
        let signed = self.config.metric == Metric::Cosine;
        let scores = self.scores.restored(NAME, state, |score| signed || score >= 0.0)?;
        self.settled = state.set(NAME, SETTLED, self.scores().len())?;
        self.scores = scores;
        self.selected = None;
        Ok(())
    }
}

impl Ir {
    fn unscored(&self) -> usize {
        self.scores().iter().filter(|score| score.is_none()).count()
    }

    /// Whether all layers have scores that never change, so that every choice is the same from now on.
    fn scores_stay(&self) -> bool {
        let start = Some(self.config.published_start());
        self.config.metric == Metric::Weight
            && self.unscored() == 0
            && self.scores().iter().any(|score| *score != start)
    }

    /// One side of the ranking after the configured number of splits.
    fn split(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        let (config, start) = (self.config, self.config.published_start());
        let scores = self.scores.get().iter().map(|score| score.unwrap_or(start));
        if config.fidelity == Fidelity::Published && scores.clone().all(|score| score == start) {
            self.ranking.sort(scores.map(|_| evidence.draws().unit()));
        } else {
            self.ranking.sort(scores);
        }
        let mut ranks = 0..self.scores().len();
        for _ in 0..config.split_num.splits() {
            let low = self.ranking.split(ranks.clone(), |costs| match config.fidelity {
                Fidelity::Paper => split::true_split(costs),
                Fidelity::Published => {
                    split::published_split(costs, config.published_window(costs.len() + 1))
                }
            });
            ranks = match config.metric {
                Metric::Cosine => ranks.start..ranks.start + low.max(1),
                _ => ranks.start + low..ranks.end,
            };
        }
        self.ranking.set(ranks)
    }

    /// The never-scored layers, as many as may train, filled up with the best-scored ones.
    fn explore(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        let (layers, unscored) = (self.scores().len(), self.unscored());
        let (smallest, largest) = self.config.sizes(layers).into_inner();
        let sign = if self.config.metric == Metric::Cosine { -1.0 } else { 1.0 };
        // Above all scores, the never-scored layers end the ranking.
        let scores = self.scores.get().iter();
        self.ranking.sort(scores.map(|score| score.map_or(f64::INFINITY, |score| sign * score)));
        if unscored <= largest {
            return self.ranking.set(layers - unscored.max(smallest)..layers);
        }
        let first = layers - unscored;
        sample::uniform(evidence.draws(), &mut self.ranking.order()[first..], largest);
        self.ranking.set(first..first + largest)
    }
}
