//! A decoder layer and its parts, each with its forward beside its backward.
//!
//! A [`block`] is attention, then an MLP, each on the residual stream. Which biases and norms they have is said by the
//! family's [`LayerSpec`](crate::families::LayerSpec).

pub(crate) mod attention;
pub(crate) mod block;
pub(crate) mod branch;
pub(crate) mod linear;
pub(crate) mod mlp;
pub(crate) mod norm;
pub(crate) mod scratch;

use irtune_device::{Device, RotaryTable, RowSet};

use crate::{adapters::site::Dropout, base::config::ModelConfig, families::Rotary};

/// What the parts of a layer know of a pass.
pub(crate) struct Pass<'a, D: Device> {
    pub(crate) device: &'a D,
    pub(crate) config: &'a ModelConfig,
    /// The angles of the layer's rotary positions, where it has them.
    pub(crate) rotary: Option<&'a RotaryTables<D>>,
    pub(crate) rows: Rows<'a, D>,
    /// Of the step, when adapters drop inputs.
    pub(crate) dropout: Option<Dropout>,
    /// What the layer's adapters add is multiplied by this.
    pub(crate) factor: f32,
    /// What the layer does in this pass.
    pub(crate) mode: Mode,
}

/// Angles of rotary positions.
pub(crate) struct RotaryTables<D: Device> {
    pub(crate) keys: D::Rotary,
    /// Those of queries, where they are multiplied by something else.
    pub(crate) queries: Option<D::Rotary>,
}

impl<D: Device> RotaryTables<D> {
    /// For so many positions.
    pub(crate) fn new(device: &D, rotary: &Rotary, head_size: usize, positions: usize) -> Self {
        let (frequencies, factor) = (rotary.frequencies(), rotary.attention_factor());
        let table = |factor: &dyn Fn(usize) -> f32| {
            let table = RotaryTable::new(&frequencies, positions).of_heads(head_size);
            device.rotary_table(table.scaled(factor))
        };
        let queries = rotary.query_growth.map(|growth| table(&|position| factor * growth.at(position)));
        Self { keys: table(&|_| factor), queries }
    }
}

/// The rows that a layer computes: all of them, or in the last layer those that are read.
pub(crate) struct Rows<'a, D: Device> {
    /// The batch.
    pub(crate) layout: &'a D::Layout,
    /// Which rows are queries, and go through output projection and MLP.
    pub(crate) set: RowSet,
    /// How many.
    pub(crate) queries: usize,
    /// Rows of keys and values: all.
    pub(crate) tokens: usize,
}

impl<D: Device> Rows<'_, D> {
    /// Number of rows of a set.
    pub(crate) fn count(&self, set: RowSet) -> usize {
        if set == RowSet::All { self.tokens } else { self.queries }
    }

    /// Whether only some rows go on: in the last layer.
    pub(crate) fn are_picked(&self) -> bool {
        self.set == RowSet::Read
    }
}

/// What a layer does in a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Below the lowest training layer, or inference: nothing is kept for a backward.
    NoGrad,
    /// Frozen above it: what the input gradient needs is kept.
    Frozen,
    /// Training: what the gradients of its own parameters need is kept too.
    Training,
}
