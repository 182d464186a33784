//! `rst`: random sparse tuning, a uniformly random set of layers in every step.
//!
//! Each step draws anew, by [`sample::uniform`] from the layers in ascending order.
//!
//! # Source
//! The baseline of Liu & Litman, Findings of EMNLP 2025, arXiv 2510.00268; `rst.py` of ZhexiongLiu/IR-Tuning, commit
//! 0a44982, which draws 4 of the first 32 layers whatever the model (`published`).

use std::num::NonZeroUsize;

use crate::{
    Evidence, Fidelity, LayerPolicy, LayerSet, Method, MethodOption, PolicyState, SelectError, Signals,
    sample, unscored,
};

const NAME: &str = "rst";
const PUBLISHED_LAYERS: usize = 4;
const PUBLISHED_OF: usize = 32;

const LAYERS: MethodOption = MethodOption {
    name: "layers",
    summary: "How many layers train in a step; a model of fewer trains all.",
    values: "a number from `1`, such as `4`",
    default: "4",
};
const FIDELITY: MethodOption = MethodOption {
    name: "fidelity",
    summary: "Whether to draw from all layers, or 4 of the first 32 as the published code does.",
    values: "`paper` or `published`",
    default: "paper",
};

pub(crate) const METHOD: Method = Method {
    name: NAME,
    summary: "RST: trains a uniformly random set of layers, drawn anew in every step.",
    options: &[LAYERS, FIDELITY],
    notes: &[],
    make: |layers, options| match options.get(&FIDELITY)? {
        Fidelity::Paper => Ok(Box::new(Rst::new(layers, layers, options.get(&LAYERS)?)?)),
        Fidelity::Published => {
            options.get::<NonZeroUsize>(&LAYERS)?;
            options.refuse_with(&LAYERS, &FIDELITY)?;
            let count = NonZeroUsize::MIN.saturating_add(PUBLISHED_LAYERS - 1);
            Ok(Box::new(Rst::new(layers, layers.min(PUBLISHED_OF), count)?))
        }
    },
};

/// The policy that draws a random set in every step.
#[derive(Debug, Clone)]
pub struct Rst {
    layers: usize,
    of: usize,
    count: usize,
    pool: Vec<usize>,
}

impl Rst {
    /// The policy that draws `count` of the first `of` of `layers` layers, or all of those if they are fewer.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`] if there can be no such model, [`SelectError::LayerOutOfRange`] if it has fewer than
    /// `of` layers, [`SelectError::EmptySet`] if `of` is 0.
    pub fn new(layers: usize, of: usize, count: NonZeroUsize) -> Result<Rst, SelectError> {
        LayerSet::new(layers, 0..of)?;
        Ok(Rst { layers, of, count: count.get().min(of), pool: Vec::with_capacity(of) })
    }
}

impl LayerPolicy for Rst {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs(&self) -> Signals {
        Signals::none()
    }

    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        evidence.expect_layers(NAME, self.layers)?;
        self.pool.clear();
        self.pool.extend(0..self.of);
        sample::uniform(evidence.draws(), &mut self.pool, self.count);
        LayerSet::new(self.layers, self.pool[..self.count].iter().copied())
    }

    fn observe(&mut self, _: &Evidence<'_>) -> Result<(), SelectError> {
        Ok(())
    }

    fn scores(&self) -> &[Option<f64>] {
        unscored(self.layers)
    }

    fn state(&self) -> PolicyState {
        PolicyState::new(NAME)
    }

    fn restore(&mut self, state: &PolicyState) -> Result<(), SelectError> {
        state.expect_method(NAME)
    }
}
