//! `badam`: block coordinate descent with Adam, one layer at a time.
//!
//! Every `interval` steps the next layer takes its turn and begins with an empty optimizer state: that of a layer is
//! cleared when it leaves, which frees its memory where layers' own weights train. In the random order
//! each round visits every layer once, by a permutation drawn when it begins ([`sample::uniform`] over all layers in
//! ascending order).
//!
//! # Source
//! Luo, Yu & Li, "BAdam", NeurIPS 2024, arXiv 2404.02827; `block_optim.py` of Ledzy/BAdam, commit 163329d, which
//! switches for the first time one step early.

use std::num::NonZeroU64;
use std::str::FromStr;

use crate::{
    Evidence, LayerPolicy, LayerSet, Method, MethodOption, PolicyState, SelectError, Signals, sample,
    unscored,
};

const NAME: &str = "badam";
const ROUND: &str = "round";
const POSITION: &str = "position";

const INTERVAL: MethodOption = MethodOption {
    name: "interval",
    summary: "Steps that a layer trains before the next one takes its turn.",
    values: "a number from `1`, such as `100`",
    default: "100",
};
const ORDER: MethodOption = MethodOption {
    name: "order",
    summary: "In which order the layers take their turns.",
    values: "`random`, `ascending` or `descending`",
    default: "random",
};

pub(crate) const METHOD: Method = Method {
    name: NAME,
    summary: "BAdam: trains one layer at a time, each for many steps with an optimizer state of its own.",
    options: &[INTERVAL, ORDER],
    notes: &[],
    make: |layers, options| Ok(Box::new(Badam::new(layers, options.get(&INTERVAL)?, options.get(&ORDER)?)?)),
};

/// In which order layers take their turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// A permutation drawn for each round.
    Random,
    /// From the lowest layer up.
    Ascending,
    /// From the highest layer down.
    Descending,
}

impl FromStr for Order {
    type Err = ();

    fn from_str(text: &str) -> Result<Order, ()> {
        match text {
            "random" => Ok(Order::Random),
            "ascending" => Ok(Order::Ascending),
            "descending" => Ok(Order::Descending),
            _ => Err(()),
        }
    }
}

/// The BAdam policy.
#[derive(Debug, Clone)]
pub struct Badam {
    interval: u64,
    order: Order,
    /// The layers in the order of the present round.
    round: Vec<usize>,
    /// Whose turn it is, once the first step was selected.
    position: Option<usize>,
    left: Option<LayerSet>,
}

impl Badam {
    /// The policy at its start, for a model of `layers` layers, each of which trains for `interval` steps.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`] if there can be no such model.
    pub fn new(layers: usize, interval: NonZeroU64, order: Order) -> Result<Badam, SelectError> {
        LayerSet::check_layers(layers)?;
        let round = (0..layers).collect();
        Ok(Badam { interval: interval.get(), order, round, position: None, left: None })
    }

    fn begin_round(&mut self, evidence: &mut Evidence<'_>) {
        let layers = self.round.len();
        self.round.clear();
        self.round.extend(0..layers);
        match self.order {
            Order::Random => sample::uniform(evidence.draws(), &mut self.round, layers),
            Order::Ascending => {}
            Order::Descending => self.round.reverse(),
        }
    }
}

impl LayerPolicy for Badam {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs(&self) -> Signals {
        Signals::none()
    }

    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        let layers = self.round.len();
        evidence.expect_layers(NAME, layers)?;
        let stays = self.position.filter(|_| !evidence.step.is_multiple_of(self.interval));
        self.left = None;
        let position = match stays {
            Some(position) => position,
            None => {
                let before = self.position.map(|position| LayerSet::new(layers, [self.round[position]]));
                self.left = before.transpose()?;
                let next = self.position.map_or(0, |position| (position + 1) % layers);
                if next == 0 {
                    self.begin_round(evidence);
                }
                next
            }
        };
        let set = LayerSet::new(layers, [self.round[position]])?;
        self.position = Some(position);
        Ok(set)
    }

    fn optimizer_reset(&self) -> Option<LayerSet> {
        self.left
    }

    fn observe(&mut self, _: &Evidence<'_>) -> Result<(), SelectError> {
        Ok(())
    }

    fn scores(&self) -> &[Option<f64>] {
        unscored(self.round.len())
    }

    fn state(&self) -> PolicyState {
        let round: Vec<_> = self.round.iter().map(|&layer| Some(layer as f64)).collect();
        let position = self.position.map(|position| position as f64);
        PolicyState::new(NAME).with(ROUND, &round).with(POSITION, &[position])
    }

    fn restore(&mut self, state: &PolicyState) -> Result<(), SelectError> {
        let layers = self.round.len();
        let whole = |number: &Option<f64>| (0..layers).find(|&layer| *number == Some(layer as f64));
        let list = state.list(NAME, ROUND, layers)?;
        let round: Vec<usize> = list.iter().filter_map(whole).collect();
        let damaged = |list| SelectError::StateDamaged { method: NAME, list };
        if round.len() < layers || LayerSet::new(layers, round.iter().copied())?.count() < layers {
            return Err(damaged(ROUND));
        }
        let saved = &state.list(NAME, POSITION, 1)?[0];
        let position = whole(saved);
        if saved.is_some() && position.is_none() {
            return Err(damaged(POSITION));
        }
        (self.round, self.position, self.left) = (round, position, None);
        Ok(())
    }
}
