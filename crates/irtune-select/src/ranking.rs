//! Layers in the order of a score, split in two.

use std::ops::Range;

use crate::{LayerSet, SelectError, split};

/// Layers by ascending score, lower layers first on ties, with the scratch of splitting them.
///
/// Ranking and splitting allocate nothing.
#[derive(Debug, Clone)]
pub(crate) struct Ranking {
    layers: usize,
    order: Vec<(f64, usize)>,
    ascending: Vec<f64>,
    costs: Vec<f64>,
}

impl Ranking {
    pub(crate) fn new(layers: usize) -> Ranking {
        let (order, ascending, costs) =
            (Vec::with_capacity(layers), Vec::with_capacity(layers), Vec::with_capacity(layers));
        Ranking { layers, order, ascending, costs }
    }

    /// Ranks all layers by a score for each.
    pub(crate) fn sort(&mut self, scores: impl Iterator<Item = f64>) {
        self.order.clear();
        self.order.extend(scores.zip(0..));
        // The layer is part of the key, so no two keys are equal and an unstable sort has one outcome.
        self.order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    }

    /// Score and layer by rank, lowest first.
    pub(crate) fn order(&mut self) -> &mut [(f64, usize)] {
        &mut self.order
    }

    /// The number of lowest ranks of `ranks` that `split` finds from the costs of all splits.
    pub(crate) fn split(&mut self, ranks: Range<usize>, split: impl Fn(&[f64]) -> usize) -> usize {
        self.ascending.clear();
        self.ascending.extend(self.order[ranks].iter().map(|&(score, _)| score));
        split::costs(&self.ascending, &mut self.costs);
        split(&self.costs)
    }

    /// The layers of some ranks.
    pub(crate) fn set(&self, ranks: Range<usize>) -> Result<LayerSet, SelectError> {
        LayerSet::new(self.layers, self.order[ranks].iter().map(|&(_, layer)| layer))
    }
}
